#include <algorithm>
#include <utility>

#include "cells/credential_service/dcp_edge.hpp"
#include "cells/credential_service/held_credentials.hpp"
#include "cells/credential_service/request_rows.hpp"
#include "cells/credential_service/routes.hpp"
#include "cells/identity/presentations.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/errors.hpp"
#include "protocols/dcp/messages.hpp"

namespace fondaco::credential_service {

namespace api = planes::api;

namespace {

using cells::cell_services;

constexpr const char* request_type = "CredentialRequest";

response bad_credential(std::string detail) { return refused(400, "ValidationFailure", std::move(detail)); }

result<dcp::credential_message> read_message(const gateway::request& r) {
  const auto body = read_json(r);
  if (!body)
    return std::unexpected(body.error());
  auto message = dcp::read_credential_message(*body);
  if (!message)
    return std::unexpected(bad_message(message.error()));
  if (!api::is_id(message->holder_pid))
    return std::unexpected(bad_credential("holderPid must have 1 to 512 bytes without control characters."));
  if (message->issued && message->credentials.empty())
    return std::unexpected(bad_credential("credentials must not be empty if the status is ISSUED."));
  return std::move(*message);
}

/// The request that the message answers: this participant's, made to the issuer that speaks, and open.
task<result<request_row>> find_request(cell_services& s, dcp_caller c, std::string holder_pid) {
  auto reading = read_request(s, c.owner, holder_pid);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(std::move(found.error()));
  // A request to another issuer is not there for this one.
  if (!*found || (*found)->issuer_did != c.peer.did)
    co_return std::unexpected(api::not_found(request_type, holder_pid));
  const auto& status = (*found)->status;
  if (status == name_of(request_state::created) || status == name_of(request_state::error))
    co_return std::unexpected(
        refused(400, "InvalidRequest", "The credential request takes nothing in state " + status + "."));
  co_return std::move(**found);
}

/// What was asked for and this is; null if it was not asked for.
const requested_credential* match(const request_row& request, const dcp::credential_container& container,
                                  vc::profile form) {
  const auto found = std::ranges::find_if(request.wanted, [&](const auto& w) {
    const auto wanted = vc::parse_profile(w.format);
    return (w.credential_type.empty() || w.credential_type == container.credential_type) &&
           (!wanted || *wanted == form);
  });
  return found == request.wanted.end() ? nullptr : &*found;
}

/// The rules that need nobody's document (DCP reference, section 6.5, step 5).
result<holding> read_container(cell_services& s, const dcp_caller& c, const request_row& request,
                               const dcp::credential_container& container) {
  const auto words = "The " + container.credential_type;
  const auto form = vc::parse_profile(container.format);
  if (!form)
    return std::unexpected(bad_credential(words + " has a format that is not supported: vc11-sl2021/jwt and "
                                                  "vc20-bssl/jwt are."));
  const auto* wanted = match(request, container, *form);
  if (!wanted)
    return std::unexpected(refused(403, "NotAuthorized", words + " in this format was not asked for."));
  auto given = vc::read_credential(container.payload);
  if (!given)
    return std::unexpected(bad_credential(words + " cannot be read: " + given.error().detail));
  const auto& what = given->what;
  if (what.form != *form)
    return std::unexpected(bad_credential(words + " is not of the format that the message names."));
  if (std::ranges::find(what.types, container.credential_type) == what.types.end())
    return std::unexpected(bad_credential(words + " is of another type."));
  if (what.issuer != c.peer.did)
    return std::unexpected(bad_credential(words + " is issued by another than the sender."));
  const auto is_own = [&](const auto& subject) { return json::string_at(subject, "id") == c.own_did; };
  if (what.subjects.empty() || !std::ranges::all_of(what.subjects, is_own))
    return std::unexpected(bad_credential(words + " is not about " + c.own_did + "."));
  holding h;
  h.id = what.id;
  if (!api::is_id(h.id))
    h.id = derive_uuid(s.runtime.shard_for(c.owner), {c.owner.id(), "credential", given->compact}).text();
  h.credential_object_id = wanted->id;
  h.holder_pid = request.holder_pid;
  h.given = std::move(*given);
  return h;
}

task<result<std::vector<holding>>> verify_all(cell_services& s, dcp_caller c, request_row request,
                                              dcp::credential_message message) {
  std::vector<holding> out;
  for (const auto& container : message.credentials) {
    auto h = read_container(s, c, request, container);
    if (!h)
      co_return std::unexpected(std::move(h.error()));
    h->issuer_pid = message.issuer_pid;
    out.push_back(std::move(*h));
  }
  for (const auto& h : out) {
    auto verifying = identity::verify_credential(s, h.given.compact);
    const auto verified = co_await std::move(verifying);
    if (verified)
      continue;
    if (verified.error().remedy == cure::retry)
      co_return std::unexpected(unavailable(verified.error().detail));
    co_return std::unexpected(bad_credential(verified.error().detail));
  }
  co_return std::move(out);
}

task<result<bool>> keep(cell_services& s, tenant owner, holding h) {
  persistence::entity_key key{owner, cells::kinds::verifiable_credential, h.id};
  auto change = [&s, owner, h = std::move(h)](json::object before) { return make_body(s, owner, h, before); };
  auto changing = api::change_record(s, std::move(key), std::move(change), "VerifiableCredential");
  co_return co_await std::move(changing);
}

response from_entity(const actors::ask_error& e, const std::string& holder_pid) {
  if (e.code == actors::ask_errc::refused && e.why.code == name_of(request_errc::illegal_state))
    return refused(400, "InvalidRequest", e.why.detail);
  return api::from_ask(e, request_type, holder_pid);
}

task<response> tell(cell_services& s, tenant owner, std::string holder_pid, credential_request::command command) {
  auto telling = tell_request(s, std::move(owner), holder_pid, std::move(command));
  const auto told = co_await std::move(telling);
  if (!told)
    co_return from_entity(told.error(), holder_pid);
  response done;
  done.status = 200;
  co_return done;
}

} // namespace

task<response> take_credentials(cell_services& s, request_ptr r, message_trail& trail) {
  auto token = need_bearer(*r);
  if (!token)
    co_return std::move(token.error());
  auto message = read_message(*r);
  if (!message)
    co_return std::move(message.error());
  trail.entity_id = message->holder_pid;
  auto entering = enter(s, r, std::move(*token), false);
  auto caller = co_await std::move(entering);
  if (!caller)
    co_return std::move(caller.error());
  trail.counterparty = caller->peer.did;
  auto finding = find_request(s, *caller, message->holder_pid);
  auto request = co_await std::move(finding);
  if (!request)
    co_return std::move(request.error());
  if (!message->issued) {
    credential_request::command rejection =
        credential_request::receive_rejection{caller->peer.did, message->issuer_pid, message->rejection_reason};
    auto telling = tell(s, caller->owner, message->holder_pid, std::move(rejection));
    co_return co_await std::move(telling);
  }
  auto verifying = verify_all(s, *caller, std::move(*request), *message);
  auto verified = co_await std::move(verifying);
  if (!verified)
    co_return std::move(verified.error());
  credential_request::receive_credentials delivery;
  delivery.issuer_did = caller->peer.did;
  delivery.issuer_pid = message->issuer_pid;
  for (auto& h : *verified) {
    delivery.credentials.push_back(h.id);
    auto keeping = keep(s, caller->owner, std::move(h));
    auto kept = co_await std::move(keeping);
    if (!kept)
      co_return std::move(kept.error());
  }
  credential_request::command command = std::move(delivery);
  auto telling = tell(s, caller->owner, message->holder_pid, std::move(command));
  co_return co_await std::move(telling);
}

} // namespace fondaco::credential_service

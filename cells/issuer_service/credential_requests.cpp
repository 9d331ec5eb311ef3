#include "cells/issuer_service/credential_requests.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "cells/issuer_service/issuance.hpp"
#include "cells/issuer_service/issuer_records.hpp"
#include "cells/issuer_service/routes.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/errors.hpp"
#include "planes/codec/path.hpp"
#include "protocols/base/hash.hpp"
#include "protocols/dcp/messages.hpp"

namespace fondaco::issuer_service {

namespace {

namespace api = planes::api;
namespace cs = credential_service;
using api::request_ptr;
using api::response;
using api::result;
using api::task;
using cells::cell_services;

constexpr const char* request_type = "CredentialRequest";

result<dcp::credential_request> read_message(const gateway::request& r) {
  const auto body = cs::read_json(r);
  if (!body)
    return std::unexpected(body.error());
  auto message = dcp::read_credential_request(*body);
  if (!message)
    return std::unexpected(cs::bad_message(message.error()));
  if (!api::is_id(message->holder_pid))
    return std::unexpected(
        cs::refused(400, "ValidationFailure", "holderPid must have 1 to 512 bytes without control characters."));
  auto& ids = message->credential_ids;
  for (auto it = ids.begin(); it != ids.end();)
    it = std::find(ids.begin(), it, *it) == it ? it + 1 : ids.erase(it);
  return std::move(*message);
}

result<std::vector<definition>> find_definitions(cell_services& s, const tenant& owner,
                                                 const std::vector<std::string>& ids) {
  std::vector<definition> out;
  for (const auto& id : ids) {
    auto found = api::is_id(id) ? read_stored_definition(s, owner, id) : std::nullopt;
    if (!found)
      return std::unexpected(
          cs::refused(400, "ValidationFailure", "There is no credential with the id '" + id + "' here."));
    if (found->attestations.empty())
      return std::unexpected(
          cs::refused(400, "ValidationFailure", "Nothing attests what the credential '" + id + "' would say."));
    out.push_back(std::move(*found));
  }
  return out;
}

/// What makes a repeat of a request known: its Idempotency-Key (which DCP does not have; holders of ours send it) and
/// its body; empty without a usable key.
std::string repeat_mark(const gateway::request& r) {
  const auto key = gateway::header(r, "idempotency-key");
  return key && api::is_id(*key) ? std::string(*key) + " " + hex(sha256(r.body)) : std::string();
}

/// The issuance's id: fresh, for a request that can be repeated a function of what it says, or where a holder's process
/// id is for one request at a time, a function of it and of the count of those that ended; so two at once meet in the
/// same entity.
result<uuid> choose_id(cell_services& s, const cs::dcp_caller& c, const std::string& holder_pid,
                       const std::string& repeat) {
  const auto shard = s.runtime.shard_for(c.owner);
  std::optional<uuid> repeatable;
  if (!repeat.empty())
    repeatable = derive_uuid(shard, {c.owner.id(), "issuance by request", c.peer.did, holder_pid, repeat});
  if (!s.settings.refuse_duplicate_holder_pid)
    return repeatable ? *repeatable : s.runtime.fresh_id(c.owner);
  persistence::query_spec spec;
  spec.filter.push_back({"holderPid", "=", json::value(holder_pid)});
  spec.filter.push_back({"holderDid", "=", json::value(c.peer.did)});
  spec.limit = persistence::limits::read_rows_max;
  const auto rows = s.documents.query_entities(c.owner, issuance::kind, spec);
  if (!rows)
    throw std::runtime_error("the issuances cannot be read");
  const auto is_open = [&](const auto& row) {
    return row.status == name_of(issuance_state::approved) && !(repeatable && row.key.id == repeatable->text());
  };
  if (std::ranges::any_of(*rows, is_open))
    return std::unexpected(api::conflict("A request with this holder process id is open."));
  if (repeatable)
    return *repeatable;
  return derive_uuid(shard, {c.owner.id(), "issuance", c.peer.did, holder_pid, std::to_string(rows->size())});
}

/// What the issuance is to begin with. Blocks.
result<issuance::begin> prepare(cell_services& s, const cs::dcp_caller& c, const dcp::credential_request& m,
                                const std::string& repeat) {
  const auto holder = find_holder(s, c.owner, c.peer.did);
  if (!holder)
    return std::unexpected(cs::unproven("The sender is not registered as a holder here."));
  const auto wanted = find_definitions(s, c.owner, m.credential_ids);
  if (!wanted)
    return std::unexpected(wanted.error());
  const auto id = choose_id(s, c, m.holder_pid, repeat);
  if (!id)
    return std::unexpected(id.error());
  issuance::begin out;
  out.id = id->text();
  out.participant_context = c.owner.id();
  out.holder_pid = m.holder_pid;
  out.holder_id = holder->id;
  out.holder_did = c.peer.did;
  out.window_ms = s.settings.issuance_window_ms;
  out.definitions = m.credential_ids;
  auto attested = read_claims(s, c.owner, *wanted, *holder);
  out.reasons = attested.failures.empty() ? failed_rules(*wanted, attested.claims) : std::move(attested.failures);
  if (!out.reasons.empty())
    return out;
  auto plan = plan_credentials(*wanted, attested.claims, *id);
  if (!plan) {
    out.reasons.push_back(std::move(plan.error()));
    return out;
  }
  out.plan = std::move(*plan);
  out.claims = std::move(attested.claims);
  if (!c.peer.access_token.empty()) {
    auto sealed = s.vault.seal(c.owner, c.peer.access_token);
    if (!sealed)
      return std::unexpected(api::vault_unavailable());
    out.sealed_token = std::move(*sealed);
  }
  return out;
}

response not_granted(const std::vector<std::string>& reasons) {
  std::vector<api::error_detail> details;
  for (const auto& reason : reasons)
    details.push_back({reason, "NotAuthorized", "", nullptr});
  return api::error_response(403, std::move(details));
}

response begun(const cell_services& s, const tenant& owner, const std::string& id) {
  response out;
  out.status = 201;
  out.headers.emplace_back("Location",
                           cells::issuer_service_base(s.settings, owner) + "/requests/" + planes::path_segment(id));
  return out;
}

task<response> begin(cell_services& s, tenant owner, issuance::begin first, bool repeatable) {
  const auto reasons = first.reasons;
  auto id = first.id;
  persistence::entity_key key{owner, cells::kinds::issuance, id};
  const auto shard = s.runtime.shard_for(owner);
  issuance::command command = std::move(first);
  auto asking =
      actors::ask<issuance>(s.runtime, s.edge, std::move(key), shard, std::move(command), s.command_timeout_ms);
  const auto told = co_await std::move(asking);
  const bool exists = !told && told.error().code == actors::ask_errc::refused &&
                      told.error().why.code == name_of(issuance_errc::already_exists);
  // The first time it was answered too, but the answer was lost: the process tells what became of it.
  if (exists && repeatable)
    co_return begun(s, owner, id);
  if (!told)
    co_return api::from_ask(told.error(), request_type, id);
  co_return reasons.empty() ? begun(s, owner, id) : not_granted(reasons);
}

} // namespace

task<response> take_request(cell_services& s, request_ptr r, cs::message_trail& trail) {
  auto token = cs::need_bearer(*r);
  if (!token)
    co_return std::move(token.error());
  auto message = read_message(*r);
  if (!message)
    co_return std::move(message.error());
  auto entering = cs::enter(s, r, std::move(*token), false);
  auto caller = co_await std::move(entering);
  if (!caller)
    co_return std::move(caller.error());
  trail.counterparty = caller->peer.did;
  const auto repeat = repeat_mark(*r);
  auto preparing =
      actors::in_pool(s.pool, s.edge, [&s, c = *caller, m = *message, repeat] { return prepare(s, c, m, repeat); });
  auto prepared = co_await std::move(preparing);
  if (!prepared)
    co_return api::busy();
  if (!*prepared)
    co_return std::move(prepared->error());
  auto first = std::move(**prepared);
  first.traceparent = r->traceparent;
  trail.entity_id = first.id;
  auto beginning = begin(s, caller->owner, std::move(first), !repeat.empty());
  co_return co_await std::move(beginning);
}

} // namespace fondaco::issuer_service

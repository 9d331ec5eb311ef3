#include <algorithm>
#include <utility>

#include "cells/credential_service/held_credentials.hpp"
#include "cells/credential_service/request_rows.hpp"
#include "cells/credential_service/routes.hpp"
#include "cells/identity/edge.hpp"
#include "cells/identity/keys.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/body_check.hpp"
#include "planes/api/errors.hpp"
#include "planes/codec/path.hpp"
#include "protocols/dcp/messages.hpp"
#include "protocols/did/document.hpp"

namespace fondaco::credential_service {

namespace api = planes::api;
using api::body_check;
using api::need;
using api::path_value;
using api::request_ptr;
using api::response;
using api::result;
using api::task;
using cells::cell_services;

namespace {

constexpr const char* base = "/api/identity/v1beta/participants/{p}/credentials";
constexpr const char* credential_type = "VerifiableCredentialResource";
constexpr const char* request_type = "HolderCredentialRequest";
constexpr const char* context_type = "ParticipantContext";
constexpr const char* credentials_route = "identity/credentials";
constexpr const char* requests_route = "identity/credentials/request";
constexpr const char* component = "identity";
constexpr const char* read_scope = "credentials:read";
constexpr const char* write_scope = "credentials:write";

/// Who may do it, for whom.
struct entrant {
  tenant owner;
  std::string did;
  gateway::principal who;
};

task<result<entrant>> enter_api(cell_services& s, request_ptr r, const char* scope) {
  const tenant owner(path_value(*r, "p"));
  auto entering = identity::enter(s, r, scope);
  auto admitted = co_await std::move(entering);
  if (!admitted)
    co_return std::unexpected(std::move(admitted.error()));
  auto reading = actors::in_pool(s.pool, s.edge, owner, [&s, owner] { return identity::read_own_did(s, owner); });
  auto own = co_await std::move(reading);
  if (!own)
    co_return std::unexpected(api::busy());
  if (!*own)
    co_return std::unexpected(api::not_found(context_type, owner.id()));
  entrant out{owner, std::move(**own), std::move(*admitted)};
  co_return std::move(out);
}

persistence::entity_key credential_key(const tenant& owner, const std::string& id) {
  return {owner, cells::kinds::verifiable_credential, id};
}

task<response> list_credentials(cell_services& s, request_ptr r) {
  auto entering = enter_api(s, r, read_scope);
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  persistence::query_spec spec;
  spec.limit = limits::held_credentials_max;
  spec.sort_field = "createdAt";
  spec.descending = true;
  if (auto type = gateway::query_value(*r, "type"); type && !type->empty())
    spec.filter.push_back({"verifiableCredential.credential.type", "contains", json::value(*type)});
  auto showing = actors::in_pool(s.pool, s.edge, e->owner, [&s, owner = e->owner, spec]() -> result<json::array> {
    const auto found = s.documents.query(owner, cells::kinds::verifiable_credential, spec);
    if (!found)
      return std::unexpected(api::from_query(found.error()));
    json::array out;
    for (const auto& d : *found) {
      auto shown = show_credential(s, d);
      if (!shown)
        return std::unexpected(std::move(shown.error()));
      out.emplace_back(std::move(*shown));
    }
    return out;
  });
  auto shown = co_await std::move(showing);
  if (!shown)
    co_return api::busy();
  if (!*shown)
    co_return std::move(shown->error());
  co_return gateway::json_response(200, json::write(**shown));
}

task<response> get_credential(cell_services& s, request_ptr r) {
  auto entering = enter_api(s, r, read_scope);
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto reading = api::need_document(s, credential_key(e->owner, path_value(*r, "id")), credential_type);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  auto showing = actors::in_pool(s.pool, s.edge, [&s, d = *found] { return show_credential(s, d); });
  auto shown = co_await std::move(showing);
  if (!shown)
    co_return api::busy();
  if (!*shown)
    co_return std::move(shown->error());
  co_return gateway::json_response(200, json::write(**shown));
}

/// A VerifiableCredentialManifest.
struct manifest {
  std::string id;
  holding what;
};

/// The compact form counts; what the container says besides must not contradict it.
void check_container(body_check& check, const json::object& container, const std::string& own_did, holding& into) {
  const auto raw = check.text(container, "rawVc", need::required, "verifiableCredentialContainer");
  const auto format = check.text(container, "format", need::required, "verifiableCredentialContainer");
  const auto* model = check.object(container, "credential", need::required, "verifiableCredentialContainer");
  if (check.failed())
    return;
  const auto form = vc::parse_profile(format);
  if (!form)
    return check.refuse("verifiableCredentialContainer.format must be VC1_0_JWT or VC2_0_JOSE",
                        "verifiableCredentialContainer.format", json::value(format));
  auto given = vc::read_credential(raw);
  if (!given || given->what.form != *form)
    return check.refuse("verifiableCredentialContainer.rawVc is no credential of this format" +
                            (given ? std::string() : ": " + given.error().detail),
                        "verifiableCredentialContainer.rawVc");
  const auto said = vc::from_model(*model, *form);
  if (!said)
    return check.refuse("verifiableCredentialContainer.credential: " + said.error().detail,
                        "verifiableCredentialContainer.credential");
  if (said->issuer != given->what.issuer || !std::ranges::is_permutation(said->types, given->what.types))
    return check.refuse("verifiableCredentialContainer.credential has another issuer or type than rawVc",
                        "verifiableCredentialContainer.credential");
  const auto is_own = [&](const auto& subject) { return json::string_at(subject, "id") == own_did; };
  if (given->what.subjects.empty() || !std::ranges::all_of(given->what.subjects, is_own))
    return check.refuse("the credential must be about the participant's own DID " + own_did,
                        "verifiableCredentialContainer.rawVc");
  into.given = std::move(*given);
}

result<manifest> read_manifest(const gateway::request& r, const entrant& e, need id_need) {
  const auto body = api::read_plain_body(r);
  if (!body)
    return std::unexpected(body.error());
  body_check check;
  manifest out;
  out.id = check.text(*body, "id", id_need);
  const auto context = check.text(*body, "participantContextId", need::required);
  if (!context.empty() && context != e.owner.id())
    check.refuse("participantContextId must be the path's", "participantContextId", json::value(context));
  const auto* container = check.object(*body, "verifiableCredentialContainer", need::required);
  for (const auto& [name, into] : {std::pair{"issuancePolicy", &out.what.issuance_policy},
                                   std::pair{"reissuancePolicy", &out.what.reissuance_policy}})
    if (const auto* policy = check.object(*body, name, need::optional))
      *into = *policy;
  if (container)
    check_container(check, *container, e.did, out.what);
  if (check.failed())
    return std::unexpected(check.response());
  return out;
}

task<response> create_credential(cell_services& s, request_ptr r) {
  auto entering = enter_api(s, r, write_scope);
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto given = read_manifest(*r, *e, need::optional);
  if (!given)
    co_return std::move(given.error());
  auto made = api::read_creation(s, *r, e->owner, credentials_route, given->id);
  if (!made)
    co_return std::move(made.error());
  given->what.id = made->id;
  auto making = actors::in_pool(s.pool, s.edge, e->owner, [&s, owner = e->owner, h = given->what] {
    return make_body(s, owner, h, json::object());
  });
  auto body = co_await std::move(making);
  if (!body)
    co_return api::busy();
  if (!*body)
    co_return std::move(body->error());
  api::record_write w;
  w.kind = cells::kinds::verifiable_credential;
  w.id = made->id;
  w.body = json::write(**body);
  w.request_id = made->request_id;
  w.request_digest = made->request_digest;
  w.names = api::key_claim(e->owner, credentials_route, *made);
  auto writing = api::write_record(s, e->owner, std::move(w), credential_type);
  auto written = co_await std::move(writing);
  if (!written)
    co_return std::move(written.error());
  api::note_change(component, *r, e->who, "a credential was added", e->owner.id());
  co_return api::no_content();
}

task<response> replace_credential(cell_services& s, request_ptr r) {
  auto entering = enter_api(s, r, write_scope);
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto given = read_manifest(*r, *e, need::required);
  if (!given)
    co_return std::move(given.error());
  given->what.id = given->id;
  auto change = [&s, owner = e->owner, h = given->what](json::object before) -> result<json::object> {
    if (before.empty())
      return std::unexpected(api::not_found(credential_type, h.id));
    // The client says what is held now, whoever issued what was held before.
    before.erase("issuerId");
    return make_body(s, owner, h, before);
  };
  auto changing = api::change_record(s, credential_key(e->owner, given->id), std::move(change), credential_type);
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return std::move(changed.error());
  api::note_change(component, *r, e->who, "a credential was replaced", e->owner.id());
  co_return api::no_content();
}

task<response> remove_credential(cell_services& s, request_ptr r) {
  auto entering = enter_api(s, r, write_scope);
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto removing =
      api::remove_record(s, e->owner, cells::kinds::verifiable_credential, path_value(*r, "id"), credential_type);
  auto removed = co_await std::move(removing);
  if (!removed)
    co_return std::move(removed.error());
  api::note_change(component, *r, e->who, "a credential was removed", e->owner.id());
  co_return api::no_content();
}

requested_credential read_wanted(body_check& check, const json::value& item, const std::string& path) {
  requested_credential c;
  const auto* o = item.if_object();
  if (!o) {
    check.refuse(path + " must be an object", path);
    return c;
  }
  c.id = check.text(*o, "id", need::required, path);
  c.credential_type = check.text(*o, "type", need::optional, path);
  c.format = check.text(*o, "format", need::optional, path);
  if (!c.id.empty() && !api::is_id(c.id))
    check.refuse(path + ".id must have 1 to 512 bytes without control characters", path + ".id");
  if (c.credential_type.size() > fondaco::limits::id_bytes_max)
    check.refuse(path + ".type must have at most 512 bytes", path + ".type");
  if (!c.format.empty() && !vc::parse_profile(c.format))
    check.refuse(path + ".format must be vc11-sl2021/jwt, vc20-bssl/jwt, VC1_0_JWT or VC2_0_JOSE", path + ".format",
                 json::value(c.format));
  return c;
}

result<credential_request::begin> read_request_body(const gateway::request& r) {
  const auto body = api::read_plain_body(r);
  if (!body)
    return std::unexpected(body.error());
  body_check check;
  credential_request::begin c;
  c.issuer_did = check.text(*body, "issuerDid", need::required);
  if (!c.issuer_did.empty())
    if (const auto url = did::web_url(c.issuer_did, true); !url)
      check.refuse("issuerDid must be a did:web: " + url.error().detail, "issuerDid", json::value(c.issuer_did));
  c.id = check.text(*body, "holderPid", need::optional);
  const auto* list = json::array_at(*body, "credentials");
  if (!list || list->empty() || list->size() > dcp::limits::message_credentials_max)
    check.refuse("credentials must be an array of 1 to " + std::to_string(dcp::limits::message_credentials_max) +
                     " objects",
                 "credentials");
  else
    for (size_t i = 0; i < list->size(); ++i)
      c.wanted.push_back(read_wanted(check, (*list)[i], "credentials[" + std::to_string(i) + "]"));
  if (check.failed())
    return std::unexpected(check.response());
  return c;
}

response begun(const tenant& owner, const std::string& holder_pid) {
  response out;
  out.status = 201;
  out.headers.emplace_back("Location", "/api/identity/v1beta/participants/" + planes::path_segment(owner.id()) +
                                           "/credentials/request/" + planes::path_segment(holder_pid));
  return out;
}

task<response> request_credentials(cell_services& s, request_ptr r) {
  auto entering = enter_api(s, r, write_scope);
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto begin = read_request_body(*r);
  if (!begin)
    co_return std::move(begin.error());
  auto made = api::read_creation(s, *r, e->owner, requests_route, begin->id);
  if (!made)
    co_return std::move(made.error());
  begin->id = made->id;
  begin->request_id = made->request_id;
  begin->request_digest = made->request_digest;
  begin->names = api::key_claim(e->owner, requests_route, *made);
  begin->window_ms = s.settings.issuance_window_ms;
  begin->traceparent = r->traceparent;
  credential_request::command command = std::move(*begin);
  auto telling = tell_request(s, e->owner, made->id, std::move(command));
  const auto told = co_await std::move(telling);
  if (!told && told.error().why.code == "name_taken")
    co_return api::conflict("The idempotency key was used with another request; choose a new key.");
  if (!told)
    co_return api::from_ask(told.error(), request_type, made->id);
  api::note_change(component, *r, e->who, "credentials were requested", e->owner.id());
  co_return begun(e->owner, made->id);
}

task<response> get_request(cell_services& s, request_ptr r) {
  auto entering = enter_api(s, r, read_scope);
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  const auto holder_pid = path_value(*r, "holderPid");
  auto reading = read_request(s, e->owner, holder_pid);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  if (!*found)
    co_return api::not_found(request_type, holder_pid);
  const auto& row = **found;
  json::array wanted;
  for (const auto& w : row.wanted)
    wanted.push_back(json::object{{"id", w.id}, {"credentialType", w.credential_type}, {"format", w.format}});
  json::object o{{"issuerDid", row.issuer_did}, {"holderPid", row.holder_pid}, {"status", row.status}};
  o["issuerPid"] = row.issuer_pid.empty() ? json::value(nullptr) : json::value(row.issuer_pid);
  o["typesAndFormats"] = std::move(wanted);
  if (!row.error_detail.empty())
    o["errorDetail"] = row.error_detail;
  co_return gateway::json_response(200, json::write(o));
}

void add_api_routes(gateway::router& to, cell_services& s) {
  api::route(to, s, "GET", base, list_credentials);
  api::route(to, s, "POST", base, create_credential);
  api::route(to, s, "PUT", base, replace_credential);
  api::route(to, s, "GET", std::string(base) + "/{id}", get_credential);
  api::route(to, s, "DELETE", std::string(base) + "/{id}", remove_credential);
  api::route(to, s, "POST", std::string(base) + "/request", request_credentials);
  api::route(to, s, "GET", std::string(base) + "/request/{holderPid}", get_request);
}

} // namespace

} // namespace fondaco::credential_service

namespace fondaco::cells {

void add_credential_routes(gateway::router& to, cell_services& s) { credential_service::add_api_routes(to, s); }

} // namespace fondaco::cells

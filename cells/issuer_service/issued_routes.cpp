#include <algorithm>
#include <utility>

#include "cells/identity/edge.hpp"
#include "cells/issuer_service/admin_edge.hpp"
#include "cells/issuer_service/holder_client.hpp"
#include "cells/issuer_service/issuance.hpp"
#include "cells/issuer_service/issuer_records.hpp"
#include "cells/issuer_service/routes.hpp"
#include "cells/issuer_service/status_lists.hpp"
#include "planes/api/bodies.hpp"

namespace fondaco::issuer_service {

namespace {

namespace kinds = cells::kinds;
using api::body_check;
using api::need;

constexpr std::string_view uuid_urn = "urn:uuid:";

/// IssuanceProcessDto, and why it is where it is.
json::object show_process(const persistence::entity_row& row) {
  const auto view = api::stored_object(row.view);
  json::object out{{"id", row.key.id}, {"participantContextId", row.key.owner.id()}, {"state", row.status}};
  for (const char* name :
       {"holderId", "holderPid", "claims", "credentialDefinitions", "credentialFormats", "credentials", "errorDetail"})
    if (const auto* v = view.if_contains(name))
      out[name] = *v;
  out["createdAt"] = to_epoch_ms(row.created_at);
  out["updatedAt"] = to_epoch_ms(row.updated_at);
  return out;
}

task<response> get_process(cell_services& s, request_ptr r) {
  auto entering = enter_admin(s, r, "issuanceprocesses:read");
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  persistence::entity_key key{e->owner, kinds::issuance, api::path_value(*r, "id")};
  auto reading = api::need_row(s, std::move(key), issuance_type);
  auto row = co_await std::move(reading);
  if (!row)
    co_return std::move(row.error());
  co_return gateway::json_response(200, json::write(show_process(*row)));
}

task<response> query_processes(cell_services& s, request_ptr r) {
  auto entering = enter_admin(s, r, "issuanceprocesses:read");
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto spec = identity::read_query(*r);
  if (!spec)
    co_return std::move(spec.error());
  auto reading = api::query_rows(s, e->owner, kinds::issuance, std::move(*spec));
  auto rows = co_await std::move(reading);
  if (!rows)
    co_return std::move(rows.error());
  json::array out;
  for (const auto& row : *rows)
    out.push_back(show_process(row));
  co_return identity::array_of(std::move(out));
}

json::object show_credential(const persistence::document& d) {
  const auto body = api::stored_object(d.body);
  json::object out{{"id", d.key.id}, {"participantContextId", d.key.owner.id()}};
  for (const char* name : {"holderId", "state"})
    if (const auto* v = body.if_contains(name))
      out[name] = *v;
  if (const auto* container = json::object_at(body, "verifiableCredential"))
    for (const auto& [name, v] : *container)
      out[name] = v;
  return out;
}

task<response> query_credentials(cell_services& s, request_ptr r) {
  auto entering = enter_admin(s, r, "credentials:read");
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto spec = identity::read_query(*r);
  if (!spec)
    co_return std::move(spec.error());
  auto reading = api::query_documents(s, e->owner, kinds::issued_credential, std::move(*spec));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  json::array out;
  for (const auto& d : *found)
    out.push_back(show_credential(d));
  co_return identity::array_of(std::move(out));
}

/// A credential that was issued: by its id, or by the UUID in it.
task<result<json::object>> need_credential(cell_services& s, tenant owner, std::string id) {
  if (!api::is_id(id))
    co_return std::unexpected(api::not_found(credential_type, ""));
  const auto full = id.find(':') == std::string::npos ? std::string(uuid_urn) + id : id;
  persistence::entity_key key{owner, kinds::issued_credential, full};
  auto reading = api::read_document(s, std::move(key));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(std::move(found.error()));
  if (!*found)
    co_return std::unexpected(api::not_found(credential_type, id));
  co_return api::stored_object((*found)->body);
}

std::vector<status_place> places_of(const json::object& credential) {
  std::vector<status_place> out;
  const auto* list = credential.if_contains("statusPlaces");
  invariant(list && planes::from_json(*list, out), "a credential's places are kept as they can be read");
  return out;
}

/// What a change of status says.
struct status_change {
  std::string_view purpose;
  bool value = true;
  credential_state state = credential_state::revoked;
  const char* done;
};

task<result<bool>> mark(cell_services& s, tenant owner, json::object credential, credential_state state) {
  const auto* metadata = json::object_at(credential, "metadata");
  const std::string process(metadata ? json::string_at(*metadata, "issuanceProcessId").value_or("") : "");
  const std::string id(json::string_at(credential, "id").value_or(""));
  persistence::entity_key key{owner, kinds::issuance, process};
  issuance::command command = issuance::mark{id, state};
  auto asking = actors::ask<issuance>(s.runtime, s.edge, std::move(key), s.runtime.shard_for(owner), std::move(command),
                                      s.command_timeout_ms);
  const auto told = co_await std::move(asking);
  if (!told)
    co_return std::unexpected(api::from_ask(told.error(), credential_type, id));
  co_return true;
}

/// The bit first, since it is what verifiers see; each step can be repeated.
task<response> change_status(cell_services& s, request_ptr r, status_change change) {
  auto entering = enter_admin(s, r, "credentials:write");
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto reading = need_credential(s, e->owner, api::path_value(*r, "id"));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  const auto places = places_of(*found);
  const auto place = std::ranges::find(places, change.purpose, &status_place::purpose);
  const std::string id(json::string_at(*found, "id").value_or(""));
  if (place == places.end())
    co_return api::invalid_request("The credential " + id + " has no status entry with the purpose " +
                                   std::string(change.purpose) + ".");
  auto setting = set_bit(s, e->owner, *place, change.value, id);
  const auto set = co_await std::move(setting);
  if (!set)
    co_return api::from_ask(set.error(), credential_type, id);
  auto marking = mark(s, e->owner, std::move(*found), change.state);
  auto marked = co_await std::move(marking);
  if (!marked)
    co_return std::move(marked.error());
  note_change(*r, *e, std::string(change.done) + " " + id);
  co_return api::no_content();
}

task<response> revoke(cell_services& s, request_ptr r) {
  status_change change{"revocation", true, credential_state::revoked, "revoked:"};
  auto changing = change_status(s, std::move(r), change);
  co_return co_await std::move(changing);
}

task<response> suspend(cell_services& s, request_ptr r) {
  status_change change{"suspension", true, credential_state::suspended, "suspended:"};
  auto changing = change_status(s, std::move(r), change);
  co_return co_await std::move(changing);
}

task<response> resume(cell_services& s, request_ptr r) {
  status_change change{"suspension", false, credential_state::issued, "resumed:"};
  auto changing = change_status(s, std::move(r), change);
  co_return co_await std::move(changing);
}

/// The purpose that the published bits speak of, an empty one if none is set; nothing if they cannot be read. Blocks.
std::optional<std::string> read_status(cell_services& s, const tenant& owner, const std::vector<status_place>& places) {
  std::string out;
  for (const auto& place : places) {
    const auto bit = read_bit(s, owner, place);
    if (!bit)
      return std::nullopt;
    if (*bit && (out.empty() || place.purpose == "revocation"))
      out = place.purpose;
  }
  return out;
}

task<response> get_status(cell_services& s, request_ptr r) {
  auto entering = enter_admin(s, r, "credentials:read");
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  auto reading = need_credential(s, e->owner, api::path_value(*r, "id"));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  const auto places = places_of(*found);
  auto looking = actors::in_pool(s.pool, s.edge, e->owner,
                                 [&s, owner = e->owner, places] { return read_status(s, owner, places); });
  const auto status = co_await std::move(looking);
  if (!status)
    co_return api::busy();
  if (!*status)
    co_return api::error_response(503, {{"The status lists cannot be read now.", "Unavailable", "", nullptr}});
  json::object out{{"credentialId", json::string_at(*found, "id").value_or("")}};
  out["status"] = (*status)->empty() ? json::value(nullptr) : json::value(**status);
  out["reason"] = nullptr;
  co_return gateway::json_response(200, json::write(out));
}

/// What is offered to whom.
struct offer {
  std::string holder_did;
  std::vector<dcp::credential_object> credentials;
};

result<offer> find_offer(cell_services& s, const tenant& owner, const std::string& holder_id,
                         const std::vector<std::string>& ids) {
  const auto holder = read_holder(s, owner, holder_id);
  if (!holder)
    return std::unexpected(api::not_found(holder_type, holder_id));
  offer out{holder->did, {}};
  for (const auto& id : ids) {
    const auto d = api::is_id(id) ? read_stored_definition(s, owner, id) : std::nullopt;
    if (!d)
      return std::unexpected(api::invalid_field("There is no credential definition '" + id + "'", "credentials"));
    out.credentials.push_back(to_credential_object(*d));
  }
  return out;
}

task<response> offer_credentials(cell_services& s, request_ptr r) {
  auto entering = enter_admin(s, r, "credentials:write");
  auto e = co_await std::move(entering);
  if (!e)
    co_return std::move(e.error());
  const auto body = api::read_plain_body(*r);
  if (!body)
    co_return body.error();
  body_check check;
  const auto holder_id = check.text(*body, "holderId", need::required);
  const auto ids = check.texts(*body, "credentials", need::required);
  if (!check.failed() && (ids.empty() || ids.size() > dcp::limits::message_credentials_max))
    check.refuse("credentials must have 1 to " + std::to_string(dcp::limits::message_credentials_max) + " ids",
                 "credentials");
  if (check.failed())
    co_return check.response();
  if (!api::is_id(holder_id))
    co_return api::not_found(holder_type, "");
  auto finding = actors::in_pool(s.pool, s.edge, e->owner, [&s, owner = e->owner, holder_id, ids] {
    return find_offer(s, owner, holder_id, ids);
  });
  auto found = co_await std::move(finding);
  if (!found)
    co_return api::busy();
  if (!*found)
    co_return std::move(found->error());
  auto sending = send_offer(s, e->owner, e->did, (*found)->holder_did, std::move((*found)->credentials));
  const auto sent = co_await std::move(sending);
  if (!sent)
    co_return api::invalid_request(sent.error().detail);
  note_change(*r, *e, "offered credentials to " + holder_id);
  co_return api::no_content();
}

} // namespace

void add_process_routes(gateway::router& to, cell_services& s) {
  const auto base = std::string(admin_base) + "/issuanceprocesses";
  api::route(to, s, "GET", base + "/{id}", get_process);
  api::route(to, s, "POST", base + "/query", query_processes);
}

void add_issued_credential_routes(gateway::router& to, cell_services& s) {
  const auto base = std::string(admin_base) + "/credentials";
  api::route(to, s, "POST", base + "/query", query_credentials);
  api::route(to, s, "POST", base + "/offer", offer_credentials);
  api::route(to, s, "POST", base + "/{id}/revoke", revoke);
  api::route(to, s, "POST", base + "/{id}/suspend", suspend);
  api::route(to, s, "POST", base + "/{id}/resume", resume);
  api::route(to, s, "GET", base + "/{id}/status", get_status);
}

} // namespace fondaco::issuer_service

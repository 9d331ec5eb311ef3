#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cfm/query/list.hpp"
#include "cfm/rest.hpp"
#include "cfm/tenant_manager/records.hpp"
#include "planes/api/bodies.hpp"

namespace fondaco::cfm {

namespace api = planes::api;
using api::request_ptr;
using gateway::response;
using gateway::task;

namespace {

constexpr std::array<std::string_view, 8> deployment_states{"initial",  "pending", "active",  "disposing",
                                                            "disposed", "locked",  "offline", "error"};

constexpr const char* cell_name_space = "cfm_cell_external_id";

json::object shown_cell(const json::object& stored) {
  auto out = without_empty(stored);
  if (!out.contains("externalId"))
    out["externalId"] = "";
  return out;
}

json::object shown_profile(const json::object& stored) {
  auto out = stored;
  if (const auto* spec = json::object_at(stored, "dataspaceSpec")) {
    auto shown = without_empty(*spec);
    if (auto* specs = shown.if_contains("credentialSpecs"); specs && specs->is_array())
      for (auto& c : specs->get_array())
        if (c.is_object())
          c = without_empty(c.get_object());
    out["dataspaceSpec"] = std::move(shown);
  }
  return without_empty(std::move(out));
}

// A member that may be missing or null, else it must be this.
std::optional<response> wrong_member(const json::object& o, std::string_view name, std::string_view inside,
                                     json::value example) {
  const auto* v = o.if_contains(name);
  if (!v || v->is_null() || v->kind() == example.kind())
    return std::nullopt;
  const char* allowed = example.is_object()  ? "must be an object"
                        : example.is_array() ? "must be an array"
                                             : "must be a string";
  return invalid(std::string(inside) + std::string(name), allowed);
}

std::optional<response> wrong_texts(const json::object& o, std::string_view name, std::string_view inside) {
  if (auto wrong = wrong_member(o, name, inside, json::array()))
    return wrong;
  if (const auto* list = json::array_at(o, name))
    for (size_t i = 0; i < list->size(); ++i)
      if (!(*list)[i].is_string())
        return invalid(std::string(inside) + std::string(name) + "[" + std::to_string(i) + "]", "must be a string");
  return std::nullopt;
}

// Writes a record that a POST makes and answers 201 with it.
task<response> created(cfm_services& s, request_ptr r, gateway::principal who, const char* kind, json::object body,
                       show_stored show, std::vector<persistence::name_claim> names) {
  auto made = api::read_creation(s, *r, cfm_tenant, kind, "");
  if (!made)
    co_return as_cfm_error(made.error());
  json::object kept{{"id", made->id}, {"version", 0}};
  for (auto& [name, v] : body)
    kept[name] = v;
  api::record_write w;
  w.kind = kind;
  w.id = made->id;
  w.body = json::write(kept);
  w.request_id = made->request_id;
  w.request_digest = made->request_digest;
  w.names = api::key_claim(cfm_tenant, kind, *made);
  std::ranges::move(names, std::back_inserter(w.names));
  auto writing = api::write_record(s, cfm_tenant, std::move(w), kind);
  auto written = co_await std::move(writing);
  if (!written && written.error().status == 404)
    co_return cfm_error(409, "Conflict: the idempotency key made something that was removed; choose a new key");
  if (!written)
    co_return as_record_error(written.error());
  api::note_change("tenant_manager", *r, who, std::string("a ") + kind + " was made", "");
  co_return gateway::json_response(201, json::write(show(kept)));
}

task<response> removed(cfm_services& s, request_ptr r, const char* kind) {
  auto admission = admit_cfm(s, r, tenant_write_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  persistence::entity_key key{cfm_tenant, kind, api::path_value(*r, "id")};
  auto reading = api::need_document(s, key, kind);
  auto found = co_await std::move(reading);
  if (!found)
    co_return as_record_error(found.error());
  auto erasing = erase_for_good(s, std::move(key));
  if (auto erased = co_await std::move(erasing); !erased)
    co_return std::move(erased.error());
  api::note_change("tenant_manager", *r, *who, std::string("a ") + kind + " was removed", "");
  co_return gateway::json_response(200, "");
}

task<response> list_cells(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_read_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto listing = list_records(s, r, kinds::cell, "/cells", shown_cell);
  co_return co_await std::move(listing);
}

// A NewCell as it is kept.
api::result<json::object> read_cell(const json::object& body, timepoint now) {
  for (const char* name : {"externalId", "state", "stateTimestamp"})
    if (auto wrong = wrong_member(body, name, "", json::value("")))
      return std::unexpected(std::move(*wrong));
  if (auto wrong = wrong_member(body, "properties", "", json::object()))
    return std::unexpected(std::move(*wrong));
  std::string state(json::string_at(body, "state").value_or("active"));
  std::ranges::transform(state, state.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::ranges::find(deployment_states, state) == deployment_states.end())
    return std::unexpected(
        invalid("state", "must be one of initial, pending, active, disposing, disposed, locked, offline, error"));
  auto since = now;
  if (const auto text = json::string_at(body, "stateTimestamp")) {
    const auto parsed = parse_rfc3339(*text);
    if (!parsed)
      return std::unexpected(invalid("stateTimestamp", "must be an RFC 3339 date-time"));
    since = *parsed;
  }
  const std::string external(json::string_at(body, "externalId").value_or(""));
  if (!external.empty() && !api::is_id(external))
    return std::unexpected(invalid("externalId", "must have at most 512 bytes without control characters"));
  json::object kept{{"externalId", external}, {"state", state}, {"stateTimestamp", to_rfc3339(since)}};
  if (const auto* properties = json::object_at(body, "properties"))
    kept["properties"] = *properties;
  return kept;
}

task<response> make_cell(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_write_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto body = read_cfm_body(*r);
  if (!body)
    co_return std::move(body.error());
  auto kept = read_cell(*body, s.clock.now());
  if (!kept)
    co_return std::move(kept.error());
  std::vector<persistence::name_claim> names;
  const std::string external(json::string_at(*kept, "externalId").value_or(""));
  if (!external.empty())
    names.push_back({cell_name_space, external});
  auto making = created(s, r, *who, kinds::cell, std::move(*kept), shown_cell, std::move(names));
  auto made = co_await std::move(making);
  if (made.status == 409 && !external.empty() && !gateway::header(*r, "idempotency-key"))
    co_return cfm_error(409, "Conflict: another cell has the externalId " + external);
  co_return made;
}

task<response> remove_cell(cfm_services& s, request_ptr r) {
  auto removing = removed(s, std::move(r), kinds::cell);
  co_return co_await std::move(removing);
}

task<response> list_profiles(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_read_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto listing = list_records(s, r, kinds::dataspace_profile, "/dataspace-profiles", shown_profile);
  co_return co_await std::move(listing);
}

std::optional<response> wrong_credential(const json::value& v, const std::string& path) {
  if (!v.is_object())
    return invalid(path, "must be an object");
  for (const char* name : {"id", "type", "issuer", "format"})
    if (json::string_at(v.get_object(), name).value_or("").empty())
      return invalid(path + "." + name, "must be a string that is not empty");
  return wrong_member(v.get_object(), "role", path + ".", json::value(""));
}

std::optional<response> wrong_profile(const json::object& body) {
  const auto* spec = json::object_at(body, "dataspaceSpec");
  if (!spec)
    return invalid("dataspaceSpec", "is required, an object");
  if (auto wrong = wrong_texts(*spec, "protocolStack", "dataspaceSpec."))
    return wrong;
  if (auto wrong = wrong_member(*spec, "credentialSpecs", "dataspaceSpec.", json::array()))
    return wrong;
  if (const auto* specs = json::array_at(*spec, "credentialSpecs"))
    for (size_t i = 0; i < specs->size(); ++i)
      if (auto wrong = wrong_credential((*specs)[i], "dataspaceSpec.credentialSpecs[" + std::to_string(i) + "]"))
        return wrong;
  if (auto wrong = wrong_texts(body, "artifacts", ""))
    return wrong;
  return wrong_member(body, "properties", "", json::object());
}

task<response> make_profile(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_write_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto body = read_cfm_body(*r);
  if (!body)
    co_return std::move(body.error());
  if (auto wrong = wrong_profile(*body))
    co_return std::move(*wrong);
  json::object kept;
  for (const char* name : {"dataspaceSpec", "artifacts", "properties"})
    if (const auto* v = body->if_contains(name); v && !v->is_null())
      kept[name] = *v;
  kept["deployments"] = json::array();
  auto making = created(s, r, *who, kinds::dataspace_profile, std::move(kept), shown_profile, {});
  co_return co_await std::move(making);
}

task<response> get_profile(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_read_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  persistence::entity_key key{cfm_tenant, kinds::dataspace_profile, api::path_value(*r, "id")};
  auto reading = api::need_document(s, std::move(key), "DataspaceProfile");
  auto found = co_await std::move(reading);
  if (!found)
    co_return as_record_error(found.error());
  co_return gateway::json_response(200, json::write(shown_profile(api::stored_object(found->body))));
}

task<response> remove_profile(cfm_services& s, request_ptr r) {
  auto removing = removed(s, std::move(r), kinds::dataspace_profile);
  co_return co_await std::move(removing);
}

// Makes the profile available on the cell; once is enough.
api::record_change deployment_on(cfm_services& s, const persistence::document& cell) {
  json::object d{{"id", s.runtime.fresh_id(cfm_tenant).text()},
                 {"version", 0},
                 {"state", "active"},
                 {"stateTimestamp", to_rfc3339(s.clock.now())},
                 {"cellId", cell.key.id},
                 {"externalCellId", json::string_at(api::stored_object(cell.body), "externalId").value_or("")}};
  return [d, id = cell.key.id](json::object before) -> api::result<json::object> {
    if (before.empty())
      return std::unexpected(cfm_error(404, "Not found"));
    auto list = json::array_at(before, "deployments") ? *json::array_at(before, "deployments") : json::array{};
    const bool there = std::ranges::any_of(
        list, [&](const json::value& v) { return v.is_object() && json::string_at(v.get_object(), "cellId") == id; });
    if (!there) {
      list.push_back(d);
      before["version"] = json::integer_at(before, "version").value_or(0) + 1;
    }
    before["deployments"] = std::move(list);
    return before;
  };
}

task<response> deploy_profile(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_write_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto body = read_cfm_body(*r);
  if (!body)
    co_return std::move(body.error());
  const auto id = api::path_value(*r, "id");
  if (const auto* v = body->if_contains("profileId"); v && *v != json::value(id))
    co_return invalid("profileId", "must be the id in the path, or left out");
  const std::string cell_id(json::string_at(*body, "cellId").value_or(""));
  if (cell_id.empty())
    co_return invalid("cellId", "is required, the id of a cell");
  persistence::entity_key cell_key{cfm_tenant, kinds::cell, cell_id};
  auto reading = api::need_document(s, std::move(cell_key), "Cell");
  auto cell = co_await std::move(reading);
  if (!cell)
    co_return as_record_error(cell.error());
  persistence::entity_key key{cfm_tenant, kinds::dataspace_profile, id};
  auto changing = api::change_record(s, std::move(key), deployment_on(s, *cell), "DataspaceProfile");
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return as_record_error(changed.error());
  api::note_change("tenant_manager", *r, *who, "the dataspace profile " + id + " was deployed", "");
  co_return gateway::json_response(202, "");
}

} // namespace

void add_cell_routes(gateway::router& to, cfm_services& s) {
  const std::string base = "/api/v1alpha1/";
  api::route(to, s, "GET", base + "cells", list_cells);
  api::route(to, s, "POST", base + "cells", make_cell);
  api::route(to, s, "DELETE", base + "cells/{id}", remove_cell);
  api::route(to, s, "GET", base + "dataspace-profiles", list_profiles);
  api::route(to, s, "POST", base + "dataspace-profiles", make_profile);
  api::route(to, s, "GET", base + "dataspace-profiles/{id}", get_profile);
  api::route(to, s, "DELETE", base + "dataspace-profiles/{id}", remove_profile);
  api::route(to, s, "POST", base + "dataspace-profiles/{id}/deployments", deploy_profile);
}

} // namespace fondaco::cfm

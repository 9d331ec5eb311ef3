#include "cfm/provision_manager/definitions.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "cfm/provision_manager/orchestration.hpp"
#include "cfm/rest.hpp"
#include "planes/codec/fields.hpp"

namespace fondaco::cfm {

namespace api = planes::api;
using api::request_ptr;
using gateway::response;
using gateway::task;

namespace {

constexpr const char* read_scope = "provision-manager-api:read";
constexpr const char* write_scope = "provision-manager-api:write";
constexpr size_t definitions_max = 1000;

bool is_type_name(std::string_view name) {
  return !name.empty() && name.size() <= fondaco::limits::id_bytes_max &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '_' || c == '-'; });
}

std::vector<activity> activities_in(const json::object& definition) {
  std::vector<activity> out;
  if (const auto* list = definition.if_contains("activities"))
    planes::from_json(*list, out);
  return out;
}

task<api::result<std::vector<persistence::document>>> all_of(cfm_services& s, const char* kind) {
  persistence::query_spec spec;
  spec.limit = definitions_max;
  auto reading = api::query_documents(s, cfm_tenant, kind, std::move(spec));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(as_cfm_error(found.error()));
  co_return std::move(*found);
}

task<response> list_activities(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, read_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto reading = all_of(s, kinds::activity_definition);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  json::array out;
  for (const auto& d : *found)
    out.push_back(without_empty(api::stored_object(d.body)));
  co_return gateway::json_response(200, json::write(out));
}

task<response> put_activity(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, write_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto body = read_cfm_body(*r);
  if (!body)
    co_return std::move(body.error());
  const std::string type(json::string_at(*body, "type").value_or(""));
  if (!is_type_name(type))
    co_return cfm_error(400, "Invalid payload: type is required: letters, digits, '.', '_' and '-'.");
  json::object kept{{"type", type}};
  for (const char* name : {"description", "inputSchema", "outputSchema"})
    if (const auto* v = body->if_contains(name))
      kept[name] = *v;
  api::record_write w;
  w.kind = kinds::activity_definition;
  w.id = type;
  w.when = api::write_mode::upsert;
  w.body = json::write(kept);
  auto writing = api::write_record(s, cfm_tenant, std::move(w), "ActivityDefinition");
  auto written = co_await std::move(writing);
  if (!written)
    co_return as_cfm_error(written.error());
  api::note_change("provision_manager", *r, *who, "the activity definition " + type + " was written", "");
  co_return gateway::json_response(201, "");
}

task<response> remove_activity(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, write_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  const auto type = api::path_value(*r, "type");
  auto reading = all_of(s, kinds::orchestration_definition);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  std::string users;
  for (const auto& d : *found)
    for (const auto& a : activities_in(api::stored_object(d.body)))
      if (a.type == type && users.find(d.key.id) == std::string::npos)
        users += (users.empty() ? "" : ", ") + d.key.id;
  if (!users.empty())
    co_return cfm_error(400, "Bad request: activity type '" + type +
                                 "' is referenced by an orchestration definition: " + users);
  auto removing = api::remove_record(s, cfm_tenant, kinds::activity_definition, type, "ActivityDefinition");
  auto removed = co_await std::move(removing);
  if (!removed)
    co_return as_cfm_error(removed.error());
  co_return gateway::json_response(200, "");
}

/// A template taken apart: the definitions that it makes, by orchestration type.
api::result<std::map<std::string, std::vector<activity>>> read_template(const json::object& body) {
  const auto* types = json::object_at(body, "activities");
  if (!types || types->empty())
    return std::unexpected(cfm_error(400, "Invalid payload: activities is required, with at least one type."));
  std::map<std::string, std::vector<activity>> out;
  for (const auto& [type, list] : *types) {
    std::vector<activity> activities;
    if (!is_type_name(type) || !planes::from_json(list, activities))
      return std::unexpected(cfm_error(400, "Invalid payload: activities." + std::string(type) +
                                                " must be an array of {id, type, dependsOn}."));
    for (auto& a : activities)
      a.discriminator = type;
    if (auto steps = steps_of(activities); !steps)
      return std::unexpected(
          cfm_error(400, "Bad request: activities." + std::string(type) + ": " + steps.error().detail));
    out.emplace(type, std::move(activities));
  }
  return out;
}

std::string unknown_types(const std::map<std::string, std::vector<activity>>& all,
                          const std::vector<persistence::document>& known) {
  std::string out;
  for (const auto& [type, activities] : all)
    for (const auto& a : activities)
      if (std::ranges::none_of(known, [&](const auto& d) { return d.key.id == a.type; }))
        out += (out.empty() ? "activity type '" : ", '") + a.type + "'";
  return out;
}

task<response> put_template(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, write_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto body = read_cfm_body(*r);
  if (!body)
    co_return std::move(body.error());
  auto definitions = read_template(*body);
  if (!definitions)
    co_return std::move(definitions.error());
  auto reading = all_of(s, kinds::activity_definition);
  auto known = co_await std::move(reading);
  if (!known)
    co_return std::move(known.error());
  if (const auto missing = unknown_types(*definitions, *known); !missing.empty())
    co_return cfm_error(400, "Bad request: " + missing + " not found");
  auto made =
      api::read_creation(s, *r, cfm_tenant, "orchestration-definitions", json::string_at(*body, "id").value_or(""));
  if (!made)
    co_return as_cfm_error(made.error());
  for (const auto& [type, activities] : *definitions) {
    json::object kept{{"type", type}, {"templateRef", made->id}, {"activities", planes::to_json(activities)}};
    for (const char* name : {"description", "schema"})
      if (const auto* v = body->if_contains(name))
        kept[name] = *v;
    api::record_write w;
    w.kind = kinds::orchestration_definition;
    w.id = type;
    w.when = api::write_mode::upsert;
    w.body = json::write(kept);
    auto writing = api::write_record(s, cfm_tenant, std::move(w), "OrchestrationDefinition");
    auto written = co_await std::move(writing);
    if (!written)
      co_return as_cfm_error(written.error());
  }
  api::note_change("provision_manager", *r, *who, "the orchestration template " + made->id + " was written", "");
  co_return gateway::json_response(
      201, json::write(json::object{{"id", made->id}, {"description", "ID of the Orchestration Template"}}));
}

json::object shown_definition(const persistence::document& d) {
  const auto body = api::stored_object(d.body);
  json::object out;
  for (const char* name : {"description", "schema", "templateRef"})
    if (const auto* v = body.if_contains(name))
      out[name] = *v;
  json::array activities;
  for (const auto& a : activities_in(body))
    activities.push_back(without_empty(planes::to_json(a).get_object()));
  out["activities"] = json::object{{d.key.id, std::move(activities)}};
  return without_empty(std::move(out));
}

task<response> list_definitions(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, read_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto reading = all_of(s, kinds::orchestration_definition);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  const auto wanted = r->params.find("template");
  json::array out;
  for (const auto& d : *found) {
    auto shown = shown_definition(d);
    if (wanted == r->params.end() || json::string_at(shown, "templateRef") == wanted->second)
      out.push_back(std::move(shown));
  }
  co_return gateway::json_response(200, json::write(out));
}

task<response> remove_definitions(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, write_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  const auto wanted = api::path_value(*r, "template");
  auto reading = all_of(s, kinds::orchestration_definition);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  bool any = false;
  for (const auto& d : *found) {
    if (json::string_at(api::stored_object(d.body), "templateRef") != wanted)
      continue;
    auto removing =
        api::remove_record(s, cfm_tenant, kinds::orchestration_definition, d.key.id, "OrchestrationDefinition");
    auto removed = co_await std::move(removing);
    if (!removed && removed.error().status != 404)
      co_return as_cfm_error(removed.error());
    any = true;
  }
  co_return any ? gateway::json_response(200, "") : cfm_error(404, "Not found");
}

} // namespace

std::optional<definition> read_definition(cfm_services& s, const std::string& type) {
  const auto read = [&s](const std::string& id) {
    auto found = s.documents.get({cfm_tenant, kinds::orchestration_definition, id});
    if (!found)
      throw std::runtime_error("the orchestration definition cannot be read");
    return *found ? std::optional(api::stored_object((*found)->body)) : std::nullopt;
  };
  const auto own = read(type);
  if (!own)
    return std::nullopt;
  definition d{type, activities_in(*own), false};
  if (type == deploy_type)
    if (const auto undo = read(std::string(dispose_type)))
      d.compensates = json::string_at(*undo, "templateRef") == json::string_at(*own, "templateRef") &&
                      !activities_in(*undo).empty();
  return d;
}

void add_definition_routes(gateway::router& to, cfm_services& s) {
  const std::string base = "/api/v1alpha1/";
  api::route(to, s, "GET", base + "activity-definitions", list_activities);
  api::route(to, s, "POST", base + "activity-definitions", put_activity);
  api::route(to, s, "DELETE", base + "activity-definitions/{type}", remove_activity);
  api::route(to, s, "GET", base + "orchestration-definitions", list_definitions);
  api::route(to, s, "POST", base + "orchestration-definitions", put_template);
  api::route(to, s, "GET", base + "orchestration-definitions/{template}", list_definitions);
  api::route(to, s, "DELETE", base + "orchestration-definitions/{template}", remove_definitions);
}

} // namespace fondaco::cfm

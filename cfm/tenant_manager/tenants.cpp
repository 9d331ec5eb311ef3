#include <algorithm>
#include <optional>
#include <vector>

#include "cfm/query/list.hpp"
#include "cfm/rest.hpp"
#include "cfm/tenant_manager/participant_profile.hpp"
#include "cfm/tenant_manager/records.hpp"

namespace fondaco::cfm {

namespace api = planes::api;
using api::request_ptr;
using gateway::response;
using gateway::task;

namespace {

response key_is_spent() {
  return cfm_error(409, "Conflict: the idempotency key made something that was removed; choose a new key");
}

json::object shown(const json::object& stored) { return without_empty(stored); }

// What is wrong with a TenantPropertiesDiff, if anything.
std::optional<response> wrong_diff(const json::object& diff) {
  const auto* properties = diff.if_contains("properties");
  if (properties && !properties->is_null() && !properties->is_object())
    return cfm_error(400, "Bad request: properties must be an object");
  const auto* removed = diff.if_contains("removed");
  if (!removed || removed->is_null())
    return std::nullopt;
  const bool names = removed->is_array() &&
                     std::ranges::all_of(removed->get_array(), [](const json::value& v) { return v.is_string(); });
  if (!names)
    return cfm_error(400, "Bad request: removed must be an array of names of properties");
  return std::nullopt;
}

task<response> list_tenants(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_read_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto listing = list_records(s, r, kinds::tenant, "/tenants", shown);
  co_return co_await std::move(listing);
}

task<response> query_tenants(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_read_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto querying = query_records(s, r, kinds::tenant, "/tenants/query", shown);
  co_return co_await std::move(querying);
}

task<response> make_tenant(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_write_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto body = read_cfm_body(*r);
  if (!body)
    co_return std::move(body.error());
  const auto* properties = json::object_at(*body, "properties");
  if (const auto* v = body->if_contains("properties"); v && !properties && !v->is_null())
    co_return cfm_error(400, "Bad request: properties must be an object");
  auto made = api::read_creation(s, *r, cfm_tenant, kinds::tenant, "");
  if (!made)
    co_return as_cfm_error(made.error());
  json::object kept{{"id", made->id}, {"version", 0}};
  kept["properties"] = properties ? *properties : json::object();
  api::record_write w;
  w.kind = kinds::tenant;
  w.id = made->id;
  w.body = json::write(kept);
  w.request_id = made->request_id;
  w.request_digest = made->request_digest;
  w.names = api::key_claim(cfm_tenant, kinds::tenant, *made);
  auto writing = api::write_record(s, cfm_tenant, std::move(w), "Tenant");
  auto written = co_await std::move(writing);
  if (!written)
    co_return written.error().status == 404 ? key_is_spent() : as_record_error(written.error());
  api::note_change("tenant_manager", *r, *who, "the tenant " + made->id + " was made", "");
  co_return gateway::json_response(201, json::write(without_empty(std::move(kept))));
}

task<response> get_tenant(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_read_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  persistence::entity_key key{cfm_tenant, kinds::tenant, api::path_value(*r, "id")};
  auto reading = api::need_document(s, std::move(key), "Tenant");
  auto found = co_await std::move(reading);
  if (!found)
    co_return as_record_error(found.error());
  co_return gateway::json_response(200, json::write(without_empty(api::stored_object(found->body))));
}

task<response> patch_tenant(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_write_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto body = read_cfm_body(*r);
  if (!body)
    co_return std::move(body.error());
  if (auto wrong = wrong_diff(*body))
    co_return std::move(*wrong);
  api::record_change change = [diff = *body](json::object before) -> api::result<json::object> {
    if (before.empty())
      return std::unexpected(cfm_error(404, "Not found"));
    const auto* kept = json::object_at(before, "properties");
    auto properties = kept ? *kept : json::object();
    if (const auto* added = json::object_at(diff, "properties"))
      for (const auto& [name, v] : *added)
        properties[name] = v;
    if (const auto* removed = json::array_at(diff, "removed"))
      for (const auto& name : *removed)
        properties.erase(name.get_string());
    before["properties"] = std::move(properties);
    before["version"] = json::integer_at(before, "version").value_or(0) + 1;
    return before;
  };
  persistence::entity_key key{cfm_tenant, kinds::tenant, api::path_value(*r, "id")};
  auto changing = api::change_record(s, std::move(key), std::move(change), "Tenant");
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return as_record_error(changed.error());
  api::note_change("tenant_manager", *r, *who, "a tenant was changed", "");
  co_return gateway::json_response(200, "");
}

/// What there is of a tenant that is to be removed.
struct leftovers {
  bool known = false;
  bool has_profiles = false;
  /// Removed profiles whose erasure was interrupted.
  std::vector<persistence::entity_key> removed_profiles;
};

// Blocks; nothing if the store does not answer.
std::optional<leftovers> read_leftovers(cfm_services& s, const persistence::entity_key& key) {
  persistence::query_spec spec;
  spec.filter.push_back({"tenantId", "=", json::value(key.id)});
  spec.limit = persistence::limits::read_rows_max;
  const auto row = s.journal.read_row(key);
  const auto profiles = s.documents.query_entities(cfm_tenant, participant_profile::kind, spec);
  if (!row || !profiles)
    return std::nullopt;
  leftovers out;
  out.known = row->has_value();
  for (const auto& p : *profiles) {
    if (p.status != "REMOVED")
      out.has_profiles = true;
    else
      out.removed_profiles.push_back(p.key);
  }
  return out;
}

task<response> remove_tenant(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_write_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  const auto id = api::path_value(*r, "id");
  persistence::entity_key key{cfm_tenant, kinds::tenant, id};
  auto looking = actors::in_pool(s.pool, s.edge, [&s, key] { return read_leftovers(s, key); });
  auto left = co_await std::move(looking);
  if (!left || !*left)
    co_return cfm_error(503, "The store does not answer; ask again after a moment.");
  if (!(*left)->known)
    co_return cfm_error(404, "Not found");
  if ((*left)->has_profiles)
    co_return cfm_error(400, "Bad request: cannot delete tenant with participants");
  (*left)->removed_profiles.push_back(std::move(key));
  for (auto& one : (*left)->removed_profiles) {
    auto erasing = erase_for_good(s, std::move(one));
    if (auto erased = co_await std::move(erasing); !erased)
      co_return std::move(erased.error());
  }
  api::note_change("tenant_manager", *r, *who, "the tenant " + id + " was removed", "");
  co_return gateway::json_response(200, "");
}

} // namespace

void add_tenant_routes(gateway::router& to, cfm_services& s) {
  const std::string base = "/api/v1alpha1/tenants";
  api::route(to, s, "GET", base, list_tenants);
  api::route(to, s, "POST", base, make_tenant);
  api::route(to, s, "POST", base + "/query", query_tenants);
  api::route(to, s, "GET", base + "/{id}", get_tenant);
  api::route(to, s, "PATCH", base + "/{id}", patch_tenant);
  api::route(to, s, "DELETE", base + "/{id}", remove_tenant);
}

} // namespace fondaco::cfm

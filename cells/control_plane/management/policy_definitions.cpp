#include <utility>

#include "cells/control_plane/management/resource.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/body_check.hpp"
#include "protocols/json/json.hpp"
#include "protocols/odrl/canonical.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

namespace {

// What the schema asks for and `odrl::read_policy` leaves open.
void check_shape(body_check& check, const json::object& policy) {
  if (json::string_at(policy, "@type") != "Set")
    check.refuse("policy.@type must be Set", "policy.@type");
  for (const char* list : {"permission", "prohibition", "obligation"})
    if (const auto* rules = json::array_at(policy, list); rules && rules->empty())
      check.refuse(std::string("policy.") + list + " must have at least one element", std::string("policy.") + list);
}

result<json::object> read_definition(cell_services& s, const gateway::request& r) {
  auto body = api::read_body(r, {"PolicyDefinition"});
  if (!body)
    return body;
  body_check check;
  auto id = check.text(*body, "@id", need::optional);
  const auto* policy = check.object(*body, "policy", need::required);
  const auto* hidden = check.object(*body, "privateProperties", need::optional);
  if (policy)
    check_shape(check, *policy);
  if (check.failed())
    return std::unexpected(check.response());
  auto canonical = odrl::canonical_policy(*policy);
  auto read = canonical ? odrl::read_policy(*canonical) : std::unexpected(canonical.error());
  if (!read)
    return std::unexpected(api::invalid_field(read.error().detail, "policy"));
  for (auto& wrong : odrl::validate(*read, s.functions))
    check.refuse(std::move(wrong), "policy");
  if (check.failed())
    return std::unexpected(check.response());
  json::object out;
  if (!id.empty())
    out["@id"] = id;
  out["policy"] = std::move(*canonical);
  if (hidden)
    out["privateProperties"] = *hidden;
  return out;
}

std::optional<response> in_use(cell_services& s, const tenant& owner, const std::string& id) {
  for (const char* field : {"accessPolicyId", "contractPolicyId"}) {
    persistence::query_spec spec;
    spec.filter.push_back({field, "=", json::value(id)});
    spec.limit = 1;
    auto found = s.documents.query(owner, cells::kinds::contract_definition, spec);
    if (!found)
      return api::from_query(found.error());
    if (!found->empty())
      return api::conflict("PolicyDefinition " + id +
                           " cannot be deleted as it is referenced by at least one contract definition");
  }
  return std::nullopt;
}

json::object show_definition(const persistence::document& d) {
  const auto stored = stored_object(d.body);
  json::object out{{"@id", d.key.id}, {"@type", "PolicyDefinition"}, {"createdAt", to_epoch_ms(d.created_at)}};
  json::object policy;
  if (const auto* given = json::object_at(stored, "policy"))
    policy = *given;
  if (!policy.contains("@id"))
    policy["@id"] = d.key.id;
  out["policy"] = std::move(policy);
  if (const auto* hidden = stored.if_contains("privateProperties"))
    out["privateProperties"] = *hidden;
  return out;
}

const resource definition_resource{cells::kinds::policy_definition,
                                   "PolicyDefinition",
                                   "policydefinitions",
                                   "policies:read",
                                   "policies:write",
                                   "policies:write",
                                   policy_definition_fields,
                                   read_definition,
                                   nullptr,
                                   in_use,
                                   show_definition};

task<response> validate_definition(cell_services& s, request_ptr r) {
  auto entering = enter(s, r, "policies:read");
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  persistence::entity_key key{*owner, cells::kinds::policy_definition, path_value(*r, "id")};
  auto reading = need_document(s, std::move(key), "PolicyDefinition");
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  const auto stored = stored_object(found->body);
  const auto* body = json::object_at(stored, "policy");
  auto policy = odrl::read_policy(body ? *body : json::object());
  json::array errors;
  if (!policy)
    errors.emplace_back(policy.error().detail);
  else
    for (auto& wrong : odrl::validate(*policy, s.functions))
      errors.emplace_back(std::move(wrong));
  json::object out{{"@type", "PolicyValidationResult"}, {"isValid", errors.empty()}};
  out["errors"] = std::move(errors);
  co_return api::object_response(std::move(out));
}

} // namespace

void add_policy_definition_routes(gateway::router& to, cell_services& s) {
  add_resource_routes(to, s, definition_resource, true);
  route(to, s, "POST", participant_base + "policydefinitions/{id}/validate", validate_definition);
}

} // namespace fondaco::control_plane::management

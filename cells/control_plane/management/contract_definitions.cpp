#include <utility>

#include "cells/control_plane/management.hpp"
#include "cells/control_plane/management/resource.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/body_check.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

namespace {

json::array read_selector(body_check& check, const json::object& body) {
  const auto* given = body.if_contains("assetsSelector");
  if (!given || given->is_null())
    return {};
  json::array list, out;
  if (given->is_array())
    list = given->get_array();
  else
    list.push_back(*given);
  for (size_t i = 0; i < list.size(); ++i) {
    const auto path = "assetsSelector[" + std::to_string(i) + "]";
    const auto* c = list[i].if_object();
    if (!c || json::string_at(*c, "@type") != "Criterion" || !c->contains("operandRight")) {
      check.refuse(path + " must be a Criterion with operandLeft, operator and operandRight", path, list[i]);
      continue;
    }
    json::object kept{{"@type", "Criterion"}};
    kept["operandLeft"] = check.text(*c, "operandLeft", need::required, path);
    kept["operator"] = check.text(*c, "operator", need::required, path);
    kept["operandRight"] = c->at("operandRight");
    out.push_back(std::move(kept));
  }
  return out;
}

result<json::object> read_definition(cell_services&, const gateway::request& r) {
  auto body = api::read_body(r, {"ContractDefinition"});
  if (!body)
    return body;
  body_check check;
  auto id = check.text(*body, "@id", need::optional);
  auto access = check.text(*body, "accessPolicyId", need::required);
  auto contract = check.text(*body, "contractPolicyId", need::required);
  const auto* hidden = check.object(*body, "privateProperties", need::optional);
  auto selector = read_selector(check, *body);
  if (check.failed())
    return std::unexpected(check.response());
  json::object out;
  if (!id.empty())
    out["@id"] = id;
  out["accessPolicyId"] = access;
  out["contractPolicyId"] = contract;
  out["assetsSelector"] = std::move(selector);
  if (hidden)
    out["privateProperties"] = *hidden;
  return out;
}

// The store itself says whether the selector is a query that it can answer.
std::optional<response> try_selector(cell_services& s, const tenant& owner, json::object& definition) {
  persistence::query_spec spec;
  spec.limit = 1;
  for (const auto& v : definition.at("assetsSelector").get_array()) {
    const auto& c = v.get_object();
    spec.filter.push_back(
        asset_criterion({std::string(json::string_at(c, "operandLeft").value_or("")),
                         std::string(json::string_at(c, "operator").value_or("")), c.at("operandRight")}));
  }
  auto tried = s.documents.query(owner, cells::kinds::asset, spec);
  if (tried)
    return std::nullopt;
  if (tried.error().code == persistence::query_errc::unavailable)
    return api::from_query(tried.error());
  return api::invalid_field(tried.error().detail, "assetsSelector");
}

json::object show_definition(const persistence::document& d) {
  const auto stored = stored_object(d.body);
  json::object out{{"@id", d.key.id}, {"@type", "ContractDefinition"}};
  for (const char* member : {"accessPolicyId", "contractPolicyId", "assetsSelector", "privateProperties"})
    if (const auto* v = stored.if_contains(member))
      out[member] = *v;
  return out;
}

const resource definition_resource{cells::kinds::contract_definition,
                                   "ContractDefinition",
                                   "contractdefinitions",
                                   "contractdefinitions:read",
                                   "contractdefinitions:write",
                                   "contractdefinitions:write",
                                   contract_definition_fields,
                                   read_definition,
                                   try_selector,
                                   nullptr,
                                   show_definition};

} // namespace

void add_contract_definition_routes(gateway::router& to, cell_services& s) {
  add_resource_routes(to, s, definition_resource, false);
}

} // namespace fondaco::control_plane::management

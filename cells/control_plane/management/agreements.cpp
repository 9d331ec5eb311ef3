#include <utility>

#include "cells/control_plane/management/process_edge.hpp"
#include "cells/control_plane/negotiation.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

json::object show_agreement(const persistence::document& d) {
  const auto stored = stored_object(d.body);
  json::object out{{"@id", d.key.id}, {"@type", "ContractAgreement"}};
  for (const char* member : {"agreementId", "assetId", "providerId", "consumerId", "contractSigningDate", "policy"})
    if (const auto* v = stored.if_contains(member))
      out[member] = *v;
  if (const auto* claims = json::object_at(stored, "claims"); claims && !claims->empty())
    out["claims"] = *claims;
  return out;
}

namespace {

constexpr const char* read_scope = "agreements:read";
constexpr const char* type = "ContractAgreement";

task<response> query_agreements(cell_services& s, request_ptr r) {
  auto entering = enter(s, r, read_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto plan = plan_query(*r, *owner, agreement_fields());
  if (!plan)
    co_return std::move(plan.error());
  std::vector<json::object> out;
  if (plan->nothing)
    co_return api::array_response(std::move(out));
  auto reading = query_documents(s, *owner, cells::kinds::contract_agreement, plan->spec);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  for (const auto& d : *found)
    out.push_back(show_agreement(d));
  co_return api::array_response(std::move(out));
}

task<result<persistence::document>> find_agreement(cell_services& s, request_ptr r) {
  auto entering = enter(s, r, read_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::unexpected(std::move(owner.error()));
  persistence::entity_key key{*owner, cells::kinds::contract_agreement, path_value(*r, "id")};
  auto reading = need_document(s, std::move(key), type);
  auto found = co_await std::move(reading);
  co_return found;
}

task<response> get_agreement(cell_services& s, request_ptr r) {
  auto finding = find_agreement(s, std::move(r));
  auto found = co_await std::move(finding);
  if (!found)
    co_return std::move(found.error());
  co_return api::object_response(show_agreement(*found));
}

task<response> get_negotiation_of(cell_services& s, request_ptr r) {
  auto finding = find_agreement(s, std::move(r));
  auto found = co_await std::move(finding);
  if (!found)
    co_return std::move(found.error());
  const auto stored = stored_object(found->body);
  persistence::entity_key key{found->key.owner, std::string(negotiation::kind),
                              std::string(json::string_at(stored, "negotiationId").value_or(""))};
  auto reading = need_row(s, std::move(key), "ContractNegotiation");
  auto row = co_await std::move(reading);
  if (!row)
    co_return std::move(row.error());
  co_return api::object_response(show_negotiation(*row));
}

} // namespace

void add_agreement_routes(gateway::router& to, cell_services& s) {
  const auto base = participant_base + "contractagreements";
  route(to, s, "POST", base + "/request", query_agreements);
  route(to, s, "GET", base + "/{id}", get_agreement);
  route(to, s, "GET", base + "/{id}/negotiation", get_negotiation_of);
}

} // namespace fondaco::control_plane::management

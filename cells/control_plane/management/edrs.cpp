#include "cells/control_plane/management/edrs.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "cells/control_plane/management/process_edge.hpp"
#include "cells/control_plane/transfer_process.hpp"
#include "persistence/query.hpp"
#include "protocols/dsp/messages.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

namespace {

constexpr const char* read_scope = "transfers:read";
constexpr const char* type = "EndpointDataReferenceEntry";

/// A transfer that has an endpoint data reference: ours is the consumer's side and it runs.
std::string sealed_address(const persistence::entity_row& row) {
  const auto view = stored_object(row.view);
  if (row.status != "STARTED" || json::string_at(view, "type") != "CONSUMER")
    return {};
  return std::string(json::string_at(view, "sealedAddress").value_or(""));
}

task<response> get_address(cell_services& s, request_ptr r) {
  auto entering = enter(s, r, read_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto id = path_value(*r, "id");
  persistence::entity_key key{*owner, std::string(transfer_process::kind), id};
  auto reading = need_row(s, std::move(key), type);
  auto row = co_await std::move(reading);
  if (!row)
    co_return std::move(row.error());
  auto sealed = sealed_address(*row);
  if (sealed.empty())
    co_return api::not_found(type, id);
  auto opening =
      actors::in_pool(s.pool, s.edge, *owner, [&s, who = *owner, sealed] { return s.vault.open(who, sealed); });
  auto opened = co_await std::move(opening);
  if (!opened)
    co_return busy();
  if (!*opened)
    co_return vault_unavailable();
  auto address = flat_address(**opened);
  if (!address)
    co_return api::not_found(type, id);
  auto out = api::object_response(std::move(*address));
  out.headers.emplace_back("Cache-Control", "no-store");
  co_return out;
}

using negotiations_by_agreement = std::map<std::string, std::string, std::less<>>;

/// The negotiations of the rows' agreements, in as few reads as the queries' limits allow. Blocks: for the reader pool.
std::expected<negotiations_by_agreement, persistence::query_error>
read_negotiations(cell_services& s, const tenant& owner, const std::vector<std::string>& agreements) {
  negotiations_by_agreement out;
  for (size_t from = 0; from < agreements.size(); from += persistence::limits::operand_values_max) {
    const auto to = std::min(agreements.size(), from + persistence::limits::operand_values_max);
    persistence::query_spec spec;
    spec.filter.push_back({"id", "in",
                           json::array(agreements.begin() + static_cast<std::ptrdiff_t>(from),
                                       agreements.begin() + static_cast<std::ptrdiff_t>(to))});
    spec.limit = persistence::limits::operand_values_max;
    auto found = s.documents.query(owner, cells::kinds::contract_agreement, spec);
    if (!found)
      return std::unexpected(found.error());
    for (const auto& d : *found)
      out.emplace(d.key.id, json::string_at(stored_object(d.body), "negotiationId").value_or(""));
  }
  return out;
}

json::object show_entry(const persistence::entity_row& row, const json::object& view,
                        const negotiations_by_agreement& negotiations) {
  json::object out{{"@id", row.key.id}, {"@type", type}, {"transferProcessId", row.key.id}};
  for (auto [stored, shown] : {std::pair{"counterPartyId", "providerId"}, std::pair{"assetId", "assetId"},
                               std::pair{"contractId", "agreementId"}, std::pair{"createdAt", "createdAt"}})
    if (const auto* v = view.if_contains(stored))
      out[shown] = *v;
  const auto negotiation = negotiations.find(json::string_at(view, "contractId").value_or(""));
  if (negotiation != negotiations.end() && !negotiation->second.empty())
    out["contractNegotiationId"] = negotiation->second;
  return out;
}

task<response> query_entries(cell_services& s, request_ptr r) {
  auto entering = enter(s, r, read_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto plan = plan_query(*r, *owner, edr_fields());
  if (!plan)
    co_return std::move(plan.error());
  std::vector<json::object> out;
  if (plan->nothing)
    co_return api::array_response(std::move(out));
  plan->spec.filter.push_back({"state", "=", json::value("STARTED")});
  plan->spec.filter.push_back({"type", "=", json::value("CONSUMER")});
  plan->spec.filter.push_back({"sealedAddress", "!=", json::value("")});
  auto reading = query_rows(s, *owner, std::string(transfer_process::kind), plan->spec);
  auto rows = co_await std::move(reading);
  if (!rows)
    co_return std::move(rows.error());
  std::vector<std::string> agreements;
  for (const auto& row : *rows)
    agreements.emplace_back(json::string_at(stored_object(row.view), "contractId").value_or(""));
  auto looking = actors::in_pool(s.pool, s.edge, *owner,
                                 [&s, who = *owner, agreements] { return read_negotiations(s, who, agreements); });
  auto negotiations = co_await std::move(looking);
  if (!negotiations)
    co_return busy();
  if (!*negotiations)
    co_return api::from_query(negotiations->error());
  for (const auto& row : *rows)
    out.push_back(show_entry(row, stored_object(row.view), **negotiations));
  co_return api::array_response(std::move(out));
}

} // namespace

std::optional<json::object> flat_address(std::string_view stored) {
  const auto parsed = json::parse(stored);
  if (!parsed || !parsed->is_object())
    return std::nullopt;
  const auto& given = parsed->get_object();
  json::object out{{"@type", "DataAddress"}};
  if (const auto read = dsp::read_data_address(*parsed)) {
    out["type"] = read->endpoint_type;
    out["endpointType"] = read->endpoint_type;
    out["endpoint"] = read->endpoint;
    for (const auto& [name, value] : read->properties)
      if (!out.contains(name))
        out[name] = value;
  }
  for (const auto& [name, value] : given)
    if (!out.contains(name) && name != "endpointProperties" && name != "@context")
      out.emplace(name, value);
  const auto endpoint = json::string_at(out, "endpoint");
  if (!endpoint || endpoint->empty())
    return std::nullopt;
  if (!out.contains("authType") && out.contains("authorization"))
    out["authType"] = "bearer";
  return out;
}

void add_edr_routes(gateway::router& to, cell_services& s) {
  route(to, s, "POST", participant_base + "edrs/request", query_entries);
  route(to, s, "GET", participant_base + "edrs/{id}/dataaddress", get_address);
}

} // namespace fondaco::control_plane::management

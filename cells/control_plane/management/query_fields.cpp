#include "cells/control_plane/management/query_fields.hpp"

#include <algorithm>
#include <utility>

#include "cells/control_plane/management.hpp"
#include "persistence/query.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/errors.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

namespace {

using names = std::vector<std::string>;
using code_name = std::pair<int64_t, std::string_view>;

// Management API reference, section 9.
constexpr code_name negotiation_codes[] = {
    {50, "INITIAL"},    {100, "REQUESTING"},  {200, "REQUESTED"},  {300, "OFFERING"},     {400, "OFFERED"},
    {700, "ACCEPTING"}, {800, "ACCEPTED"},    {825, "AGREEING"},   {850, "AGREED"},       {1050, "VERIFYING"},
    {1100, "VERIFIED"}, {1150, "FINALIZING"}, {1200, "FINALIZED"}, {1300, "TERMINATING"}, {1400, "TERMINATED"}};
constexpr code_name transfer_codes[] = {{100, "INITIAL"},
                                        {250, "PREPARATION_REQUESTED"},
                                        {400, "REQUESTING"},
                                        {500, "REQUESTED"},
                                        {550, "STARTING"},
                                        {570, "STARTUP_REQUESTED"},
                                        {600, "STARTED"},
                                        {650, "SUSPENDING"},
                                        {675, "SUSPENDING_REQUESTED"},
                                        {700, "SUSPENDED"},
                                        {720, "RESUMING"},
                                        {722, "RESUMING_REQUESTED"},
                                        {725, "RESUMED"},
                                        {750, "COMPLETING"},
                                        {775, "COMPLETING_REQUESTED"},
                                        {800, "COMPLETED"},
                                        {825, "TERMINATING"},
                                        {840, "TERMINATING_REQUESTED"},
                                        {850, "TERMINATED"}};

template <size_t N> std::string_view name_of_code(const code_name (&table)[N], int64_t code) {
  const auto found = std::ranges::find(table, code, &code_name::first);
  return found == std::end(table) ? std::string_view() : found->second;
}

names stored_asset_path(names path) {
  for (auto& n : path)
    n = std::string(without_edc(n));
  const auto& first = path.front();
  const bool as_it_is =
      first == "properties" || first == "privateProperties" || first == "dataAddress" || first == "dataplaneMetadata";
  const bool a_column = path.size() == 1 && (first == "id" || first == "@id" || first == "createdAt");
  if (!as_it_is && !a_column)
    path.insert(path.begin(), "lookup");
  return path;
}

names stored_policy_path(names path) {
  if (path.size() == 1 && path[0] == "uid")
    return {"id"};
  if (path.size() < 2 || path[0] != "policy")
    return path;
  for (auto [plural, term] : {std::pair{"permissions", "permission"}, std::pair{"prohibitions", "prohibition"},
                              std::pair{"obligations", "obligation"}, std::pair{"type", "@type"}})
    if (path[1] == plural)
      path[1] = term;
  return path;
}

names stored_process_path(names path) {
  if (path.size() == 1 && path[0] == "protocol")
    return {"profile"};
  if (path.size() == 1 && path[0] == "dataPlaneId")
    return {"dataplaneId"};
  if (path.size() == 2 && path[0] == "contractAgreement" && (path[1] == "id" || path[1] == "agreementId"))
    return {"contractAgreementId"};
  return path;
}

names stored_edr_path(names path) {
  for (auto [shown, stored] : {std::pair{"transferProcessId", "id"}, std::pair{"agreementId", "contractId"},
                               std::pair{"providerId", "counterPartyId"}})
    if (path.size() == 1 && path[0] == shown)
      return {stored};
  return path;
}

void name_codes(json::value& operand, std::string_view (*state_name)(int64_t)) {
  if (operand.is_array()) {
    for (auto& item : operand.get_array())
      name_codes(item, state_name);
  } else if (const auto* code = operand.if_int64()) {
    operand = state_name(*code);
  }
}

result<std::string> stored_path(std::string_view given, const field_map& fields, names& path) {
  auto parsed = persistence::parse_path(given);
  if (!parsed)
    return std::unexpected(api::invalid_field(parsed.error().detail, "filterExpression", json::value(given)));
  path = std::move(*parsed);
  if (!fields.known.empty() && std::ranges::find(fields.known, std::string_view(path[0])) == fields.known.end())
    return std::unexpected(api::invalid_field("Error validating schema: Field " + path[0] + " not found on type " +
                                                  std::string(fields.type),
                                              "filterExpression", json::value(given)));
  return quoted_path(fields.stored ? fields.stored(path) : path);
}

} // namespace

std::string_view without_edc(std::string_view name) noexcept {
  for (std::string_view prefix : {"https://w3id.org/edc/v0.0.1/ns/", "edc:"})
    if (name.starts_with(prefix) && name.size() > prefix.size())
      return name.substr(prefix.size());
  return name;
}

std::string quoted_path(const names& path) {
  std::string out;
  for (const auto& n : path)
    out.append(out.empty() ? "'" : ".'").append(n).append("'");
  return out;
}

result<query_plan> plan_query(persistence::query_spec given, const tenant& owner, const field_map& fields) {
  query_plan plan;
  names path;
  for (auto& c : given.filter) {
    auto stored = stored_path(c.operand_left, fields, path);
    if (!stored)
      return std::unexpected(std::move(stored.error()));
    if (path == names{"participantContextId"}) {
      const auto* whose = c.operand_right.if_string();
      if (c.op != "=" || !whose)
        return std::unexpected(api::invalid_field("participantContextId can only be compared with '='",
                                                  "filterExpression", c.operand_right));
      plan.nothing = plan.nothing || std::string_view(*whose) != owner.id();
      continue;
    }
    if (fields.state_name && path == names{"state"})
      name_codes(c.operand_right, fields.state_name);
    c.operand_left = std::move(*stored);
    plan.spec.filter.push_back(std::move(c));
  }
  if (!given.sort_field.empty()) {
    auto stored = stored_path(given.sort_field, fields, path);
    if (!stored)
      return std::unexpected(std::move(stored.error()));
    plan.spec.sort_field = std::move(*stored);
  }
  plan.spec.descending = given.descending;
  plan.spec.offset = given.offset;
  plan.spec.limit = given.limit;
  return plan;
}

result<query_plan> plan_query(const gateway::request& r, const tenant& owner, const field_map& fields) {
  auto given = api::read_query(r);
  if (!given)
    return std::unexpected(std::move(given.error()));
  return plan_query(std::move(*given), owner, fields);
}

const field_map& asset_fields() {
  static const field_map fields{"Asset", {}, stored_asset_path, nullptr};
  return fields;
}

const field_map& policy_definition_fields() {
  static const field_map fields{
      "PolicyDefinition",
      {"id", "@id", "uid", "createdAt", "policy", "privateProperties", "participantContextId"},
      stored_policy_path,
      nullptr};
  return fields;
}

const field_map& contract_definition_fields() {
  static const field_map fields{"ContractDefinition",
                                {"id", "@id", "createdAt", "accessPolicyId", "contractPolicyId", "assetsSelector",
                                 "privateProperties", "participantContextId"},
                                nullptr,
                                nullptr};
  return fields;
}

const field_map& negotiation_fields() {
  static const field_map fields{"ContractNegotiation",
                                {"id", "@id", "state", "stateTimestamp", "createdAt", "updatedAt", "errorDetail",
                                 "correlationId", "counterPartyId", "counterPartyAddress", "protocol", "profile",
                                 "type", "assetId", "contractAgreement", "contractAgreementId", "participantContextId"},
                                stored_process_path,
                                [](int64_t code) { return name_of_code(negotiation_codes, code); }};
  return fields;
}

const field_map& agreement_fields() {
  static const field_map fields{"ContractAgreement",
                                {"id", "@id", "agreementId", "providerId", "consumerId", "contractSigningDate",
                                 "assetId", "policy", "claims", "createdAt", "participantContextId"},
                                stored_policy_path,
                                nullptr};
  return fields;
}

const field_map& transfer_fields() {
  static const field_map fields{"TransferProcess",
                                {"id",
                                 "@id",
                                 "state",
                                 "stateTimestamp",
                                 "createdAt",
                                 "updatedAt",
                                 "errorDetail",
                                 "correlationId",
                                 "counterPartyId",
                                 "counterPartyAddress",
                                 "protocol",
                                 "profile",
                                 "type",
                                 "assetId",
                                 "contractId",
                                 "transferType",
                                 "dataPlaneId",
                                 "privateProperties",
                                 "dataplaneMetadata",
                                 "participantContextId"},
                                stored_process_path,
                                [](int64_t code) { return name_of_code(transfer_codes, code); }};
  return fields;
}

const field_map& edr_fields() {
  static const field_map fields{
      "EndpointDataReferenceEntry",
      {"id", "@id", "transferProcessId", "assetId", "agreementId", "providerId", "createdAt", "participantContextId"},
      stored_edr_path,
      nullptr};
  return fields;
}

} // namespace fondaco::control_plane::management

namespace fondaco::control_plane {

persistence::criterion asset_criterion(persistence::criterion c) {
  using namespace management;
  if (auto path = persistence::parse_path(c.operand_left))
    c.operand_left = quoted_path(stored_asset_path(std::move(*path)));
  return c; // a path that is not well formed is for the query to refuse
}

} // namespace fondaco::control_plane

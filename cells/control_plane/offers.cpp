#include "cells/control_plane/offers.hpp"

#include <algorithm>
#include <utility>

#include "cells/control_plane/data_planes.hpp"
#include "cells/control_plane/policy_reader.hpp"
#include "persistence/query.hpp"
#include "protocols/base/base64.hpp"

namespace fondaco::control_plane {

namespace {

using cells::cell_services;
using cells::counterparty;
using persistence::criterion;
using persistence::query_error;

resolved_offer unknown_offer() {
  resolved_offer out;
  out.verdict.reasons.push_back("There is no such offer.");
  return out;
}

resolved_offer refused(std::string why) {
  resolved_offer out;
  out.known = true;
  out.verdict.reasons.push_back(std::move(why));
  return out;
}

/// What a policy that refuses says, with the name of the policy's part in it.
resolved_offer refused_by(const char* which, odrl::verdict v) {
  auto out = refused(std::string("The ") + which + " policy is not fulfilled.");
  for (auto& reason : v.reasons)
    out.verdict.reasons.push_back(std::move(reason));
  return out;
}

} // namespace

std::string make_offer_id(std::string_view definition_id, std::string_view asset_id, const uuid& unique) {
  return base64_encode(definition_id) + ":" + base64_encode(asset_id) + ":" + base64_encode(unique.text());
}

std::optional<offer_parts> parse_offer_id(std::string_view id) {
  std::vector<std::string_view> parts;
  for (size_t from = 0; from <= id.size();) {
    const auto colon = std::min(id.find(':', from), id.size());
    parts.push_back(id.substr(from, colon - from));
    from = colon + 1;
  }
  if (parts.size() != 3 || parts[0].empty() || parts[1].empty())
    return std::nullopt;
  const auto definition = base64_decode(parts[0]), asset = base64_decode(parts[1]), unique = base64_decode(parts[2]);
  if (definition && asset && unique)
    return offer_parts{*definition, *asset};
  return offer_parts{std::string(parts[0]), std::string(parts[1])};
}

std::optional<criterion> public_criterion(criterion c) {
  static constexpr std::string_view spellings[] = {"https://w3id.org/edc/v0.0.1/ns/", "edc:"};
  static constexpr std::string_view hidden[] = {"privateProperties", "dataAddress", "sealedDataAddress", "lookup",
                                                "dataplaneMetadata"};
  std::string_view path = c.operand_left;
  for (const auto spelling : spellings)
    if (path.starts_with(spelling))
      path.remove_prefix(spelling.size());
  auto names = persistence::parse_path(path);
  if (!names || names->empty())
    return std::nullopt;
  for (const auto spelling : spellings)
    if (names->front().starts_with(spelling))
      names->front().erase(0, spelling.size());
  if (names->front().empty() || std::ranges::find(hidden, names->front()) != std::end(hidden))
    return std::nullopt;
  const bool column =
      names->size() == 1 && (names->front() == "id" || names->front() == "@id" || names->front() == "createdAt");
  if (!column && names->front() != "properties")
    names->insert(names->begin(), "properties");
  c.operand_left.clear();
  for (const auto& name : *names)
    c.operand_left += (c.operand_left.empty() ? "'" : ".'") + name + "'";
  return c;
}

std::expected<resolved_offer, query_error> resolve_offer(cell_services& s, const tenant& owner,
                                                         const counterparty& asker, const json::object& offer) {
  const auto parts = parse_offer_id(json::string_at(offer, "@id").value_or(""));
  if (!parts)
    return unknown_offer();
  auto row = s.documents.get({owner, cells::kinds::contract_definition, parts->definition_id});
  if (!row)
    return std::unexpected(std::move(row.error()));
  if (!*row)
    return unknown_offer();
  const auto definition = document_body(**row);
  policy_reader policies(s, owner, asker);
  auto contract = policies.read(std::string(json::string_at(definition, "contractPolicyId").value_or("")));
  if (!contract)
    return std::unexpected(std::move(contract.error()));
  if (!*contract || !has_rules(**contract))
    return unknown_offer();
  const auto terms = **contract;
  auto access = policies.access(std::string(json::string_at(definition, "accessPolicyId").value_or("")));
  if (!access)
    return std::unexpected(std::move(access.error()));
  if (!access->allowed)
    return refused_by("access", std::move(*access));
  const auto selector = read_selector(definition, owner);
  auto asset = s.documents.get({owner, cells::kinds::asset, parts->asset_id});
  if (!asset)
    return std::unexpected(std::move(asset.error()));
  if (!*asset || !selector)
    return unknown_offer();
  auto selected = selects(s, owner, *selector, parts->asset_id);
  if (!selected)
    return std::unexpected(std::move(selected.error()));
  if (!*selected)
    return unknown_offer();
  if (json::string_at(offer, "target").value_or(parts->asset_id) != parts->asset_id)
    return refused("offer.target is not the dataset of the offer's id.");
  auto verdict = judge_policy(s, owner, asker, terms, "contract.negotiation");
  if (!verdict.allowed)
    return refused_by("contract", std::move(verdict));
  resolved_offer out;
  out.known = true;
  out.verdict = {true, {}, parts->asset_id, rules_of(terms)};
  return out;
}

} // namespace fondaco::control_plane

#include "cells/control_plane/transfer_request.hpp"

#include <utility>

#include "cells/control_plane/data_planes.hpp"
#include "cells/control_plane/policy_reader.hpp"

namespace fondaco::control_plane {

namespace {

using persistence::query_error;

/// True for an agreement that this side made as provider with the counterparty, and that the counterparty has verified:
/// its request may come before our FINALIZED was acknowledged.
bool is_theirs(const json::object& agreement, const cells::counterparty& peer, const std::string& profile) {
  const auto is = [&](const char* member, std::string_view wanted) {
    return json::string_at(agreement, member) == wanted;
  };
  const auto state = json::string_at(agreement, "state").value_or("FINALIZED");
  return is("role", "PROVIDER") && is("counterPartyId", peer.id) && is("profile", profile) &&
         (state == "VERIFIED" || state == "FINALIZED");
}

std::expected<void, query_error> choose(cells::cell_services& s, const tenant& owner, const json::object& asset,
                                        const std::string& format, transfer_look& into) {
  auto planes = read_data_planes(s, owner);
  if (!planes)
    return std::unexpected(std::move(planes.error()));
  auto wishes = wishes_of_asset(asset);
  into.plane = choose_plane(*planes, wishes, format, s.random.next());
  into.labels = std::move(wishes.labels);
  into.metadata = std::move(wishes.metadata);
  return {};
}

} // namespace

std::expected<transfer_look, query_error> look_at_agreement(cells::cell_services& s, const tenant& owner,
                                                            const cells::counterparty& peer, const std::string& profile,
                                                            const std::string& agreement_id,
                                                            const std::string& format) {
  transfer_look out;
  auto row = s.documents.get({owner, cells::kinds::contract_agreement, agreement_id});
  if (!row)
    return std::unexpected(std::move(row.error()));
  if (!*row)
    return out;
  const auto agreement = document_body(**row);
  if (!is_theirs(agreement, peer, profile))
    return out;
  out.known = true;
  out.asset_id = json::string_at(agreement, "assetId").value_or("");
  auto asset = s.documents.get({owner, cells::kinds::asset, out.asset_id});
  if (!asset)
    return std::unexpected(std::move(asset.error()));
  if (!*asset) {
    out.reasons.emplace_back("The agreement's asset does not exist any more.");
    return out;
  }
  static const json::object no_policy;
  const auto* policy = json::object_at(agreement, "policy");
  auto verdict = judge_policy(s, owner, peer, policy ? *policy : no_policy, "transfer.process");
  out.allowed = verdict.allowed;
  out.reasons = std::move(verdict.reasons);
  if (auto chosen = choose(s, owner, document_body(**asset), format, out); !chosen)
    return std::unexpected(std::move(chosen.error()));
  return out;
}

std::expected<std::string, persistence::vault_errc> seal_address(persistence::vault& vault, const tenant& owner,
                                                                 const std::optional<dsp::data_address>& address) {
  if (!address)
    return std::string();
  return vault.seal(owner, json::write(dsp::write_data_address(*address)));
}

std::expected<std::optional<dsp::data_address>, persistence::vault_errc>
open_address(persistence::vault& vault, const tenant& owner, const std::string& sealed) {
  if (sealed.empty())
    return std::nullopt;
  auto text = vault.open(owner, sealed);
  if (!text)
    return std::unexpected(text.error());
  const auto body = json::parse(*text);
  auto address = body ? dsp::read_data_address(*body) : std::unexpected(fault{});
  if (!address)
    return std::unexpected(persistence::vault_errc::not_authentic);
  return std::move(*address);
}

} // namespace fondaco::control_plane

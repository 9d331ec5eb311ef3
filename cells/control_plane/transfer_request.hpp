#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "cells/control_plane/transfer_events.hpp"
#include "cells/participants/directory.hpp"
#include "cells/services.hpp"
#include "persistence/documents.hpp"
#include "persistence/vault.hpp"
#include "protocols/dsp/messages.hpp"

namespace fondaco::control_plane {

/// What the store says of a consumer's transfer request (EDC-V runtime reference, section 9.5).
struct transfer_look {
  /// False: there is no such agreement that this participant made as provider with this counterparty (404).
  bool known = false;
  /// True if the agreement's policy holds now; else `reasons` says why not.
  bool allowed = false;
  std::vector<std::string> reasons;
  std::string asset_id;
  /// What the asset says of its planes, and one that was chosen.
  std::optional<chosen_plane> plane;
  std::vector<std::string> labels;
  json::object metadata;
};

/// Looks an agreement up and judges it in the scope `transfer.process`. Blocks: for the reader pool.
std::expected<transfer_look, persistence::query_error>
look_at_agreement(cells::cell_services& s, const tenant& owner, const cells::counterparty& peer,
                  const std::string& profile, const std::string& agreement_id, const std::string& format);

/// The address as it may be journaled: sealed for the tenant; empty for none. Blocks (vault).
std::expected<std::string, persistence::vault_errc> seal_address(persistence::vault& vault, const tenant& owner,
                                                                 const std::optional<dsp::data_address>& address);

/// The address that was sealed; nothing for an empty text. Blocks (vault).
std::expected<std::optional<dsp::data_address>, persistence::vault_errc>
open_address(persistence::vault& vault, const tenant& owner, const std::string& sealed);

} // namespace fondaco::control_plane

#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cells/control_plane/negotiation.hpp"
#include "cells/participants/directory.hpp"
#include "cells/services.hpp"
#include "persistence/documents.hpp"
#include "protocols/base/ids.hpp"
#include "protocols/dsp/messages.hpp"

/// The tenant's offers: contract definitions with their policies and assets, as one counterparty sees them (EDC-V
/// runtime reference, section 9). Everything that reads blocks: for the reader pool.
namespace fondaco::control_plane {

namespace limits {
/// The most datasets of one page of a catalog; a longer one is had page by page.
inline constexpr size_t catalog_datasets_max = 500;
/// The most contract definitions that a catalog is made from, in the order of their creation.
inline constexpr size_t catalog_definitions_max = 10'000;
/// The most assets of one definition that are read at a time.
inline constexpr size_t catalog_assets_read_max = 200;
} // namespace limits

/// What an offer's id names.
struct offer_parts {
  std::string definition_id;
  std::string asset_id;
};

/// `base64(definition):base64(asset):base64(uuid)`.
std::string make_offer_id(std::string_view definition_id, std::string_view asset_id, const uuid& unique);

/// The parts of an offer's id; all three are taken as they are if one is not base64 (DSP reference, section 6.6).
/// Nothing if there are not three.
std::optional<offer_parts> parse_offer_id(std::string_view id);

/// Which datasets a catalog's page holds.
struct catalog_query {
  /// Over the assets' public properties; paths as `public_criterion` gives them.
  std::vector<persistence::criterion> filter;
  bool descending = false;
  size_t offset = 0;
  size_t limit = 50;
};

/// A catalog's criterion as a path into asset documents: `id` and `createdAt`, else a public property. What is not
/// public cannot be asked for, since the answer would tell it: nothing for such a path, or for one that is malformed.
std::optional<persistence::criterion> public_criterion(persistence::criterion c);

/// One page of the datasets that a counterparty sees, ordered by their assets' creation.
struct catalog_page {
  std::vector<dsp::dataset> datasets;
  /// True if further ones follow.
  bool more = false;
};

/// The page of the catalog; the limit is at most `catalog_datasets_max`.
std::expected<catalog_page, persistence::query_error> read_catalog(cells::cell_services& s, const tenant& owner,
                                                                   const cells::counterparty& asker,
                                                                   const catalog_query& query);

/// One dataset, if the counterparty sees it.
std::expected<std::optional<dsp::dataset>, persistence::query_error> read_dataset(cells::cell_services& s,
                                                                                  const tenant& owner,
                                                                                  const cells::counterparty& asker,
                                                                                  const std::string& asset_id);

/// What an offer that came back is to this counterparty.
struct resolved_offer {
  /// False: there is no such offer (404).
  bool known = false;
  negotiation::offer_verdict verdict;
};

/// Resolves the offer's `@id` to definition, policies and asset, and judges both policies: `catalog` for access,
/// `contract.negotiation` for the contract. The rules that the counterparty sent do not count: ours do.
std::expected<resolved_offer, persistence::query_error> resolve_offer(cells::cell_services& s, const tenant& owner,
                                                                      const cells::counterparty& asker,
                                                                      const json::object& offer);

} // namespace fondaco::control_plane

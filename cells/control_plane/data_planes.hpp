#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cells/control_plane/transfer_events.hpp"
#include "cells/services.hpp"
#include "persistence/documents.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane {

/// A data plane as the tenant registered it (record `data_plane`).
struct data_plane_record {
  std::string id;
  /// The base of its signaling API: without a trailing slash and without `/dataflows`.
  std::string endpoint;
  std::vector<std::string> transfer_types;
  std::vector<std::string> labels;
};

/// What an asset says of the planes that may serve it (`dataplaneMetadata`).
struct plane_wishes {
  /// A plane has to have all of these.
  std::vector<std::string> labels;
  /// The only transfer types in which the asset is offered; empty for no bound.
  std::vector<std::string> profiles;
  /// Handed to the plane.
  json::object metadata;
};

/// The base of a registered endpoint, whether or not it came with `/dataflows` (DPS reference, section 12.1).
std::string signaling_base(std::string_view endpoint);

/// The tenant's data planes, in the order of registration. Blocks: for the reader pool.
std::expected<std::vector<data_plane_record>, persistence::query_error> read_data_planes(cells::cell_services& s,
                                                                                         const tenant& owner);

/// The wishes in an asset's document, or in a transfer request's `dataplaneMetadata` given alone.
plane_wishes wishes_of_asset(const json::object& asset);
/// The same of the metadata alone.
plane_wishes read_wishes(const json::object& dataplane_metadata);

/// The transfer types in which something with these wishes can be had, each once, sorted.
std::vector<std::string> offered_types(const std::vector<data_plane_record>& planes, const plane_wishes& wishes);

/// One of the planes that serve this transfer type and have the labels, by chance; nothing if there is none.
std::optional<chosen_plane> choose_plane(const std::vector<data_plane_record>& planes, const plane_wishes& wishes,
                                         std::string_view transfer_type, uint64_t chance);

/// The document's body as an object; an empty one if it is none.
json::object document_body(const persistence::document& d);

} // namespace fondaco::control_plane

#pragma once

#include <optional>
#include <string_view>

#include "protocols/json/json.hpp"

namespace fondaco::control_plane::management {

/// An endpoint data reference as clients of EDC know it: `type`, `endpoint`, `endpointType`, `authType`,
/// `authorization` and whatever else the provider said, flat; from the DataAddress of a start (DSP 2025-1, section 8)
/// or from a flat one. Nothing if it has no endpoint.
std::optional<json::object> flat_address(std::string_view stored);

} // namespace fondaco::control_plane::management

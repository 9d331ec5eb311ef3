#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "cells/control_plane/signaling_client.hpp"
#include "cells/services.hpp"
#include "protocols/base/fault.hpp"

namespace fondaco::control_plane {

/// How a data plane lets the control plane in.
struct plane_access {
  /// What a token is fetched with; nothing for a plane that was registered without `authorization`.
  std::optional<plane_credentials> credentials;
};

/// The access to a registered plane; one that is not registered any more is called without credentials. A fault for an
/// `authorization` of another type than `oauth2_client_credentials`, or if store or vault do not answer (`retry`).
/// Blocks: for the reader pool.
std::expected<plane_access, fault> read_plane_access(cells::cell_services& s, const tenant& owner,
                                                     const std::string& dataplane_id);

/// True if the tenant's plane was registered with an `authorization`; an error if the store does not answer. Blocks.
std::expected<bool, fault> wants_authorization(cells::cell_services& s, const tenant& owner,
                                               const std::string& dataplane_id);

/// An access token, and whether it was fetched just now.
struct plane_access_token {
  std::string token;
  bool fresh = false;
};

/// A token by client credentials (RFC 6749, section 4.4): a remembered one, or a new one.
actors::task<std::expected<plane_access_token, fault>>
plane_token(cells::cell_services& s, std::shared_ptr<plane_tokens> tokens, tenant owner, plane_credentials with);

} // namespace fondaco::control_plane

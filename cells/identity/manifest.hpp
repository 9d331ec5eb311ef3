#pragma once

#include <string>
#include <vector>

#include "cells/identity/edge.hpp"
#include "cells/identity/key_records.hpp"
#include "protocols/did/document.hpp"

namespace fondaco::identity {

namespace limits {
/// The most scopes of a participant context.
inline constexpr size_t context_scopes_max = 64;
/// The longest type, id or endpoint of a service, in bytes.
inline constexpr size_t service_text_bytes_max = 2048;
} // namespace limits

/// ParticipantManifest (identity API reference, section 4.1): what a participant is made of.
struct manifest {
  std::string participant_id;
  std::string did;
  /// At least one; the first is the default.
  std::vector<key_descriptor> keys;
  /// Ids are absolute.
  std::vector<did::service> services;
  bool active = false;
  std::vector<std::string> scopes;
  json::object properties;
  std::string api_key_alias;
  bool provision_sts_account = true;
  bool provision_api_key = true;
};

/// The manifest of a body, or a 400 with all that is wrong; members that are not known are ignored.
result<manifest> read_manifest(const json::object& body);

/// A service of a document, its id made absolute; what is wrong goes to `check`.
did::service read_service(const json::object& o, std::string_view did, api::body_check& check, std::string_view inside);

/// The services as a stored document has them.
json::array to_json(const std::vector<did::service>& services);

} // namespace fondaco::identity

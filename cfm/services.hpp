#pragma once

#include <functional>
#include <string>
#include <vector>

#include "actors/ports/broker.hpp"
#include "planes/services.hpp"

namespace fondaco::cfm {

/// Where the agents and the onboarding service reach what they work on, each by its admin API.
struct cfm_settings {
  /// The management listeners of the groups, without a trailing slash; each has its own `/oauth2/token`.
  std::string control_plane_url;
  std::string credential_service_url;
  std::string issuer_service_url;
  std::string tenant_manager_url;
  /// The signaling listener of the data plane, as control planes reach it; empty for no data plane.
  std::string data_plane_signaling_url;
  /// What participants' DID documents publish: the protocol listeners as peers reach them.
  std::string control_plane_protocol_url;
  std::string credential_service_protocol_url;
  /// The dataspace profile (a segment of DSP URLs) that participants join.
  std::string dataspace_profile;
  /// Transfer types that the data plane serves.
  std::vector<std::string> transfer_types = {"HttpData-PULL"};
  /// The issuer's participant context at the issuer service.
  std::string issuer_context = "issuer";
  /// The API client of the agents at all of these, and the secret itself (read from its file at start).
  std::string client_id;
  std::string client_secret;
  /// True if the control plane and the credential service are different groups: participants then get an STS account.
  bool separate_credential_service = false;
  /// How long one exchange with an admin API may take.
  milliseconds exchange_timeout_ms{10'000};
  /// Tries of an activity before it counts as failed; polls of what goes on do not count.
  unsigned activity_attempts_max = 10;
  /// How long an activity may take in all, before it counts as failed.
  milliseconds activity_window_ms{3'600'000};
  /// How long an orchestration whose agent is silent waits before it sends the activity again.
  milliseconds activity_silence_ms{60'000};
};

/// What the CFM's routes, entities and agents stand on; everything outlives them. The CFM reaches cells by their admin
/// APIs only.
struct cfm_services : planes::node_services {
  actors::broker& messages;
  const cfm_settings& settings;
};

/// The services, for effects that are made before the runtime they belong to.
using services_ref = std::function<cfm_services&()>;

/// The CFM's own tenant: whoever holds its scopes sees all organisations. Participant contexts may not start with a
/// dot.
inline const tenant cfm_tenant{".cfm"};

namespace kinds {
/// Records of `cfm_tenant`; bodies as the CFM's REST API shows them (CFM reference, sections 3, 4 and 8).
inline constexpr const char* tenant = "cfm_tenant";
inline constexpr const char* cell = "cfm_cell";
inline constexpr const char* dataspace_profile = "cfm_dataspace_profile";
inline constexpr const char* activity_definition = "activity_definition";
inline constexpr const char* orchestration_definition = "orchestration_definition";
} // namespace kinds

} // namespace fondaco::cfm

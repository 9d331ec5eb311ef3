#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cells/identity/did_resolver.hpp"
#include "cells/identity/trust.hpp"
#include "planes/services.hpp"
#include "protocols/odrl/policy.hpp"

namespace fondaco::cells {

/// How the counterparties of a dataspace prove who they are.
enum class identity_mode : uint8_t {
  /// A closed dataspace: counterparties, their attributes and pre-shared tokens are configured per participant context.
  token,
  /// DCP 1.0.1: self-issued tokens of DIDs, and credentials that the counterparty presents.
  dcp,
};

/// A dataspace profile: a named bundle of the wire protocol and the identity mode; its name is a segment of DSP URLs.
struct dataspace_profile {
  std::string name;
  identity_mode identity = identity_mode::token;
  /// For `dcp`: the scopes of the credentials that every message is asked for and every token of ours grants, as
  /// `org.eclipse.dspace.dcp.vc.type:MembershipCredential:read`.
  std::vector<std::string> scopes;
};

/// Settings of a cell that come from the node's configuration.
struct cell_settings {
  /// Where peers reach the DSP listener, without a trailing slash: `https://host` (paths start with `/api/dsp`).
  std::string protocol_url;
  /// Where data planes reach this control plane's signaling listener, without a trailing slash.
  std::string signaling_url;
  /// Where consumers reach the data plane's public listener, without a trailing slash.
  std::string public_url;
  std::vector<dataspace_profile> profiles;
  /// Folders whose files the data plane may serve for assets of type `File`, each tenant's below `<root>/<its id>`.
  std::vector<std::string> file_roots;
  /// How long a message to a peer is tried again before the process ends.
  milliseconds send_window_ms{4 * 3'600'000};
  /// How long a process waits for a silent peer before it ends.
  milliseconds peer_silence_ms{7LL * 24 * 3'600'000};
  /// How long one exchange with a peer or a data plane may take.
  milliseconds exchange_timeout_ms{10'000};
  /// A DID document without a relationship's list allows its keys nothing, instead of everything.
  bool strict_relationships = false;
  /// How long a credential request waits for its issuer, and an issuance for its holder, before it ends.
  milliseconds issuance_window_ms{24 * 3'600'000};
  /// True if a second request with the holder's process id that is still open is answered 409 (as EDC does).
  bool refuse_duplicate_holder_pid = false;
  /// Open processes of one counterparty with one participant context; more first contacts are answered 429.
  size_t open_processes_per_counterparty_max = 1000;
  /// Pulls of one data flow at the same time.
  size_t pulls_per_flow_max = 16;
};

/// What the routes and effects of a cell stand on; everything outlives them.
struct cell_services : planes::node_services {
  const odrl::policy_functions& functions;
  const cell_settings& settings;
  /// Whose credentials count.
  const identity::trust_list& trust;
  /// Resolves DIDs.
  identity::did_resolver& dids;
};

/// The services, for effects that are made before the runtime they belong to.
using services_ref = std::function<cell_services&()>;

using planes::node_tenant;

/// The kinds of entities that are records (a body that is created, replaced and removed).
namespace kinds {
inline constexpr const char* asset = "asset";
inline constexpr const char* policy_definition = "policy_definition";
inline constexpr const char* contract_definition = "contract_definition";
inline constexpr const char* participant_context = "participant_context";
inline constexpr const char* participant_config = "participant_config";
inline constexpr const char* data_plane = "data_plane";
inline constexpr const char* api_client = "api_client";
/// Written by negotiations, read by transfers: no entity of its own.
inline constexpr const char* contract_agreement = "contract_agreement";
} // namespace kinds

} // namespace fondaco::cells

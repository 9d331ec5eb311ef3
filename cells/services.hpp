#pragma once

#include <functional>
#include <string>
#include <vector>

#include "actors/ports/clock.hpp"
#include "actors/ports/http_exchange.hpp"
#include "actors/runtime.hpp"
#include "gateway/auth.hpp"
#include "gateway/http.hpp"
#include "gateway/metrics.hpp"
#include "persistence/documents.hpp"
#include "persistence/journal.hpp"
#include "persistence/vault.hpp"
#include "protocols/odrl/policy.hpp"

namespace fondaco::cells {

/// How the counterparties of a dataspace prove who they are.
enum class identity_mode : uint8_t {
  /// A closed dataspace: counterparties, their attributes and pre-shared tokens are configured per participant context.
  token,
};

/// A dataspace profile: a named bundle of the wire protocol and the identity mode; its name is a segment of DSP URLs.
struct dataspace_profile {
  std::string name;
  identity_mode identity = identity_mode::token;
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
  /// How long a request to an admin API or a protocol endpoint waits for its entity.
  milliseconds command_timeout_ms{10'000};
  /// Open processes of one counterparty with one participant context; more first contacts are answered 429.
  size_t open_processes_per_counterparty_max = 1000;
  /// Pulls of one data flow at the same time.
  size_t pulls_per_flow_max = 16;
};

/// What the routes and effects of a cell stand on; everything outlives them.
struct cell_services {
  actors::runtime& runtime;
  /// Where requests go on after a wait.
  actors::executor& edge;
  /// Where blocking reads run.
  actors::reader_pool& pool;
  persistence::journal& journal;
  persistence::document_store& documents;
  persistence::vault& vault;
  actors::http_exchange& http;
  /// The same client, for bodies that are streamed.
  gateway::client& streams;
  gateway::token_verifier& tokens;
  actors::clock& clock;
  actors::random_source& random;
  const odrl::policy_functions& functions;
  const cell_settings& settings;
  /// Where bytes and pulls are counted; null if nowhere.
  gateway::metrics* counts = nullptr;
};

/// The services, for effects that are made before the runtime they belong to.
using services_ref = std::function<cell_services&()>;

/// A node's own tenant: API clients, keys and other things that belong to no participant context. Its id cannot be
/// taken by a participant context, since those may not start with a dot.
inline const tenant node_tenant{".node"};

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

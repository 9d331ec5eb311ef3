#pragma once

#include "actors/ports/clock.hpp"
#include "actors/ports/http_exchange.hpp"
#include "actors/ports/tracer.hpp"
#include "actors/runtime.hpp"
#include "gateway/auth.hpp"
#include "gateway/http.hpp"
#include "gateway/metrics.hpp"
#include "persistence/documents.hpp"
#include "persistence/journal.hpp"
#include "persistence/vault.hpp"

namespace fondaco::planes {

/// What the routes and effects of every plane stand on; everything outlives them.
struct node_services {
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
  /// How long a request to an admin API or a protocol endpoint waits for its entity.
  milliseconds command_timeout_ms{10'000};
  /// Where bytes, pulls and business events are counted; null if nowhere.
  gateway::metrics* counts = nullptr;
  /// Where finished spans go; null if nowhere.
  actors::tracer* traces = nullptr;
};

/// A node's own tenant: API clients, keys and other things that belong to no participant context. Its id cannot be
/// taken by a participant context, since those may not start with a dot.
inline const tenant node_tenant{".node"};

} // namespace fondaco::planes

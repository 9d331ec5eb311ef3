#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "cells/services.hpp"
#include "gateway/http.hpp"

namespace fondaco::cells {

/// How a listener knows that the caller is an operator.
enum class operator_door : uint8_t {
  /// The socket's file mode: only the owner can open it.
  socket,
  /// A bearer token with the scope `operator:read`.
  token,
};

/// What the listeners of a node serve, filled in as they open. Any thread may call.
class served_routes {
public:
  /// Keeps a listener's patterns, as `POST /a/{b}`.
  void add(const std::string& listener, std::vector<std::string> patterns);
  /// Every pattern as `{"listener": ..., "method": ..., "path": ...}`, by listener and path.
  json::array list() const;

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> patterns_;
};

/// Adds the routes behind `fondaco ctl`: `GET /operator/{entities,tree,routes}` and `GET /operator/entities/{id}` with
/// `/history` and `/why`. They show kinds, tenants, states, owners, sequences, wake-ups and causes, never business
/// data. `served` outlives the router.
void add_operator_routes(gateway::router& to, cell_services& s, const served_routes& served, operator_door door);

} // namespace fondaco::cells

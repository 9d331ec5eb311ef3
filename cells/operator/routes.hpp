#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "cells/operator/door.hpp"
#include "cells/services.hpp"
#include "gateway/http.hpp"

namespace fondaco::cells {

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

/// Adds the routes behind `fondaco ctl`: `GET /operator/{entities,tree,routes,metrics}`, `GET /operator/entities/{id}`
/// with
/// `/history`, `/why` and `/export`, and those of the dead letters. But for the export, they show kinds, tenants,
/// states, owners, sequences, wake-ups and causes, never business data. `served` outlives the router.
void add_operator_routes(gateway::router& to, cell_services& s, const served_routes& served, operator_door door);

} // namespace fondaco::cells

#pragma once

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

/// Adds the routes behind `fondaco ctl`: `GET /operator/{entities,tree}` and `GET /operator/entities/{id}` with
/// `/history` and `/why`. They show kinds, tenants, states, owners, sequences, wake-ups and causes, never business
/// data.
void add_operator_routes(gateway::router& to, cell_services& s, operator_door door);

} // namespace fondaco::cells

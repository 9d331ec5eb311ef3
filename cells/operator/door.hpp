#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cells/services.hpp"
#include "gateway/http.hpp"

namespace fondaco::cells {

/// How a listener knows that the caller is an operator.
enum class operator_door : uint8_t {
  /// The socket's file mode: only the owner can open it.
  socket,
  /// A bearer token with the route's scope: `operator:read` to look, `operator:write` to act.
  token,
};

/// What an operator's route does with a request.
using operator_route = std::function<gateway::task<gateway::response>(std::shared_ptr<const gateway::request>)>;

/// The route behind the door.
operator_route guarded(cell_services& s, operator_door door, std::string scope, operator_route inner);

} // namespace fondaco::cells

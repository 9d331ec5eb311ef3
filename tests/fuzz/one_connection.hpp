#pragma once

#include <string>
#include <string_view>

#include "gateway/http.hpp"

namespace fondaco::fuzz {

/// A byte that stands for a pause: the connection reads what came before it before it gets what comes after.
inline constexpr char pause = '\x1e';

/// Sends the bytes (at most 64 KiB) over a connection of a listener with these options and routes, says that no more
/// will come, and gives all that is answered. Runs on this thread alone.
std::string exchange(std::string_view bytes, gateway::listener_options options, gateway::router routes);

} // namespace fondaco::fuzz

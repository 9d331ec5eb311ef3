#pragma once

#include <string>
#include <vector>

#include "tools/bench/report.hpp"

namespace fondaco::bench {

namespace limits {
/// The participant agents that are in memory at the same time.
inline constexpr size_t resident_agents = 100'000;
/// The participant agents that a store has when a node starts on it.
inline constexpr size_t registered_agents = 1'000'000;
/// What a resident idle agent may take.
inline constexpr double agent_bytes_aim = 10 * 1024;
} // namespace limits

/// What `limits::resident_agents` participant agents take that are idle in memory, as a ratio to entries of a map with
/// the same state; what is left of it when they have passivated; and how many a second are activated from a SQLite
/// store, as a ratio to plain reads of their events.
std::vector<measured<figure>> measure_agents(const std::string& folder);

/// Milliseconds from the start of a node's process on a SQLite store with `limits::registered_agents` participant
/// agents until it says `ready`, as a ratio to the same on an empty store.
measured<figure> measure_start_registered(const std::string& program, const std::string& folder);

} // namespace fondaco::bench

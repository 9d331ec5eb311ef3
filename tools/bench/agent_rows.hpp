#pragma once

#include <cstdint>
#include <string>

#include "persistence/journal.hpp"
#include "tools/bench/report.hpp"

namespace fondaco::bench {

/// The shards of the group, as a node has them by default.
inline constexpr uint32_t agent_shards = 32;

/// The key of the n-th participant agent, a tenant's own each.
persistence::entity_key agent_key(size_t n);

/// Writes the events that made so many participant agents into a store, as a control plane does.
measured<void> register_agents(const std::string& store_url, size_t agents);

} // namespace fondaco::bench

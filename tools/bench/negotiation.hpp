#pragma once

#include <string>

#include "protocols/base/time.hpp"
#include "tools/bench/report.hpp"

namespace fondaco::bench {

namespace limits {
/// The plain HTTP exchanges that stand for a negotiation's in the reference.
inline constexpr int exchanges_per_negotiation = 8;
} // namespace limits

/// Negotiations a second between two nodes on SQLite files in this folder, from POST to FINALIZED, as a ratio to as
/// many plain HTTP exchanges with the same node.
measured<figure> measure_negotiations_sqlite(const std::string& program, const std::string& folder,
                                             milliseconds length);

/// The same with each node on a scratch database of one PostgreSQL server.
measured<figure> measure_negotiations_postgres(const std::string& program, const std::string& folder,
                                               const std::string& server_url, milliseconds length);

} // namespace fondaco::bench

#pragma once

#include <string>

#include "tools/bench/report.hpp"

namespace fondaco::bench {

namespace limits {
/// The starts that the median is of.
inline constexpr int starts = 5;
} // namespace limits

/// Milliseconds from the start of a node's process on a new SQLite file until it says `ready`, as a ratio to a process
/// of the same program that prints its example configuration and ends.
measured<figure> measure_start(const std::string& program, const std::string& folder);

} // namespace fondaco::bench

#pragma once

#include <string>

#include "protocols/base/time.hpp"
#include "tools/bench/report.hpp"

namespace fondaco::bench {

namespace limits {
/// The pairs of a provider and a consumer that negotiate in turn: few, and as many as a cell has.
inline constexpr size_t few_pairs = 16;
inline constexpr size_t many_pairs = 10'000;
} // namespace limits

/// Negotiations a second between two nodes on SQLite when the negotiations are those of `limits::many_pairs` pairs of
/// tenants in turn, as a ratio to the same with `limits::few_pairs`, measured on the same nodes before.
measured<figure> measure_tenants(const std::string& program, const std::string& folder, milliseconds length);

} // namespace fondaco::bench

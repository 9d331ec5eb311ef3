#pragma once

#include <chrono>
#include <functional>

#include "protocols/base/time.hpp"
#include "tools/bench/report.hpp"

namespace fondaco::bench {

namespace limits {
/// The passes that a median is of.
inline constexpr int passes = 3;
} // namespace limits

/// What a turn did, and the seconds that count.
struct work {
  double units = 0;
  double seconds = 0;
};

/// One side of a comparison: works for about this long.
using side = std::function<measured<work>(milliseconds length)>;

/// The medians of all passes.
struct comparison {
  /// Units a second.
  double rate = 0;
  double reference_rate = 0;
  double ratio = 0;
  /// The ratio of each pass.
  std::vector<double> ratios;
};

/// Runs both sides in passes. In a pass each works for `length`, in turns of `turn` that alternate, so that a noisy
/// minute of the machine strikes both. A turn before the first pass warms them up and does not count.
measured<comparison> compare(const side& ours, const side& reference, milliseconds length, milliseconds turn);

/// The ratios of a comparison's passes as a note.
std::string note_of(const comparison& c);

} // namespace fondaco::bench

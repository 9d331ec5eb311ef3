#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "actors/ports/clock.hpp"

namespace fondaco::sim {

/// All chance of a run (SplitMix64): the same seed gives the same numbers.
class chance final : public actors::random_source {
public:
  explicit chance(uint64_t seed) : state_(seed) {}
  uint64_t next() override {
    auto z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// A number from 0 to `n - 1`.
  size_t below(size_t n) { return next() % n; }
  /// True so many times in a thousand.
  bool hits(unsigned permille) { return permille > 0 && below(1000) < permille; }
  /// A length of time of at least `least` and less than `most`.
  milliseconds between(milliseconds least, milliseconds most) {
    return least + milliseconds(below(static_cast<size_t>((most - least).count())));
  }

private:
  uint64_t state_;
};

} // namespace fondaco::sim

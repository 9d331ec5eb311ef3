#pragma once

#include <cstdint>

#include "protocols/base/time.hpp"

namespace fondaco::actors {

/// The time of day as a parameter: the system's in a node, the simulator's in a simulation.
class clock {
public:
  virtual ~clock() = default;
  /// The present moment.
  virtual timepoint now() const = 0;
};

/// Chance as a parameter: the operating system's in a node, a seed's in a simulation.
class random_source {
public:
  virtual ~random_source() = default;
  /// 64 random bits, fit for secrets in a node; any thread may call.
  virtual uint64_t next() = 0;
};

/// The machine's clock.
class system_clock final : public clock {
public:
  timepoint now() const override;
};

/// The operating system's random source.
class system_random final : public random_source {
public:
  uint64_t next() override;
};

} // namespace fondaco::actors

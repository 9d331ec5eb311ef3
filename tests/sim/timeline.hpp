#pragma once

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "actors/ports/clock.hpp"
#include "sim/record.hpp"

namespace fondaco::sim {

/// The time of a run, and what will happen when it comes.
class timeline final : public actors::clock {
public:
  timepoint now() const override { return now_; }
  void after(milliseconds wait, std::function<void()> what) { events_.emplace(std::pair(now_ + wait, ++count_), what); }
  /// Does the first thing that is due; false if nothing is.
  bool do_next() {
    if (events_.empty() || events_.begin()->first.first > now_)
      return false;
    auto what = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    what();
    return true;
  }
  /// Moves on to the next event, but no further than `most`.
  void pass(milliseconds most) {
    const auto until = now_ + most;
    now_ = events_.empty() ? until : std::min(until, events_.begin()->first.first);
  }

private:
  timepoint now_ = from_epoch_ms(record::begin_ms);
  uint64_t count_ = 0;
  std::map<std::pair<timepoint, uint64_t>, std::function<void()>> events_;
};

} // namespace fondaco::sim

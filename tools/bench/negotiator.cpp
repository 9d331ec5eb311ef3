#include "tools/bench/negotiator.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include <poll.h>

namespace fondaco::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto negotiation_within = std::chrono::seconds(30);
constexpr double look_interval_ms_min = 2;

double ms_since(steady::time_point begin) {
  return std::chrono::duration<double, std::milli>(steady::now() - begin).count();
}

void wait_ms(double ms) { ::poll(nullptr, 0, static_cast<int>(std::max(1.0, ms))); }

// What all workers of a turn share; the first failure ends them.
class turn_record {
public:
  bool failed() const { return failed_.load(); }
  void fail(std::string why) {
    std::lock_guard lock(mutex_);
    if (!failed_.exchange(true))
      why_ = std::move(why);
  }
  const std::string& why() const { return why_; }

private:
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::string why_;
};

} // namespace

measured<work> in_workers(milliseconds length, const std::function<measured<void>(size_t worker)>& once) {
  turn_record record;
  std::atomic<uint64_t> units = 0;
  const auto begin = steady::now();
  const auto end = begin + length;
  std::vector<std::thread> workers;
  for (size_t w = 0; w < limits::consumers; ++w)
    workers.emplace_back([&, w] {
      do {
        if (auto ok = once(w); !ok)
          return record.fail(ok.error());
        ++units;
      } while (steady::now() < end && !record.failed());
    });
  for (auto& w : workers)
    w.join();
  if (record.failed())
    return std::unexpected(record.why());
  return work{static_cast<double>(units.load()), ms_since(begin) / 1000};
}

measured<void> negotiator::once(size_t consumer) {
  const auto begin = steady::now();
  const auto id = parties_.request(consumer);
  if (!id)
    return std::unexpected(id.error());
  auto& typical = typical_ms_[consumer];
  const double first_look = 0.8 * typical - ms_since(begin);
  if (first_look >= 1)
    wait_ms(first_look);
  for (;;) {
    const auto state = parties_.state(consumer, *id);
    ++looks_;
    if (!state)
      return std::unexpected(state.error());
    if (*state == "FINALIZED")
      break;
    if (*state == "TERMINATED")
      return std::unexpected("a negotiation ended: " + parties_.reason(consumer, *id));
    if (steady::now() - begin > negotiation_within)
      return std::unexpected("a negotiation was not FINALIZED in time; its last state was " + *state);
    wait_ms(std::max(look_interval_ms_min, typical / 20));
  }
  const auto took = ms_since(begin);
  typical = typical == 0 ? took : 0.8 * typical + 0.2 * took;
  std::lock_guard lock(mutex_);
  latencies_ms_.push_back(took);
  return {};
}

void negotiator::start_afresh() {
  latencies_ms_.clear();
  looks_ = 0;
}

std::vector<std::string> negotiator::notes() const {
  const auto n = static_cast<double>(latencies_ms_.size());
  return {"from POST to FINALIZED: p50 " + rounded(percentile(latencies_ms_, 0.5)) + " ms, p99 " +
              rounded(percentile(latencies_ms_, 0.99)) + " ms, of " + std::to_string(latencies_ms_.size()) +
              " negotiations",
          std::to_string(limits::consumers) + " consumers at the same time, one negotiation each; " +
              rounded(static_cast<double>(looks_.load()) / n) + " looks at its state a negotiation"};
}

} // namespace fondaco::bench

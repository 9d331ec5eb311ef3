#include "tools/bench/negotiation.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <poll.h>

#include "tools/bench/parties.hpp"
#include "tools/bench/passes.hpp"
#include "tools/bench/raw_journal.hpp"

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

// Each worker repeats `once` until the time is over; what was begun is ended.
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

// A negotiation from POST until the Management API shows FINALIZED. Each look costs the node a request, so a worker
// first waits for most of the time that its last ones took.
class negotiator {
public:
  explicit negotiator(parties& p) : parties_(p), typical_ms_(limits::consumers, 0) {}

  measured<void> once(size_t consumer) {
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

  // Forgets what the warm-up took.
  void start_afresh() {
    latencies_ms_.clear();
    looks_ = 0;
  }

  std::vector<std::string> notes() const {
    const auto n = static_cast<double>(latencies_ms_.size());
    return {"from POST to FINALIZED: p50 " + rounded(percentile(latencies_ms_, 0.5)) + " ms, p99 " +
                rounded(percentile(latencies_ms_, 0.99)) + " ms, of " + std::to_string(latencies_ms_.size()) +
                " negotiations",
            std::to_string(limits::consumers) + " consumers at the same time, one negotiation each; " +
                rounded(static_cast<double>(looks_.load()) / n) + " looks at its state a negotiation"};
  }

private:
  parties& parties_;
  std::vector<double> typical_ms_;
  std::mutex mutex_;
  std::vector<double> latencies_ms_;
  std::atomic<uint64_t> looks_ = 0;
};

measured<figure> measure(const std::string& database, const std::string& program, const std::string& folder,
                         const std::string& provider_store, const std::string& consumer_store, milliseconds length) {
  std::error_code failed;
  std::filesystem::remove_all(folder, failed);
  parties p(folder, provider_store, consumer_store, limits::consumers);
  if (auto ready = p.set_up(program); !ready)
    return std::unexpected(ready.error() + "; logs: " + p.logs());
  negotiator n(p);
  int turns = 0;
  const auto ours = [&](milliseconds l) {
    if (++turns == 2) // the first was the warm-up
      n.start_afresh();
    return in_workers(l, [&](size_t w) { return n.once(w); });
  };
  const auto reference = [&](milliseconds l) {
    return in_workers(l, [&](size_t) -> measured<void> {
      for (int i = 0; i < limits::exchanges_per_negotiation; ++i)
        if (auto ok = p.liveness(); !ok)
          return ok;
      return {};
    });
  };
  const auto c = compare(ours, reference, length, length);
  if (!c)
    return std::unexpected(c.error() + "; logs: " + p.logs());
  figure f;
  f.name = "negotiations between two nodes on " + database;
  f.unit = "negotiations/s";
  f.value = c->rate;
  f.reference = "plain HTTP: rounds of " + std::to_string(limits::exchanges_per_negotiation) +
                " GET /api/check/liveness on the same provider, as many rounds at the same time";
  f.reference_unit = "rounds/s";
  f.reference_value = c->reference_rate;
  f.ratio = c->ratio;
  f.notes = n.notes();
  f.notes.push_back(note_of(*c));
  return f;
}

} // namespace

measured<figure> measure_negotiations_sqlite(const std::string& program, const std::string& folder,
                                             milliseconds length) {
  return measure("SQLite", program, folder, "", "", length);
}

measured<figure> measure_negotiations_postgres(const std::string& program, const std::string& folder,
                                               const std::string& server_url, milliseconds length) {
  const auto provider = scratch_database::make(server_url, "fondaco_bench_provider");
  if (!provider)
    return std::unexpected(provider.error());
  const auto consumer = scratch_database::make(server_url, "fondaco_bench_consumer");
  if (!consumer)
    return std::unexpected(consumer.error());
  return measure("PostgreSQL", program, folder, (*provider)->url(), (*consumer)->url(), length);
}

} // namespace fondaco::bench

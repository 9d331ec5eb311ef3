#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "protocols/base/time.hpp"
#include "tools/bench/passes.hpp"
#include "tools/bench/report.hpp"

namespace fondaco::bench {

namespace limits {
/// The consumers that negotiate at the same time, one negotiation each.
inline constexpr size_t consumers = 16;
} // namespace limits

/// Who negotiates: consumers of one provider. From several threads at once, each with a number of its own.
class negotiating_parties {
public:
  virtual ~negotiating_parties() = default;
  /// Posts a consumer's request for the offer; gives the negotiation's id.
  virtual measured<std::string> request(size_t consumer) = 0;
  /// The state of a consumer's negotiation.
  virtual measured<std::string> state(size_t consumer, const std::string& id) = 0;
  /// Why a negotiation ended, as its consumer's node says.
  virtual std::string reason(size_t consumer, const std::string& id) = 0;
};

/// Each of `limits::consumers` workers repeats `once` until the time is over; what was begun is ended.
measured<work> in_workers(milliseconds length, const std::function<measured<void>(size_t worker)>& once);

/// A negotiation from POST until the Management API shows FINALIZED. Each look costs the node a request, so a worker
/// first waits for most of the time that its last ones took.
class negotiator {
public:
  explicit negotiator(negotiating_parties& p) : parties_(p), typical_ms_(limits::consumers, 0) {}

  measured<void> once(size_t consumer);
  /// Forgets what the warm-up took.
  void start_afresh();
  std::vector<std::string> notes() const;

private:
  negotiating_parties& parties_;
  std::vector<double> typical_ms_;
  std::mutex mutex_;
  std::vector<double> latencies_ms_;
  std::atomic<uint64_t> looks_ = 0;
};

} // namespace fondaco::bench

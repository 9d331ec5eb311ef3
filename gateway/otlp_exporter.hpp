#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "actors/ports/clock.hpp"
#include "actors/ports/http_exchange.hpp"
#include "actors/ports/tracer.hpp"
#include "gateway/metrics.hpp"

namespace fondaco::gateway {

namespace limits {
/// The most spans that wait for the collector; further ones are dropped and counted.
inline constexpr size_t spans_waiting_max = 10'000;
/// The most spans of one request to the collector.
inline constexpr size_t spans_batch_max = 256;
} // namespace limits

/// Sends finished spans to an OpenTelemetry collector as OTLP/HTTP JSON (`POST <url>`, OTLP 1.x): in batches, one
/// request at a time, from the exchange's own threads. What the collector does not take is tried once more and then
/// dropped; spans are never worth more than the work that they tell of.
class otlp_exporter final : public actors::tracer {
public:
  /// `service` and `node` name the process in the resource. The exchange, clock, random source and metrics outlive it.
  otlp_exporter(std::string url, std::string service, std::string node, actors::http_exchange& http,
                actors::random_source& random, metrics& counts);
  ~otlp_exporter() override;
  void finished(actors::span s) override;
  /// Sends what waits and gives up after `within`.
  void flush(milliseconds within);

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace fondaco::gateway

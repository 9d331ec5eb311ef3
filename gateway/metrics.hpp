#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actors/runtime.hpp"
#include "gateway/http.hpp"

namespace fondaco::gateway {

namespace limits {
/// The most tenants that a metric names; further ones are counted under the label value `other`.
inline constexpr size_t metric_tenants_max = 200;
/// The most label combinations of one metric; further ones are counted under `other` in every label.
inline constexpr size_t metric_series_max = 2000;
} // namespace limits

/// What a metric is.
enum class metric_type : uint8_t { counter, gauge, histogram };

/// A metric as it is declared: its name and labels are an interface, held by `metrics.golden.txt`.
struct metric_spec {
  std::string_view name;
  metric_type type;
  std::string_view help;
  /// The label names, in the order in which values are given; `tenant` is capped.
  std::vector<std::string_view> labels;
  /// Upper bounds of a histogram's buckets in the metric's unit.
  std::vector<double> buckets;
};

/// Every metric of the program; what is not in it cannot be counted.
std::span<const metric_spec> metrics_table();

/// The table as text, one line a metric: name, type, labels.
std::string metrics_listing();

/// The label values of one series, in the table's order.
using label_values = std::initializer_list<std::string_view>;

/// The process's metrics in Prometheus' sense; any thread may call. A name that is not in the table, a use that is not
/// of its type and a wrong count of labels are broken invariants.
class metrics {
public:
  /// Metrics that name at most so many tenants.
  explicit metrics(size_t tenants_max = limits::metric_tenants_max);
  ~metrics();
  metrics(const metrics&) = delete;

  /// Adds to a counter or a gauge (a gauge may go down by a negative `by`).
  void add(std::string_view name, label_values labels, double by = 1);
  /// Sets a gauge.
  void set(std::string_view name, label_values labels, double value);
  /// Raises a counter to a total that another part counts; a smaller total changes nothing.
  void raise_to(std::string_view name, label_values labels, double total);
  /// Puts a value into a histogram.
  void observe(std::string_view name, label_values labels, double value);

  /// Calls `sample` before each rendering, for values that others keep. Not for concurrent use with `render`.
  void sample_before_render(std::function<void(metrics&)> sample);

  /// The text exposition format 0.0.4.
  std::string render();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Takes over a server's counters of its listeners.
void sample(metrics& into, const std::vector<listener_counters>& listeners);

/// Takes over the actor runtime's counters.
void sample(metrics& into, const actors::runtime_counters& counters);

/// Takes over the queue of the node's reads of its store.
void sample(metrics& into, const actors::reader_pool& store_reads);

/// The handler, with its requests counted and timed under the listener's name.
handler measured(handler inner, metrics& into, std::string listener);

/// An exchange that counts and times what goes through another one, which must outlive it.
class measured_exchange final : public actors::http_exchange {
public:
  /// Counts the exchanges of `inner`.
  measured_exchange(actors::http_exchange& inner, metrics& into) : inner_(inner), into_(into) {}
  void send(actors::http_call call, std::function<void(actors::http_result)> done) override;

private:
  actors::http_exchange& inner_;
  metrics& into_;
};

} // namespace fondaco::gateway

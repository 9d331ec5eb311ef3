#include "gateway/metrics.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace fondaco::gateway {
namespace {

constexpr const char* other = "other";

struct series {
  prometheus::Counter* counter = nullptr;
  prometheus::Gauge* gauge = nullptr;
  prometheus::Histogram* histogram = nullptr;
};

struct family {
  const metric_spec* spec = nullptr;
  prometheus::Family<prometheus::Counter>* counters = nullptr;
  prometheus::Family<prometheus::Gauge>* gauges = nullptr;
  prometheus::Family<prometheus::Histogram>* histograms = nullptr;
  std::map<std::vector<std::string>, series> known;
};

prometheus::Labels to_labels(const metric_spec& spec, const std::vector<std::string>& values) {
  prometheus::Labels labels;
  for (size_t i = 0; i < values.size(); ++i)
    labels.emplace(spec.labels[i], values[i]);
  return labels;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

const char* status_class(int status) {
  static constexpr const char* names[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  return status >= 100 && status < 600 ? names[status / 100 - 1] : other;
}

task<response> run_measured(handler inner, metrics& into, std::string listener, std::shared_ptr<const request> r) {
  const auto begin = std::chrono::steady_clock::now();
  auto answering = inner(std::move(r));
  response answer;
  try {
    answer = co_await answering;
  } catch (...) {
    into.add("fondaco_http_requests_total", {listener, "5xx"});
    throw;
  }
  into.observe("fondaco_http_request_duration_seconds", {listener}, seconds_since(begin));
  into.add("fondaco_http_requests_total", {listener, status_class(answer.status)});
  co_return answer;
}

} // namespace

struct metrics::impl {
  explicit impl(size_t tenants) : tenants_max(tenants) {
    for (const auto& spec : metrics_table()) {
      family f;
      f.spec = &spec;
      const std::string name(spec.name);
      const std::string help(spec.help);
      if (spec.type == metric_type::counter)
        f.counters = &prometheus::BuildCounter().Name(name).Help(help).Register(registry);
      else if (spec.type == metric_type::gauge)
        f.gauges = &prometheus::BuildGauge().Name(name).Help(help).Register(registry);
      else
        f.histograms = &prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
      const bool fresh = families.emplace(spec.name, std::move(f)).second;
      invariant(fresh, "a metric is declared twice");
      if (spec.labels.empty())
        find(families.at(spec.name), {});
    }
  }

  family& family_of(std::string_view name) {
    const auto found = families.find(name);
    invariant(found != families.end(), "a metric is not declared in metrics_table()");
    return found->second;
  }

  series& find(family& f, label_values labels) {
    invariant(labels.size() == f.spec->labels.size(), "a metric has another count of labels than its declaration");
    std::vector<std::string> values(labels.begin(), labels.end());
    for (size_t i = 0; i < values.size(); ++i)
      if (f.spec->labels[i] == "tenant")
        cap_tenant(values[i]);
    auto found = f.known.find(values);
    if (found != f.known.end())
      return found->second;
    if (f.known.size() >= limits::metric_series_max) {
      std::ranges::fill(values, other);
      found = f.known.find(values);
      if (found != f.known.end())
        return found->second;
    }
    return f.known.emplace(values, make(f, values)).first->second;
  }

  series make(family& f, const std::vector<std::string>& values) {
    const auto labels = to_labels(*f.spec, values);
    series made;
    if (f.counters)
      made.counter = &f.counters->Add(labels);
    else if (f.gauges)
      made.gauge = &f.gauges->Add(labels);
    else
      made.histogram = &f.histograms->Add(labels, f.spec->buckets);
    return made;
  }

  void cap_tenant(std::string& value) {
    if (tenants.contains(value))
      return;
    if (tenants.size() < tenants_max)
      tenants.insert(value);
    else
      value = other;
  }

  const size_t tenants_max;
  prometheus::Registry registry;
  std::mutex mutex;
  std::mutex rendering;
  std::unordered_map<std::string_view, family> families;
  std::set<std::string> tenants;
  std::vector<std::function<void(metrics&)>> samples;
};

metrics::metrics(size_t tenants_max) : impl_(std::make_unique<impl>(tenants_max)) {}
metrics::~metrics() = default;

void metrics::add(std::string_view name, label_values labels, double by) {
  const std::lock_guard lock(impl_->mutex);
  auto& f = impl_->family_of(name);
  invariant(f.histograms == nullptr, "a histogram takes observations only");
  invariant(f.gauges != nullptr || by >= 0, "a counter never falls");
  auto& s = impl_->find(f, labels);
  if (s.counter)
    s.counter->Increment(by);
  else
    s.gauge->Increment(by);
}

void metrics::set(std::string_view name, label_values labels, double value) {
  const std::lock_guard lock(impl_->mutex);
  auto& f = impl_->family_of(name);
  invariant(f.gauges != nullptr, "only a gauge can be set");
  impl_->find(f, labels).gauge->Set(value);
}

void metrics::raise_to(std::string_view name, label_values labels, double total) {
  const std::lock_guard lock(impl_->mutex);
  auto& f = impl_->family_of(name);
  invariant(f.counters != nullptr, "only a counter can be raised to a total");
  auto& counter = *impl_->find(f, labels).counter;
  if (total > counter.Value())
    counter.Increment(total - counter.Value());
}

void metrics::observe(std::string_view name, label_values labels, double value) {
  const std::lock_guard lock(impl_->mutex);
  auto& f = impl_->family_of(name);
  invariant(f.histograms != nullptr, "only a histogram takes observations");
  impl_->find(f, labels).histogram->Observe(value);
}

void metrics::sample_before_render(std::function<void(metrics&)> sample) {
  impl_->samples.push_back(std::move(sample));
}

std::string metrics::render() {
  // Samples keep what they saw last: two pages at once take turns.
  std::scoped_lock lock(impl_->rendering);
  for (const auto& sample : impl_->samples)
    sample(*this);
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

void sample(metrics& into, const std::vector<listener_counters>& listeners) {
  for (const auto& l : listeners) {
    into.raise_to("fondaco_listener_connections_total", {l.name}, static_cast<double>(l.connections));
    into.set("fondaco_listener_connections_open", {l.name}, static_cast<double>(l.connections_open));
    into.raise_to("fondaco_listener_connections_refused_total", {l.name}, static_cast<double>(l.connections_refused));
    into.raise_to("fondaco_listener_requests_total", {l.name}, static_cast<double>(l.requests));
    into.raise_to("fondaco_listener_requests_refused_total", {l.name}, static_cast<double>(l.requests_refused));
    into.raise_to("fondaco_listener_timeouts_total", {l.name}, static_cast<double>(l.timeouts));
    into.raise_to("fondaco_listener_answers_broken_total", {l.name}, static_cast<double>(l.answers_broken));
    const auto queue = "http_" + l.name;
    into.set("fondaco_queue_waiting", {queue}, static_cast<double>(l.requests_open));
    into.raise_to("fondaco_queue_full_total", {queue}, static_cast<double>(l.requests_full));
    into.raise_to("fondaco_listener_bytes_out_total", {l.name}, static_cast<double>(l.bytes_out));
  }
}

void sample(metrics& into, const actors::runtime_counters& c) {
  const std::pair<std::string_view, uint64_t> totals[] = {
      {"fondaco_actor_commands_total", c.commands},
      {"fondaco_actor_refusals_total", c.refusals},
      {"fondaco_actor_appends_total", c.appends},
      {"fondaco_actor_events_total", c.events},
      {"fondaco_actor_fenced_total", c.fenced},
      {"fondaco_actor_recoveries_total", c.recoveries},
      {"fondaco_actor_passivations_total", c.passivations},
      {"fondaco_actor_effects_total", c.effects},
      {"fondaco_actor_effect_failures_total", c.effect_failures},
      {"fondaco_actor_overloaded_total", c.overloaded},
      {"fondaco_actor_dead_letters_total", c.dead_letters},
      {"fondaco_actor_quarantined_total", c.quarantined},
  };
  for (const auto& [name, total] : totals)
    into.raise_to(name, {}, static_cast<double>(total));
  into.set("fondaco_actor_letters_waiting", {}, static_cast<double>(c.letters_waiting));
  into.set("fondaco_actor_entities_live", {}, static_cast<double>(c.entities_live));
  into.set("fondaco_actor_journal_queue", {}, static_cast<double>(c.journal_queue));
  into.set("fondaco_actor_recoveries_running_max", {}, static_cast<double>(c.recoveries_running_max));
  into.set("fondaco_queue_waiting", {"recoveries"}, static_cast<double>(c.recoveries_waiting));
  into.set("fondaco_queue_waiting", {"tenant_commands"}, static_cast<double>(c.tenant_waiting));
  const std::pair<std::string_view, uint64_t> full[] = {{"node_commands", c.node_full},
                                                        {"tenant_commands", c.tenant_full},
                                                        {"entity_stash", c.stash_full},
                                                        {"recoveries", c.recoveries_full}};
  for (const auto& [queue, total] : full)
    into.raise_to("fondaco_queue_full_total", {queue}, static_cast<double>(total));
}

void sample(metrics& into, const actors::reader_pool& store_reads) {
  into.set("fondaco_queue_waiting", {"store_reads"}, static_cast<double>(store_reads.waiting()));
  into.raise_to("fondaco_queue_full_total", {"store_reads"}, static_cast<double>(store_reads.refused()));
}

handler measured(handler inner, metrics& into, std::string listener) {
  return [inner = std::move(inner), &into, listener = std::move(listener)](std::shared_ptr<const request> r) {
    return run_measured(inner, into, listener, std::move(r));
  };
}

void measured_exchange::send(actors::http_call call, std::function<void(actors::http_result)> done) {
  const auto begin = std::chrono::steady_clock::now();
  auto counted = [&into = into_, begin, done = std::move(done)](actors::http_result result) {
    into.observe("fondaco_outbound_http_duration_seconds", {}, seconds_since(begin));
    into.add("fondaco_outbound_http_total",
             {result ? std::string_view(status_class(result->status)) : actors::name_of(result.error())});
    done(std::move(result));
  };
  inner_.send(std::move(call), std::move(counted));
}

} // namespace fondaco::gateway

#include "gateway/otlp_exporter.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "gateway/api_client.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::gateway {

namespace {

constexpr milliseconds export_timeout_ms{5'000};
constexpr size_t traceparent_bytes = 55;
constexpr int internal_kind = 1;
constexpr int status_error = 2;

json::object attribute(const std::string& name, const std::string& value) {
  return {{"key", name}, {"value", json::object{{"stringValue", value}}}};
}

std::string nanoseconds(timepoint t) { return std::to_string(to_epoch_ms(t)) + "000000"; }

} // namespace

struct otlp_exporter::impl : std::enable_shared_from_this<impl> {
  impl(std::string to, std::string service_name, std::string node_name, actors::http_exchange& h,
       actors::random_source& r, metrics& m)
      : url(std::move(to)), service(std::move(service_name)), node(std::move(node_name)), http(h), random(r),
        counts(m) {}

  std::string url;
  std::string service;
  std::string node;
  actors::http_exchange& http;
  actors::random_source& random;
  metrics& counts;
  std::mutex mutex;
  std::condition_variable idle;
  std::deque<actors::span> waiting;
  bool sending = false;

  json::object span_json(const actors::span& s) {
    json::object o;
    o["traceId"] = s.traceparent.substr(3, 32);
    o["parentSpanId"] = s.traceparent.substr(36, 16);
    o["spanId"] = random_hex(random, 1);
    o["name"] = s.name;
    o["kind"] = internal_kind;
    o["startTimeUnixNano"] = nanoseconds(s.begin);
    o["endTimeUnixNano"] = nanoseconds(s.end);
    json::array attributes;
    for (const auto& [name, value] : s.attributes)
      if (!value.empty())
        attributes.push_back(attribute(name, value));
    o["attributes"] = std::move(attributes);
    if (!s.failure.empty())
      o["status"] = json::object{{"code", status_error}, {"message", s.failure}};
    return o;
  }

  std::string body_of(const std::vector<actors::span>& batch) {
    json::array spans;
    for (const auto& s : batch)
      spans.push_back(span_json(s));
    json::object scope{{"scope", json::object{{"name", "fondaco"}}}};
    scope["spans"] = std::move(spans);
    json::object resource;
    resource["resource"] = json::object{
        {"attributes", json::array{attribute("service.name", service), attribute("service.instance.id", node)}}};
    resource["scopeSpans"] = json::array{std::move(scope)};
    json::object body;
    body["resourceSpans"] = json::array{std::move(resource)};
    return json::write(body);
  }

  // With the lock held: takes a batch if none is under way.
  std::vector<actors::span> next_batch() {
    std::vector<actors::span> batch;
    if (sending || waiting.empty())
      return batch;
    const auto n = std::min(waiting.size(), limits::spans_batch_max);
    batch.assign(std::make_move_iterator(waiting.begin()),
                 std::make_move_iterator(waiting.begin() + static_cast<std::ptrdiff_t>(n)));
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(n));
    sending = true;
    return batch;
  }

  void send(const std::vector<actors::span>& batch) { post(body_of(batch), batch.size(), true); }

  void post(std::string body, size_t count, bool may_repeat) {
    actors::http_call call;
    call.method = "POST";
    call.url = url;
    call.headers = {{"Content-Type", "application/json"}};
    call.body = body;
    call.timeout_ms = export_timeout_ms;
    http.send(std::move(call),
              [self = shared_from_this(), body = std::move(body), count, may_repeat](actors::http_result r) mutable {
                const bool taken = r && r->status >= 200 && r->status < 300;
                const bool passing = !r || r->status == 429 || r->status >= 500;
                if (!taken && passing && may_repeat) {
                  self->post(std::move(body), count, false);
                  return;
                }
                self->counts.add("fondaco_spans_total", {taken ? "exported" : "dropped"}, static_cast<double>(count));
                self->go_on();
              });
  }

  void go_on() {
    std::vector<actors::span> batch;
    {
      std::lock_guard lock(mutex);
      sending = false;
      batch = next_batch();
      if (batch.empty())
        idle.notify_all();
    }
    if (!batch.empty())
      send(batch);
  }
};

otlp_exporter::otlp_exporter(std::string url, std::string service, std::string node, actors::http_exchange& http,
                             actors::random_source& random, metrics& counts)
    : impl_(std::make_shared<impl>(std::move(url), std::move(service), std::move(node), http, random, counts)) {}

otlp_exporter::~otlp_exporter() { flush(milliseconds(0)); }

void otlp_exporter::finished(actors::span s) {
  if (s.traceparent.size() != traceparent_bytes)
    return;
  std::vector<actors::span> batch;
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->waiting.size() >= limits::spans_waiting_max) {
      impl_->counts.add("fondaco_spans_total", {"dropped"});
      return;
    }
    impl_->waiting.push_back(std::move(s));
    batch = impl_->next_batch();
  }
  if (!batch.empty())
    impl_->send(batch);
}

void otlp_exporter::flush(milliseconds within) {
  std::unique_lock lock(impl_->mutex);
  impl_->idle.wait_for(lock, within, [this] { return !impl_->sending && impl_->waiting.empty(); });
}

} // namespace fondaco::gateway

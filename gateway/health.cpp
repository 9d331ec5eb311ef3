#include "gateway/health.hpp"

#include <utility>

#include "protocols/json/json.hpp"

namespace fondaco::gateway {
namespace {

handler answering(std::function<response()> make) {
  return [make = std::move(make)](std::shared_ptr<const request>) {
    return [](std::function<response()> f) -> task<response> { co_return f(); }(make);
  };
}

json::object describe(const std::string& component, const std::optional<std::string>& failure) {
  json::object out;
  if (failure) {
    json::array messages;
    messages.emplace_back(*failure);
    out["failure"] = json::object{{"messages", std::move(messages)}};
  } else {
    out["failure"] = nullptr;
  }
  out["component"] = component;
  out["isHealthy"] = !failure.has_value();
  return out;
}

std::string render(const version_map& versions) {
  json::object out;
  for (const auto& [context, list] : versions) {
    json::array entries;
    for (const auto& v : list)
      entries.emplace_back(json::object{
          {"version", v.version}, {"urlPath", v.url_path}, {"lastUpdated", v.last_updated}, {"maturity", v.maturity}});
    out[context] = std::move(entries);
  }
  return json::write(out);
}

} // namespace

void health::add(health_aspect aspect, std::string component, health_probe probe) {
  const std::lock_guard lock(mutex_);
  entries_[aspect].push_back({std::move(component), std::move(probe)});
}

response health::answer(health_aspect aspect) const {
  std::vector<entry> asked;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(aspect); found != entries_.end())
      asked = found->second;
  }
  bool healthy = !asked.empty();
  json::array results;
  for (const auto& e : asked) {
    const auto failure = e.probe();
    healthy = healthy && !failure;
    results.emplace_back(describe(e.component, failure));
  }
  json::object body;
  body["componentResults"] = std::move(results);
  body["isSystemHealthy"] = healthy;
  return json_response(healthy ? 200 : 503, json::write(body));
}

version_map served_versions() {
  return {
      {"version", {{"1.0.1", "/v1", "2026-07-29T00:00:00Z", "stable"}}},
      {"observability", {{"1.0.0", "/v1", "2026-07-29T00:00:00Z", "stable"}}},
      {"management", {{"5.0.0-beta", "/v5beta", "2026-07-29T00:00:00Z", "beta"}}},
      {"signaling", {{"1.0.0-alpha", "/v1", "2026-07-29T00:00:00Z", "alpha"}}},
      {"protocol", {{"2025-1", "/2025-1", "2026-07-29T00:00:00Z", "stable"}}},
  };
}

void add_health_routes(router& to, std::shared_ptr<const health> state, version_map versions) {
  const std::pair<const char*, health_aspect> checks[] = {{"/api/check/health", health_aspect::startup},
                                                          {"/api/check/liveness", health_aspect::liveness},
                                                          {"/api/check/readiness", health_aspect::readiness},
                                                          {"/api/check/startup", health_aspect::startup}};
  for (const auto& [path, aspect] : checks)
    to.add("GET", path, answering([state, aspect = aspect] { return state->answer(aspect); }));
  to.add("GET", "/api/v1/version", answering([body = render(versions)] { return json_response(200, body); }));
}

void add_metrics_route(router& to, metrics& from) {
  to.add("GET", "/metrics", answering([&from] {
           response out;
           out.headers.emplace_back("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
           out.body = from.render();
           return out;
         }));
}

} // namespace fondaco::gateway

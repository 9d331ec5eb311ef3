#include <doctest/doctest.h>

#include <utility>

#include "gateway/health.hpp"
#include "protocols/json/json.hpp"

using namespace fondaco;
using namespace fondaco::gateway;

namespace {

response get(const router& routes, std::string path) {
  request r;
  r.method = "GET";
  r.path = std::move(path);
  auto found = routes.find(r);
  REQUIRE(found.has_value());
  std::optional<response> out;
  actors::start<response>((*found)(std::make_shared<const request>(std::move(r))),
                          [&](response got) { out = std::move(got); },
                          [](std::exception_ptr e) { std::rethrow_exception(e); });
  REQUIRE(out.has_value());
  return *out;
}

health_probe well() {
  return [] { return std::optional<std::string>(); };
}
health_probe ill(std::string why) {
  return [why] { return std::optional<std::string>(why); };
}

} // namespace

TEST_CASE("a healthy node answers 200 in EDC's shape") {
  auto state = std::make_shared<health>();
  state->add(health_aspect::liveness, "journal", well());
  router routes;
  add_health_routes(routes, state, served_versions());
  const auto got = get(routes, "/api/check/liveness");
  CHECK(got.status == 200);
  CHECK(got.body ==
        R"({"componentResults":[{"failure":null,"component":"journal","isHealthy":true}],"isSystemHealthy":true})");
}

TEST_CASE("one ill component makes the answer 503 and says why") {
  auto state = std::make_shared<health>();
  state->add(health_aspect::readiness, "journal", well());
  state->add(health_aspect::readiness, "shards", ill("3 of 32 shards are held by another node"));
  router routes;
  add_health_routes(routes, state, served_versions());
  const auto got = get(routes, "/api/check/readiness");
  CHECK(got.status == 503);
  CHECK(got.body == R"({"componentResults":[{"failure":null,"component":"journal","isHealthy":true},)"
                    R"({"failure":{"messages":["3 of 32 shards are held by another node"]},"component":"shards",)"
                    R"("isHealthy":false}],"isSystemHealthy":false})");
}

TEST_CASE("a question that no component answers is not healthy") {
  router routes;
  add_health_routes(routes, std::make_shared<health>(), served_versions());
  for (const auto* path : {"/api/check/health", "/api/check/liveness", "/api/check/readiness", "/api/check/startup"}) {
    CAPTURE(path);
    const auto got = get(routes, path);
    CHECK(got.status == 503);
    CHECK(got.body == R"({"componentResults":[],"isSystemHealthy":false})");
  }
}

TEST_CASE("health gives the answer of startup, and changes with it") {
  auto state = std::make_shared<health>();
  bool started = false;
  state->add(health_aspect::startup, "BaseRuntime", [&]() -> std::optional<std::string> {
    if (started)
      return std::nullopt;
    return "starting";
  });
  router routes;
  add_health_routes(routes, state, served_versions());
  CHECK(get(routes, "/api/check/health").status == 503);
  started = true;
  CHECK(get(routes, "/api/check/health").status == 200);
  CHECK(get(routes, "/api/check/health").body == get(routes, "/api/check/startup").body);
}

TEST_CASE("the version route lists the served versions by context") {
  router routes;
  add_health_routes(routes, std::make_shared<health>(), served_versions());
  const auto got = get(routes, "/api/v1/version");
  CHECK(got.status == 200);
  const auto body = json::parse(got.body);
  REQUIRE(body.has_value());
  const auto* management = json::array_at(body->as_object(), "management");
  REQUIRE(management != nullptr);
  const auto& entry = management->at(0).as_object();
  CHECK(json::string_at(entry, "version") == "5.0.0-beta");
  CHECK(json::string_at(entry, "urlPath") == "/v5beta");
  CHECK(json::string_at(entry, "maturity") == "beta");
  CHECK(json::string_at(entry, "lastUpdated").has_value());
  CHECK(json::array_at(body->as_object(), "protocol") != nullptr);
}

TEST_CASE("the metrics route renders the text format") {
  metrics m;
  router routes;
  add_metrics_route(routes, m);
  m.set("fondaco_tenants", {}, 2);
  const auto got = get(routes, "/metrics");
  CHECK(got.status == 200);
  CHECK(got.headers.front().second == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(got.body.find("\nfondaco_tenants 2\n") != std::string::npos);
}

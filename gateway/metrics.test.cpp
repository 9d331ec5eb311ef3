#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include "gateway/metrics.hpp"

using namespace fondaco;
using namespace fondaco::gateway;

namespace {

std::string golden() {
  std::ifstream file(std::filesystem::path(FONDACO_SOURCE_FOLDER) / "gateway/metrics.golden.txt");
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

struct fixed_exchange final : actors::http_exchange {
  explicit fixed_exchange(actors::http_result gives) : gives(std::move(gives)) {}
  void send(actors::http_call, std::function<void(actors::http_result)> done) override { done(gives); }
  actors::http_result gives;
};

} // namespace

TEST_CASE("every metric's name, type and labels are as the golden list has them") {
  CHECK(metrics_listing() == golden());
}

TEST_CASE("every metric without labels is rendered from the start, with its help") {
  metrics m;
  const auto text = m.render();
  CHECK(has_line(text, "fondaco_actor_commands_total 0"));
  CHECK(has_line(text, "# TYPE fondaco_actor_entities_live gauge"));
  CHECK(has_line(text, "# HELP fondaco_tenants Tenants with an entity in memory."));
  CHECK(has_line(text, "fondaco_journal_batch_entities_count 0"));
}

TEST_CASE("counters add, gauges go both ways, histograms keep buckets") {
  metrics m;
  m.add("fondaco_effects_total", {"send_offer", "done"});
  m.add("fondaco_effects_total", {"send_offer", "done"}, 2);
  m.add("fondaco_data_plane_pulls_open", {"a"});
  m.add("fondaco_data_plane_pulls_open", {"a"}, -1);
  m.set("fondaco_tenants", {}, 7);
  m.observe("fondaco_journal_batch_entities", {}, 3);
  m.raise_to("fondaco_actor_events_total", {}, 5);
  m.raise_to("fondaco_actor_events_total", {}, 4);
  const auto text = m.render();
  CHECK(has_line(text, R"(fondaco_effects_total{kind="send_offer",outcome="done"} 3)"));
  CHECK(has_line(text, R"(fondaco_data_plane_pulls_open{tenant="a"} 0)"));
  CHECK(has_line(text, "fondaco_tenants 7"));
  CHECK(has_line(text, R"(fondaco_journal_batch_entities_bucket{le="2"} 0)"));
  CHECK(has_line(text, R"(fondaco_journal_batch_entities_bucket{le="4"} 1)"));
  CHECK(has_line(text, "fondaco_actor_events_total 5"));
}

TEST_CASE("what is not declared, or used against its declaration, is a broken invariant") {
  metrics m;
  CHECK_THROWS_AS(m.add("fondaco_made_up_total", {}), broken_invariant);
  CHECK_THROWS_AS(m.add("fondaco_effects_total", {"one"}), broken_invariant);
  CHECK_THROWS_AS(m.add("fondaco_actor_events_total", {}, -1), broken_invariant);
  CHECK_THROWS_AS(m.set("fondaco_actor_events_total", {}, 1), broken_invariant);
  CHECK_THROWS_AS(m.add("fondaco_journal_batch_entities", {}), broken_invariant);
  CHECK_THROWS_AS(m.observe("fondaco_tenants", {}, 1), broken_invariant);
  CHECK_THROWS_AS(m.raise_to("fondaco_tenants", {}, 1), broken_invariant);
}

TEST_CASE("tenants over the cap are counted together, whichever metric named the first ones") {
  metrics m(2);
  m.add("fondaco_tenant_commands_total", {"a"});
  m.add("fondaco_data_plane_bytes_total", {"b"}, 10);
  m.add("fondaco_tenant_commands_total", {"c"});
  m.add("fondaco_tenant_commands_total", {"d"}, 4);
  m.add("fondaco_tenant_commands_total", {"b"});
  m.add("fondaco_data_plane_pulls_total", {"d", "done"});
  const auto text = m.render();
  CHECK(has_line(text, R"(fondaco_tenant_commands_total{tenant="a"} 1)"));
  CHECK(has_line(text, R"(fondaco_tenant_commands_total{tenant="b"} 1)"));
  CHECK(has_line(text, R"(fondaco_tenant_commands_total{tenant="other"} 5)"));
  CHECK(has_line(text, R"(fondaco_data_plane_pulls_total{outcome="done",tenant="other"} 1)"));
  CHECK(text.find(R"(tenant="c")") == std::string::npos);
}

TEST_CASE("a label that runs wild does not grow without bound") {
  metrics m;
  for (size_t i = 0; i < gateway::limits::metric_series_max + 50; ++i)
    m.add("fondaco_outbound_http_total", {"outcome-" + std::to_string(i)});
  CHECK(has_line(m.render(), R"(fondaco_outbound_http_total{outcome="other"} 50)"));
}

TEST_CASE("counters that others keep are taken over when the text is rendered") {
  metrics m;
  listener_counters l;
  l.name = "protocol";
  l.connections = 5;
  l.connections_open = 2;
  l.answers_broken = 1;
  l.bytes_out = 4096;
  actors::runtime_counters c;
  c.commands = 11;
  c.entities_live = 3;
  m.sample_before_render([&](metrics& into) {
    sample(into, {l});
    sample(into, c);
  });
  m.render();
  l.connections_open = 0;
  l.connections = 6;
  const auto text = m.render();
  CHECK(has_line(text, R"(fondaco_listener_connections_total{listener="protocol"} 6)"));
  CHECK(has_line(text, R"(fondaco_listener_connections_open{listener="protocol"} 0)"));
  CHECK(has_line(text, R"(fondaco_listener_answers_broken_total{listener="protocol"} 1)"));
  CHECK(has_line(text, R"(fondaco_listener_bytes_out_total{listener="protocol"} 4096)"));
  CHECK(has_line(text, "fondaco_actor_commands_total 11"));
  CHECK(has_line(text, "fondaco_actor_entities_live 3"));
}

TEST_CASE("a measured handler counts answers by class, and a throwing one as 5xx") {
  metrics m;
  const auto run = [](const handler& h) {
    actors::start<response>(h(std::make_shared<const request>()), [](response) {}, [](std::exception_ptr) {});
  };
  run(measured([](std::shared_ptr<const request>) -> task<response> { co_return response{404, {}, {}, {}, {}}; }, m,
               "admin"));
  run(measured(
      [](std::shared_ptr<const request>) -> task<response> {
        invariant(false, "on purpose");
        co_return response{};
      },
      m, "admin"));
  const auto text = m.render();
  CHECK(has_line(text, R"(fondaco_http_requests_total{listener="admin",status_class="4xx"} 1)"));
  CHECK(has_line(text, R"(fondaco_http_requests_total{listener="admin",status_class="5xx"} 1)"));
  CHECK(has_line(text, R"(fondaco_http_request_duration_seconds_count{listener="admin"} 1)"));
}

TEST_CASE("a measured exchange counts answers by class and failures by name") {
  metrics m;
  fixed_exchange answers(actors::http_answer{204, {}, {}});
  fixed_exchange breaks(std::unexpected(actors::exchange_errc::no_answer));
  int done = 0;
  measured_exchange(answers, m).send({}, [&](actors::http_result r) { done += r.has_value(); });
  measured_exchange(breaks, m).send({}, [&](actors::http_result r) { done += !r.has_value(); });
  CHECK(done == 2);
  const auto text = m.render();
  CHECK(has_line(text, R"(fondaco_outbound_http_total{outcome="2xx"} 1)"));
  CHECK(has_line(text, R"(fondaco_outbound_http_total{outcome="no_answer"} 1)"));
}

TEST_CASE("two pages at once take turns with the samples, which keep what they saw") {
  metrics m;
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  m.sample_before_render([&](metrics&) {
    const int now = ++inside;
    if (now > most.load())
      most.store(now);
    std::this_thread::yield();
    --inside;
  });
  const auto look = [&m] {
    for (int i = 0; i < 200; ++i)
      (void)m.render();
  };
  std::thread other(look);
  look();
  other.join();
  CHECK(most.load() == 1);
}

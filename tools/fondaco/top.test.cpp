#include "tools/fondaco/top.hpp"

#include <doctest/doctest.h>

using namespace fondaco;
using namespace fondaco::tools;

namespace {

constexpr const char* first_page = R"(# HELP fondaco_actor_commands_total Commands.
# TYPE fondaco_actor_commands_total counter
fondaco_actor_commands_total 100
fondaco_http_requests_total{listener="protocol",status_class="2xx"} 10
fondaco_http_requests_total{listener="management",status_class="2xx"} 5
fondaco_journal_append_duration_seconds_bucket{le="0.001"} 4
fondaco_journal_append_duration_seconds_bucket{le="0.01"} 10
fondaco_journal_append_duration_seconds_bucket{le="+Inf"} 10
)";

constexpr const char* second_page = R"(fondaco_actor_commands_total 150
fondaco_http_requests_total{listener="protocol",status_class="2xx"} 30
fondaco_http_requests_total{listener="management",status_class="2xx"} 5
fondaco_queue_waiting{queue="recoveries"} 3
fondaco_queue_waiting{queue="store_reads"} 0
fondaco_actor_entities_live 42
fondaco_actor_letters_waiting 2
fondaco_journal_append_duration_seconds_bucket{le="0.001"} 64
fondaco_journal_append_duration_seconds_bucket{le="0.01"} 108
fondaco_journal_append_duration_seconds_bucket{le="+Inf"} 110
)";

json::object entity(const std::string& id, const std::string& updated_at, const std::string& waits) {
  return {{"tenant", "acme"},     {"kind", "negotiation"},    {"id", id},
          {"state", "REQUESTED"}, {"updated_at", updated_at}, {"waiting_on", waits}};
}

} // namespace

TEST_CASE("top tells rates, quantiles and queues of what happened between two looks") {
  const auto view = top_view(read_metrics(first_page), read_metrics(second_page), 2.0, {}, from_epoch_ms(0));
  const auto& rates = view.at("rates").as_object();
  CHECK(rates.at("commands").to_number<double>() == 25);
  CHECK(rates.at("HTTP in").to_number<double>() == 10);
  CHECK(rates.at("events").to_number<double>() == 0);
  CHECK(view.at("append_ms").as_object().at("p50").to_number<double>() == 1);
  CHECK(view.at("append_ms").as_object().at("p99").is_null());
  CHECK(view.at("queues").as_object().size() == 1);
  CHECK(view.at("queues").as_object().contains("recoveries"));
  CHECK(view.at("entities_live").to_number<double>() == 42);
  CHECK(view.at("letters_waiting").to_number<double>() == 2);
}

TEST_CASE("the slowest entities are those that wait, the longest first, and at most ten") {
  json::array all{entity("ended", "2027-01-15T07:00:00Z", ""), entity("new", "2027-01-15T07:59:59Z", "the peer"),
                  entity("old", "2027-01-15T07:58:00Z", "the peer")};
  const auto now = *parse_rfc3339("2027-01-15T08:00:00Z");
  const auto slowest = top_view({}, {}, 1.0, all, now).at("slowest").as_array();
  REQUIRE(slowest.size() == 2);
  CHECK(slowest[0].as_object().at("id") == "old");
  CHECK(slowest[0].as_object().at("seconds").to_number<int64_t>() == 120);
  for (int i = 0; i < 20; ++i)
    all.push_back(entity(std::to_string(i), "2027-01-15T07:00:00Z", "a word"));
  CHECK(top_view({}, {}, 1.0, all, now).at("slowest").as_array().size() == 10);
}

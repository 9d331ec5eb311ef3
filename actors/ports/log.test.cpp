#include "actors/ports/log.hpp"

#include <set>
#include <string>

#include <doctest/doctest.h>

#include "actors/ports/clock.hpp"
#include "actors/ports/http_exchange.hpp"

using namespace fondaco;

TEST_CASE("a log line is one JSON object with its time, its severity and the fields that have a value") {
  const log_line line{severity::warning,
                      "control_plane",
                      log_category::dsp,
                      "It happened.",
                      {{"tenant", "t1"}, {"empty", ""}, {"entity_id", "e1"}}};
  CHECK(render_log(line, "2026-01-31T12:00:00Z") ==
        R"({"time":"2026-01-31T12:00:00Z","severity":"warning","component":"control_plane","category":"dsp",)"
        R"("message":"It happened.","tenant":"t1","entity_id":"e1"})");
}

TEST_CASE("whatever bytes a peer sends, the line stays one line of valid JSON") {
  const log_line line{severity::error,
                      "x",
                      log_category::audit,
                      std::string("a\"\\\n\r\t\x01\x7f") + '\0' + "b",
                      {{"peer", "\xff\xc3\x28\xe2\x82\xac\xed\xa0\x80\xf0\x9f\x98\x80"}}};
  const auto text = render_log(line, "t");
  CHECK(text.find('\n') == text.npos);
  CHECK(text.find(R"(a\"\\\n\r\t\u0001\u007f\u0000b)") != text.npos);
  CHECK(text.find("\xef\xbf\xbd\xef\xbf\xbd(\xe2\x82\xac\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80") !=
        text.npos);
}

TEST_CASE("a log line has a length that it never goes beyond, and says that it was cut") {
  log_line line{severity::info, "x", log_category::application, std::string(1 << 20, '\x01'), {{"\x01", "y"}}};
  for (int i = 0; i < 1000; ++i)
    line.fields.emplace_back("field_" + std::to_string(i), std::string(10'000, 'y'));
  const auto text = render_log(line, "t");
  CHECK(text.size() <= 16u << 10);
  CHECK(text.ends_with(R"(,"truncated":"true"})"));
}

TEST_CASE("lines below the level are dropped, and a redirected log gets the rest") {
  std::vector<std::string> seen;
  redirect_log([&](const log_line& l) { seen.push_back(l.message); });
  set_log_level(severity::warning);
  write_log({severity::info, "x", log_category::application, "quiet", {}});
  write_log({severity::error, "x", log_category::application, "loud", {}});
  set_log_level(severity::info);
  write_log({severity::info, "x", log_category::application, "heard", {}});
  redirect_log({});
  CHECK(seen == std::vector<std::string>{"loud", "heard"});
}

TEST_CASE("the system's random source does not repeat itself and its clock goes on from a plausible moment") {
  actors::system_random random;
  std::set<uint64_t> seen;
  for (int i = 0; i < 10'000; ++i)
    seen.insert(random.next());
  CHECK(seen.size() == 10'000);
  const actors::system_clock clock;
  const auto first = clock.now();
  CHECK(first > *parse_rfc3339("2024-01-01T00:00:00Z"));
  CHECK(clock.now() >= first);
}

TEST_CASE("every reason for no answer has a name") {
  using actors::exchange_errc;
  CHECK(name_of(exchange_errc::not_connected) == "not_connected");
  CHECK(name_of(exchange_errc::no_answer) == "no_answer");
  CHECK(name_of(exchange_errc::bad_answer) == "bad_answer");
  CHECK(name_of(exchange_errc::address_refused) == "address_refused");
  CHECK(name_of(exchange_errc::overloaded) == "overloaded");
}

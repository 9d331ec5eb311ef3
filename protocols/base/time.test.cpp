#include "protocols/base/time.hpp"

#include <doctest/doctest.h>

using namespace fondaco;

TEST_CASE("a moment is written in UTC, with milliseconds only when there are some") {
  CHECK(to_rfc3339(from_epoch_ms(0)) == "1970-01-01T00:00:00Z");
  CHECK(to_rfc3339(from_epoch_ms(1)) == "1970-01-01T00:00:00.001Z");
  CHECK(to_rfc3339(from_epoch_ms(1769860800123)) == "2026-01-31T12:00:00.123Z");
  CHECK(to_rfc3339(from_epoch_ms(-1)) == "1969-12-31T23:59:59.999Z");
  CHECK(to_rfc3339(from_epoch_ms(951782400000)) == "2000-02-29T00:00:00Z");
}

TEST_CASE("a moment outside the four-digit years is written as the nearest one inside") {
  CHECK(to_rfc3339(timepoint::max()) == "9999-12-31T23:59:59.999Z");
  CHECK(to_rfc3339(timepoint::min()) == "0000-01-01T00:00:00Z");
}

TEST_CASE("RFC 3339 date-times name their moment") {
  struct row {
    const char* text;
    const char* utc;
  };
  const row rows[] = {{"1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520Z"},
                      {"1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57Z"},
                      {"1990-12-31T23:59:60Z", "1991-01-01T00:00:00Z"},
                      {"1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00Z"},
                      {"1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870Z"},
                      {"2026-01-31t12:00:00z", "2026-01-31T12:00:00Z"},
                      {"2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123Z"},
                      {"2026-01-31T12:00:00.9999Z", "2026-01-31T12:00:00.999Z"},
                      {"2026-01-31T12:00:00.1Z", "2026-01-31T12:00:00.100Z"},
                      {"2026-01-31T12:00:00-00:00", "2026-01-31T12:00:00Z"},
                      {"2024-02-29T00:00:00+23:59", "2024-02-28T00:01:00Z"},
                      {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"}};
  for (const auto& r : rows) {
    CAPTURE(r.text);
    const auto t = parse_rfc3339(r.text);
    REQUIRE(t);
    CHECK(to_rfc3339(*t) == r.utc);
  }
}

TEST_CASE("what is not an RFC 3339 date-time names no moment") {
  for (const char* text : {"",
                           "2026-01-31",
                           "2026-01-31T12:00:00",
                           "2026-01-31 12:00:00Z",
                           "2026-01-31T12:00Z",
                           "2026-1-31T12:00:00Z",
                           "2026-01-31T12:00:00.Z",
                           "2026-01-31T12:00:00,5Z",
                           "2026-02-29T12:00:00Z",
                           "2026-13-01T12:00:00Z",
                           "2026-00-01T12:00:00Z",
                           "2026-01-00T12:00:00Z",
                           "2026-04-31T12:00:00Z",
                           "2026-01-31T24:00:00Z",
                           "2026-01-31T12:60:00Z",
                           "2026-01-31T12:00:61Z",
                           "2026-01-31T12:00:60Z",
                           "2026-01-31T23:59:60Z",
                           "1990-12-31T23:59:60-08:00",
                           "2026-01-31T12:00:00+24:00",
                           "2026-01-31T12:00:00+01:60",
                           "2026-01-31T12:00:00+0100",
                           "2026-01-31T12:00:00+01",
                           "2026-01-31T12:00:00Z ",
                           " 2026-01-31T12:00:00Z",
                           "2026-01-31T12:00:00ZZ",
                           "+2026-01-31T12:00:00Z",
                           "-026-01-31T12:00:00Z",
                           "12026-01-31T12:00:00Z",
                           "2026-01-31T12:00:00.-5Z",
                           "0000-01-01T00:00:00+00:01",
                           "9999-12-31T23:59:59-00:01",
                           "\xd9\xa1\xd9\xa9-01-31T12:00:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("milliseconds survive writing and parsing") {
  for (int64_t ms = -86'400'000'000; ms < 4'000'000'000'000; ms += 987'654'321) {
    const auto t = from_epoch_ms(ms);
    CHECK(parse_rfc3339(to_rfc3339(t)) == t);
  }
}

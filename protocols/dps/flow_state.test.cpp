#include <doctest/doctest.h>

#include <string>

#include "protocols/dps/flow_state.hpp"

using namespace fondaco;
using namespace fondaco::dps;

namespace {

struct row {
  const char* from;
  dsp::role side;
  /// One letter a signal, in the order of the enumeration, for an answer at once, then for one that comes later: the
  /// state it leads to (P PREPARED, p PREPARING, S STARTED, s STARTING, U SUSPENDED, C COMPLETED, T TERMINATED, = the
  /// same), a dot if it is refused.
  const char* now;
  const char* later;
};

constexpr auto C = dsp::role::consumer;
constexpr auto P = dsp::role::provider;

// prepare, prepared, start, started, suspend, resume, completed, terminate, errored
constexpr row rows[] = {
    {"", C, "P........", "p........"},
    {"", P, "..S......", "..s......"},
    {"INITIALIZED", C, "P......T=", "p.......="},
    {"INITIALIZED", P, "..S....T=", "..s.....="},
    {"PREPARING", C, ".P.....T=", "........="},
    {"PREPARING", P, ".......T=", "........="},
    {"PREPARED", C, "...S...T=", "........="},
    {"PREPARED", P, "..S....T=", "..s.....="},
    {"STARTING", C, ".......T=", "........="},
    {"STARTING", P, "...S...T=", "........="},
    {"STARTED", C, "...SU.CT=", "........="},
    {"STARTED", P, "....U.CT=", "........="},
    {"SUSPENDED", C, ".....S.T=", "........="},
    {"SUSPENDED", P, ".....S.T=", "........="},
    {"COMPLETED", C, ".........", "........."},
    {"COMPLETED", P, ".........", "........."},
    {"TERMINATED", C, ".........", "........."},
    {"TERMINATED", P, ".........", "........."},
};

std::string name(char letter, const char* from) {
  switch (letter) {
  case 'P': return "PREPARED";
  case 'p': return "PREPARING";
  case 'S': return "STARTED";
  case 's': return "STARTING";
  case 'U': return "SUSPENDED";
  case 'C': return "COMPLETED";
  case 'T': return "TERMINATED";
  case '=': return from;
  default: return "";
  }
}

} // namespace

TEST_CASE("a data flow moves exactly as the two tables say, for every side, state, signal and way to answer") {
  for (const auto& r : rows) {
    auto from = parse_flow_state(r.from);
    REQUIRE(from.has_value() == (r.from[0] != 0));
    for (uint8_t s = 0; s < 9; ++s) {
      auto signal = static_cast<flow_signal>(s);
      CAPTURE(r.from);
      CAPTURE(name_of(signal));
      CAPTURE(name_of(r.side));
      auto at_once = next_state(r.side, from, signal);
      CHECK(std::string(at_once ? name_of(*at_once) : "") == name(r.now[s], r.from));
      auto later = next_state(r.side, from, signal, answer::later);
      CHECK(std::string(later ? name_of(*later) : "") == name(r.later[s], r.from));
    }
  }
}

TEST_CASE("a flow's state reads back by its name, and a plane's other name for the first too") {
  for (uint8_t s = 0; s < 8; ++s)
    CHECK(parse_flow_state(name_of(static_cast<flow_state>(s))) == static_cast<flow_state>(s));
  CHECK(parse_flow_state("INITIATING") == flow_state::initialized);
  CHECK_FALSE(parse_flow_state("started"));
  CHECK(is_pending(flow_state::preparing));
  CHECK(is_pending(flow_state::starting));
  CHECK_FALSE(is_pending(flow_state::started));
}

TEST_CASE("a signal that asks for what already is counts as a repeat") {
  CHECK(is_repeat(flow_state::suspended, flow_signal::suspend));
  CHECK(is_repeat(flow_state::completed, flow_signal::completed));
  CHECK(is_repeat(flow_state::terminated, flow_signal::terminate));
  CHECK(is_repeat(flow_state::started, flow_signal::started));
  CHECK_FALSE(is_repeat(flow_state::started, flow_signal::start));
  CHECK_FALSE(is_repeat(flow_state::started, flow_signal::resume));
  CHECK_FALSE(is_repeat(flow_state::terminated, flow_signal::completed));
}

TEST_CASE("a transfer profile's last pull or push token is its direction") {
  for (const char* pull : {"https://w3id.org/dspace-sig/profile/http-pull", "HttpData-PULL", "HttpData-PULL-Websocket",
                           "push-to-Pull", "pull"})
    CHECK_MESSAGE(is_pull(pull), pull);
  for (const char* push : {"https://w3id.org/dspace-sig/profile/http-push", "AmazonS3-PUSH",
                           "com.test.mqtt-push-com.test.mqtt", "pull-push"})
    CHECK_MESSAGE(direction_of(push) == direction::push, push);
  for (const char* none : {"", "HttpData", "pulling-x", "HttpData_PULL", "-"}) {
    CHECK_MESSAGE(!direction_of(none), none);
    CHECK_FALSE(is_pull(none));
  }
}

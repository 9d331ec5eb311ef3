#include "cells/credential_service/credential_request_fixture.test.hpp"

#include <set>

#include "protocols/json/json.hpp"

using namespace fondaco;
using namespace fondaco::credential_service;
using namespace fondaco::credential_service::request_fixture;

namespace {

uint64_t xorshift(uint64_t& x) {
  x ^= x << 13;
  x ^= x >> 7;
  return x ^= x << 17;
}

credential_request::command random_command(const driven& d, uint64_t& seed) {
  const auto one_in = [&seed](uint64_t n) { return xorshift(seed) % n == 0; };
  const auto from = one_in(8) ? std::string("did:web:stranger.example") : issuer;
  const std::string cause = one_in(2) ? "a" : "b";
  switch (xorshift(seed) % 12) {
  case 0: return one_in(2) ? beginning() : beginning("other");
  case 1: return credential_request::prepared{membership()};
  case 2:
  case 3:
    return credential_request::step_failed{one_in(2) ? step::prepare : step::request, cause, !one_in(8), one_in(2)};
  case 4:
  case 5: return credential_request::accepted{one_in(4) ? "" : "issuer-pid"};
  case 6:
  case 7: {
    static const char* says[] = {"RECEIVED", "ISSUED", "", "NONSENSE", "REJECTED"};
    return credential_request::poll_result{one_in(4) ? 99 : d.s.polls, says[xorshift(seed) % (one_in(8) ? 5 : 4)],
                                           cause};
  }
  case 8: return credential_request::receive_credentials{from, "p", {"vc-" + std::to_string(xorshift(seed) % 80)}};
  case 9:
    return one_in(4) ? credential_request::command(credential_request::receive_rejection{from, "p", "no"})
                     : credential_request::time_passed{};
  default: return credential_request::time_passed{};
  }
}

void check_promises(const driven& d, const credential_request::state& before) {
  const auto owed = credential_request::owed(d.s);
  const bool over = d.s.at == issued || d.s.at == error;
  CHECK(owed.size() <= 1);
  if (d.s.exists && !over) {
    REQUIRE(credential_request::wake_at(d.s));
    CHECK(*credential_request::wake_at(d.s) <= d.s.window_until);
  }
  if (over) {
    CHECK(owed.empty());
    CHECK_FALSE(credential_request::wake_at(d.s));
  }
  if (before.at == issued || before.at == error)
    CHECK(d.s.at == before.at);
  CHECK(d.s.at >= before.at);
  if (d.s.at == error)
    CHECK_FALSE(d.s.error_detail.empty());
  if (d.s.at == issued)
    CHECK_FALSE(d.s.credentials.empty());
  CHECK(d.s.credentials.size() <= credential_service::limits::delivered_ids_max);
  CHECK(d.s.causes.size() <= control_plane::limits::causes_max);
  CHECK(json::parse(credential_request::view(d.s)).has_value());
}

void check_replay(const driven& d) {
  credential_request::state replayed;
  for (const auto& e : d.history) {
    const auto read = credential_request::decode(credential_request::encode(e));
    REQUIRE(read);
    CHECK(*read == e);
    replayed = credential_request::evolve(std::move(replayed), *read);
  }
  CHECK(replayed == d.s);
  CHECK(credential_request::thaw(credential_request::freeze(d.s)) == d.s);
}

} // namespace

TEST_CASE("random histories of a credential request keep every promise of the shell") {
  uint64_t seed = 0x5eedc0de;
  std::set<std::string> seen;
  for (int steps = 0; steps < 10'000;) {
    driven d;
    REQUIRE(d.ask(beginning()));
    for (int i = 0; i < 30; ++i, ++steps) {
      d.now += milliseconds{static_cast<int64_t>(xorshift(seed) % 3'600'000)};
      const auto before = d.s;
      const auto command = random_command(d, seed);
      const auto result = d.ask(command);
      if (!result || result->events.empty())
        CHECK(d.s == before);
      check_promises(d, before);
      const bool is_delivery = std::holds_alternative<credential_request::receive_credentials>(command);
      if (result && is_delivery) {
        const auto again = d.ask(command);
        REQUIRE(again);
        CHECK(again->events.empty());
      }
      seen.insert(credential_request::status(d.s));
    }
    check_replay(d);
  }
  CHECK(seen.size() == 5);
}

TEST_CASE("evolve of a credential request is total: any event in any state leaves a well-formed state") {
  std::vector<credential_request_event> pool;
  for (auto at : all_states) {
    const auto d = reach(at);
    pool.insert(pool.end(), d.history.begin(), d.history.end());
  }
  pool.push_back(ev::attempt_failed{t0, {}, "x"});
  pool.push_back(ev::polled{t0, {}, "y", true, t0});
  pool.push_back(ev::ended{t0, {}, {}});
  uint64_t seed = 11;
  credential_request::state s;
  for (int i = 0; i < 10'000; ++i) {
    s = credential_request::evolve(std::move(s), pool[xorshift(seed) % pool.size()]);
    CHECK(credential_request::owed(s).size() <= 1);
    CHECK_FALSE(credential_request::status(s).empty());
  }
  CHECK(json::parse(credential_request::view(s)).has_value());
}

TEST_CASE("an event that this node does not know is not read as another") {
  persistence::event_record r{"credential_request.new", 1, 'j', R"({"what":"new"})", ""};
  CHECK_FALSE(credential_request::decode(r));
  r.payload = R"({"what":"requested","issuer_pid":"p"})";
  CHECK(credential_request::decode(r));
  r.version = 2;
  CHECK_FALSE(credential_request::decode(r));
}

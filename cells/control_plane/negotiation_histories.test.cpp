#include "cells/control_plane/negotiation_fixture.test.hpp"

#include <set>

using namespace fondaco;
using namespace fondaco::control_plane;
using namespace fondaco::control_plane::negotiation_fixture;

namespace {

uint64_t xorshift(uint64_t& x) {
  x ^= x << 13;
  x ^= x >> 7;
  return x ^= x << 17;
}

negotiation::command random_command(driven& d, uint64_t& seed) {
  const auto roll = xorshift(seed) % 16;
  const auto message_id = d.s.outbox && xorshift(seed) % 8 ? d.s.outbox->message_id : std::string("stale");
  const auto pick = [&] { return all_messages[xorshift(seed) % 7]; };
  switch (roll) {
  case 0: return xorshift(seed) % 2 ? negotiation::command(initiation()) : negotiation::command(first_request());
  case 1: return negotiation::send{pick(), offer(), {}};
  case 2:
    return xorshift(seed) % 8 ? negotiation::command(negotiation::time_passed{}) : negotiation::terminate{"x", {}};
  case 3: return xorshift(seed) % 16 ? negotiation::command(negotiation::time_passed{}) : negotiation::remove{};
  case 4:
  case 5:
  case 6: return negotiation::delivered{message_id, "peer-pid"};
  case 7: return negotiation::not_delivered{message_id, xorshift(seed) % 2 ? "a" : "b", xorshift(seed) % 2 == 0};
  case 8: {
    static const char* names[] = {"REQUESTED", "OFFERED", "AGREED", "TERMINATED", "NONSENSE"};
    return negotiation::probe_result{message_id, names[xorshift(seed) % 5], {}, false};
  }
  default: {
    auto c = d.message(pick(), xorshift(seed) % 8 ? "" : "m-" + std::to_string(xorshift(seed) % 4));
    if (xorshift(seed) % 16 == 0)
      c.counterparty_id = "did:web:stranger";
    return c;
  }
  }
}

void check_promises(const driven& d, const negotiation::state& before, const std::vector<std::string>& keys_before) {
  const auto owed = negotiation::owed(d.s);
  const bool final_now = d.s.dsp_state && dsp::is_final(*d.s.dsp_state);
  CHECK(owed.size() <= 1);
  if (d.s.exists && !d.s.removed && (!owed.empty() || !final_now))
    CHECK(negotiation::wake_at(d.s).has_value());
  if (before.dsp_state && dsp::is_final(*before.dsp_state))
    CHECK(d.s.dsp_state == before.dsp_state);
  if (d.s == before) {
    std::vector<std::string> keys;
    for (const auto& o : owed)
      keys.push_back(o.key);
    CHECK(keys == keys_before);
  }
  CHECK_FALSE(negotiation::status(d.s).empty());
  CHECK(json::parse(negotiation::view(d.s)).has_value());
  CHECK(d.s.accepted_message_ids.size() <= control_plane::limits::accepted_message_ids_max);
}

} // namespace

TEST_CASE("random histories keep every promise of the shell") {
  uint64_t seed = 0x9f31c2;
  int steps = 0;
  std::set<std::string> seen_status;
  while (steps < 10'000) {
    driven d;
    REQUIRE(xorshift(seed) % 2 ? d.ask(initiation()).has_value() : d.ask(first_request()).has_value());
    for (int i = 0; i < 40; ++i, ++steps) {
      d.now += milliseconds{static_cast<int64_t>(xorshift(seed) % 3'600'000)};
      const auto before = d.s;
      std::vector<std::string> keys;
      for (const auto& o : negotiation::owed(before))
        keys.push_back(o.key);
      const auto command = random_command(d, seed);
      const auto result = d.ask(command);
      if (!result)
        CHECK(d.s == before);
      check_promises(d, before, keys);
      if (result && std::holds_alternative<negotiation::receive_message>(command)) {
        const auto after = d.s;
        const auto again = d.ask(command);
        if (!d.s.removed) {
          REQUIRE(again);
          CHECK(again->events.empty());
        }
        CHECK(d.s == after);
      }
      seen_status.insert(negotiation::status(d.s));
    }
    negotiation::state replayed;
    for (const auto& e : d.history) {
      auto read = negotiation::decode(negotiation::encode(e));
      REQUIRE(read);
      CHECK(*read == e);
      replayed = negotiation::evolve(std::move(replayed), *read);
    }
    CHECK(replayed == d.s);
    CHECK(negotiation::thaw(negotiation::freeze(d.s)) == d.s);
    const auto a = negotiation::owed(replayed), b = negotiation::owed(d.s);
    REQUIRE(a.size() == b.size());
    for (size_t i = 0; i < a.size(); ++i)
      CHECK(a[i].key == b[i].key);
  }
  // The walk is worth something only if it comes everywhere.
  CHECK(seen_status.size() >= 12);
}

TEST_CASE("evolve is total: any event in any state leaves a well-formed state") {
  std::vector<negotiation_event> pool;
  for (auto self : {role::consumer, role::provider})
    for (auto state : all_states) {
      auto d = reach(self, state);
      pool.insert(pool.end(), d.history.begin(), d.history.end());
    }
  pool.push_back(ev::removed{t0, {}});
  pool.push_back(ev::notice_dropped{t0, "x", "y"});
  pool.push_back(ev::resumed{t0, "x", "y", t0});
  pool.push_back(ev::ended{t0, "x", {}, {}});
  uint64_t seed = 7;
  negotiation::state s;
  for (int i = 0; i < 10'000; ++i) {
    s = negotiation::evolve(std::move(s), pool[xorshift(seed) % pool.size()]);
    CHECK_FALSE(negotiation::status(s).empty());
    CHECK(negotiation::owed(s).size() <= 1);
  }
  CHECK(json::parse(negotiation::view(s)).has_value());
}

#include "cells/control_plane/transfer_process_fixture.test.hpp"

#include <set>

using namespace fondaco;
using namespace fondaco::control_plane;
using namespace fondaco::control_plane::transfer_fixture;

namespace {

uint64_t xorshift(uint64_t& x) {
  x ^= x << 13;
  x ^= x >> 7;
  return x ^= x << 17;
}

transfer_process::command random_outcome(const driven& d, uint64_t& seed) {
  const auto owed = transfer_process::owed(d.s);
  const auto id = !owed.empty() && xorshift(seed) % 8 ? owed[0].body.message_id : std::string("stale");
  const bool signal = !owed.empty() && owed[0].body.signal;
  const bool probe = !owed.empty() && owed[0].body.probe;
  const auto roll = xorshift(seed) % 8;
  if (probe) {
    static const char* names[] = {"REQUESTED", "STARTED", "SUSPENDED", "COMPLETED", "TERMINATED", "NONSENSE"};
    return transfer_process::probe_result{id, names[xorshift(seed) % 6], {}, false};
  }
  if (roll == 0) {
    const std::string cause = xorshift(seed) % 2 ? "a" : "b";
    const bool transient = xorshift(seed) % 4 != 0;
    return signal ? transfer_process::command(transfer_process::signal_failed{id, cause, transient})
                  : transfer_process::not_delivered{id, cause, transient};
  }
  if (signal)
    return transfer_process::signal_taken{id, roll == 1, {}, roll % 2 ? "sealed" : ""};
  return transfer_process::delivered{id, "peer-pid"};
}

transfer_process::command random_command(driven& d, uint64_t& seed) {
  switch (xorshift(seed) % 16) {
  case 0:
    return xorshift(seed) % 4 ? transfer_process::command(transfer_process::time_passed{})
                              : transfer_process::terminate{"x", {}};
  case 1: return transfer_process::start{};
  case 2: return transfer_process::suspend{xorshift(seed) % 2 ? "why" : ""};
  case 3:
    return xorshift(seed) % 4 ? transfer_process::command(transfer_process::time_passed{})
                              : transfer_process::complete{};
  case 4: {
    static const flow_signal reports[] = {flow_signal::prepared, flow_signal::started, flow_signal::completed,
                                          flow_signal::errored};
    return transfer_process::flow_report{"dp-1", reports[xorshift(seed) % 4], "sealed", "text"};
  }
  case 5:
  case 6:
  case 7:
  case 8:
  case 9:
  case 10: return random_outcome(d, seed);
  default: {
    const auto type = all_messages[xorshift(seed) % 5];
    auto c = d.message(type, xorshift(seed) % 8 ? "" : "m-" + std::to_string(xorshift(seed) % 4),
                       xorshift(seed) % 2 ? "sealed" : "");
    if (xorshift(seed) % 16 == 0)
      c.counterparty_id = "did:web:stranger";
    return c;
  }
  }
}

void check_promises(const driven& d, const transfer_process::state& before) {
  const auto owed = transfer_process::owed(d.s);
  const bool final_now = d.s.dsp_state && dsp::is_final(*d.s.dsp_state);
  CHECK(owed.size() <= 1);
  if (!owed.empty() || !final_now)
    CHECK(transfer_process::wake_at(d.s).has_value());
  if (before.dsp_state && dsp::is_final(*before.dsp_state))
    CHECK(d.s.dsp_state == before.dsp_state);
  if (final_now)
    CHECK(d.s.sealed_address.empty());
  if (d.s == before) {
    const auto owed_before = transfer_process::owed(before);
    REQUIRE(owed.size() == owed_before.size());
    if (!owed.empty())
      CHECK(owed[0].key == owed_before[0].key);
  }
  CHECK_FALSE(transfer_process::status(d.s).empty());
  CHECK(json::parse(transfer_process::view(d.s)).has_value());
  CHECK(d.s.queue.steps.size() <= 12);
}

} // namespace

TEST_CASE("random histories of transfers keep every promise of the shell") {
  uint64_t seed = 0x51f0a7;
  int steps = 0;
  std::set<std::string> seen_status;
  while (steps < 10'000) {
    driven d;
    if (xorshift(seed) % 2)
      REQUIRE(d.ask(transfer_process::initiate{terms("HttpData-PULL", xorshift(seed) % 2 == 0)}));
    else
      REQUIRE(d.ask(request()));
    for (int i = 0; i < 40; ++i, ++steps) {
      d.now += milliseconds{static_cast<int64_t>(xorshift(seed) % 3'600'000)};
      const auto before = d.s;
      const auto command = random_command(d, seed);
      const auto result = d.ask(command);
      if (!result)
        CHECK(d.s == before);
      check_promises(d, before);
      if (result && std::holds_alternative<transfer_process::receive_message>(command)) {
        const auto after = d.s;
        const auto again = d.ask(command);
        REQUIRE(again);
        CHECK(again->events.empty());
        CHECK(d.s == after);
      }
      seen_status.insert(transfer_process::status(d.s));
    }
    transfer_process::state replayed;
    for (const auto& e : d.history) {
      auto read = transfer_process::decode(transfer_process::encode(e));
      REQUIRE(read);
      CHECK(*read == e);
      replayed = transfer_process::evolve(std::move(replayed), *read);
    }
    CHECK(replayed == d.s);
    CHECK(transfer_process::thaw(transfer_process::freeze(d.s)) == d.s);
  }
  // The walk is worth something only if it comes everywhere.
  CHECK(seen_status.size() >= 16);
}

TEST_CASE("evolve of a transfer is total: any event in any state leaves a well-formed state") {
  std::vector<transfer_event> pool;
  for (auto self : {role::consumer, role::provider})
    for (auto state : all_states) {
      auto d = reach(self, state);
      pool.insert(pool.end(), d.history.begin(), d.history.end());
    }
  pool.push_back(ev::step_dropped{t0, "x", {}, {}});
  pool.push_back(ev::resumed{t0, "x", "y", t0});
  pool.push_back(ev::ended{t0, "x", {}, {}});
  pool.push_back(ev::reviewed{t0, {}});
  uint64_t seed = 7;
  transfer_process::state s;
  for (int i = 0; i < 10'000; ++i) {
    s = transfer_process::evolve(std::move(s), pool[xorshift(seed) % pool.size()]);
    CHECK_FALSE(transfer_process::status(s).empty());
    CHECK(transfer_process::owed(s).size() <= 1);
  }
  CHECK(json::parse(transfer_process::view(s)).has_value());
}

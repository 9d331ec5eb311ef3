#include "cells/data_plane/data_flow.hpp"

#include <map>

#include <doctest/doctest.h>

using namespace fondaco;
using namespace fondaco::data_plane;
using dps::flow_signal;
using dps::flow_state;
using dsp::role;
namespace ev = data_flow_events;

namespace {

const timepoint t0 = from_epoch_ms(1'750'000'000'000);

struct driven {
  data_flow::state s;
  std::vector<data_flow_event> history;
  std::vector<persistence::name_claim> names;
  timepoint now = t0;
  int ids = 0;

  std::expected<actors::decision<data_flow>, actors::refusal> ask(data_flow::command c) {
    auto d = data_flow::decide(s, c, now);
    if (d)
      for (const auto& e : d->events) {
        s = data_flow::evolve(std::move(s), e);
        history.push_back(e);
      }
    if (d)
      names.insert(names.end(), d->names.begin(), d->names.end());
    return d;
  }
  std::string refusal_of(data_flow::command c) {
    auto d = ask(std::move(c));
    return d ? "" : d.error().why.code;
  }
  data_flow::signal signal(flow_signal type, std::string id = {}) {
    data_flow::signal c;
    c.type = type;
    c.message_id = id.empty() ? "s-" + std::to_string(++ids) : id;
    if (type == flow_signal::resume) {
      c.token_digest = "digest-2";
      c.sealed_address = "sealed-edr-2";
    }
    return c;
  }
};

data_flow::open opening(flow_signal type = flow_signal::start, std::string profile = "HttpData-PULL") {
  data_flow::open c;
  c.signal = type;
  c.message_id = "open-1";
  c.terms.id = "0198a0c0-0000-7000-8000-000000000003";
  c.terms.participant_id = "did:web:us";
  c.terms.counter_party_id = "did:web:them";
  c.terms.agreement_id = "agreement-1";
  c.terms.dataset_id = "asset-1";
  c.terms.profile = std::move(profile);
  c.terms.callback_address = "http://control:8083";
  if (type == flow_signal::start) {
    c.token_digest = "digest-1";
    c.sealed_address = "sealed-edr-1";
    c.sealed_source = "sealed-source";
  }
  return c;
}

driven reach(role side, flow_state wanted) {
  driven d;
  REQUIRE(d.ask(opening(side == role::provider ? flow_signal::start : flow_signal::prepare)));
  if (side == role::consumer && wanted != flow_state::prepared)
    REQUIRE(d.ask(d.signal(flow_signal::started)));
  const std::map<flow_state, flow_signal> last = {{flow_state::suspended, flow_signal::suspend},
                                                  {flow_state::completed, flow_signal::completed},
                                                  {flow_state::terminated, flow_signal::terminate}};
  if (const auto found = last.find(wanted); found != last.end())
    REQUIRE(d.ask(d.signal(found->second)));
  REQUIRE(d.s.at == wanted);
  return d;
}

} // namespace

TEST_CASE("every signal in every state of both sides gets the answer of the signaling state machines") {
  using enum flow_signal;
  // DPS reference, sections 2.1 to 2.3: what each state takes, repeats included.
  const std::map<std::pair<role, flow_state>, std::vector<flow_signal>> taken = {
      {{role::provider, flow_state::started}, {suspend, terminate, completed}},
      {{role::provider, flow_state::suspended}, {resume, terminate, suspend}},
      {{role::provider, flow_state::completed}, {completed}},
      {{role::provider, flow_state::terminated}, {terminate}},
      {{role::consumer, flow_state::prepared}, {started, terminate}},
      {{role::consumer, flow_state::started}, {started, suspend, terminate, completed}},
      {{role::consumer, flow_state::suspended}, {resume, terminate, suspend}},
      {{role::consumer, flow_state::completed}, {completed}},
      {{role::consumer, flow_state::terminated}, {terminate}},
  };
  const std::map<flow_signal, flow_state> target = {{started, flow_state::started},
                                                    {suspend, flow_state::suspended},
                                                    {resume, flow_state::started},
                                                    {terminate, flow_state::terminated},
                                                    {completed, flow_state::completed}};
  int checked = 0;
  for (const auto& [where, wanted] : taken)
    for (const auto& [type, to] : target) {
      auto d = reach(where.first, where.second);
      const auto before = d.s;
      CAPTURE(std::string(dsp::name_of(where.first)));
      CAPTURE(std::string(dps::name_of(where.second)));
      CAPTURE(std::string(dps::name_of(type)));
      const bool ok = std::find(wanted.begin(), wanted.end(), type) != wanted.end();
      CHECK(d.refusal_of(d.signal(type)) == (ok ? "" : "illegal_transition"));
      if (ok)
        CHECK(d.s.at == to);
      else
        CHECK(d.s == before);
      ++checked;
    }
  CHECK(checked == 9 * 5);
}

TEST_CASE("a pull's start is answered with the address, and its repeat with the same") {
  driven d;
  auto made = d.ask(opening());
  REQUIRE(made);
  CHECK(made->reply.created);
  CHECK(made->reply.at == flow_state::started);
  CHECK(made->reply.sealed_address == "sealed-edr-1");
  REQUIRE(d.names.size() == 1);
  CHECK(d.names[0].space == "edr_token");
  CHECK(d.names[0].name == "digest-1");
  // The edge makes a fresh token before it asks; the first answer counts.
  auto again = opening();
  again.token_digest = "digest-9";
  again.sealed_address = "sealed-edr-9";
  made = d.ask(again);
  REQUIRE(made);
  CHECK(made->events.empty());
  CHECK_FALSE(made->reply.created);
  CHECK(made->reply.sealed_address == "sealed-edr-1");
  again.message_id = "open-2";
  CHECK(d.refusal_of(again) == "already_exists");
}

TEST_CASE("a suspended or ended flow allows no pull, a resumed one only with the new token") {
  auto d = reach(role::provider, flow_state::started);
  CHECK(data_flow::view(d.s).find("digest-1") != std::string::npos);
  CHECK(data_flow::view(d.s).find("sealed-source") != std::string::npos);
  REQUIRE(d.ask(d.signal(flow_signal::suspend)));
  CHECK(data_flow::view(d.s).find("digest") == std::string::npos);
  CHECK(data_flow::view(d.s).find("sealed") == std::string::npos);
  const auto resume = d.signal(flow_signal::resume, "r-1");
  auto resumed = d.ask(resume);
  REQUIRE(resumed);
  CHECK(resumed->reply.sealed_address == "sealed-edr-2");
  CHECK(d.names.back().name == "digest-2");
  CHECK(data_flow::view(d.s).find("digest-2") != std::string::npos);
  resumed = d.ask(resume);
  REQUIRE(resumed);
  CHECK(resumed->events.empty());
  CHECK(resumed->reply.sealed_address == "sealed-edr-2");
  for (auto end : {flow_signal::terminate, flow_signal::completed}) {
    auto one = d;
    REQUIRE(one.ask(one.signal(end)));
    CHECK(one.s.token_digest.empty());
    CHECK(one.s.sealed_address.empty());
    CHECK(one.s.sealed_source.empty());
  }
}

TEST_CASE("addresses are where the direction of the transfer wants them") {
  driven d;
  auto push = opening(flow_signal::start, "HttpData-PUSH");
  CHECK(d.refusal_of(push) == "bad_message");
  auto pull = opening();
  pull.has_address = true;
  CHECK(d.refusal_of(pull) == "bad_message");
  auto prepare = opening(flow_signal::prepare);
  prepare.has_address = true;
  CHECK(d.refusal_of(prepare) == "bad_message");
  push.has_address = true;
  CHECK(d.refusal_of(push).empty());
}

TEST_CASE("an opening without what it needs is refused by name, a signal to no flow with not_found") {
  const auto refused = [](auto change) {
    auto c = opening();
    change(c);
    driven d;
    return d.refusal_of(c);
  };
  CHECK(refused([](auto& c) { c.terms.id.clear(); }) == "bad_message");
  CHECK(refused([](auto& c) { c.message_id.clear(); }) == "bad_message");
  CHECK(refused([](auto& c) { c.terms.participant_id.clear(); }) == "bad_message");
  CHECK(refused([](auto& c) { c.terms.dataset_id.clear(); }) == "bad_message");
  CHECK(refused([](auto& c) { c.signal = flow_signal::suspend; }) == "not_found");
  driven d;
  CHECK(d.refusal_of(d.signal(flow_signal::suspend)) == "not_found");
  CHECK(d.refusal_of(data_flow::report{}) == "not_found");
  auto flow = reach(role::provider, flow_state::started);
  CHECK(flow.refusal_of(flow.signal(flow_signal::errored)) == "illegal_transition");
}

TEST_CASE("the end of the data is told to the control plane until it takes it") {
  auto d = reach(role::provider, flow_state::started);
  REQUIRE(d.ask(data_flow::report{flow_signal::completed, {}}));
  CHECK(data_flow::status(d.s) == "COMPLETED");
  auto owed = data_flow::owed(d.s);
  REQUIRE(owed.size() == 1);
  CHECK(owed[0].body.path == "/transfers/0198a0c0-0000-7000-8000-000000000003/dataflow/completed");
  CHECK(owed[0].body.base_url == "http://control:8083");
  CHECK(owed[0].body.message.state == flow_state::completed);
  CHECK(data_flow::wake_at(d.s).has_value());
  CHECK(d.ask(data_flow::report{flow_signal::completed, {}})->events.empty());
  const auto id = owed[0].key;
  CHECK(is_transient(data_flow::not_delivered{id, "503", true}));
  CHECK(d.ask(data_flow::not_delivered{id, "503", true})->events.size() == 1);
  CHECK(d.ask(data_flow::not_delivered{id, "503", true})->events.empty());
  CHECK(d.ask(data_flow::delivered{"stale"})->events.empty());
  SUBCASE("taken") { REQUIRE(d.ask(data_flow::delivered{id})); }
  SUBCASE("refused") {
    REQUIRE(d.ask(data_flow::not_delivered{id, "404", false}));
    CHECK(d.s.error_detail == "The control plane refused 'completed': 404");
  }
  SUBCASE("never taken") {
    d.now += d.s.terms.settings.send_window_ms;
    REQUIRE(d.ask(*data_flow::tick(d.s, d.now)));
    CHECK(d.s.error_detail == "The control plane did not take 'completed' in time; last failure: 503");
  }
  CHECK(data_flow::owed(d.s).empty());
  CHECK_FALSE(data_flow::wake_at(d.s));
}

TEST_CASE("an error on the wire changes no state and is told once") {
  auto d = reach(role::provider, flow_state::started);
  REQUIRE(d.ask(data_flow::report{flow_signal::errored, "source is gone"}));
  CHECK(data_flow::status(d.s) == "STARTED");
  CHECK(data_flow::owed(d.s)[0].body.message.error == "source is gone");
  CHECK(d.ask(data_flow::report{flow_signal::errored, "source is gone"})->events.empty());
  CHECK(d.refusal_of(data_flow::report{flow_signal::suspend, {}}) == "bad_message");
  auto ended = reach(role::provider, flow_state::terminated);
  CHECK(ended.refusal_of(data_flow::report{flow_signal::completed, {}}) == "illegal_transition");
}

TEST_CASE("random histories of data flows keep every promise of the shell") {
  uint64_t seed = 0xda7a;
  const auto roll = [&seed](uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
  };
  static const flow_signal signals[] = {flow_signal::started, flow_signal::suspend, flow_signal::resume,
                                        flow_signal::terminate, flow_signal::completed};
  for (int round = 0; round < 150; ++round) {
    driven d;
    REQUIRE(d.ask(opening(roll(2) ? flow_signal::start : flow_signal::prepare)));
    for (int i = 0; i < 30; ++i) {
      d.now += milliseconds{static_cast<int64_t>(roll(3'600'000))};
      const auto before = d.s;
      const auto owed = data_flow::owed(d.s);
      const auto id = owed.empty() ? std::string("stale") : owed[0].key;
      std::expected<actors::decision<data_flow>, actors::refusal> result;
      switch (roll(8)) {
      case 0: result = d.ask(data_flow::report{roll(2) ? flow_signal::completed : flow_signal::errored, "e"}); break;
      case 1: result = d.ask(data_flow::delivered{id}); break;
      case 2: result = d.ask(data_flow::not_delivered{id, roll(2) ? "a" : "b", roll(4) != 0}); break;
      case 3: result = d.ask(data_flow::time_passed{}); break;
      default: result = d.ask(d.signal(signals[roll(5)], roll(4) ? "" : "s-" + std::to_string(roll(4))));
      }
      if (!result)
        CHECK(d.s == before);
      if (dps::is_final(before.at))
        CHECK(d.s.at == before.at);
      if (!dps::is_final(d.s.at) || !data_flow::owed(d.s).empty())
        CHECK(data_flow::wake_at(d.s).has_value());
      if (d.s.at != flow_state::started)
        CHECK(d.s.token_digest.empty());
      CHECK(json::parse(data_flow::view(d.s)).has_value());
    }
    data_flow::state replayed;
    for (const auto& e : d.history) {
      const auto read = data_flow::decode(data_flow::encode(e));
      REQUIRE(read);
      CHECK(*read == e);
      replayed = data_flow::evolve(std::move(replayed), *read);
    }
    CHECK(replayed == d.s);
    CHECK(data_flow::thaw(data_flow::freeze(d.s)) == d.s);
  }
}

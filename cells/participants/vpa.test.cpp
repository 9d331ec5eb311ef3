#include "cells/participants/vpa.hpp"

#include <doctest/doctest.h>

using namespace fondaco;
using namespace fondaco::participants;

namespace {

const timepoint t0 = from_epoch_ms(1'750'000'000'000);

struct driven {
  vpa::state s;
  std::vector<vpa_event> history;

  std::expected<actors::decision<vpa>, actors::refusal> ask(vpa::command c) {
    auto d = vpa::decide(s, c, t0);
    if (d)
      for (const auto& e : d->events) {
        s = vpa::evolve(std::move(s), e);
        history.push_back(e);
      }
    return d;
  }
  std::string refusal_of(vpa::command c) {
    auto d = ask(std::move(c));
    return d ? "" : d.error().why.code;
  }
};

driven reach(vpa_state wanted) {
  driven d;
  REQUIRE(d.ask(vpa::create{"vpa-1", "control-plane", "req-1"}));
  if (wanted == vpa_state::frozen)
    REQUIRE(d.ask(vpa::freeze_it{"moving", {}}));
  if (wanted == vpa_state::disposed)
    REQUIRE(d.ask(vpa::dispose{"left", {}}));
  REQUIRE(d.s.at == wanted);
  return d;
}

} // namespace

TEST_CASE("every order in every state of a VPA leads where it says, and nothing leaves disposed") {
  struct row {
    vpa_state from;
    vpa::command order;
    const char* refusal;
    vpa_state to;
    size_t events;
  };
  const row rows[] = {
      {vpa_state::active, vpa::freeze_it{}, "", vpa_state::frozen, 1},
      {vpa_state::active, vpa::thaw_it{}, "", vpa_state::active, 0},
      {vpa_state::active, vpa::dispose{}, "", vpa_state::disposed, 1},
      {vpa_state::frozen, vpa::freeze_it{}, "", vpa_state::frozen, 0},
      {vpa_state::frozen, vpa::thaw_it{}, "", vpa_state::active, 1},
      {vpa_state::frozen, vpa::dispose{}, "", vpa_state::disposed, 1},
      {vpa_state::disposed, vpa::freeze_it{}, "disposed", vpa_state::disposed, 0},
      {vpa_state::disposed, vpa::thaw_it{}, "disposed", vpa_state::disposed, 0},
      {vpa_state::disposed, vpa::dispose{}, "", vpa_state::disposed, 0},
  };
  for (const auto& r : rows) {
    auto d = reach(r.from);
    const auto before = d.history.size();
    CHECK(d.refusal_of(r.order) == r.refusal);
    CHECK(d.s.at == r.to);
    CHECK(d.history.size() - before == r.events);
  }
}

TEST_CASE("a VPA is made once; its repeat changes nothing") {
  driven d;
  CHECK(d.refusal_of(vpa::freeze_it{}) == "not_found");
  CHECK(vpa::status(d.s) == "ABSENT");
  CHECK(d.refusal_of(vpa::create{"vpa-1", "toaster", {}}) == "bad_type");
  const auto made = d.ask(vpa::create{"vpa-1", "data-plane", {}});
  REQUIRE(made);
  CHECK(made->reply.created);
  const auto again = d.ask(vpa::create{"vpa-1", "data-plane", {}});
  REQUIRE(again);
  CHECK_FALSE(again->reply.created);
  CHECK(again->events.empty());
  CHECK(d.refusal_of(vpa::create{"vpa-1", "control-plane", {}}) == "already_exists");
  REQUIRE(d.ask(vpa::dispose{"left", {}}));
  CHECK(d.refusal_of(vpa::create{"vpa-1", "data-plane", {}}) == "disposed");
}

TEST_CASE("a VPA's history reads back to the same state") {
  auto d = reach(vpa_state::frozen);
  REQUIRE(d.ask(vpa::thaw_it{"req-2"}));
  REQUIRE(d.ask(vpa::dispose{"left", "req-3"}));
  vpa::state replayed;
  std::vector<std::string> types;
  for (const auto& e : d.history) {
    const auto record = vpa::encode(e);
    types.push_back(record.type);
    const auto read = vpa::decode(record);
    REQUIRE(read);
    CHECK(*read == e);
    replayed = vpa::evolve(std::move(replayed), *read);
  }
  CHECK(types == std::vector<std::string>{"vpa.created", "vpa.frozen", "vpa.thawed", "vpa.disposed"});
  CHECK(replayed == d.s);
  CHECK(vpa::thaw(vpa::freeze(d.s)) == d.s);
  CHECK(json::parse(vpa::view(d.s)).has_value());
  // A stray event cannot bring it back.
  CHECK(vpa::evolve(d.s, vpa_events::moved{t0, {}, vpa_state::active, {}}).at == vpa_state::disposed);
}

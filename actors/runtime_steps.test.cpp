#include <doctest/doctest.h>

#include <set>
#include <string>
#include <variant>
#include <vector>

#include "actors/runtime.hpp"
#include "persistence/memory/journal.hpp"

namespace {

using namespace fondaco;
using namespace fondaco::actors;

/// A bell that owes one ring for each pull, and forgets itself when nobody pulled it for an hour.
struct bell {
  static constexpr const char* kind = "bell";
  struct pull {};
  struct rung {
    bool ok = true;
  };
  struct time_passed {};
  using command = std::variant<pull, rung, time_passed>;
  struct happened {
    char what = 'p';
    timepoint at;
  };
  using event = happened;
  struct state {
    int pulls = 0;
    int rings = 0;
    bool silent = false;
    timepoint last;
  };
  struct ring {};
  using effect = owed_effect<ring>;
  using reply = int;

  static std::expected<decision<bell>, refusal> decide(const state& s, const command& c, timepoint now) {
    decision<bell> d;
    d.reply = s.pulls;
    if (std::holds_alternative<pull>(c))
      d.events.push_back({'p', now});
    else if (std::holds_alternative<time_passed>(c))
      d.events.push_back({'s', now});
    else if (std::get<rung>(c).ok)
      d.events.push_back({'r', now});
    return d;
  }
  static state evolve(state s, const event& e) {
    s.pulls += e.what == 'p';
    s.rings += e.what == 'r';
    s.silent = e.what == 's';
    s.last = e.at;
    return s;
  }
  static std::vector<effect> owed(const state& s) {
    if (s.rings >= s.pulls)
      return {};
    return {{"ring-" + std::to_string(s.rings), timepoint{}, ring{}}};
  }
  static std::optional<timepoint> wake_at(const state& s) {
    if (s.rings < s.pulls)
      return timepoint{};
    return s.pulls == 0 || s.silent ? std::nullopt : std::optional(s.last + std::chrono::hours(1));
  }
  static std::optional<command> tick(const state& s, timepoint now) {
    if (s.rings == s.pulls && now >= s.last + std::chrono::hours(1))
      return time_passed{};
    return std::nullopt;
  }
  static persistence::event_record encode(const event& e) {
    return {"bell.happened", 1, 'j', std::to_string(to_epoch_ms(e.at)), std::string(1, e.what)};
  }
  static std::optional<event> decode(const persistence::event_record& r) {
    return event{r.cause.at(0), from_epoch_ms(std::stoll(r.payload))};
  }
  static std::string status(const state& s) { return s.silent ? "SILENT" : "HEARD"; }
  static std::string view(const state&) { return "{}"; }
};

struct set_clock final : actors::clock {
  timepoint now() const override { return at; }
  timepoint at = from_epoch_ms(1'700'000'000'000);
};
struct counted_chance final : random_source {
  uint64_t next() override { return ++n; }
  uint64_t n = 0;
};

/// A tower of bells whose every step the test takes.
struct tower {
  explicit tower(persistence::journal& journal) {
    entity_kind k;
    k.name = bell::kind;
    k.make = [](const persistence::entity_key& key) { return std::make_unique<typed_state<bell>>(key); };
    k.run_effect = [this](effect_run, std::function<void(std::any)> done) { ringing.push_back(std::move(done)); };
    k.is_transient = [](const std::any& c) { return !std::get<bell::rung>(std::any_cast<bell::command>(c)).ok; };
    runtime::parts parts{journal, clock, chance, "default", "node-1", 4};
    parts.drive = drive::caller;
    rt = std::make_unique<runtime>(parts, std::vector{std::move(k)});
    REQUIRE(rt->start().has_value());
  }
  void pull(const std::string& id, const std::string& owner = "alice") {
    rt->ask({tenant(owner), bell::kind, id}, rt->shard_for(tenant(owner)), std::any(bell::command(bell::pull{})),
            milliseconds(5000), [this](ask_result r) { answers.push_back(std::move(r)); });
  }
  void do_all() {
    while (rt->work_ready() > 0)
      rt->do_work(0);
  }
  void pass(milliseconds time) {
    clock.at += time;
    rt->look_at_clock();
    do_all();
  }
  set_clock clock;
  counted_chance chance;
  std::vector<std::function<void(std::any)>> ringing;
  std::vector<ask_result> answers;
  std::unique_ptr<runtime> rt;
};

size_t events_of(persistence::journal& j, const std::string& id) {
  return j.read_events({tenant("alice"), bell::kind, id}, 0, 100)->size();
}

} // namespace

TEST_CASE("a runtime that its caller drives does nothing by itself, and each step is one piece of work") {
  persistence::memory_journal journal;
  tower t(journal);
  t.do_all();
  t.pull("a");
  CHECK(t.answers.empty());
  size_t steps = 0;
  while (t.answers.empty() && t.rt->work_ready() > 0) {
    CHECK(events_of(journal, "a") <= 1);
    CHECK(t.ringing.empty());
    t.rt->do_work(0);
    ++steps;
  }
  CHECK(steps > 4); // shard, agent, entity's recovery, append, commit, acknowledgement
  REQUIRE(t.answers.size() == 1);
  CHECK(t.answers[0].has_value());
  CHECK(events_of(journal, "a") == 1);
}

TEST_CASE("a caller that drives sees an effect between its event's commit and its outcome") {
  persistence::memory_journal journal;
  tower t(journal);
  t.pull("a");
  t.do_all();
  REQUIRE(t.ringing.size() == 1);
  CHECK(events_of(journal, "a") == 1);
  t.ringing[0](bell::command(bell::rung{}));
  t.do_all();
  CHECK(events_of(journal, "a") == 2);
}

TEST_CASE("with a caller that drives, time is the given clock's: retries, deadlines and pauses") {
  persistence::memory_journal journal;
  tower t(journal);
  t.pull("a");
  t.do_all();
  t.ringing.at(0)(bell::command(bell::rung{false}));
  t.do_all();
  CHECK(t.ringing.size() == 1);
  t.pass(milliseconds(1000)); // the first delay is 500 ms, with a quarter of jitter
  CHECK(t.ringing.size() == 2);
  t.pull("b");
  bool paused = true;
  t.rt->after(milliseconds(6000), [&] { paused = false; });
  t.clock.at += milliseconds(5000);
  t.rt->look_at_clock();
  REQUIRE(t.answers.size() == 2);
  CHECK(t.answers[1].error().code == ask_errc::timed_out);
  CHECK(paused);
  t.pass(milliseconds(1000));
  CHECK_FALSE(paused);
}

TEST_CASE("with a caller that drives, an entity that slept is woken when it is due") {
  persistence::memory_journal journal;
  tower t(journal);
  t.pull("a");
  t.do_all();
  t.ringing.at(0)(bell::command(bell::rung{}));
  t.do_all();
  for (int i = 0; i < 20 && t.rt->counters().entities_live > 0; ++i)
    t.pass(std::chrono::minutes(1));
  CHECK(t.rt->counters().entities_live == 0);
  for (int i = 0; i < 70; ++i)
    t.pass(std::chrono::minutes(1));
  CHECK(journal.read_row({tenant("alice"), bell::kind, "a"})->value().status == "SILENT");
}

TEST_CASE("the same choices make the same history, and others another") {
  const auto play = [](uint64_t pick) {
    persistence::memory_journal journal;
    tower t(journal);
    for (const auto* id : {"a", "b", "c", "d"})
      t.pull(id);
    while (const auto ready = t.rt->work_ready()) {
      pick = pick * 6364136223846793005u + 1442695040888963407u;
      t.rt->do_work((pick >> 33) % ready);
    }
    const auto events = journal.read_shard(t.rt->shard_for(tenant("alice")), 0, 100);
    std::string order;
    for (const auto& e : *events)
      order += e.key.id;
    return order;
  };
  std::set<std::string> orders;
  for (uint64_t pick = 0; pick < 20; ++pick) {
    orders.insert(play(pick));
    CHECK(play(pick) == play(pick));
  }
  CHECK(orders.size() > 1);
}

TEST_CASE("a runtime that its caller drives stops with commands and effects under way, and gives its shards up") {
  persistence::memory_journal journal;
  {
    tower t(journal);
    t.pull("a");
    t.do_all();
    t.pull("b");
    t.rt->stop(milliseconds(0));
    CHECK(t.answers.size() == 2);
    CHECK(t.ringing.size() == 2);
    t.ringing[0](bell::command(bell::rung{}));
  }
  tower next(journal);
  next.do_all();
  CHECK(next.ringing.size() == 2); // what was owed
}

TEST_CASE("a pool without threads runs a job when it is told to, and the rest when it is closed") {
  reader_pool pool(0, 10);
  int done = 0;
  CHECK_FALSE(pool.run_one());
  for (int i = 0; i < 3; ++i)
    CHECK(pool.post(tenant("alice"), [&] { ++done; }));
  CHECK(done == 0);
  CHECK(pool.run_one());
  CHECK(done == 1);
  pool.close();
  CHECK(done == 3);
  CHECK_FALSE(pool.post([&] { ++done; }));
}

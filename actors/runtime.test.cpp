#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <variant>

#include "actors/runtime.hpp"
#include "persistence/memory/journal.hpp"

namespace {

using namespace fondaco;
using namespace fondaco::actors;

// A counter that owes the world one notice for every tenth count: the smallest decider that uses the whole shell.
struct counter {
  static constexpr const char* kind = "counter";
  /// What this node can read of the journal.
  static inline std::atomic<uint16_t> newest_version{1};
  struct add {
    int by = 1;
  };
  struct early {};
  struct poison {};
  struct broken {};
  struct noticed {
    int at = 0;
    bool ok = true;
  };
  using command = std::variant<add, early, poison, broken, noticed>;
  struct added {
    int by = 0;
  };
  struct told {
    int at = 0;
  };
  using event = std::variant<added, told>;
  struct state {
    int sum = 0;
    int told_at = 0;
  };
  struct notice {
    int at = 0;
  };
  using effect = owed_effect<notice>;
  using reply = int;

  static std::expected<decision<counter>, refusal> decide(const state& s, const command& c, timepoint) {
    decision<counter> d;
    d.reply = s.sum;
    if (auto* a = std::get_if<add>(&c)) {
      if (a->by <= 0)
        return std::unexpected(refusal{{"not_positive", "by must be positive", cure::fix_input}, false});
      d.events.push_back(added{a->by});
      d.reply = s.sum + a->by;
      return d;
    }
    if (auto* n = std::get_if<noticed>(&c)) {
      if (n->ok && n->at == s.sum / 10)
        d.events.push_back(told{n->at});
      return d;
    }
    if (std::holds_alternative<early>(c)) {
      if (s.told_at < s.sum / 10)
        return std::unexpected(refusal{{"early", "a notice is under way", cure::retry}, true});
      return d;
    }
    if (std::holds_alternative<poison>(c))
      throw std::runtime_error("poison");
    throw broken_invariant("broken on purpose");
  }
  static state evolve(state s, const event& e) {
    if (auto* a = std::get_if<added>(&e))
      s.sum += a->by;
    else
      s.told_at = std::get<told>(e).at;
    return s;
  }
  static std::vector<effect> owed(const state& s) {
    if (s.told_at >= s.sum / 10)
      return {};
    return {{"notice-" + std::to_string(s.sum / 10), timepoint{}, notice{s.sum / 10}}};
  }
  static std::optional<timepoint> wake_at(const state& s) {
    return owed(s).empty() ? std::nullopt : std::optional(timepoint{});
  }
  static persistence::event_record encode(const event& e) {
    if (auto* a = std::get_if<added>(&e))
      return {"counter.added", 1, 'j', std::to_string(a->by), ""};
    return {"counter.told", 1, 'j', std::to_string(std::get<told>(e).at), ""};
  }
  static std::optional<event> decode(const persistence::event_record& r) {
    if (r.version > newest_version.load())
      return std::nullopt;
    int n = std::stoi(r.payload);
    return r.type == "counter.added" ? event(added{n}) : event(told{n});
  }
  static std::string status(const state& s) { return s.told_at < s.sum / 10 ? "OWING" : "QUIET"; }
  static std::string view(const state& s) { return "{\"sum\":" + std::to_string(s.sum) + "}"; }
};

// Effects that the test answers by hand.
class hand {
public:
  void take(effect_run run, std::function<void(std::any)> done) {
    std::scoped_lock lock(mutex_);
    runs_.emplace_back(std::any_cast<counter::notice>(run.body).at, run.maybe_sent, std::move(done));
    changed_.notify_all();
  }
  struct open_run {
    int at;
    bool maybe_sent;
    std::function<void(std::any)> done;
  };
  open_run next() {
    std::unique_lock lock(mutex_);
    REQUIRE_MESSAGE(changed_.wait_for(lock, std::chrono::seconds(10), [&] { return !runs_.empty(); }),
                    "no effect was run within 10 s");
    auto [at, maybe_sent, done] = std::move(runs_.front());
    runs_.pop_front();
    return {at, maybe_sent, std::move(done)};
  }
  bool empty() {
    std::scoped_lock lock(mutex_);
    return runs_.empty();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::tuple<int, bool, std::function<void(std::any)>>> runs_;
};

struct answer_box {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<ask_result> result;
  std::function<void(ask_result)> taker() {
    return [this](ask_result r) {
      std::scoped_lock lock(mutex);
      result.emplace(std::move(r));
      changed.notify_all();
    };
  }
  ask_result wait() {
    std::unique_lock lock(mutex);
    REQUIRE_MESSAGE(changed.wait_for(lock, std::chrono::seconds(10), [&] { return result.has_value(); }),
                    "the command was not answered within 10 s");
    return std::move(*result);
  }
};

// The wall clock as an operator may set it: real time goes on from there.
class stepped_clock : public clock {
public:
  timepoint now() const override { return real_.now() + milliseconds(offset_ms_.load()); }
  void step(milliseconds by) { offset_ms_.fetch_add(by.count()); }

private:
  system_clock real_;
  std::atomic<int64_t> offset_ms_{0};
};

struct house {
  explicit house(persistence::journal& j, runtime_limits limits = {}) {
    entity_kind k;
    k.name = counter::kind;
    k.make = [](const persistence::entity_key& key) { return std::make_unique<typed_state<counter>>(key); };
    k.run_effect = [this](effect_run r, std::function<void(std::any)> d) { effects.take(std::move(r), std::move(d)); };
    k.is_transient = [](const std::any& c) {
      auto* n = std::get_if<counter::noticed>(std::any_cast<counter::command>(&c));
      return n && !n->ok;
    };
    k.cause_of = [](const std::any&) { return "nobody was at home"; };
    rt = std::make_unique<runtime>(runtime::parts{j, time, chance, "default", "node-1", 4, 2, limits},
                                   std::vector{std::move(k)});
    auto started = rt->start();
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().detail));
  }
  ~house() { rt->stop(milliseconds(200)); }
  persistence::entity_key key(std::string id) const { return {tenant("alice"), "counter", std::move(id)}; }
  ask_result ask(std::string id, counter::command c) {
    answer_box box;
    rt->ask(key(std::move(id)), rt->shard_for(tenant("alice")), std::any(std::move(c)), milliseconds(8000),
            box.taker());
    return box.wait();
  }
  /// Forgets the tenant's counters, or one of them, and waits until they are gone.
  void forget(std::optional<std::string> id = std::nullopt) {
    answer_box box;
    auto done = [taker = box.taker()] { taker(std::any()); };
    if (id)
      rt->forget(key(*id), done);
    else
      rt->forget(tenant("alice"), {"counter"}, done);
    CHECK(box.wait().has_value());
  }
  int value(std::string id, counter::command c) {
    auto r = ask(std::move(id), std::move(c));
    REQUIRE_MESSAGE(r.has_value(), (r ? "" : r.error().why.detail));
    return std::any_cast<int>(*r);
  }
  stepped_clock time;
  system_random chance;
  hand effects;
  std::unique_ptr<runtime> rt;
};

runtime_limits quick() {
  runtime_limits l;
  l.retry_first_ms = milliseconds(1);
  l.retry_cap_ms = milliseconds(5);
  l.sweep_every_ms = milliseconds(20);
  return l;
}

} // namespace

TEST_CASE("an entity answers only after its events are durable") {
  persistence::memory_journal journal;
  house h(journal);
  CHECK(h.value("a", counter::add{3}) == 3);
  auto events = journal.read_events(h.key("a"), 0, 10);
  REQUIRE(events.has_value());
  REQUIRE(events->size() == 1);
  CHECK(events->front().event.type == "counter.added");
  CHECK(h.value("a", counter::add{4}) == 7);
}

TEST_CASE("a refused command changes nothing") {
  persistence::memory_journal journal;
  house h(journal);
  auto r = h.ask("a", counter::add{-1});
  REQUIRE(!r.has_value());
  CHECK(r.error().code == ask_errc::refused);
  CHECK(r.error().why.code == "not_positive");
  CHECK(journal.read_events(h.key("a"), 0, 10)->empty());
}

TEST_CASE("a poison command is answered with an error and the entity lives on") {
  persistence::memory_journal journal;
  house h(journal);
  CHECK(h.value("a", counter::add{1}) == 1);
  CHECK(h.ask("a", counter::poison{}).error().why.code == "poison");
  CHECK(h.value("a", counter::add{1}) == 2);
}

TEST_CASE("a broken invariant stops its entity, not its neighbour, and the entity comes back from the journal") {
  persistence::memory_journal journal;
  house h(journal, quick());
  CHECK(h.value("a", counter::add{5}) == 5);
  CHECK(h.value("b", counter::add{2}) == 2);
  CHECK(h.ask("a", counter::broken{}).error().code == ask_errc::unavailable);
  CHECK(h.value("b", counter::add{1}) == 3);
  // What reaches it before its parent knows of its end is told to ask again.
  auto back = h.ask("a", counter::add{1});
  for (int i = 0; i < 1000 && !back; ++i)
    back = h.ask("a", counter::add{1});
  REQUIRE(back.has_value());
  CHECK(std::any_cast<int>(*back) == 6);
}

TEST_CASE("an effect runs after the acknowledgement and again after a failure, with the same key") {
  persistence::memory_journal journal;
  house h(journal, quick());
  CHECK(h.value("a", counter::add{10}) == 10);
  auto first = h.effects.next();
  CHECK(first.at == 1);
  CHECK_FALSE(first.maybe_sent);
  CHECK(journal.read_events(h.key("a"), 0, 10)->size() == 1);
  first.done(counter::command(counter::noticed{1, false}));
  auto second = h.effects.next();
  CHECK(second.maybe_sent);
  second.done(counter::command(counter::noticed{1, true}));
  CHECK(h.value("a", counter::add{1}) == 11);
  CHECK(h.effects.empty());
}

TEST_CASE("a command that comes early is held until the exchange that is in flight is over") {
  persistence::memory_journal journal;
  house h(journal, quick());
  h.value("a", counter::add{10});
  auto open = h.effects.next();
  answer_box box;
  h.rt->ask(h.key("a"), h.rt->shard_for(tenant("alice")), std::any(counter::command(counter::early{})),
            milliseconds(8000), box.taker());
  {
    std::scoped_lock lock(box.mutex);
    CHECK_FALSE(box.result.has_value());
  }
  open.done(counter::command(counter::noticed{1, true}));
  CHECK(box.wait().has_value());
}

TEST_CASE("what is owed when a process ends is run by the next one, marked as maybe sent") {
  persistence::memory_journal journal;
  {
    house h(journal, quick());
    h.value("a", counter::add{10});
    h.effects.next();
  }
  house again(journal, quick());
  auto run = again.effects.next();
  CHECK(run.at == 1);
  CHECK(run.maybe_sent);
  run.done(counter::command(counter::noticed{1, true}));
  CHECK(again.value("a", counter::add{1}) == 11);
}

TEST_CASE("an idle entity leaves memory and comes back with its state") {
  persistence::memory_journal journal;
  auto limits = quick();
  limits.passivate_after_ms = milliseconds(1);
  house h(journal, limits);
  h.value("a", counter::add{4});
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (h.rt->counters().passivations == 0 && std::chrono::steady_clock::now() < until)
    h.value("other", counter::add{1});
  CHECK(h.rt->counters().passivations > 0);
  CHECK(h.value("a", counter::add{1}) == 5);
}

TEST_CASE("an agent leaves memory with the last of its entities, and comes back with the next command") {
  persistence::memory_journal journal;
  auto limits = quick();
  limits.passivate_after_ms = milliseconds(1);
  house h(journal, limits);
  const auto has_agent = [&] {
    const auto all = h.rt->tree();
    return std::any_of(all.begin(), all.end(), [](const auto& a) { return a.path.ends_with("/alice"); });
  };
  for (int round = 1; round <= 3; ++round) {
    CHECK(h.value("a", counter::add{1}) == round);
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (has_agent() && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    INFO("round " << round << ", entities in memory: " << h.rt->counters().entities_live);
    CHECK_FALSE(has_agent());
  }
}

TEST_CASE("commands of one entity take effect in the order of their arrival") {
  persistence::memory_journal journal;
  house h(journal);
  std::deque<answer_box> boxes(50);
  for (auto& b : boxes)
    h.rt->ask(h.key("a"), h.rt->shard_for(tenant("alice")), std::any(counter::command(counter::add{1})),
              milliseconds(8000), b.taker());
  int expected = 0;
  for (auto& b : boxes)
    CHECK(std::any_cast<int>(*b.wait()) == ++expected);
}

TEST_CASE("a flood of one tenant ends at its own door") {
  persistence::memory_journal journal;
  auto limits = quick();
  limits.tenant_commands_max = 8;
  house h(journal, limits);
  std::deque<answer_box> boxes(200);
  for (auto& b : boxes)
    h.rt->ask(h.key("a"), h.rt->shard_for(tenant("alice")), std::any(counter::command(counter::add{1})),
              milliseconds(8000), b.taker());
  size_t refused = 0;
  for (auto& b : boxes) {
    auto r = b.wait();
    if (!r) {
      CHECK(r.error().code == ask_errc::overloaded);
      ++refused;
    }
  }
  CHECK(h.rt->counters().overloaded == refused);
  CHECK(h.value("b", counter::add{1}) == 1);
}

TEST_CASE("a fenced owner answers that it is not the owner and acts no more") {
  persistence::memory_journal journal;
  house h(journal, quick());
  CHECK(h.value("a", counter::add{1}) == 1);
  auto shard = h.rt->shard_for(tenant("alice"));
  REQUIRE(journal.release_shards("default", "node-1").has_value());
  persistence::memory_journal& other = journal;
  std::vector<shard_number> wanted{shard};
  REQUIRE(other.take_shards("default", "node-2", wanted, milliseconds(60'000))->size() == 1);
  CHECK(h.ask("a", counter::add{1}).error().code == ask_errc::not_owner);
  // What reaches it before its parent knows of its end is told to ask again.
  auto again = h.ask("a", counter::add{1});
  for (int i = 0; i < 1000 && !again && again.error().code == ask_errc::unavailable; ++i)
    again = h.ask("a", counter::add{1});
  CHECK(again.error().code == ask_errc::not_owner);
  CHECK(journal.read_events(h.key("a"), 0, 10)->size() == 1);
  CHECK_FALSE(h.rt->ready());
}

TEST_CASE("a forgotten tenant's entities leave memory with what they had under way and do not come back") {
  persistence::memory_journal journal;
  house h(journal, quick());
  h.value("a", counter::add{10});
  h.value("b", counter::add{1});
  auto open = h.effects.next();
  h.forget();
  CHECK(h.rt->entities(10).empty());
  CHECK(h.ask("a", counter::add{1}).error().why.code == "not_found");
  open.done(counter::command(counter::noticed{1, true}));
  CHECK(h.ask("a", counter::add{1}).error().code == ask_errc::refused);
  CHECK(journal.read_events(h.key("a"), 0, 10)->size() == 1);
  // Again, and for what nobody has: no error.
  h.forget();
  h.forget("unborn");
  CHECK(h.rt->counters().dead_letters == 0);
}

TEST_CASE("nothing is appended for a forgotten entity once the caller was told") {
  persistence::memory_journal journal;
  house h(journal);
  std::deque<answer_box> boxes(200);
  for (size_t i = 0; i < boxes.size(); ++i)
    h.rt->ask(h.key("e" + std::to_string(i % 20)), h.rt->shard_for(tenant("alice")),
              std::any(counter::command(counter::add{1})), milliseconds(8000), boxes[i].taker());
  h.forget();
  auto shard = h.rt->shard_for(tenant("alice"));
  auto durable = journal.read_shard(shard, 0, 1000)->size();
  size_t acknowledged = 0;
  for (auto& b : boxes)
    acknowledged += b.wait().has_value();
  CHECK(acknowledged == durable);
  CHECK(journal.read_shard(shard, 0, 1000)->size() == durable);
}

TEST_CASE("one entity is forgotten and its neighbours go on") {
  persistence::memory_journal journal;
  house h(journal);
  h.value("a", counter::add{1});
  h.value("b", counter::add{1});
  h.forget("a");
  CHECK(h.ask("a", counter::add{1}).error().why.code == "not_found");
  CHECK(h.value("b", counter::add{1}) == 2);
  house next(journal); // as after a restart: only the erasure of its rows ends an entity for good
  CHECK(next.value("a", counter::add{1}) == 2);
}

TEST_CASE("marks whose time is over are forgotten, and only those") {
  persistence::memory_journal journal;
  auto limits = quick();
  limits.sweep_every_ms = limits.seen_sweep_every_ms = milliseconds(1);
  limits.seen_rows_per_sweep_max = 7;
  house h(journal, limits);
  auto now = h.time.now();
  for (int i = 0; i < 40; ++i) {
    persistence::seen_mark mark{"jti:" + std::to_string(i), i % 2 == 0 ? now : now + std::chrono::hours(1)};
    REQUIRE(journal.claim_seen(tenant("alice"), std::span(&mark, 1), now - milliseconds(1)).value());
  }
  auto left = [&] {
    int n = 0;
    for (int i = 0; i < 40; ++i)
      n += journal.was_seen(tenant("alice"), "jti:" + std::to_string(i)).value();
    return n;
  };
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (left() > 20 && std::chrono::steady_clock::now() < until)
    h.value("a", counter::add{1});
  CHECK(left() == 20);
}

TEST_CASE("a clock that is set back a day delays neither what is owed nor what has a deadline") {
  persistence::memory_journal journal;
  auto limits = quick();
  limits.retry_first_ms = limits.retry_cap_ms = milliseconds(200);
  house h(journal, limits);
  h.value("a", counter::add{10});
  auto first = h.effects.next();
  answer_box held;
  h.rt->ask(h.key("a"), h.rt->shard_for(tenant("alice")), std::any(counter::command(counter::early{})),
            milliseconds(300), held.taker());
  h.time.step(-std::chrono::hours(24));
  CHECK(held.wait().error().why.code == "timed_out");
  first.done(counter::command(counter::noticed{1, false}));
  auto second = h.effects.next();
  h.time.step(-std::chrono::hours(24));
  second.done(counter::command(counter::noticed{1, false}));
  h.time.step(-std::chrono::hours(24));
  h.effects.next().done(counter::command(counter::noticed{1, true}));
  CHECK(h.value("a", counter::add{1}) == 11);
}

TEST_CASE("a clock that is set forward a day runs what is owed once, and the node keeps its shards") {
  persistence::memory_journal journal;
  house h(journal, quick());
  h.value("a", counter::add{10});
  h.effects.next().done(counter::command(counter::noticed{1, false}));
  h.time.step(std::chrono::hours(24));
  auto again = h.effects.next();
  CHECK(h.effects.empty());
  again.done(counter::command(counter::noticed{1, true}));
  CHECK(h.value("a", counter::add{1}) == 11);
  CHECK(h.effects.empty());
  CHECK(h.rt->ready());
}

TEST_CASE("a peer that is down for a day is asked at the longest delay, and what is owed is done once it is back") {
  persistence::memory_journal journal;
  runtime_limits limits;
  limits.sweep_every_ms = milliseconds(20);
  limits.retry_cap_ms = std::chrono::minutes(20);
  house h(journal, limits);
  h.value("a", counter::add{10});
  uint64_t tries = 0;
  const auto longest = limits.retry_cap_ms * 5 / 4; // with its jitter
  for (milliseconds down{0}; down < std::chrono::hours(24); down += longest) {
    h.effects.next().done(counter::command(counter::noticed{1, false}));
    CHECK(h.ask("a", counter::add{-1}).error().code == ask_errc::refused); // it has taken note of the failure
    CHECK(h.rt->counters().effects == ++tries);
    h.time.step(longest);
  }
  h.effects.next().done(counter::command(counter::noticed{1, true}));
  CHECK(h.value("a", counter::add{1}) == 11);
  CHECK(h.effects.empty());
}

TEST_CASE("what fails is listed with its tries and its last error, is tried again at once if asked, and is done then") {
  persistence::memory_journal journal;
  auto slow = quick();
  slow.retry_first_ms = slow.retry_cap_ms = milliseconds(3'600'000);
  house h(journal, slow);
  CHECK(h.value("a", counter::add{10}) == 10);
  h.effects.next().done(std::any(counter::command(counter::noticed{1, false})));
  auto letters = [&](size_t count) {
    auto found = h.rt->dead_letters(10);
    for (int i = 0; i < 1000 && found.size() != count; ++i) {
      (void)h.value("a", counter::noticed{0, false}); // each answer comes after what reached the entity before it
      found = h.rt->dead_letters(10);
    }
    return found;
  };
  auto found = letters(1);
  REQUIRE(found.size() == 1);
  CHECK(found[0].key == h.key("a"));
  CHECK(found[0].effect.starts_with("notice-"));
  CHECK(found[0].attempts == 1);
  CHECK(found[0].error == "nobody was at home");
  CHECK(found[0].next_try > h.time.now());
  h.rt->redrive(h.key("a"), h.rt->shard_for(tenant("alice")));
  auto again = h.effects.next();
  CHECK(again.maybe_sent);
  again.done(std::any(counter::command(counter::noticed{again.at, true})));
  CHECK(letters(0).empty());
}

TEST_CASE("an entity that was put aside is a dead letter, and starts again when an operator has it tried again") {
  persistence::memory_journal journal;
  house h(journal, quick());
  const auto shard = h.rt->shard_for(tenant("alice"));
  CHECK(h.value("a", counter::add{5}) == 5);
  const persistence::event_record event{"counter.added", 2, 'j', "7", ""};
  persistence::entity_append newer{h.key("b"), shard, 1, 0, {event}, "QUIET", "{}", {}, {}, {}, {}, h.time.now()};
  REQUIRE(journal.append(std::span(&newer, 1)).front().has_value());
  auto code = ask_errc::unavailable;
  for (int i = 0; i < 5000 && code != ask_errc::quarantined; ++i)
    if (auto r = h.ask("b", counter::add{1}); !r)
      code = r.error().code;
  REQUIRE(code == ask_errc::quarantined);
  const auto put_aside = h.rt->dead_letters(10);
  REQUIRE(put_aside.size() == 1);
  CHECK(put_aside[0].effect.empty());
  CHECK(put_aside[0].attempts >= 5);
  CHECK(!put_aside[0].next_try);
  counter::newest_version = 2; // the program that can read it is installed
  h.rt->redrive(h.key("b"), shard);
  auto back = h.ask("b", counter::add{1});
  for (int i = 0; i < 1000 && !back; ++i)
    back = h.ask("b", counter::add{1});
  counter::newest_version = 1;
  REQUIRE(back.has_value());
  CHECK(std::any_cast<int>(*back) == 8);
  CHECK(h.rt->dead_letters(10).empty());
}

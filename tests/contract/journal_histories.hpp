#pragma once

#include <cstdio>
#include <cstdlib>
#include <random>

#include "persistence/faulty/journal.hpp"
#include "tests/contract/journal_model.hpp"

// Random histories: two nodes that append, take each other's shards over, crash, and meet faults, beside a plain model.
// FONDACO_HISTORIES says how many (else the suite's own number), FONDACO_SEED with which seed; a failure names both.

namespace fondaco::contract {

/// A number of the environment, or another one.
inline size_t number_from(const char* variable, size_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// One history over a store: each step is told to the journal and to the model, and both have to say the same.
template <class Store> class journal_history {
public:
  journal_history(Store& store, uint64_t seed, size_t number)
      : store_(store), random_(seed * 1'000'003 + number), label_("h" + std::to_string(number)),
        first_shard_(static_cast<shard_number>(1 + 2 * (number % 16'000))) {
    for (const char* name : {"a", "b"})
      nodes_.push_back({label_ + name, nullptr, nullptr, {}});
    for (auto& n : nodes_)
      start(n);
  }

  void run(size_t steps) {
    for (step_ = 0; step_ < steps; ++step_) {
      CAPTURE(step_);
      one_step();
    }
    compare();
  }

private:
  struct node {
    std::string name;
    std::unique_ptr<journal> real;
    std::unique_ptr<faulty_journal> through;
    /// The epochs in which it believes to own its shards.
    std::map<shard_number, int64_t> epochs;
  };

  size_t roll(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random_); }
  bool chance(size_t percent) { return roll(100) < percent; }
  shard_number any_shard() { return static_cast<shard_number>(first_shard_ + roll(2)); }
  std::string any_tenant() { return label_ + "-tenant-" + std::to_string(roll(2)); }
  timepoint any_time() { return t0 + milliseconds(roll(10)); }
  std::string any_mark() { return "mark-" + std::to_string(roll(12)); }

  // An entity lives in one shard for ever.
  entity_key any_key(shard_number shard) {
    return {tenant(any_tenant()), "negotiation", std::to_string(shard - first_shard_) + "-" + std::to_string(roll(3))};
  }
  shard_number shard_of(const entity_key& key) const {
    return static_cast<shard_number>(first_shard_ + (key.id.front() - '0'));
  }

  void start(node& n) {
    n.through.reset();
    n.real = store_.open();
    n.through = std::make_unique<faulty_journal>(*n.real);
    n.epochs.clear();
  }

  void one_step() {
    auto& n = nodes_[roll(2)];
    const auto what = roll(100);
    if (what < 55)
      append(n);
    else if (what < 65)
      take(n);
    else if (what < 72)
      snapshot_of(n);
    else if (what < 79)
      move_wake(n);
    else if (what < 86)
      claim(n);
    else if (what < 90)
      checkpoint(n);
    else if (what < 94)
      start(n); // a crash: the process begins anew and owns nothing
    else
      forget(n);
  }

  entity_append any_append(const node& n, std::set<entity_key>& used) {
    const auto shard = any_shard();
    const auto key = any_key(shard);
    const auto believed = n.epochs.find(shard);
    entity_append a{.key = key, .shard = shard, .epoch = believed == n.epochs.end() ? 0 : believed->second};
    a.expected_seq = chance(90) ? model_.seq_of(key) : static_cast<int64_t>(roll(6));
    for (size_t i = 0, count = 1 + roll(3); i < count; ++i)
      a.events.push_back(event("negotiation.changed", label_ + "-" + std::to_string(++written_)));
    a.status = "status-" + std::to_string(roll(3));
    a.view = R"({"n":)" + std::to_string(written_) + "}";
    if (chance(50))
      a.wake = any_time();
    if (chance(30))
      a.seen.push_back({any_mark(), any_time()});
    if (chance(20))
      a.names.push_back({"client_id", label_ + "-name-" + std::to_string(roll(3))});
    if (chance(30))
      a.documents.push_back({"asset", "x" + std::to_string(roll(2)),
                             chance(75) ? std::optional(R"({"n":)" + std::to_string(written_) + "}") : std::nullopt});
    a.at = t0 + milliseconds(written_);
    used.insert(key);
    return a;
  }

  void append(node& n) {
    std::set<entity_key> used;
    std::vector<entity_append> batch;
    for (size_t i = 0, count = 1 + roll(4); i < count; ++i) {
      const auto before = used.size();
      auto a = any_append(n, used);
      // What became of a lost part is read off its entity: so each has its own.
      if (used.size() > before)
        batch.push_back(std::move(a));
    }
    faults plan;
    const bool faulty = chance(25);
    for (size_t i = 1; faulty && i <= batch.size(); ++i)
      if (chance(50)) {
        static constexpr journal_fault kinds[] = {journal_fault::refused, journal_fault::unavailable,
                                                  journal_fault::lost, journal_fault::done_but_reported_lost};
        plan.on(journal_op::append, nth(i), kinds[roll(4)]);
      }
    n.through->set(plan);
    const auto results = n.through->append(batch);
    n.through->set({});
    REQUIRE(results.size() == batch.size());
    for (size_t i = 0; i < batch.size(); ++i) {
      CAPTURE(i);
      judge(n, batch[i], results[i], faulty);
    }
  }

  void judge(node& n, const entity_append& a, const append_result& r, bool faulty) {
    const auto why = model_.refusals(a);
    CAPTURE(word(r));
    CAPTURE(why.size());
    bool durable = r.has_value();
    if (!r && r.error() == journal_errc::outcome_unknown) {
      // As an owner does: it replays before it acts.
      REQUIRE(faulty);
      const auto row = n.real->read_row(a.key);
      REQUIRE(row.has_value());
      durable = *row && (*row)->seq == a.expected_seq + static_cast<int64_t>(a.events.size()) && why.empty();
    }
    if (durable) {
      REQUIRE(why.empty());
      const auto wanted = model_.apply(a);
      if (r) {
        REQUIRE(r->seq == wanted.seq);
        REQUIRE(r->position == wanted.position);
      }
    } else if (!faulty) {
      REQUIRE_FALSE(r.has_value());
      REQUIRE(why.contains(r.error()));
    }
  }

  void take(node& n) {
    auto& other = nodes_[&n == &nodes_[0] ? 1 : 0];
    if (chance(70)) {
      REQUIRE(other.real->release_shards("default", other.name).has_value());
      for (const auto& [shard, epoch] : other.epochs)
        if (holders_.contains(shard) && holders_[shard] == &other && model_.epochs[shard] == epoch)
          holders_.erase(shard);
      other.epochs.clear();
    }
    const std::vector<shard_number> wanted{first_shard_, static_cast<shard_number>(first_shard_ + 1)};
    const auto taken = n.real->take_shards("default", n.name, wanted, std::chrono::hours(1));
    REQUIRE(taken.has_value());
    for (const auto shard : wanted) {
      const auto holder = holders_.find(shard);
      const bool others = holder != holders_.end() && holder->second != &n;
      const auto got = std::ranges::find(*taken, shard, &lease::shard);
      // A living lease of the other node keeps this one out.
      REQUIRE((got == taken->end()) == others);
      if (others)
        continue;
      const auto known = n.epochs.find(shard);
      const bool kept = known != n.epochs.end() && known->second == model_.epochs[shard] && holder != holders_.end();
      if (!kept)
        ++model_.epochs[shard];
      REQUIRE(got->epoch == model_.epochs[shard]);
      n.epochs[shard] = got->epoch;
      holders_[shard] = &n;
    }
  }

  void snapshot_of(node& n) {
    const auto key = any_key(any_shard());
    snapshot s{key, static_cast<int64_t>(roll(8)), 1, "state-" + std::to_string(roll(1000))};
    REQUIRE(n.real->save_snapshot(s).has_value());
    const auto known = model_.entities.find(key);
    if (known != model_.entities.end() && (!known->second.kept || known->second.kept->seq < s.seq))
      known->second.kept = s;
  }

  void move_wake(node& n) {
    const auto key = any_key(any_shard());
    const auto shard = shard_of(key);
    const auto epoch = n.epochs.contains(shard) ? n.epochs[shard] : 0;
    const auto wake = chance(70) ? std::optional(any_time()) : std::nullopt;
    REQUIRE(n.real->move_wake(key, shard, epoch, wake).has_value());
    const auto known = model_.entities.find(key);
    if (known != model_.entities.end() && model_.epochs[shard] == epoch)
      known->second.row.wake = wake;
  }

  void claim(node& n) {
    const tenant owner(any_tenant());
    std::vector<seen_mark> marks;
    for (size_t i = 0, count = 1 + roll(2); i < count; ++i)
      marks.push_back({any_mark(), any_time()});
    const auto now = any_time();
    const auto told = n.real->claim_seen(owner, marks, now);
    REQUIRE(told.has_value());
    bool fresh = marks.size() < 2 || marks[0].id != marks[1].id;
    for (const auto& m : marks)
      if (const auto known = model_.seen.find({owner.id(), m.id}); known != model_.seen.end() && known->second > now)
        fresh = false;
    REQUIRE(*told == fresh);
    for (const auto& m : marks)
      if (fresh)
        model_.seen[{owner.id(), m.id}] = m.until;
  }

  void checkpoint(node& n) {
    const auto consumer = label_ + "-consumer";
    const auto shard = any_shard();
    const auto position = static_cast<int64_t>(roll(20));
    REQUIRE(n.real->write_checkpoint(consumer, shard, position).has_value());
    auto& kept = model_.checkpoints[{consumer, std::to_string(shard)}];
    kept = std::max(kept, position);
    REQUIRE(n.real->read_checkpoint(consumer, shard).value() == kept);
  }

  // Marks of other histories in the same store may go with them: only ours are looked at.
  void forget(node& n) {
    const auto now = any_time();
    REQUIRE(n.real->forget_seen(now, 100'000).has_value());
    std::erase_if(model_.seen, [&](const auto& m) { return m.second <= now; });
  }

  void compare_entity(journal& j, const entity_key& key) {
    CAPTURE(key.id);
    const auto known = model_.entities.find(key);
    const auto row = j.read_row(key);
    REQUIRE(row.has_value());
    REQUIRE(row->has_value() == (known != model_.entities.end()));
    REQUIRE(j.resolve_name("client_id", "nobody's").value() == std::nullopt);
    if (known == model_.entities.end())
      return;
    const auto& [wanted, events, kept] = known->second;
    CHECK((*row)->shard == wanted.shard);
    CHECK((*row)->seq == wanted.seq);
    CHECK((*row)->status == wanted.status);
    CHECK((*row)->view == wanted.view);
    CHECK((*row)->created_at == wanted.created_at);
    CHECK((*row)->updated_at == wanted.updated_at);
    CHECK((*row)->wake == wanted.wake);
    const auto read = j.read_events(key, 0, persistence::limits::read_rows_max);
    REQUIRE(read.has_value());
    compare_events(*read, events);
    const auto stored = j.load_snapshot(key);
    REQUIRE(stored.has_value());
    REQUIRE(stored->has_value() == kept.has_value());
    if (kept)
      CHECK(((*stored)->seq == kept->seq && (*stored)->payload == kept->payload));
  }

  void compare_events(const std::vector<stored_event>& got, const std::vector<stored_event>& wanted) {
    REQUIRE(got.size() == wanted.size());
    for (size_t i = 0; i < got.size(); ++i) {
      CAPTURE(i);
      CHECK(got[i].key == wanted[i].key);
      CHECK(got[i].seq == wanted[i].seq);
      CHECK(got[i].position == wanted[i].position);
      CHECK(got[i].event.type == wanted[i].event.type);
      CHECK(got[i].event.payload == wanted[i].event.payload);
      CHECK(got[i].event.cause == wanted[i].event.cause);
      CHECK(got[i].at == wanted[i].at);
      CHECK(got[i].chain == wanted[i].chain);
    }
  }

  void compare() {
    auto& j = *nodes_[0].real;
    for (size_t t = 0; t < 2; ++t)
      for (size_t shard = 0; shard < 2; ++shard)
        for (size_t i = 0; i < 3; ++i)
          compare_entity(j, {tenant(label_ + "-tenant-" + std::to_string(t)), "negotiation",
                             std::to_string(shard) + "-" + std::to_string(i)});
    for (size_t i = 0; i < 2; ++i) {
      const auto shard = static_cast<shard_number>(first_shard_ + i);
      compare_events(whole_shard(j, shard), model_.shards[shard]);
      const auto due = j.read_due(shard, t0 + milliseconds(5), persistence::limits::read_rows_max);
      REQUIRE(due.has_value());
      const auto wanted = model_.due(shard, t0 + milliseconds(5));
      REQUIRE(due->size() == wanted.size());
      for (size_t k = 0; k < wanted.size(); ++k)
        CHECK((*due)[k].wake == wanted[k].wake);
    }
    for (size_t t = 0; t < 2; ++t)
      for (size_t m = 0; m < 12; ++m) {
        const tenant owner(label_ + "-tenant-" + std::to_string(t));
        const auto id = "mark-" + std::to_string(m);
        CHECK(j.was_seen(owner, id).value() == model_.seen.contains({owner.id(), id}));
      }
    for (size_t i = 0; i < 3; ++i) {
      const auto name = label_ + "-name-" + std::to_string(i);
      const auto known = model_.names.find({"client_id", name});
      CHECK(j.resolve_name("client_id", name).value() ==
            (known == model_.names.end() ? std::nullopt : std::optional(known->second)));
    }
    for (size_t t = 0; t < 2; ++t)
      for (const char* id : {"x0", "x1"}) {
        const entity_key key{tenant(label_ + "-tenant-" + std::to_string(t)), "asset", id};
        const auto known = model_.documents.find(key);
        const auto body = store_.document(key);
        REQUIRE(body.has_value() == (known != model_.documents.end()));
        if (body)
          CHECK(without_spaces(*body) == known->second);
      }
  }

  static std::string without_spaces(std::string text) {
    std::erase(text, ' ');
    return text;
  }

  Store& store_;
  std::mt19937_64 random_;
  std::string label_;
  shard_number first_shard_;
  std::vector<node> nodes_;
  /// Who holds a living lease of a shard: a crashed node's stays its own until it is started again.
  std::map<shard_number, node*> holders_;
  journal_model model_;
  size_t written_ = 0;
  size_t step_ = 0;
};

/// Runs histories, `per_store` of them on one store after each other, with tenants, shards and names of their own.
template <class Store> void run_histories(size_t usual, size_t per_store) {
  const auto count = number_from("FONDACO_HISTORIES", usual);
  const auto seed = number_from("FONDACO_SEED", 1);
  std::printf("%zu histories, FONDACO_SEED=%zu\n", count, seed);
  std::optional<Store> store;
  for (size_t number = 0; number < count; ++number) {
    INFO("FONDACO_SEED=" << seed << ", history " << number);
    if (number % per_store == 0)
      store.emplace();
    journal_history<Store>(*store, seed, number).run(25);
  }
}

} // namespace fondaco::contract

#pragma once

#include <array>
#include <atomic>
#include <thread>

#include "tests/contract/journal_support.hpp"

// What every journal promises of claimed marks and of erasure; the stores are those of journal_contract.hpp.

namespace fondaco::contract {

/// An answer of `claim_seen` as a word.
inline std::string word(const std::expected<bool, journal_errc>& r) {
  if (!r)
    return std::string(name_of(r.error()));
  return *r ? "claimed" : "seen before";
}

/// What a claim of these ids, valid for 100 ms, gives at a moment.
inline std::string claim(journal& j, const std::string& who, const std::vector<std::string>& ids, timepoint now = t0) {
  std::vector<seen_mark> marks;
  for (const auto& id : ids)
    marks.push_back({id, now + milliseconds(100)});
  return word(j.claim_seen(tenant(who), marks, now));
}

/// An append with one of everything that hangs on an entity.
inline entity_append laden(const owner& o, const std::string& who, const std::string& kind, const std::string& id,
                           shard_number shard = 1) {
  auto a = make_append(o, who, id, 0, 2, shard);
  a.key.kind = kind;
  a.wake = t0;
  a.seen = {{"mark-" + who + kind + id, t0 + milliseconds(100)}};
  a.names = {{"edr_path", who + "/" + kind + "/" + id}};
  a.documents = {{kind, id, R"({"secret":"of )" + who + "\"}"}};
  return a;
}

/// What is left of an entity: its row, events, snapshot, name and document, a letter each.
template <class Store> std::string left_of(Store& store, journal& j, const entity_key& key) {
  std::string left;
  if (j.read_row(key).value())
    left += 'r';
  if (!j.read_events(key, 0, 10)->empty())
    left += 'e';
  if (j.load_snapshot(key).value())
    left += 's';
  if (j.resolve_name("edr_path", key.owner.id() + "/" + key.kind + "/" + key.id).value())
    left += 'n';
  if (store.document(key))
    left += 'd';
  return left;
}

TEST_CASE_TEMPLATE_DEFINE("a claimed mark is seen by every journal of the store until its time is over", Store,
                          claims) {
  Store store;
  const auto first = store.open(), second = store.open();
  CHECK(claim(*first, "t", {"jti:a:1"}) == "claimed");
  CHECK(claim(*first, "t", {"jti:a:1"}) == "seen before");
  CHECK(claim(*second, "t", {"jti:a:1"}) == "seen before");
  CHECK(second->was_seen(tenant("t"), "jti:a:1").value());
  CHECK(claim(*second, "u", {"jti:a:1"}) == "claimed");
  CHECK(claim(*store.open(), "t", {"jti:a:1"}, t0 + milliseconds(99)) == "seen before");
  CHECK(claim(*first, "t", {"jti:a:1"}, t0 + milliseconds(100)) == "claimed");
  CHECK(claim(*second, "t", {"jti:a:1"}, t0 + milliseconds(199)) == "seen before");
  CHECK(first->forget_seen(t0 + milliseconds(100), 10).value() == 1);
  CHECK(claim(*second, "t", {"jti:a:1"}, t0 + milliseconds(150)) == "seen before");
}

TEST_CASE_TEMPLATE_DEFINE("a claim of several marks takes all of them or none", Store, claims_together) {
  Store store;
  const auto j = store.open();
  CHECK(claim(*j, "t", {"b"}) == "claimed");
  CHECK(claim(*j, "t", {"a", "b", "c"}) == "seen before");
  CHECK_FALSE(j->was_seen(tenant("t"), "a").value());
  CHECK_FALSE(j->was_seen(tenant("t"), "c").value());
  CHECK(claim(*j, "t", {"a", "c", "a"}) == "seen before");
  CHECK_FALSE(j->was_seen(tenant("t"), "a").value());
  CHECK(claim(*j, "t", {"c", "a"}) == "claimed");
  CHECK(claim(*j, "t", {}) == "claimed");
  CHECK(claim(*j, "t", {"b", "d"}, t0 + milliseconds(100)) == "claimed");
}

TEST_CASE_TEMPLATE_DEFINE("a claim that no store could keep is rejected", Store, claims_bad) {
  Store store;
  const auto j = store.open();
  for (const auto& id : {std::string(), std::string("a\0b", 3), std::string("\xff"), std::string(1025, 'x')})
    CHECK(claim(*j, "t", {"good", id}) == "rejected");
  CHECK(claim(*j, "", {"good"}) == "rejected");
  CHECK(claim(*j, "t", std::vector<std::string>(persistence::limits::claim_marks_max + 1, "x")) == "rejected");
  CHECK_FALSE(j->was_seen(tenant("t"), "good").value());
}

TEST_CASE_TEMPLATE_DEFINE("an append and a claim know each other's marks", Store, claims_appends) {
  Store store;
  auto o = own(store.open(), "a", {1});
  auto a = make_append(o, "t", "n", 0);
  a.seen = {{"m", t0 + milliseconds(100)}};
  REQUIRE(word(append_one(*o.journal, a)) == "acknowledged");
  CHECK(claim(*o.journal, "t", {"m"}) == "seen before");
  CHECK(claim(*o.journal, "t", {"k"}) == "claimed");
  auto b = make_append(o, "t", "n2", 0);
  b.seen = {{"k", t0}};
  CHECK(word(append_one(*o.journal, b)) == "duplicate");
}

TEST_CASE_TEMPLATE_DEFINE("of many that claim a mark at once, on journals of their own, one gets it", Store,
                          claims_race) {
  Store store;
  std::vector<std::unique_ptr<journal>> journals;
  for (int i = 0; i < 4; ++i)
    journals.push_back(store.open());
  constexpr int rounds = 20;
  std::array<std::atomic<int>, rounds> winners{};
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < 8; ++i)
      threads.emplace_back([&, i] {
        for (int r = 0; r < rounds; ++r) {
          const auto n = std::to_string(r);
          // Half of them name the same marks in the other order.
          const auto got = i % 2 == 0 ? claim(*journals[i % 4], "t", {"a" + n, "b" + n})
                                      : claim(*journals[i % 4], "t", {"b" + n, "a" + n});
          winners[static_cast<size_t>(r)] += got == "claimed";
          failed += got != "claimed" && got != "seen before";
        }
      });
  }
  for (const auto& w : winners)
    CHECK(w == 1);
  CHECK(failed == 0);
}

TEST_CASE_TEMPLATE_DEFINE("an erasure leaves nothing of a tenant's kinds and everything else", Store, erases) {
  Store store;
  auto o = own(store.open(), "a", {1, 2});
  const std::vector batch{laden(o, "t", "negotiation", "1"), laden(o, "t", "asset", "1", 2), laden(o, "t", "vpa", "1"),
                          laden(o, "u", "negotiation", "1"), laden(o, "t", "negotiation", "2", 2)};
  for (const auto& r : o.journal->append(batch))
    REQUIRE(word(r) == "acknowledged");
  for (const auto& a : batch)
    REQUIRE(o.journal->save_snapshot({a.key, 1, 1, "{}"}).has_value());
  const std::vector<std::string> kinds{"negotiation", "asset", "never_used"};
  for (int again = 0; again < 2; ++again) {
    CHECK(o.journal->erase(tenant("t"), kinds, false).has_value());
    for (const auto& a : batch)
      CHECK(left_of(store, *o.journal, a.key) == (a.key.owner.id() == "u" || a.key.kind == "vpa" ? "resnd" : ""));
    CHECK(o.journal->read_due(1, t0, 10)->size() == 2);
    CHECK(o.journal->read_due(2, t0, 10)->empty());
    CHECK(o.journal->was_seen(tenant("t"), "mark-tnegotiation1").value());
  }
  CHECK(o.journal->erase(tenant("t"), {}, true).has_value());
  CHECK_FALSE(o.journal->was_seen(tenant("t"), "mark-tnegotiation1").value());
  CHECK_FALSE(o.journal->was_seen(tenant("t"), "mark-tvpa1").value());
  CHECK(o.journal->was_seen(tenant("u"), "mark-unegotiation1").value());
}

TEST_CASE_TEMPLATE_DEFINE("an erasure of one entity leaves its neighbours of the same kind", Store, erases_entity) {
  Store store;
  auto o = own(store.open(), "a", {1});
  const std::vector batch{laden(o, ".node", "participant_context", "t"), laden(o, ".node", "participant_context", "u")};
  for (const auto& r : o.journal->append(batch))
    REQUIRE(word(r) == "acknowledged");
  for (int again = 0; again < 2; ++again)
    CHECK(o.journal->erase_entity(batch[0].key).has_value());
  CHECK(left_of(store, *o.journal, batch[0].key).empty());
  CHECK(left_of(store, *o.journal, batch[1].key) == "rend");
  CHECK(o.journal->erase_entity({tenant("nobody"), "vpa", "x"}).has_value());
}

TEST_CASE_TEMPLATE_DEFINE("positions of what was erased stay used, and a reader goes on behind the gap", Store,
                          erases_gaps) {
  Store store;
  auto o = own(store.open(), "a", {1});
  for (const char* who : {"t", "u", "t", "u", "t"})
    REQUIRE(word(append_one(*o.journal, make_append(o, who, "n" + std::to_string(whole_shard(*o.journal, 1).size()), 0,
                                                    2))) == "acknowledged");
  REQUIRE(o.journal->erase(tenant("t"), std::vector<std::string>{"negotiation"}, true).has_value());
  std::vector<int64_t> positions;
  for (const auto& e : whole_shard(*o.journal, 1))
    positions.push_back(e.position);
  CHECK(positions == std::vector<int64_t>{3, 4, 7, 8});
  CHECK(o.journal->read_shard(1, 4, 1).value().front().position == 7);
  CHECK(o.journal->read_shard(1, 8, 10)->empty());
  const auto next = append_one(*o.journal, make_append(o, "u", "next", 0));
  REQUIRE(word(next) == "acknowledged");
  CHECK(next->position == 11);
  CHECK_FALSE(broken_link(whole_shard(*o.journal, 1)).has_value());
}

TEST_CASE_TEMPLATE_DEFINE("an id that was erased can be used again and starts from nothing", Store, erases_reuse) {
  Store store;
  auto o = own(store.open(), "a", {1});
  REQUIRE(word(append_one(*o.journal, laden(o, "t", "negotiation", "1"))) == "acknowledged");
  REQUIRE(o.journal->save_snapshot({{tenant("t"), "negotiation", "1"}, 2, 1, "{}"}).has_value());
  REQUIRE(o.journal->erase(tenant("t"), std::vector<std::string>{"negotiation"}, true).has_value());
  CHECK(word(append_one(*o.journal, make_append(o, "t", "1", 2))) == "fenced");
  auto again = laden(o, "t", "negotiation", "1");
  const auto r = append_one(*o.journal, again);
  REQUIRE(word(r) == "acknowledged");
  CHECK(r->seq == 2);
  CHECK(word(append_one(*o.journal, make_append(o, "t", "1", 2))) == "acknowledged");
  CHECK(left_of(store, *o.journal, again.key) == "rend");
  CHECK_FALSE(broken_link(whole_shard(*o.journal, 1)).has_value());
}

TEST_CASE_TEMPLATE_DEFINE("a tenant's other kinds go on after an erasure, also under another owner", Store,
                          erases_rest) {
  Store store;
  auto o = own(store.open(), "a", {1});
  REQUIRE(word(append_one(*o.journal, laden(o, "t", "vpa", "1"))) == "acknowledged");
  REQUIRE(word(append_one(*o.journal, laden(o, "t", "negotiation", "1"))) == "acknowledged");
  // Another process of the group erases.
  REQUIRE(store.open()->erase(tenant("t"), std::vector<std::string>{"negotiation"}, false).has_value());
  auto next = make_append(o, "t", "1", 2);
  next.key.kind = "vpa";
  CHECK(word(append_one(*o.journal, next)) == "acknowledged");
  REQUIRE(store.open()->erase(tenant("t"), std::vector<std::string>{"vpa"}, true).has_value());
  CHECK(whole_shard(*o.journal, 1).empty());
  CHECK(word(append_one(*o.journal, laden(o, "t", "vpa", "2"))) == "acknowledged");
  REQUIRE(o.journal->release_shards("default", "a").has_value());
  auto b = own(store.open(), "b", {1});
  CHECK(word(append_one(*b.journal, laden(b, "t", "vpa", "3"))) == "acknowledged");
  CHECK_FALSE(broken_link(whole_shard(*b.journal, 1)).has_value());
}

TEST_CASE_TEMPLATE_DEFINE("an erasure larger than its steps ends, while another tenant appends", Store, erases_much) {
  Store store;
  auto o = own(store.open(), "a", {1});
  std::vector<entity_append> batch;
  for (size_t i = 0; i < persistence::limits::erase_rows_max + 50; ++i)
    batch.push_back(laden(o, "t", "asset", std::to_string(i)));
  for (int64_t seq = 0; seq < 3 * 64; seq += 64)
    batch.push_back(make_append(o, "t", "long", seq, 64));
  for (const auto& r : o.journal->append(batch))
    REQUIRE(word(r) == "acknowledged");
  int acknowledged = 0;
  {
    std::jthread neighbour([&] {
      for (int i = 0; i < 50; ++i)
        acknowledged += append_one(*o.journal, make_append(o, "u", "n", i)).has_value();
    });
    CHECK(o.journal->erase(tenant("t"), std::vector<std::string>{"asset", "negotiation"}, true).has_value());
  }
  CHECK(acknowledged == 50);
  const auto left = whole_shard(*o.journal, 1);
  CHECK(left.size() == 50);
  CHECK_FALSE(broken_link(left).has_value());
  CHECK(o.journal->forget_seen(t0 + milliseconds(1000), 1000).value() == 0);
}

TEST_CASE_TEMPLATE_DEFINE("an erasure that names what no store keeps is rejected", Store, erases_bad) {
  Store store;
  const auto j = store.open();
  CHECK(j->erase(tenant(""), std::vector<std::string>{"asset"}, true).error() == journal_errc::rejected);
  CHECK(j->erase(tenant("t"), std::vector<std::string>{""}, true).error() == journal_errc::rejected);
  CHECK(j->erase_entity({tenant("t"), "asset", std::string("a\0b", 3)}).error() == journal_errc::rejected);
}

} // namespace fondaco::contract

/// Runs the contract of claims and erasure over these stores.
#define FONDACO_JOURNAL_ERASURE_CONTRACT(...)                                                                          \
  TEST_CASE_TEMPLATE_INVOKE(claims, __VA_ARGS__);                                                                      \
  TEST_CASE_TEMPLATE_INVOKE(claims_together, __VA_ARGS__);                                                             \
  TEST_CASE_TEMPLATE_INVOKE(claims_bad, __VA_ARGS__);                                                                  \
  TEST_CASE_TEMPLATE_INVOKE(claims_appends, __VA_ARGS__);                                                              \
  TEST_CASE_TEMPLATE_INVOKE(claims_race, __VA_ARGS__);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(erases, __VA_ARGS__);                                                                      \
  TEST_CASE_TEMPLATE_INVOKE(erases_entity, __VA_ARGS__);                                                               \
  TEST_CASE_TEMPLATE_INVOKE(erases_gaps, __VA_ARGS__);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(erases_reuse, __VA_ARGS__);                                                                \
  TEST_CASE_TEMPLATE_INVOKE(erases_rest, __VA_ARGS__);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(erases_much, __VA_ARGS__);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(erases_bad, __VA_ARGS__)

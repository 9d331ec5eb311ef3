#pragma once

#include <array>
#include <atomic>
#include <thread>

#include "tests/contract/journal_support.hpp"

// What every journal promises. A store is a set of tables: `open` gives a journal over it as another process would have
// it, `document` the body of a document.

namespace fondaco::contract {

TEST_CASE_TEMPLATE_DEFINE("an append numbers an entity's events without a gap and so does its shard", Store, appends) {
  Store store;
  auto o = own(store.open(), "a", {1, 2});
  const std::vector batch{make_append(o, "t1", "n1", 0, 2), make_append(o, "t1", "n2", 0, 1),
                          make_append(o, "t2", "n1", 0, 3, 2)};
  const auto results = o.journal->append(batch);
  REQUIRE(results.size() == 3);
  for (const auto& r : results)
    REQUIRE(word(r) == "acknowledged");
  CHECK(results[0]->seq == 2);
  CHECK(results[0]->position == 2);
  CHECK(results[1]->seq == 1);
  CHECK(results[1]->position == 3);
  CHECK(results[2]->seq == 3);
  CHECK(results[2]->position == 3);
  const auto next = append_one(*o.journal, make_append(o, "t1", "n1", 2, 2));
  REQUIRE(word(next) == "acknowledged");
  CHECK(next->seq == 4);
  CHECK(next->position == 5);
  const auto events = whole_shard(*o.journal, 1);
  REQUIRE(events.size() == 5);
  for (size_t i = 0; i < events.size(); ++i)
    CHECK(events[i].position == static_cast<int64_t>(i) + 1);
}

TEST_CASE_TEMPLATE_DEFINE("two parts of one entity in a batch follow each other", Store, follows) {
  Store store;
  auto o = own(store.open(), "a", {1});
  const std::vector batch{make_append(o, "t", "n", 0), make_append(o, "t", "n", 1), make_append(o, "t", "n", 1)};
  const auto results = o.journal->append(batch);
  CHECK(word(results[0]) == "acknowledged");
  REQUIRE(word(results[1]) == "acknowledged");
  CHECK(results[1]->seq == 2);
  CHECK(word(results[2]) == "fenced");
}

TEST_CASE_TEMPLATE_DEFINE("a stale expected sequence is refused and nothing of it is written", Store, stale) {
  Store store;
  auto o = own(store.open(), "a", {1});
  REQUIRE(word(append_one(*o.journal, make_append(o, "t", "n", 0, 2))) == "acknowledged");
  for (const int64_t expected : {0, 1, 3, 99}) {
    CAPTURE(expected);
    auto a = make_append(o, "t", "n", expected);
    a.seen = {{"m1", t0}};
    a.names = {{"client_id", "c1"}};
    a.documents = {{"asset", "x", "{}"}};
    a.wake = t0;
    CHECK(word(append_one(*o.journal, a)) == "fenced");
  }
  CHECK(word(append_one(*o.journal, make_append(o, "t", "unborn", 1))) == "fenced");
  CHECK(whole_shard(*o.journal, 1).size() == 2);
  CHECK(o.journal->read_row({tenant("t"), "negotiation", "n"}).value()->seq == 2);
  CHECK_FALSE(o.journal->read_row({tenant("t"), "negotiation", "unborn"}).value().has_value());
  CHECK_FALSE(o.journal->was_seen(tenant("t"), "m1").value());
  CHECK_FALSE(o.journal->resolve_name("client_id", "c1").value().has_value());
  CHECK_FALSE(store.document({tenant("t"), "asset", "x"}).has_value());
  CHECK(o.journal->read_due(1, t0, 10)->empty());
}

TEST_CASE_TEMPLATE_DEFINE("a bad row never fails its neighbours", Store, neighbours) {
  Store store;
  auto o = own(store.open(), "a", {1});
  REQUIRE(word(append_one(*o.journal, make_append(o, "t", "old", 0))) == "acknowledged");
  std::vector<entity_append> batch;
  for (int i = 0; i < 20; ++i)
    batch.push_back(make_append(o, "t", "n" + std::to_string(i), 0));
  batch[3] = make_append(o, "t", "old", 7);
  batch[8].status = std::string("a\0b", 3);
  batch[13].documents = {{"asset", "x", "{not json"}};
  batch[19].view = "\xff\xfe";
  const auto results = o.journal->append(batch);
  for (size_t i = 0; i < batch.size(); ++i) {
    CAPTURE(i);
    CHECK(word(results[i]) == (i == 3 ? "fenced" : i == 8 || i == 13 || i == 19 ? "rejected" : "acknowledged"));
  }
  const auto events = whole_shard(*o.journal, 1);
  CHECK(events.size() == 17);
  CHECK(events.back().position == 17);
  CHECK_FALSE(broken_link(events).has_value());
}

TEST_CASE_TEMPLATE_DEFINE("an owner is fenced once another has taken its shard over", Store, fenced) {
  Store store;
  auto old_owner = own(store.open(), "a", {1, 2});
  REQUIRE(word(append_one(*old_owner.journal, make_append(old_owner, "t", "n", 0))) == "acknowledged");
  REQUIRE(old_owner.journal->heartbeat("default", "a", milliseconds(0)).has_value());
  auto new_owner = own(store.open(), "b", {1});
  CHECK(new_owner.epoch(1) == old_owner.epoch(1) + 1);
  CHECK(word(append_one(*old_owner.journal, make_append(old_owner, "t", "n", 1))) == "fenced");
  CHECK(word(append_one(*old_owner.journal, make_append(old_owner, "t", "new", 0))) == "fenced");
  CHECK(word(append_one(*new_owner.journal, make_append(new_owner, "t", "n", 1))) == "acknowledged");
  const std::vector batch{make_append(old_owner, "t", "x", 0, 1, 2), make_append(old_owner, "t", "n", 2, 1, 1),
                          make_append(old_owner, "t", "y", 0, 1, 2), make_append(old_owner, "t", "z", 0, 1, 1)};
  const auto results = old_owner.journal->append(batch);
  CHECK(word(results[0]) == "acknowledged");
  CHECK(word(results[1]) == "fenced");
  CHECK(word(results[2]) == "acknowledged");
  CHECK(word(results[3]) == "fenced");
  CHECK(whole_shard(*new_owner.journal, 1).size() == 2);
  CHECK(whole_shard(*new_owner.journal, 2).size() == 2);
}

TEST_CASE_TEMPLATE_DEFINE("a shard that comes back to an owner goes on where the other one stopped", Store,
                          comes_back) {
  Store store;
  auto first = own(store.open(), "a", {1});
  REQUIRE(word(append_one(*first.journal, make_append(first, "t", "n", 0))) == "acknowledged");
  REQUIRE(first.journal->release_shards("default", "a").has_value());
  auto second = own(store.open(), "b", {1});
  auto a = make_append(second, "t", "n", 1);
  a.wake = t0;
  REQUIRE(word(append_one(*second.journal, a)) == "acknowledged");
  REQUIRE(second.journal->release_shards("default", "b").has_value());
  first = own(std::move(first.journal), "a", {1});
  REQUIRE(word(append_one(*first.journal, make_append(first, "t", "n", 2))) == "acknowledged");
  CHECK(first.journal->read_due(1, t0, 10)->empty());
  const auto events = whole_shard(*first.journal, 1);
  CHECK(events.size() == 3);
  CHECK_FALSE(broken_link(events).has_value());
}

TEST_CASE_TEMPLATE_DEFINE("a shard that nobody took takes no append", Store, unowned) {
  Store store;
  auto o = own(store.open(), "a", {1});
  auto a = make_append(o, "t", "n", 0, 1, 77);
  for (const int64_t epoch : {-1, 0, 1}) {
    a.epoch = epoch;
    CHECK(word(append_one(*o.journal, a)) == "fenced");
  }
  CHECK(word(append_one(*o.journal, make_append(o, "t", "n", 0))) == "acknowledged");
}

TEST_CASE_TEMPLATE_DEFINE("a message that was acted on is a duplicate, for its tenant only and until it is forgotten",
                          Store, seen) {
  Store store;
  auto o = own(store.open(), "a", {1});
  const auto with_mark = [&](const std::string& who, const std::string& id) {
    auto a = make_append(o, who, id, 0);
    a.seen = {{"urn:uuid:1", t0 + milliseconds(100)}};
    return a;
  };
  CHECK_FALSE(o.journal->was_seen(tenant("t1"), "urn:uuid:1").value());
  REQUIRE(word(append_one(*o.journal, with_mark("t1", "n1"))) == "acknowledged");
  CHECK(o.journal->was_seen(tenant("t1"), "urn:uuid:1").value());
  CHECK_FALSE(o.journal->was_seen(tenant("t2"), "urn:uuid:1").value());
  CHECK(word(append_one(*o.journal, with_mark("t1", "n2"))) == "duplicate");
  CHECK_FALSE(o.journal->read_row({tenant("t1"), "negotiation", "n2"}).value().has_value());
  const std::vector batch{with_mark("t2", "n1"), with_mark("t2", "n2"), with_mark("t3", "n1")};
  const auto results = o.journal->append(batch);
  CHECK(word(results[0]) == "acknowledged");
  CHECK(word(results[1]) == "duplicate");
  CHECK(word(results[2]) == "acknowledged");
  CHECK(o.journal->forget_seen(t0, 10).value() == 0);
  CHECK(o.journal->forget_seen(t0 + milliseconds(100), 2).value() == 2);
  CHECK(o.journal->forget_seen(t0 + milliseconds(100), 10).value() == 1);
  CHECK(word(append_one(*o.journal, with_mark("t1", "n2"))) == "acknowledged");
}

TEST_CASE_TEMPLATE_DEFINE("a public name belongs to the first that claims it and to nobody else", Store, names) {
  Store store;
  auto o = own(store.open(), "a", {1});
  const auto claim = [&](const std::string& who, const std::string& id, int64_t expected) {
    auto a = make_append(o, who, id, expected);
    a.names = {{"edr_path", "p1"}, {"edr_path", "p1"}};
    return a;
  };
  REQUIRE(word(append_one(*o.journal, claim("t1", "n1", 0))) == "acknowledged");
  CHECK(word(append_one(*o.journal, claim("t1", "n1", 1))) == "acknowledged");
  CHECK(word(append_one(*o.journal, claim("t2", "n1", 0))) == "name_taken");
  CHECK(word(append_one(*o.journal, claim("t1", "n2", 0))) == "name_taken");
  const auto found = o.journal->resolve_name("edr_path", "p1");
  REQUIRE(found.value().has_value());
  CHECK(**found == entity_key{tenant("t1"), "negotiation", "n1"});
  CHECK_FALSE(o.journal->resolve_name("client_id", "p1").value().has_value());
  CHECK(whole_shard(*o.journal, 1).size() == 2);
}

TEST_CASE_TEMPLATE_DEFINE("documents are written and removed with the events that say why", Store, documents) {
  Store store;
  auto o = own(store.open(), "a", {1});
  const entity_key key{tenant("t"), "asset", "x"};
  auto a = make_append(o, "t", "n", 0);
  a.documents = {{"asset", "x", R"({"size": 1})"}, {"asset", "y", R"({"size": 2})"}};
  REQUIRE(word(append_one(*o.journal, a)) == "acknowledged");
  CHECK(store.document(key).value_or("").find('1') != std::string::npos);
  CHECK_FALSE(store.document({tenant("other"), "asset", "x"}).has_value());
  std::vector batch{make_append(o, "t", "n", 1), make_append(o, "t", "m", 0)};
  batch[0].documents = {{"asset", "x", R"({"size": 3})"}, {"asset", "y", std::nullopt}};
  batch[1].documents = {{"asset", "x", R"({"size": 4})"}};
  for (const auto& r : o.journal->append(batch))
    REQUIRE(word(r) == "acknowledged");
  CHECK(store.document(key).value_or("").find('4') != std::string::npos);
  CHECK_FALSE(store.document({tenant("t"), "asset", "y"}).has_value());
}

TEST_CASE_TEMPLATE_DEFINE("a wake-up is set, moved and cleared by the append that says so", Store, wakes) {
  Store store;
  auto o = own(store.open(), "a", {1});
  const entity_key key{tenant("t"), "negotiation", "n"};
  const auto wake_of = [&] { return o.journal->read_row(key).value()->wake; };
  int64_t seq = 0;
  for (const std::optional<timepoint> wake : {std::optional(t0), std::optional(t0), std::optional(t0 + milliseconds(5)),
                                              std::optional<timepoint>(), std::optional(t0)}) {
    auto a = make_append(o, "t", "n", seq++);
    a.wake = wake;
    REQUIRE(word(append_one(*o.journal, a)) == "acknowledged");
    CHECK(wake_of() == wake);
  }
  REQUIRE(o.journal->move_wake(key, 1, o.epoch(1), t0 + milliseconds(9)).has_value());
  CHECK(wake_of() == t0 + milliseconds(9));
  REQUIRE(o.journal->move_wake(key, 1, o.epoch(1) - 1, t0).has_value());
  CHECK(wake_of() == t0 + milliseconds(9));
  auto a = make_append(o, "t", "n", seq++);
  a.wake = t0;
  REQUIRE(word(append_one(*o.journal, a)) == "acknowledged");
  CHECK(wake_of() == t0);
  REQUIRE(o.journal->move_wake(key, 1, o.epoch(1), std::nullopt).has_value());
  CHECK(wake_of() == std::nullopt);
  CHECK(whole_shard(*o.journal, 1).size() == 6);
}

TEST_CASE_TEMPLATE_DEFINE("what is due is read with the longest due first, and only from its shard", Store, due) {
  Store store;
  auto o = own(store.open(), "a", {1, 2});
  const auto sleeper = [&](const std::string& id, int64_t in_ms, shard_number shard) {
    auto a = make_append(o, "t", id, 0, 1, shard);
    a.wake = t0 + milliseconds(in_ms);
    return a;
  };
  const std::vector batch{sleeper("third", 30, 1), sleeper("first", 10, 1), sleeper("later", 90, 1),
                          sleeper("second", 20, 1), sleeper("elsewhere", 5, 2)};
  for (const auto& r : o.journal->append(batch))
    REQUIRE(word(r) == "acknowledged");
  const auto rows = o.journal->read_due(1, t0 + milliseconds(30), 10);
  REQUIRE(rows.value().size() == 3);
  CHECK((*rows)[0].key.id == "first");
  CHECK((*rows)[1].key.id == "second");
  CHECK((*rows)[2].key.id == "third");
  CHECK(o.journal->read_due(1, t0 + milliseconds(90), 2)->size() == 2);
  CHECK(o.journal->read_due(2, t0 + milliseconds(90), 10)->size() == 1);
}

TEST_CASE_TEMPLATE_DEFINE("a replay gives back every byte that was acknowledged", Store, replay) {
  Store store;
  auto o = own(store.open(), "a", {1});
  auto a = make_append(o, "Tenant \xc3\xa9", "urn:x:1/2 3", 0, 1);
  std::string bytes;
  for (int i = 0; i < 1024; ++i)
    bytes.push_back(static_cast<char>(i));
  a.events = {{"x.first", 1, 'j', R"({ "b":1,"a" : 1.0e0, "a":2 , "u":"\u0041\u00e9"})", "urn:uuid:c"},
              {"x.second", 32767, 'b', bytes, ""},
              {"x.third", 2, 'j', "", "c"},
              {"x.fourth", 2, 'j', std::string(persistence::limits::payload_bytes_max, 'x'), "c"}};
  REQUIRE(word(append_one(*o.journal, a)) == "acknowledged");
  const auto other = store.open();
  const auto events = other->read_events(a.key, 0, 100);
  REQUIRE(events.value().size() == a.events.size());
  for (size_t i = 0; i < a.events.size(); ++i) {
    CAPTURE(i);
    const auto& got = (*events)[i];
    CHECK(got.key == a.key);
    CHECK(got.seq == static_cast<int64_t>(i) + 1);
    CHECK(got.shard == 1);
    CHECK(got.position == static_cast<int64_t>(i) + 1);
    CHECK(got.at == a.at);
    CHECK(got.event.type == a.events[i].type);
    CHECK(got.event.version == a.events[i].version);
    CHECK(got.event.format == a.events[i].format);
    CHECK((got.event.payload == a.events[i].payload));
    CHECK(got.event.cause == a.events[i].cause);
  }
  CHECK(other->read_events(a.key, 2, 100)->size() == 2);
  CHECK(other->read_events(a.key, 0, 3)->back().seq == 3);
  CHECK(other->read_events({tenant("t"), "negotiation", "none"}, 0, 3)->empty());
}

TEST_CASE_TEMPLATE_DEFINE("an entity's row says what its last append said", Store, rows) {
  Store store;
  auto o = own(store.open(), "a", {1});
  auto a = make_append(o, "t", "n", 0);
  a.view = "";
  REQUIRE(word(append_one(*o.journal, a)) == "acknowledged");
  CHECK(o.journal->read_row(a.key).value()->view == "{}");
  a = make_append(o, "t", "n", 1, 3);
  a.status = "agreed";
  a.at = t0 + milliseconds(50);
  REQUIRE(word(append_one(*o.journal, a)) == "acknowledged");
  const auto row = o.journal->read_row(a.key);
  REQUIRE(row.value().has_value());
  CHECK((*row)->key == a.key);
  CHECK((*row)->shard == 1);
  CHECK((*row)->seq == 4);
  CHECK((*row)->status == "agreed");
  CHECK((*row)->view == a.view);
  CHECK((*row)->created_at == t0);
  CHECK((*row)->updated_at == t0 + milliseconds(50));
  CHECK_FALSE(o.journal->read_row({tenant("u"), "negotiation", "n"}).value().has_value());
}

TEST_CASE_TEMPLATE_DEFINE("what no store could keep is rejected by every store", Store, rejects) {
  Store store;
  auto o = own(store.open(), "a", {1});
  const std::string nul("a\0b", 3);
  const std::pair<const char*, std::function<void(entity_append&)>> cases[] = {
      {"no events", [](auto& a) { a.events.clear(); }},
      {"too many events", [](auto& a) { a.events.resize(persistence::limits::append_events_max + 1, event("x.y")); }},
      {"a payload over the limit",
       [](auto& a) { a.events[0].payload.assign(persistence::limits::payload_bytes_max + 1, 'x'); }},
      {"U+0000 in a JSON payload", [&](auto& a) { a.events[0].payload = nul; }},
      {"a payload that is not UTF-8", [](auto& a) { a.events[0].payload = "\xc3("; }},
      {"U+0000 in the type", [&](auto& a) { a.events[0].type = nul; }},
      {"U+0000 in the cause", [&](auto& a) { a.events[0].cause = nul; }},
      {"U+0000 in the id", [&](auto& a) { a.key.id = nul; }},
      {"U+0000 in the tenant", [&](auto& a) { a.key.owner = tenant(nul); }},
      {"an empty id", [](auto& a) { a.key.id.clear(); }},
      {"an id over the limit", [](auto& a) { a.key.id.assign(fondaco::limits::id_bytes_max + 1, 'x'); }},
      {"U+0000 in the view", [&](auto& a) { a.view = "{\"a\":\"" + nul + "\"}"; }},
      {"U+0000 escaped in the view", [](auto& a) { a.view = R"({"a":"\\\u0000"})"; }},
      {"a view that is no object", [](auto& a) { a.view = "[]"; }},
      {"U+0000 in a message id", [&](auto& a) { a.seen = {{nul, t0}}; }},
      {"U+0000 in a name", [&](auto& a) { a.names = {{"client_id", nul}}; }},
      {"U+0000 escaped in a document", [](auto& a) { a.documents = {{"asset", "x", R"({"a":"\u0000"})"}}; }},
      {"a document that is not JSON", [](auto& a) { a.documents = {{"asset", "x", "{"}}; }},
  };
  for (const auto& [title, spoil] : cases) {
    CAPTURE(title);
    auto a = make_append(o, "t", "n", 0);
    spoil(a);
    CHECK(word(append_one(*o.journal, a)) == "rejected");
  }
  CHECK(whole_shard(*o.journal, 1).empty());
  auto escaped = make_append(o, "t", "n", 0);
  escaped.view = R"({"a":"\\u0000"})";
  CHECK(word(append_one(*o.journal, escaped)) == "acknowledged");
}

TEST_CASE_TEMPLATE_DEFINE("a tenant's chain verifies, and breaks where an event was altered, removed or moved", Store,
                          chains) {
  Store store;
  auto o = own(store.open(), "a", {1});
  std::map<std::string, int64_t> seqs;
  for (int round = 0; round < 3; ++round) {
    std::vector<entity_append> batch;
    for (const char* who : {"t1", "t2"})
      for (const char* id : {"n1", "n2"})
        batch.push_back(make_append(o, who, id, 2 * round, 2));
    for (const auto& r : o.journal->append(batch))
      REQUIRE(word(r) == "acknowledged");
  }
  const auto events = whole_shard(*o.journal, 1);
  REQUIRE(events.size() == 24);
  CHECK_FALSE(broken_link(events).has_value());
  for (const auto& e : events)
    CHECK(e.chain.size() == 32);
  auto altered = events;
  altered[6].event.payload[1] ^= 1;
  CHECK(broken_link(altered) == events[6].position);
  auto removed = events;
  removed.erase(removed.begin() + 8);
  CHECK(broken_link(removed) == events[9].position);
  auto moved = events;
  std::swap(moved[0], moved[1]);
  CHECK(broken_link(moved).has_value());
}

TEST_CASE_TEMPLATE_DEFINE("a snapshot is kept only if it is newer", Store, snapshots) {
  Store store;
  auto o = own(store.open(), "a", {1});
  const entity_key key{tenant("t"), "negotiation", "n"};
  REQUIRE(word(append_one(*o.journal, make_append(o, "t", "n", 0, 9))) == "acknowledged");
  CHECK_FALSE(o.journal->load_snapshot(key).value().has_value());
  const std::string bytes("\0\x01\xff", 3);
  for (const int64_t seq : {4, 8, 6, 8}) {
    const snapshot s{key, seq, static_cast<uint16_t>(seq), bytes + std::to_string(seq)};
    REQUIRE(o.journal->save_snapshot(s).has_value());
  }
  const auto kept = store.open()->load_snapshot(key);
  REQUIRE(kept.value().has_value());
  CHECK((*kept)->key == key);
  CHECK((*kept)->seq == 8);
  CHECK((*kept)->version == 8);
  CHECK((*kept)->payload == bytes + "8");
}

TEST_CASE_TEMPLATE_DEFINE("a checkpoint never goes back", Store, checkpoints) {
  Store store;
  const auto j = store.open();
  CHECK(j->read_checkpoint("audit", 1).value() == 0);
  for (const int64_t position : {5, 9, 7}) {
    REQUIRE(j->write_checkpoint("audit", 1, position).has_value());
  }
  CHECK(j->read_checkpoint("audit", 1).value() == 9);
  CHECK(j->read_checkpoint("audit", 2).value() == 0);
  CHECK(j->read_checkpoint("cloud_events", 1).value() == 0);
}

TEST_CASE_TEMPLATE_DEFINE("a living lease keeps others out until its time is over", Store, leases) {
  Store store;
  auto a = own(store.open(), "a", {1, 2});
  const auto b = store.open();
  const std::array<shard_number, 3> wanted{1, 2, 3};
  const auto taken = b->take_shards("default", "b", wanted, std::chrono::hours(1));
  REQUIRE(taken.value().size() == 1);
  CHECK(taken->front().shard == 3);
  CHECK(taken->front().epoch == 1);
  const auto kept = a.journal->take_shards("default", "a", wanted, milliseconds(20));
  REQUIRE(kept.value().size() == 2);
  CHECK(kept->front().epoch == a.epoch(1));
  std::vector<lease> after;
  CHECK(eventually([&] {
    after = b->take_shards("default", "b", wanted, std::chrono::hours(1)).value();
    return after.size() == 3;
  }));
  CHECK(after.front().epoch == a.epoch(1) + 1);
  CHECK(a.journal->take_shards("default", "a", wanted, std::chrono::hours(1))->empty());
}

TEST_CASE_TEMPLATE_DEFINE("a heartbeat keeps all leases of its node alive", Store, heartbeats) {
  Store store;
  auto a = own(store.open(), "a", {1});
  const std::array<shard_number, 1> wanted{1};
  REQUIRE(a.journal->take_shards("default", "a", wanted, milliseconds(0)).has_value());
  REQUIRE(a.journal->heartbeat("default", "a", std::chrono::hours(1)).has_value());
  const auto b = store.open();
  CHECK(b->take_shards("default", "b", wanted, std::chrono::hours(1))->empty());
  REQUIRE(a.journal->heartbeat("default", "a", milliseconds(0)).has_value());
  CHECK(b->take_shards("default", "b", wanted, std::chrono::hours(1))->size() == 1);
}

TEST_CASE_TEMPLATE_DEFINE("released shards can be taken at once", Store, releases) {
  Store store;
  auto a = own(store.open(), "a", {1, 2});
  const auto b = store.open();
  const std::array<shard_number, 2> wanted{1, 2};
  CHECK(b->take_shards("default", "b", wanted, std::chrono::hours(1))->empty());
  REQUIRE(a.journal->release_shards("default", "a").has_value());
  const auto taken = b->take_shards("default", "b", wanted, std::chrono::hours(1));
  REQUIRE(taken.value().size() == 2);
  CHECK(taken->front().epoch == a.epoch(1) + 1);
  CHECK(word(append_one(*a.journal, make_append(a, "t", "n", 0))) == "fenced");
}

TEST_CASE_TEMPLATE_DEFINE("a node that was restarted is another owner of its shards", Store, restarts) {
  Store store;
  auto before = own(store.open(), "a", {1});
  auto after = own(store.open(), "a", {1});
  CHECK(after.epoch(1) == before.epoch(1) + 1);
  CHECK(word(append_one(*before.journal, make_append(before, "t", "n", 0))) == "fenced");
  CHECK(word(append_one(*after.journal, make_append(after, "t", "n", 0))) == "acknowledged");
}

TEST_CASE_TEMPLATE_DEFINE("groups number their shards apart", Store, groups) {
  Store store;
  auto o = own(store.open(), "a", {1});
  const auto other = store.open();
  const std::array<shard_number, 1> wanted{1};
  CHECK(other->take_shards("data-plane", "b", wanted, std::chrono::hours(1)).value().size() == 1);
  CHECK(word(append_one(*o.journal, make_append(o, "t", "n", 0))) == "acknowledged");
}

/// One of several processes: it writes to a shard of its own and fights for shard 9 with the others.
struct rival {
  std::unique_ptr<persistence::journal> journal;
  shard_number own_shard = 0;
  int64_t acknowledged = 0;
  int64_t fenced = 0;
  int64_t unexpected = 0;

  void write(int rounds) {
    const auto node = "w" + std::to_string(own_shard);
    const std::array<shard_number, 1> mine{own_shard}, shared{9};
    owner o;
    const auto held = journal->take_shards("default", node, mine, std::chrono::hours(1));
    int64_t own_seq = 0, shared_seq = 0;
    for (int round = 0; round < rounds; ++round) {
      o.leases = held.value_or(std::vector<lease>{});
      // A lease that is over at once: whoever comes next may take the shard.
      for (const auto& l :
           journal->take_shards("default", node + "-shared", shared, milliseconds(0)).value_or(std::vector<lease>{}))
        o.leases.push_back(l);
      const std::vector batch{make_append(o, node, "own", own_seq, 2, own_shard),
                              make_append(o, node, "shared", shared_seq, 2, 9)};
      const auto results = journal->append(batch);
      count(results[0], own_seq, false);
      count(results[1], shared_seq, true);
    }
  }

  void count(const append_result& r, int64_t& seq, bool may_be_fenced) {
    if (r) {
      seq = r->seq;
      acknowledged += 2;
    } else if (may_be_fenced && r.error() == journal_errc::fenced) {
      ++fenced;
    } else {
      ++unexpected;
    }
  }
};

TEST_CASE_TEMPLATE_DEFINE("a tailer misses nothing while four processes write and take a shard from each other", Store,
                          tails) {
  Store store;
  const auto reader = store.open();
  std::array<rival, 4> rivals;
  std::atomic<int> running{4};
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < rivals.size(); ++i) {
    rivals[i].journal = store.open();
    rivals[i].own_shard = static_cast<shard_number>(i + 1);
  }
  for (auto& r : rivals)
    threads.emplace_back([&r, &running] {
      r.write(25);
      --running;
    });
  std::map<shard_number, std::vector<stored_event>> tails;
  size_t gaps = 0;
  const auto tail = [&] {
    size_t fresh = 0;
    for (const shard_number shard : {1, 2, 3, 4, 9}) {
      auto& seen = tails[shard];
      const auto part = reader->read_shard(shard, static_cast<int64_t>(seen.size()), 100);
      if (!part)
        continue;
      for (const auto& e : *part) {
        gaps += e.position != static_cast<int64_t>(seen.size()) + 1;
        seen.push_back(e);
        ++fresh;
      }
    }
    return fresh;
  };
  while (running > 0)
    tail();
  threads.clear();
  while (tail() > 0)
    ;
  int64_t acknowledged = 0, fenced = 0;
  size_t read = 0;
  for (const auto& r : rivals) {
    acknowledged += r.acknowledged;
    fenced += r.fenced;
    CHECK(r.unexpected == 0);
  }
  for (const auto& [shard, events] : tails) {
    CAPTURE(shard);
    read += events.size();
    CHECK_FALSE(broken_link(events).has_value());
  }
  CHECK(gaps == 0);
  CHECK(static_cast<int64_t>(read) == acknowledged);
  CHECK(acknowledged + 2 * fenced == 4 * 25 * 4);
}

} // namespace fondaco::contract

/// Runs the whole contract over these stores.
#define FONDACO_JOURNAL_CONTRACT(...)                                                                                  \
  TEST_CASE_TEMPLATE_INVOKE(appends, __VA_ARGS__);                                                                     \
  TEST_CASE_TEMPLATE_INVOKE(follows, __VA_ARGS__);                                                                     \
  TEST_CASE_TEMPLATE_INVOKE(stale, __VA_ARGS__);                                                                       \
  TEST_CASE_TEMPLATE_INVOKE(neighbours, __VA_ARGS__);                                                                  \
  TEST_CASE_TEMPLATE_INVOKE(fenced, __VA_ARGS__);                                                                      \
  TEST_CASE_TEMPLATE_INVOKE(comes_back, __VA_ARGS__);                                                                  \
  TEST_CASE_TEMPLATE_INVOKE(unowned, __VA_ARGS__);                                                                     \
  TEST_CASE_TEMPLATE_INVOKE(seen, __VA_ARGS__);                                                                        \
  TEST_CASE_TEMPLATE_INVOKE(names, __VA_ARGS__);                                                                       \
  TEST_CASE_TEMPLATE_INVOKE(documents, __VA_ARGS__);                                                                   \
  TEST_CASE_TEMPLATE_INVOKE(wakes, __VA_ARGS__);                                                                       \
  TEST_CASE_TEMPLATE_INVOKE(due, __VA_ARGS__);                                                                         \
  TEST_CASE_TEMPLATE_INVOKE(replay, __VA_ARGS__);                                                                      \
  TEST_CASE_TEMPLATE_INVOKE(rows, __VA_ARGS__);                                                                        \
  TEST_CASE_TEMPLATE_INVOKE(rejects, __VA_ARGS__);                                                                     \
  TEST_CASE_TEMPLATE_INVOKE(chains, __VA_ARGS__);                                                                      \
  TEST_CASE_TEMPLATE_INVOKE(snapshots, __VA_ARGS__);                                                                   \
  TEST_CASE_TEMPLATE_INVOKE(checkpoints, __VA_ARGS__);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(leases, __VA_ARGS__);                                                                      \
  TEST_CASE_TEMPLATE_INVOKE(heartbeats, __VA_ARGS__);                                                                  \
  TEST_CASE_TEMPLATE_INVOKE(releases, __VA_ARGS__);                                                                    \
  TEST_CASE_TEMPLATE_INVOKE(restarts, __VA_ARGS__);                                                                    \
  TEST_CASE_TEMPLATE_INVOKE(groups, __VA_ARGS__);                                                                      \
  TEST_CASE_TEMPLATE_INVOKE(tails, __VA_ARGS__)

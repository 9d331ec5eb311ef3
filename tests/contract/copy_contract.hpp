#pragma once

#include <string>
#include <vector>

#include "persistence/audit.hpp"
#include "tests/contract/journal_support.hpp"

namespace fondaco::contract {

/// Counts the events of an entity: the smallest fold there is. It cannot read version 2.
class counting_fold final : public history_fold {
public:
  bool replay(const event_record& e) override { return e.version == 1 && ++count_; }
  bool restore(const snapshot& s) override { return s.version == 1 && (count_ = std::stol(s.payload), true); }
  std::string state() const override { return std::to_string(count_); }
  std::string status() const override { return "requested"; }

private:
  long count_ = 0;
};

inline audit_rules counting_rules() {
  return {[](const entity_key& k) -> std::unique_ptr<history_fold> {
            return k.kind == "negotiation" ? std::make_unique<counting_fold>() : nullptr;
          },
          "grave", "closed"};
}

/// A store with two tenants in two shards, snapshots, names, documents, marks and a wake-up; `Store` has `options`.
template <class Store> struct filled_store {
  Store where;
  owner o;

  filled_store() : o(own(std::move(open_store(where.options).value().journal), "node", {1, 2})) {
    for (int i = 0; i < 3; ++i) {
      add(make_append(o, "alice", "a", i));
      add(make_append(o, "bob", "b", i, 1, 2));
    }
    auto rich = make_append(o, "alice", "rich", 0, 3);
    rich.wake = t0;
    rich.seen = {{"mark", t0}};
    rich.names = {{"client_id", "someone"}};
    rich.documents = {{"asset", "x", R"({"@id":"x","n":[1,"ü",null]})"}};
    add(rich);
    REQUIRE(o.journal->save_snapshot({{tenant("alice"), "negotiation", "rich"}, 2, 1, "2"}));
    REQUIRE(o.journal->write_checkpoint("tail", 1, 4));
  }
  void add(const entity_append& a) { REQUIRE(append_one(*o.journal, a)); }
  template <class Other> audit_report look(const Other& at) const {
    auto reader = open_reader(at.options);
    REQUIRE_MESSAGE(reader.has_value(), (reader ? "" : reader.error().detail));
    auto report = audit(**reader, counting_rules());
    REQUIRE_MESSAGE(report.has_value(), (report ? "" : report.error().detail));
    return std::move(*report);
  }
  audit_report look() const { return look(where); }
  /// The only finding there is.
  audit_finding only() const {
    auto report = look();
    REQUIRE(report.findings.size() == 1);
    return report.findings.front();
  }
};

/// Every row of every table, as text.
template <class Store> std::vector<std::string> all_rows(const Store& at) {
  auto reader = open_reader(at.options);
  REQUIRE(reader);
  std::vector<std::string> out;
  for (const auto& t : copied_tables()) {
    auto read = (*reader)->read(t, [&](auto row) -> std::expected<void, fault> {
      std::string line(t.name);
      for (size_t i = 0; i < row.size(); ++i) {
        if (t.columns[i].name == "epoch" || t.columns[i].name == "body")
          continue;
        line += "|" + (std::holds_alternative<int64_t>(row[i]) ? std::to_string(std::get<int64_t>(row[i]))
                                                               : std::get<std::string>(row[i]));
      }
      out.push_back(line);
      return {};
    });
    REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().detail));
  }
  return out;
}

template <class From, class To> void copy(const From& from, const To& to) {
  auto reader = open_reader(from.options);
  auto filler = open_filler(to.options);
  REQUIRE(reader);
  REQUIRE_MESSAGE(filler.has_value(), (filler ? "" : filler.error().detail));
  for (const auto& t : copied_tables()) {
    auto done = (*reader)->read(t, [&](auto row) { return (*filler)->add(t, row); });
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().detail));
  }
  REQUIRE((*filler)->finish());
}

template <class Store> void whole_store_is_clean() {
  filled_store<Store> s;
  const auto report = s.look();
  CHECK(report.findings_total == 0);
  CHECK(report.entities == 3);
  CHECK(report.events == 9);
  CHECK(report.links == 9);
  CHECK(report.snapshots == 1);
}

template <class Store> void changed_rows_are_found() {
  SUBCASE("a payload") {
    filled_store<Store> s;
    s.where.run("update journal set payload = (select payload from journal where shard = 1 and position = 1) "
                "where shard = 1 and position = 2");
    const auto found = s.only();
    CHECK(found.key->id == "a");
    CHECK(found.seq == 2);
    CHECK(found.what.find("audit chain") != std::string::npos);
    CHECK(!found.cure.empty());
  }
  SUBCASE("an event that is gone") {
    filled_store<Store> s;
    s.where.run("delete from journal where shard = 2 and position = 2");
    const auto found = s.only();
    CHECK(found.key->id == "b");
    CHECK(found.seq == 2);
    CHECK(found.what.find("missing") != std::string::npos);
  }
  SUBCASE("the last event") {
    filled_store<Store> s;
    s.where.run("delete from journal where shard = 2 and position = 3");
    CHECK(s.only().what.find("says 3 events, and it has 2") != std::string::npos);
  }
  SUBCASE("a row's state") {
    filled_store<Store> s;
    s.where.run("update entity set status = 'agreed' where id = 'a'");
    CHECK(s.only().what.find("says agreed, and its events give requested") != std::string::npos);
  }
  SUBCASE("a snapshot") {
    filled_store<Store> s;
    s.where.run("update snapshot set seq = 3");
    CHECK(s.only().what.find("another state than its snapshot") != std::string::npos);
  }
  SUBCASE("an event of a version that this program does not know") {
    filled_store<Store> s;
    auto newer = make_append(s.o, "bob", "new", 0, 1, 2);
    newer.events[0].version = 2;
    s.add(newer);
    CHECK(s.only().what.find("cannot be read") != std::string::npos);
  }
  SUBCASE("the link that the next event follows") {
    filled_store<Store> s;
    s.where.run("update tenant_chain set chain = (select chain from journal where shard = 1 and position = 1) "
                "where tenant = 'bob'");
    CHECK(s.only().what.find("goes on from another one") != std::string::npos);
  }
  SUBCASE("an entity that is gone under its name") {
    filled_store<Store> s;
    s.where.run("update name set id = 'nobody'");
    CHECK(s.only().what.find("client_id") != std::string::npos);
  }
}

template <class Store> void erased_is_no_finding() {
  filled_store<Store> s;
  REQUIRE(s.o.journal->erase_entity({tenant("alice"), "negotiation", "rich"}));
  s.add(make_append(s.o, "alice", "a", 3));
  auto report = s.look();
  CHECK(report.findings_total == 0);
  CHECK(report.links == 6);
  CHECK(report.links_after_erasures == 1);
  // A grave with nothing else is a tombstone; with anything else it is none yet.
  auto grave = make_append(s.o, "carol", "role", 0);
  grave.key.kind = "grave";
  grave.status = "closed";
  s.add(grave);
  report = s.look();
  CHECK(report.tombstones == 1);
  CHECK(report.findings_total == 1); // the kind is unknown to the fold
  auto left = make_append(s.o, "carol", "left", 0);
  left.documents = {{"asset", "left", "{}"}};
  s.add(left);
  size_t leftovers = 0;
  for (const auto& f : s.look().findings)
    leftovers += f.what.find("is still there") != std::string::npos ? 1 : 0;
  CHECK(leftovers == 2);
}

template <class From, class To> void copy_is_the_same() {
  filled_store<From> s;
  To other;
  copy(s.where, other);
  CHECK(all_rows(s.where) == all_rows(other));
  auto again = open_filler(other.options);
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == "store_not_empty");
  // Whoever owned a shard is fenced; the next owner goes on where the copy ends.
  auto stores = open_store(other.options);
  REQUIRE(stores);
  CHECK(word(append_one(*stores->journal, make_append(s.o, "alice", "a", 3))) == "fenced");
  auto next = own(std::move(stores->journal), "node", {1, 2});
  CHECK(next.epoch(1) > s.o.epoch(1) + persistence::limits::restored_epochs);
  REQUIRE(append_one(*next.journal, make_append(next, "alice", "a", 3)));
  REQUIRE(append_one(*next.journal, make_append(next, "alice", "fresh", 0)));
  const entity_key asset{tenant("alice"), "asset", "x"};
  CHECK(stores->documents->get(asset).value().has_value());
  const auto report = s.look(other);
  CHECK(report.findings_total == 0);
  CHECK(report.events == 11);
}

} // namespace fondaco::contract

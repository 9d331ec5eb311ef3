#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "persistence/faulty/journal.hpp"
#include "persistence/memory/journal.hpp"
#include "persistence/schema.hpp"
#include "persistence/sqlite/journal.hpp"
#include "persistence/sqlite/migrate.hpp"
#include "tests/contract/journal_contract.hpp"
#include "tests/contract/journal_erasure_contract.hpp"
#include "tests/contract/journal_histories.hpp"

namespace fondaco::contract {

struct memory_store {
  std::shared_ptr<memory_tables> tables = make_memory_tables();
  std::unique_ptr<journal> open() { return std::make_unique<memory_journal>("default", tables); }
  std::optional<std::string> document(const entity_key& key) {
    return memory_journal("default", tables).document_body(key);
  }
};

/// A faulty journal without a plan is the journal that it wraps.
struct faulty_store : memory_store {
  std::vector<std::unique_ptr<journal>> wrapped;
  std::unique_ptr<journal> open() {
    wrapped.push_back(memory_store::open());
    return std::make_unique<faulty_journal>(*wrapped.back());
  }
};

/// A folder that ends with the test.
struct scratch_folder {
  std::filesystem::path path;
  scratch_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "fondaco-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

struct sqlite_store {
  store_options options;
  std::unique_ptr<journal> open() {
    auto opened = sqlite_journal::open(options);
    REQUIRE(opened.has_value());
    return std::move(*opened);
  }
  std::optional<std::string> document(const entity_key& key) {
    auto c = sqlite::connection::open(options.url);
    REQUIRE(c.has_value());
    auto row = c->prepare("select body from document where tenant = ? and kind = ? and id = ?");
    const auto there = row.bind(key.owner.id()).bind(key.kind).bind(key.id).step();
    REQUIRE(there.has_value());
    return *there ? std::optional(std::string(row.text(0))) : std::nullopt;
  }
};

struct sqlite_file_store : scratch_folder, sqlite_store {
  sqlite_file_store() { options.url = (path / "store.db").string(); }
};

struct sqlite_memory_store : sqlite_store {
  std::unique_ptr<journal> first;
  sqlite_memory_store() {
    options.url = sqlite::shared_url(":memory:");
    first = open();
  }
};

} // namespace fondaco::contract

TYPE_TO_STRING_AS("memory", fondaco::contract::memory_store);
TYPE_TO_STRING_AS("faulty, without faults", fondaco::contract::faulty_store);
TYPE_TO_STRING_AS("SQLite, a file", fondaco::contract::sqlite_file_store);
TYPE_TO_STRING_AS("SQLite, in memory", fondaco::contract::sqlite_memory_store);

namespace fondaco::contract {

FONDACO_JOURNAL_CONTRACT(memory_store, faulty_store, sqlite_file_store, sqlite_memory_store);
FONDACO_JOURNAL_ERASURE_CONTRACT(memory_store, faulty_store, sqlite_file_store, sqlite_memory_store);

TEST_CASE("random histories of appends, take-overs, crashes and faults are what a plain model says, in memory") {
  run_histories<memory_store>(10'000, 1);
}

TEST_CASE("random histories of appends, take-overs, crashes and faults are what a plain model says, on SQLite") {
  run_histories<sqlite_memory_store>(2'000, 50);
}

TEST_CASE("random histories of appends, take-overs, crashes and faults are what a plain model says, in a SQLite file") {
  run_histories<sqlite_file_store>(200, 50);
}

TEST_CASE("a fault hits the calls that its plan names and no other") {
  memory_store store;
  const auto inner = store.open();
  faulty_journal j(*inner);
  owner o;
  const std::array<shard_number, 1> wanted{1};
  o.leases = j.take_shards("default", "a", wanted, std::chrono::hours(1)).value();
  j.set(faults{}
            .on(journal_op::append, nth(2), journal_fault::refused)
            .on(journal_op::append, nth(3), journal_fault::lost)
            .on(journal_op::append, nth(4), journal_fault::done_but_reported_lost)
            .on(journal_op::append, always_for(tenant("b")), journal_fault::unavailable)
            .on(journal_op::read, first_calls(1), journal_fault::unavailable));
  const std::vector batch{make_append(o, "t", "1", 0), make_append(o, "t", "2", 0), make_append(o, "t", "3", 0),
                          make_append(o, "t", "4", 0), make_append(o, "b", "5", 0), make_append(o, "t", "6", 0)};
  const auto results = j.append(batch);
  const char* expected[] = {"acknowledged",    "rejected",    "outcome_unknown",
                            "outcome_unknown", "unavailable", "acknowledged"};
  for (size_t i = 0; i < results.size(); ++i)
    CHECK(word(results[i]) == expected[i]);
  CHECK(j.read_shard(1, 0, 9).error() == journal_errc::unavailable);
  const auto events = j.read_shard(1, 0, 9);
  REQUIRE(events.value().size() == 3);
  CHECK((*events)[1].key.id == "4");
}

TEST_CASE("a fault hits claims and erasures too, and an erasure that was reported lost can be asked again") {
  memory_store store;
  const auto inner = store.open();
  faulty_journal j(*inner);
  j.set(faults{}
            .on(journal_op::claim, nth(1), journal_fault::unavailable)
            .on(journal_op::claim, nth(2), journal_fault::done_but_reported_lost)
            .on(journal_op::erase, nth(1), journal_fault::done_but_reported_lost));
  CHECK(claim(j, "t", {"a"}) == "unavailable");
  CHECK(claim(j, "t", {"a"}) == "outcome_unknown");
  CHECK(claim(j, "t", {"a"}) == "seen before");
  CHECK(j.erase(tenant("t"), {}, true).error() == journal_errc::outcome_unknown);
  CHECK(j.erase(tenant("t"), {}, true).has_value());
  CHECK(claim(j, "t", {"a"}) == "claimed");
}

TEST_CASE("an erasure leaves no byte of what it destroyed in SQLite's files") {
  sqlite_file_store store;
  auto o = own(store.open(), "a", {1});
  const std::string mark = "the-raw-text-of-a-tenant";
  const auto on_disk = [&] {
    std::string all;
    for (const auto& file : std::filesystem::directory_iterator(store.path)) {
      std::ifstream in(file.path(), std::ios::binary);
      all.append(std::istreambuf_iterator<char>(in), {});
    }
    return all.find(mark) != std::string::npos;
  };
  auto a = laden(o, "t", "asset", "1");
  a.events.front().payload = "\"" + mark + "\"";
  a.documents.front().body = "\"" + mark + "\"";
  REQUIRE(word(append_one(*o.journal, a)) == "acknowledged");
  REQUIRE(o.journal->save_snapshot({a.key, 1, 1, mark}).has_value());
  CHECK(on_disk());
  REQUIRE(o.journal->erase(tenant("t"), std::vector<std::string>{"asset"}, true).has_value());
  CHECK_FALSE(on_disk());
}

TEST_CASE("a fresh SQLite database is brought up to date once, and a dry run makes nothing") {
  const scratch_folder folder;
  const auto url = (folder.path / "store.db").string();
  CHECK(sqlite::plan(url).value().starts_with("version 1: "));
  CHECK_FALSE(std::filesystem::exists(url));
  for (int i = 0; i < 2; ++i) {
    auto c = sqlite::connection::open(url);
    REQUIRE(c.has_value());
    CHECK(sqlite::migrate(*c).has_value());
    auto row = c->prepare("select count(*), max(version) from schema_version");
    REQUIRE(row.step().value());
    CHECK(row.integer(0) == static_cast<int64_t>(schema::migrations(schema::dialect::sqlite).size()));
    CHECK(row.integer(1) == schema::migrations(schema::dialect::sqlite).back().version);
  }
  CHECK(sqlite::plan(url).value().ends_with("nothing to do\n"));
}

TEST_CASE("a SQLite schema newer than the program is refused") {
  const scratch_folder folder;
  const auto url = (folder.path / "store.db").string();
  auto c = sqlite::connection::open(url);
  REQUIRE(c.has_value());
  REQUIRE(sqlite::migrate(*c).has_value());
  REQUIRE(c->run("insert into schema_version values (4711, 0)").has_value());
  const auto refused = sqlite::migrate(*c);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == "schema_newer");
  CHECK(sqlite::plan(url).error().code == "schema_newer");
  CHECK(sqlite_journal::open({.url = url}).error().code == "schema_newer");
}

TEST_CASE("two that migrate one SQLite file at once do it once") {
  const scratch_folder folder;
  const auto url = (folder.path / "store.db").string();
  std::atomic<int> done{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        auto c = sqlite::connection::open(url);
        done += c.has_value() && sqlite::migrate(*c).has_value();
      });
  }
  CHECK(done == 4);
}

} // namespace fondaco::contract

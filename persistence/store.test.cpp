#include "persistence/store.hpp"

#include <array>

#include <doctest/doctest.h>

#include "persistence/schema.hpp"

namespace fondaco::persistence {

TEST_CASE("the journal and the documents of a store in memory share one database, and no other store does") {
  auto one = open_store({.url = ":memory:"});
  auto two = open_store({.url = ":memory:"});
  REQUIRE(one.has_value());
  REQUIRE(two.has_value());
  const std::array<shard_number, 1> shards{1};
  const auto leases = one->journal->take_shards("default", "node", shards, std::chrono::hours(1));
  REQUIRE(leases.value().size() == 1);
  const entity_append a{.key = {tenant("t"), "asset_registry", "r"},
                        .shard = 1,
                        .epoch = leases->front().epoch,
                        .expected_seq = 0,
                        .events = {{"asset.created", 1, 'j', "{}", "c"}},
                        .status = "active",
                        .view = "{}",
                        .wake = std::nullopt,
                        .seen = {},
                        .names = {},
                        .documents = {{"asset", "x", R"({"@id":"x"})"}},
                        .at = from_epoch_ms(1)};
  REQUIRE(one->journal->append(std::span(&a, 1)).front().has_value());
  const entity_key key{tenant("t"), "asset", "x"};
  CHECK(one->documents->get(key).value().has_value());
  CHECK_FALSE(two->documents->get(key).value().has_value());
  CHECK(one->documents->find_entities("r").value().size() == 1);
}

TEST_CASE("a store that cannot be opened says why and what to do") {
  CHECK(open_store({.url = ""}).error().code == "bad_url");
  CHECK(plan_migration({.url = ""}).error().code == "bad_url");
  const auto nowhere = open_store({.url = "/nowhere/at/all.db"});
  REQUIRE_FALSE(nowhere.has_value());
  CHECK(nowhere.error().code == "store_unavailable");
  CHECK(plan_migration({.url = "postgresql://127.0.0.1:1/none"}).error().code == "store_unavailable");
  CHECK(plan_migration({.url = ":memory:"}).value().starts_with("version 1: "));
}

TEST_CASE("the program's schema version is the last step of either dialect, and SQLite has no clock of its own") {
  CHECK(schema_version() == schema::migrations(schema::dialect::sqlite).back().version);
  CHECK(schema_version() == schema::migrations(schema::dialect::postgres).back().version);
  CHECK_FALSE(store_time({.url = ":memory:"}).value().has_value());
  CHECK(store_time({.url = ""}).error().code == "bad_url");
  CHECK(store_time({.url = "postgresql://127.0.0.1:1/none"}).error().code == "store_unavailable");
}

} // namespace fondaco::persistence

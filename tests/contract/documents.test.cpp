#include <doctest/doctest.h>

#include "tests/contract/documents_contract.hpp"
#include "tests/contract/scratch_sqlite.hpp"

namespace fondaco::contract {

TEST_CASE_TEMPLATE_INVOKE(documents_match, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(documents_get, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(documents_follow_journal, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(documents_order, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(documents_bound, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(documents_inject, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(entities_match, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(entities_list, scratch_sqlite);

TEST_CASE("a SQLite query that would take too long is interrupted and says so") {
  scratch_sqlite database;
  database.run("insert into document select 'ctx-1', 'asset', value, 1, '{\"a\":[1,2,3]}', value, value "
               "from (with recursive n(value) as (select 1 union all select value + 1 from n where value < 20000) "
               "select value from n)");
  auto options = database.options();
  options.statement_timeout_ms = milliseconds{0};
  auto store = persistence::make_sqlite_documents(options);
  auto rows = store->query(first_tenant, "asset", where("a", "=", "9"));
  REQUIRE_FALSE(rows);
  CHECK(rows.error().code == query_errc::unavailable);
  CHECK(rows.error().detail.find("ctx-1") == std::string::npos);
}

TEST_CASE("documents in a missing SQLite file are unavailable, not absent") {
  auto store = persistence::make_sqlite_documents({.url = "/nonexistent/fondaco.db"});
  auto found = store->get({first_tenant, "asset", "a"});
  REQUIRE_FALSE(found);
  CHECK(found.error().code == query_errc::unavailable);
}

TEST_CASE("documents in memory are seen by every reader of the same URL") {
  auto url = persistence::sqlite::shared_url(":memory:");
  auto writer = persistence::sqlite::connection::open(url);
  REQUIRE(writer);
  REQUIRE(persistence::sqlite::migrate(*writer));
  REQUIRE(writer->run("insert into document values('ctx-1', 'asset', 'm', 1, '{}', 1, 1)"));
  auto store = persistence::make_sqlite_documents({.url = url});
  CHECK(ids_of(store->query(first_tenant, "asset", {})) == "m");
}

} // namespace fondaco::contract

#include "tests/contract/copy_contract.hpp"
#include "tests/contract/postgres_schema.hpp"
#include "tests/contract/scratch_sqlite.hpp"

namespace fondaco::contract {

namespace {

struct sqlite_file : scratch_sqlite {
  store_options options = scratch_sqlite::options();
};

struct postgres_tables : postgres_schema {
  store_options options{.url = url(), .readers = 2};
  void run(const std::string& script) {
    auto c = postgres::connection::open({options.url});
    REQUIRE(c.has_value());
    REQUIRE(c->run(script).has_value());
  }
};

} // namespace

TEST_CASE("an audit finds nothing in a store that only the program wrote, on PostgreSQL") {
  whole_store_is_clean<postgres_tables>();
}

TEST_CASE("an audit finds each row that was changed behind the program's back, on PostgreSQL") {
  changed_rows_are_found<postgres_tables>();
}

TEST_CASE("an audit takes what was erased for erased, and finds what an erasure left, on PostgreSQL") {
  erased_is_no_finding<postgres_tables>();
}

TEST_CASE("a copy of a store has the same rows, fences the old owners and is gone on from, whatever the databases") {
  SUBCASE("PostgreSQL to PostgreSQL") { copy_is_the_same<postgres_tables, postgres_tables>(); }
  SUBCASE("SQLite to PostgreSQL") { copy_is_the_same<sqlite_file, postgres_tables>(); }
  SUBCASE("PostgreSQL to SQLite") { copy_is_the_same<postgres_tables, sqlite_file>(); }
}

} // namespace fondaco::contract

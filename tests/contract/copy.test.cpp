#include "tests/contract/copy_contract.hpp"
#include "tests/contract/scratch_sqlite.hpp"

namespace fondaco::contract {

namespace {

struct sqlite_file : scratch_sqlite {
  store_options options = scratch_sqlite::options();
};

} // namespace

TEST_CASE("an audit finds nothing in a store that only the program wrote, on SQLite") {
  whole_store_is_clean<sqlite_file>();
}

TEST_CASE("an audit finds each row that was changed behind the program's back, on SQLite") {
  changed_rows_are_found<sqlite_file>();
}

TEST_CASE("an audit takes what was erased for erased, and finds what an erasure left, on SQLite") {
  erased_is_no_finding<sqlite_file>();
}

TEST_CASE("a copy of a store has the same rows, fences the old owners and is gone on from, on SQLite") {
  copy_is_the_same<sqlite_file, sqlite_file>();
}

} // namespace fondaco::contract

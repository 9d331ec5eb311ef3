#include "persistence/sqlite/connection.hpp"

#include <doctest/doctest.h>

namespace fondaco::persistence::sqlite {

namespace {

connection open_scratch() {
  auto c = connection::open(shared_url(":memory:"));
  REQUIRE(c.has_value());
  REQUIRE(c->run("create table t(a integer primary key, b text, c blob, d real)").has_value());
  return std::move(*c);
}

int64_t count(connection& c) {
  auto row = c.prepare("select count(*) from t");
  REQUIRE(row.step().value());
  return row.integer(0);
}

} // namespace

TEST_CASE("what is bound is what is read") {
  auto c = open_scratch();
  const std::string bytes("\0\xff", 2);
  auto in = c.prepare("insert into t values (?, ?, ?, ?)");
  REQUIRE(in.bind(INT64_MIN).bind("\xc3\xa9").bind_blob(bytes).bind_real(0.5).run().value() == 1);
  REQUIRE(in.reset().bind_optional(7).bind("").bind_blob("").bind_null().run().has_value());
  auto out = c.prepare("select a, b, c, d from t order by a");
  REQUIRE(out.step().value());
  CHECK(out.integer(0) == INT64_MIN);
  CHECK(out.text(1) == "\xc3\xa9");
  CHECK(out.blob(2) == bytes);
  REQUIRE(out.step().value());
  CHECK(out.integer(0) == 7);
  CHECK_FALSE(out.is_null(1));
  CHECK_FALSE(out.is_null(2));
  CHECK(out.is_null(3));
  CHECK_FALSE(out.step().value());
}

TEST_CASE("a statement can be borrowed twice at once") {
  auto c = open_scratch();
  REQUIRE(c.run("insert into t(a) values (1), (2)").has_value());
  auto outer = c.prepare("select a from t order by a");
  REQUIRE(outer.step().value());
  {
    auto inner = c.prepare("select a from t order by a");
    REQUIRE(inner.step().value());
    REQUIRE(inner.step().value());
    CHECK(inner.integer(0) == 2);
  }
  CHECK(outer.integer(0) == 1);
  for (size_t i = 0; i < 2 * limits::sqlite_statements_max; ++i)
    CHECK(c.prepare("select " + std::to_string(i)).step().value());
  REQUIRE(outer.step().value());
  CHECK(outer.integer(0) == 2);
}

TEST_CASE("a mistake in a statement is an error when it is stepped") {
  auto c = open_scratch();
  CHECK(errc_of(c.prepare("select nothing from nowhere").step().error()) == journal_errc::rejected);
  CHECK(errc_of(c.prepare("select ?").bind(1).bind(2).step().error()) == journal_errc::rejected);
  REQUIRE(c.run("insert into t(a) values (1)").has_value());
  auto again = c.prepare("insert into t(a) values (?)").bind(1).run();
  CHECK(errc_of(again.error()) == journal_errc::rejected);
}

TEST_CASE("a transaction that was not committed leaves nothing") {
  auto c = open_scratch();
  {
    auto work = transaction::begin(c);
    REQUIRE(work.has_value());
    REQUIRE(c.run("insert into t(a) values (1)").has_value());
    CHECK(count(c) == 1);
  }
  CHECK(count(c) == 0);
  auto work = transaction::begin(c);
  REQUIRE(c.run("insert into t(a) values (1)").has_value());
  REQUIRE(work->commit().has_value());
  CHECK(count(c) == 1);
}

TEST_CASE("a pool lends no more connections than it has, and waits no longer than it may") {
  const auto url = shared_url(":memory:");
  connection_pool pool([&] { return connection::open(url); }, 1);
  {
    auto lent = pool.acquire();
    REQUIRE(lent.has_value());
    REQUIRE((*lent)->run("create table t(a)").has_value());
    const auto none = pool.acquire(milliseconds(0));
    REQUIRE_FALSE(none.has_value());
    CHECK(errc_of(none.error()) == journal_errc::unavailable);
  }
  auto again = pool.acquire(milliseconds(0));
  REQUIRE(again.has_value());
  CHECK_FALSE((*again)->prepare("select a from t").step().value());
  connection_pool broken([] { return connection::open("/nowhere/at/all.db"); }, 1);
  for (int i = 0; i < 2; ++i)
    CHECK(errc_of(broken.acquire(milliseconds(0)).error()) == journal_errc::unavailable);
}

} // namespace fondaco::persistence::sqlite

#include "persistence/postgres/connection.hpp"

#include <cstdlib>

#include <doctest/doctest.h>

namespace fondaco::persistence::postgres {

namespace {

connection open_scratch(milliseconds statement_timeout = milliseconds(5000)) {
  const char* url = std::getenv("FONDACO_TEST_POSTGRES");
  REQUIRE_MESSAGE(url, "FONDACO_TEST_POSTGRES must be the postgresql:// URL of a scratch server's superuser");
  auto c = connection::open({url, statement_timeout});
  REQUIRE(c.has_value());
  REQUIRE(c->run("create temporary table t(a int8 constraint t_a primary key, b text, c bytea)").has_value());
  return std::move(*c);
}

int64_t count(connection& c) { return c.execute("select count(*) from t", {})->integer(0, 0); }

} // namespace

TEST_CASE("parameters and arrays arrive as they were added") {
  auto c = open_scratch();
  const std::string bytes("\0\xff", 2);
  parameters p;
  p.add(INT64_MIN).add_int4(-7).add_int2(-3).add("\xc3\xa9").add_bytes(bytes).add_null(type::text);
  const auto r = c.execute("select $1, $2, $3, $4, $5, $6", p);
  REQUIRE(r.has_value());
  CHECK(r->integer(0, 0) == INT64_MIN);
  CHECK(r->integer(0, 1) == -7);
  CHECK(r->integer(0, 2) == -3);
  CHECK(r->text(0, 3) == "\xc3\xa9");
  CHECK(r->text(0, 4) == bytes);
  CHECK(r->is_null(0, 5));
  array big(type::int8), middle(type::int4), small(type::int2), letter(type::character), text(type::text),
      blob(type::bytea), empty(type::text);
  for (const int64_t v : {5, -1}) {
    big.add(v << 40);
    middle.add(v);
    small.add(v);
    letter.add('j');
  }
  text.add("x");
  text.add_null();
  blob.add(bytes);
  blob.add("");
  parameters q;
  q.add(std::move(big)).add(std::move(middle)).add(std::move(small)).add(std::move(letter)).add(std::move(text));
  q.add(std::move(blob)).add(std::move(empty));
  const auto s = c.execute("select * from unnest($1, $2, $3, $4, $5, $6, $7)", q);
  REQUIRE(s.has_value());
  REQUIRE(s->rows() == 2);
  CHECK(s->integer(1, 0) == -(int64_t{1} << 40));
  CHECK(s->integer(0, 1) == 5);
  CHECK(s->integer(1, 2) == -1);
  CHECK(s->text(0, 3) == "j");
  CHECK(s->text(0, 4) == "x");
  CHECK(s->is_null(1, 4));
  CHECK(s->text(0, 5) == bytes);
  CHECK_FALSE(s->is_null(1, 5));
  CHECK(s->is_null(0, 6));
}

TEST_CASE("a failure names the state and the constraint, never the value") {
  auto c = open_scratch();
  parameters p;
  p.add(int64_t{424242});
  REQUIRE(c.execute("insert into t(a) values ($1)", p)->affected() == 1);
  const auto again = c.execute("insert into t(a) values ($1)", p);
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().sqlstate == "23505");
  CHECK(again.error().constraint == "t_a");
  CHECK(again.error().detail.find("424242") == std::string::npos);
  CHECK(errc_of(again.error()) == journal_errc::rejected);
  CHECK(errc_of(c.execute("select nothing from nowhere", {}).error()) == journal_errc::rejected);
  CHECK(count(c) == 1);
}

TEST_CASE("a statement that takes too long is cancelled and the connection lives") {
  auto c = open_scratch(milliseconds(50));
  const auto slow = c.execute("select pg_sleep(30)", {});
  REQUIRE_FALSE(slow.has_value());
  CHECK(slow.error().sqlstate == "57014");
  CHECK(errc_of(slow.error()) == journal_errc::unavailable);
  CHECK(count(c) == 0);
}

TEST_CASE("a connection that the server ended is opened again before the next statement") {
  auto c = open_scratch();
  auto other = open_scratch();
  const auto pid = c.execute("select pg_backend_pid()", {})->integer(0, 0);
  REQUIRE(other.run("select pg_terminate_backend(" + std::to_string(pid) + ", 5000)").has_value());
  const auto next = c.read("select pg_backend_pid()", {});
  REQUIRE(next.has_value());
  CHECK(next->integer(0, 0) != pid);
}

TEST_CASE("a statement that the server's end cut off is unknown") {
  auto c = open_scratch();
  const auto cut = c.execute("select pg_terminate_backend(pg_backend_pid())", {});
  REQUIRE_FALSE(cut.has_value());
  CHECK(errc_of(cut.error()) == journal_errc::outcome_unknown);
}

TEST_CASE("a transaction that failed or was not committed leaves nothing") {
  auto c = open_scratch();
  {
    auto work = transaction::begin(c);
    REQUIRE(c.run("insert into t(a) values (1)").has_value());
    CHECK(count(c) == 1);
  }
  CHECK(count(c) == 0);
  {
    auto work = transaction::begin(c);
    REQUIRE(c.run("insert into t(a) values (1)").has_value());
    CHECK_FALSE(c.run("insert into t(a) values (1)").has_value());
    CHECK_FALSE(work->commit().has_value());
  }
  CHECK(count(c) == 0);
  auto work = transaction::begin(c);
  REQUIRE(c.run("insert into t(a) values (1)").has_value());
  REQUIRE(work->commit().has_value());
  CHECK(count(c) == 1);
}

TEST_CASE("more statements than are kept can be prepared") {
  auto c = open_scratch();
  for (size_t i = 0; i <= 2 * limits::postgres_statements_max; ++i) {
    const auto r = c.execute("select " + std::to_string(i) + "::int8", {});
    REQUIRE(r.has_value());
    CHECK(r->integer(0, 0) == static_cast<int64_t>(i));
  }
}

} // namespace fondaco::persistence::postgres

#include "persistence/postgres/journal.hpp"
#include "persistence/postgres/migrate.hpp"
#include "persistence/schema.hpp"
#include "tests/contract/journal_contract.hpp"
#include "tests/contract/journal_erasure_contract.hpp"
#include "tests/contract/journal_histories.hpp"
#include "tests/contract/postgres_schema.hpp"

namespace fondaco::contract {

struct postgres_store : postgres_schema {
  store_options options{.url = url(), .readers = 2};
  std::unique_ptr<journal> open() {
    auto opened = postgres_journal::open(options);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().detail));
    return std::move(*opened);
  }
  postgres::connection connect() {
    auto c = postgres::connection::open({options.url});
    REQUIRE(c.has_value());
    return std::move(*c);
  }
  std::optional<std::string> document(const entity_key& key) {
    auto c = connect();
    postgres::parameters p;
    p.add(key.owner.id()).add(key.kind).add(key.id);
    const auto rows = c.execute("select body::text from document where tenant = $1 and kind = $2 and id = $3", p);
    REQUIRE(rows.has_value());
    return rows->rows() > 0 ? std::optional(std::string(rows->text(0, 0))) : std::nullopt;
  }
};

} // namespace fondaco::contract

TYPE_TO_STRING_AS("PostgreSQL", fondaco::contract::postgres_store);

namespace fondaco::contract {

FONDACO_JOURNAL_CONTRACT(postgres_store);
FONDACO_JOURNAL_ERASURE_CONTRACT(postgres_store);

TEST_CASE("random histories of appends, take-overs, crashes and faults are what a plain model says, on PostgreSQL") {
  run_histories<postgres_store>(100, 100);
}

TEST_CASE("a fresh PostgreSQL schema is brought up to date once, and a dry run makes nothing") {
  postgres_store store;
  auto c = store.connect();
  for (int i = 0; i < 2; ++i)
    CHECK(postgres::plan(c).value().starts_with("version 1: "));
  CHECK(c.execute("select to_regclass('schema_version') is null", {})->integer(0, 0) == 1);
  for (int i = 0; i < 2; ++i) {
    CHECK(postgres::migrate(c).has_value());
    const auto rows = c.execute("select count(*), max(version) from schema_version", {});
    REQUIRE(rows.has_value());
    CHECK(rows->integer(0, 0) == static_cast<int64_t>(schema::migrations(schema::dialect::postgres).size()));
    CHECK(rows->integer(0, 1) == schema::migrations(schema::dialect::postgres).back().version);
  }
  CHECK(postgres::plan(c).value().ends_with("nothing to do\n"));
}

TEST_CASE("a PostgreSQL schema newer than the program is refused") {
  postgres_store store;
  auto c = store.connect();
  REQUIRE(postgres::migrate(c).has_value());
  REQUIRE(c.run("insert into schema_version values (4711, 0)").has_value());
  CHECK(postgres::migrate(c).error().code == "schema_newer");
  CHECK(postgres::plan(c).error().code == "schema_newer");
  CHECK(postgres_journal::open(store.options).error().code == "schema_newer");
}

TEST_CASE("two that migrate one PostgreSQL database at once do it once") {
  postgres_store store;
  std::atomic<int> done{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        auto c = postgres::connection::open({store.options.url});
        done += c.has_value() && postgres::migrate(*c).has_value();
      });
  }
  CHECK(done == 4);
}

TEST_CASE("a writer whose connection was cut goes on, and says unknown rather than guess") {
  postgres_store store;
  auto c = store.connect();
  store.options.url += "&application_name=" + store.name();
  auto o = own(store.open(), "a", {1});
  REQUIRE(word(append_one(*o.journal, make_append(o, "t", "n", 0))) == "acknowledged");
  REQUIRE(
      c.run("select pg_terminate_backend(pid) from pg_stat_activity where application_name = '" + store.name() + "'")
          .has_value());
  int64_t seq = 1;
  CHECK(eventually([&] {
    const auto r = append_one(*o.journal, make_append(o, "t", "n", seq));
    if (!r)
      CHECK((r.error() == journal_errc::outcome_unknown || r.error() == journal_errc::unavailable));
    return r.has_value();
  }));
  CHECK(o.journal->read_row({tenant("t"), "negotiation", "n"}).value()->seq == 2);
  CHECK_FALSE(broken_link(whole_shard(*o.journal, 1)).has_value());
}

TEST_CASE("an unreachable server is a fault and not a wait without end") {
  const auto opened = postgres_journal::open({.url = "postgresql://127.0.0.1:1/none"});
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == "store_unavailable");
  CHECK(opened.error().remedy == cure::retry);
}

TEST_CASE("a transaction that sits idle on a shard row is ended before a lease is") {
  postgres_store store;
  auto o = own(store.open(), "a", {1});
  auto blocker = store.connect();
  auto work = postgres::transaction::begin(blocker);
  REQUIRE(work.has_value());
  REQUIRE(
      blocker.run("set local idle_in_transaction_session_timeout = 100; select 1 from shard for update").has_value());
  CHECK(word(append_one(*o.journal, make_append(o, "t", "n", 0))) == "acknowledged");
  CHECK_FALSE(work->commit().has_value());
}

TEST_CASE("a shard row that another transaction sits on makes the append unavailable, and nothing is written") {
  postgres_store store;
  auto o = own(store.open(), "a", {1});
  auto blocker = store.connect();
  {
    auto work = postgres::transaction::begin(blocker);
    REQUIRE(work.has_value());
    REQUIRE(
        blocker.run("set local idle_in_transaction_session_timeout = 0; select 1 from shard for update").has_value());
    CHECK(word(append_one(*o.journal, make_append(o, "t", "n", 0))) == "unavailable");
  }
  CHECK(word(append_one(*o.journal, make_append(o, "t", "n", 0))) == "acknowledged");
}

} // namespace fondaco::contract

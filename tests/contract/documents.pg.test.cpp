#include <array>
#include <random>

#include <doctest/doctest.h>

#include "tests/contract/documents_contract.hpp"
#include "tests/contract/scratch_postgres.hpp"
#include "tests/contract/scratch_sqlite.hpp"

namespace fondaco::contract {

TEST_CASE_TEMPLATE_INVOKE(documents_match, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(documents_get, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(documents_follow_journal, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(documents_order, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(documents_bound, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(documents_inject, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(entities_match, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(entities_list, scratch_postgres);

TEST_CASE("documents on a PostgreSQL that is away are unavailable, and no password is in the answer") {
  auto store = persistence::make_postgres_documents({.url = "postgresql://someone:canary-pass@127.0.0.1:1/none"});
  auto found = store->get({first_tenant, "asset", "a"});
  REQUIRE_FALSE(found);
  CHECK(found.error().code == query_errc::unavailable);
  CHECK(found.error().detail.find("canary-pass") == std::string::npos);
}

namespace {

/// Makes JSON and queries that meet often: few names, few scalars, many shapes.
class dice {
public:
  explicit dice(uint64_t seed) : engine_(seed) {}

  size_t roll(size_t sides) { return engine_() % sides; }

  const char* scalar() {
    static constexpr const char* all[] = {"1",          "1.0",
                                          "\"1\"",      "\"01\"",
                                          "10",         "1e1",
                                          "\"1e1\"",    "-0.0",
                                          "0",          "\"x\"",
                                          "\"X\"",      "\"xy\"",
                                          "\"\"",       "true",
                                          "false",      "\"true\"",
                                          "\"é\"",      "\"É\"",
                                          "\"x*\"",     "\"1e2 \"",
                                          "0.1",        "1e308",
                                          "\"-1.5\"",   "5e-324",
                                          "\"x_%\"",    "18446744073709551615",
                                          "\"a\\\\b\"", "\"\\u0001\""};
    return all[roll(std::size(all))];
  }

  std::string value(int depth) {
    switch (roll(depth > 0 ? 8 : 4)) {
    case 0: return "null";
    case 4:
    case 5: {
      std::string out = "[";
      for (size_t i = roll(4); i > 0; --i)
        out += value(depth - 1) + (i > 1 ? "," : "");
      return out + "]";
    }
    case 6:
    case 7: return object(depth - 1);
    default: return scalar();
    }
  }

  std::string object(int depth) {
    std::string out = "{";
    for (const char* name : {"a", "b", "c d"})
      if (roll(3) != 0)
        out += (out.size() > 1 ? ",\"" : "\"") + std::string{name} + "\":" + value(depth);
    return out + "}";
  }

  std::string path() {
    std::string out;
    for (size_t i = roll(3) + 1; i > 0; --i) {
      static constexpr const char* names[] = {"a", "b", "'c d'", "'a'"};
      out += names[roll(4)] + std::string{i > 1 ? "." : ""};
    }
    return out;
  }

  query_spec query() {
    query_spec spec;
    for (size_t i = roll(2) + 1; i > 0; --i) {
      static constexpr const char* operators[] = {
          "=", "!=", "<", "<=", ">", ">=", "in", "not in", "like", "ilike", "contains"};
      std::string op = operators[roll(std::size(operators))];
      std::string right = scalar();
      if (op == "in" || op == "not in")
        right = "[" + right + "," + scalar() + "]";
      else if (op == "like" || op == "ilike")
        right = std::array{"\"x%\"", "\"_\"", "\"%1\"", "\"X_\"", "\"%\"", "\"é\"", "\"É%\""}[roll(7)];
      else if (op[0] == '<' || op[0] == '>')
        while (right == "true" || right == "false")
          right = scalar();
      spec.filter.push_back({path(), op, json_of(right)});
    }
    if (roll(2) != 0)
      spec.sort_field = path();
    spec.descending = roll(2) != 0;
    spec.limit = 500;
    return spec;
  }

private:
  std::mt19937_64 engine_;
};

std::string text_of(const query_spec& spec) {
  std::string out = "sort " + spec.sort_field + (spec.descending ? " desc" : "");
  for (const auto& c : spec.filter)
    out += "; " + c.operand_left + " " + c.op + " " + json::write(c.operand_right);
  return out;
}

} // namespace

TEST_CASE("one query gives the same rows in the same order on SQLite and PostgreSQL") {
  constexpr uint64_t seed = 0x5eed;
  dice d{seed};
  scratch_sqlite sqlite;
  scratch_postgres postgres;
  sqlite.run("begin");
  for (int64_t i = 0; i < 300; ++i) {
    auto body = d.object(3);
    sqlite.add_document({first_tenant, "asset", std::to_string(i)}, body, i / 3);
    postgres.add_document({first_tenant, "asset", std::to_string(i)}, body, i / 3);
  }
  sqlite.run("commit");
  auto on_sqlite = sqlite.documents();
  auto on_postgres = postgres.documents();
  size_t rows_seen = 0;
  for (int i = 0; i < 1500; ++i) {
    auto spec = d.query();
    auto wanted = on_sqlite->query(first_tenant, "asset", spec);
    auto got = on_postgres->query(first_tenant, "asset", spec);
    REQUIRE_MESSAGE(wanted, text_of(spec));
    REQUIRE_MESSAGE(got, text_of(spec));
    rows_seen += wanted->size();
    CHECK_MESSAGE(ids_of(wanted) == ids_of(got), "seed " << seed << ", query " << i << ": " << text_of(spec));
  }
  CHECK(rows_seen > 10'000);
}

} // namespace fondaco::contract

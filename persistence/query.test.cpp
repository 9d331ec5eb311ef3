#include "persistence/query.hpp"

#include <doctest/doctest.h>

#include "protocols/json/json.hpp"

namespace fondaco::persistence {
namespace {

const tenant owner{"ctx-1"};

std::expected<sql_statement, query_error> compiled(const criterion& c, sql_dialect d = sql_dialect::postgres) {
  query_spec spec;
  spec.filter.push_back(c);
  return compile_query(d, query_source::documents, owner, "asset", spec);
}

std::string joined(const std::expected<std::vector<std::string>, query_error>& names) {
  std::string out;
  if (names)
    for (const auto& name : *names)
      out += "<" + name + ">";
  return out;
}

json::value values(size_t count) {
  json::array out;
  for (size_t i = 0; i < count; ++i)
    out.emplace_back(i);
  return out;
}

TEST_CASE("a path is names between dots, and quotes keep dots inside a name") {
  CHECK(joined(parse_path("name")) == "<name>");
  CHECK(joined(parse_path("@id")) == "<@id>");
  CHECK(joined(parse_path("_a.b-c.d:e/f#g")) == "<_a><b-c><d:e/f#g>");
  CHECK(joined(parse_path("'https://w3id.org/edc/v0.0.1/ns/'.'x y'.z")) == "<https://w3id.org/edc/v0.0.1/ns/><x y><z>");
  CHECK(joined(parse_path("'größe'.größe")) == "<größe><größe>");
  CHECK(joined(parse_path("a.b.c.d.e.f.g.h")) == "<a><b><c><d><e><f><g><h>");
  CHECK(parse_path("a" + std::string(limits::path_bytes_max - 1, 'x')));
}

TEST_CASE("a path that is not well formed is refused") {
  for (const char* path : {"",
                           ".",
                           "a.",
                           ".a",
                           "a..b",
                           "1a",
                           "$",
                           "$.a",
                           "[0]",
                           "'a",
                           "'a'b",
                           "''",
                           "a.''",
                           "a'b'",
                           "a b",
                           "\"a\"",
                           "a.\"b",
                           "'a\\b'",
                           "a\nb",
                           "'a\tb'",
                           "a\x7f",
                           "\xff",
                           "a\xc3",
                           "'\xed\xa0\x80'",
                           "a.b.c.d.e.f.g.h.i",
                           "-a",
                           "%",
                           " a"}) {
    INFO(path);
    auto names = parse_path(path);
    REQUIRE_FALSE(names);
    CHECK(names.error().code == query_errc::bad_path);
    CHECK_FALSE(names.error().detail.empty());
  }
  CHECK_FALSE(parse_path(std::string(limits::path_bytes_max + 1, 'x')));
  CHECK_FALSE(parse_path(std::string_view{"a\0b", 3}));
}

TEST_CASE("a criterion with an unknown operator or a wrong operand is refused with its place") {
  const json::value null;
  const std::string long_pattern(limits::pattern_bytes_max + 1, '%');
  const std::string long_text(limits::operand_bytes_max + 1, 'x');
  const criterion refused[] = {
      {"a", "==", "x"},
      {"a", "", "x"},
      {"a", "not  in", values(1)},
      {"a", "between", values(2)},
      {"a", "=", null},
      {"a", "=", json::array{}},
      {"a", "!=", json::object{}},
      {"a", "in", "x"},
      {"a", "not in", 1},
      {"a", "in", json::array{nullptr}},
      {"a", "in", json::array{json::array{}}},
      {"a", "in", values(limits::operand_values_max + 1)},
      {"a", "<", true},
      {"a", ">=", null},
      {"a", "like", 1},
      {"a", "ilike", json::array{}},
      {"a", "like", json::value(std::string_view{long_pattern})},
      {"a", "contains", json::array{1}},
      {"id", "contains", null},
      {"a", "=", json::value(std::string_view{long_text})},
      {"a", "=", "\xff"},
      {"a", "=", json::value(std::string_view("a\0b", 3))},
  };
  for (const auto& c : refused) {
    INFO(c.op, " ", json::write(c.operand_right).substr(0, 40));
    for (auto dialect : {sql_dialect::sqlite, sql_dialect::postgres}) {
      auto sql = compiled(c, dialect);
      REQUIRE_FALSE(sql);
      CHECK(sql.error().code == query_errc::bad_criterion);
      CHECK(sql.error().detail.starts_with("filterExpression[0]"));
    }
  }
  CHECK(compiled({"a", "iN", values(limits::operand_values_max)}));
  CHECK(compiled({"a", "NOT IN", json::array{}}));
  auto bad_path = compiled({"1", "=", "x"});
  REQUIRE_FALSE(bad_path);
  CHECK(bad_path.error().code == query_errc::bad_path);
  CHECK(bad_path.error().detail.starts_with("filterExpression[0].operandLeft"));
}

TEST_CASE("a query with too many criteria or a bad sort field is refused") {
  query_spec spec;
  spec.filter.assign(limits::criteria_max + 1, {"a", "=", "x"});
  auto many = compile_query(sql_dialect::sqlite, query_source::entities, owner, "negotiation", spec);
  REQUIRE_FALSE(many);
  CHECK(many.error().code == query_errc::bad_criterion);
  spec.filter.pop_back();
  CHECK(compile_query(sql_dialect::sqlite, query_source::entities, owner, "negotiation", spec));
  spec.sort_field = "a desc; --";
  auto sorted = compile_query(sql_dialect::sqlite, query_source::entities, owner, "negotiation", spec);
  REQUIRE_FALSE(sorted);
  CHECK(sorted.error().code == query_errc::bad_path);
  CHECK(sorted.error().detail.starts_with("sortField"));
}

TEST_CASE("nothing of what a caller names is in a statement's text") {
  query_spec spec;
  for (const char* op : {"=", "!=", "<", "in", "not in", "like", "ilike", "contains"}) {
    bool list = std::string_view{op}.ends_with("in");
    json::value right = list ? json::value(json::array{"canary", 424242}) : json::value("canary");
    spec.filter.push_back({"canary.'canary canary'", op, right});
    spec.filter.push_back({"id", op, right});
  }
  spec.sort_field = "canary.x";
  spec.offset = 424242;
  for (auto dialect : {sql_dialect::sqlite, sql_dialect::postgres})
    for (auto source : {query_source::documents, query_source::entities}) {
      auto sql = compile_query(dialect, source, tenant{"canary"}, "canary", spec);
      REQUIRE(sql);
      CHECK(sql->text.find("canary") == std::string::npos);
      CHECK(sql->text.find("424242") == std::string::npos);
      auto last = (dialect == sql_dialect::sqlite ? "?" : "$") + std::to_string(sql->parameters.size());
      CHECK(sql->text.find(last) != std::string::npos);
    }
}

} // namespace
} // namespace fondaco::persistence

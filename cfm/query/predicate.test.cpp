#include <doctest/doctest.h>

#include <string>

#include "cfm/query/predicate.hpp"

using namespace fondaco;
using namespace fondaco::cfm;

namespace {

json::object a_profile() {
  const auto v = json::parse(R"({
    "id": "p-1", "identifier": "did:web:provider.example", "error": false, "version": 3, "empty": null, "ratio": 0.5,
    "quote": "l'Aquila",
    "properties": {"group": "suppliers", "size": 12, "Nested": {"deep": "x"}},
    "tags": ["a", "b"], "numbers": [1, 5],
    "participantRoles": {"ds": ["oem"]},
    "vpas": [{"type": "cfm.connector", "state": "active", "properties": {"connectorkey": "v"}},
             {"type": "cfm.issuer", "state": "pending"}],
    "stateTimestamp": "2026-01-16T08:01:03Z"})");
  REQUIRE(v.has_value());
  return v->get_object();
}

bool holds(const std::string& text) {
  const auto p = predicate::parse(text);
  REQUIRE_MESSAGE(p.has_value(), (text + ": " + (p ? "" : p.error().detail)));
  return p->holds(a_profile());
}

std::string refused(const std::string& text) {
  const auto p = predicate::parse(text);
  REQUIRE_MESSAGE(!p.has_value(), ("'" + text + "' was taken"));
  return p.error().detail;
}

} // namespace

TEST_CASE("each operator of the query language says what it means") {
  struct row {
    const char* text;
    bool expected;
  };
  const row table[] = {
      {"true", true},
      {"TRUE", true},
      {"id = 'p-1'", true},
      {"id = 'p-2'", false},
      {"id != 'p-2'", true},
      {"id != 'p-1'", false},
      {"version = 3", true},
      {"version = 3.0", true},
      {"version = '3'", false},
      {"version > 2", true},
      {"version > 3", false},
      {"version >= 3", true},
      {"version < 4", true},
      {"version <= 2", false},
      {"version > -1", true},
      {"ratio = 0.5", true},
      {"ratio < 0.75", true},
      {"stateTimestamp > '2026-01-01T00:00:00Z'", true},
      {"error = false", true},
      {"error = TRUE", false},
      {"empty = null", true},
      {"empty IS NULL", true},
      {"empty IS NOT NULL", false},
      {"nothing IS NULL", true},
      {"nothing is not null", false},
      {"id is not null", true},
      {"properties.nothing IS NULL", true},
      {"id IN ('a', 'p-1')", true},
      {"id IN ('a')", false},
      {"version in (2,3)", true},
      {"id NOT IN ('a', 'b')", true},
      {"id not in ('p-1')", false},
      {"identifier LIKE '%provider%'", true},
      {"identifier like 'provider%'", false},
      {"identifier like 'did:web:provider.exampl_'", true},
      {"identifier LIKE 'did%example'", true},
      {"identifier NOT LIKE '%consumer%'", true},
      {"identifier not  like '%provider%'", false},
      {"identifier CONTAINS 'provider'", true},
      {"identifier contains 'consumer'", false},
      {"identifier STARTS_WITH 'did:web:'", true},
      {"identifier starts_with 'web'", false},
      {"identifier ENDS_WITH '.example'", true},
      {"identifier ends_with 'did'", false},
      {"version LIKE '%3%'", false},
  };
  for (const auto& r : table) {
    CAPTURE(r.text);
    CHECK(holds(r.text) == r.expected);
  }
}

TEST_CASE("paths go through objects without regard to case, and a list matches by any of its elements") {
  CHECK(holds("properties.group = 'suppliers'"));
  CHECK(holds("PROPERTIES.Group = 'suppliers'"));
  CHECK(holds("properties.nested.deep = 'x'"));
  CHECK_FALSE(holds("properties.group.deeper = 'suppliers'"));
  CHECK(holds("tags = 'b'"));
  CHECK_FALSE(holds("tags = 'c'"));
  CHECK(holds("numbers > 4"));
  CHECK(holds("participantRoles.ds = 'oem'"));
  CHECK(holds("vpas.type = 'cfm.connector' AND vpas.properties.connectorkey='v'"));
  CHECK(holds("vpas.state = 'pending'"));
  CHECK_FALSE(holds("vpas.state = 'error'"));
  CHECK_FALSE(holds("vpas.properties.connectorkey = 'w'"));
}

TEST_CASE("AND, OR and groups join predicates, also nested ones as the documentation has them") {
  struct row {
    const char* text;
    bool expected;
  };
  const row table[] = {
      {"id = 'p-1' AND version = 3", true},
      {"id = 'p-1' and version = 4", false},
      {"id = 'x' OR version = 3", true},
      {"id = 'x' or version = 4 or error = false", true},
      {"(id = 'p-1' AND version = 3)", true},
      {"(id = 'p-1')", true},
      {"((id = 'p-1'))", true},
      {"(id = 'x' OR version = 3) AND error = false", true},
      {"(id = 'x' OR version = 4) AND error = false", false},
      {"id = 'x' OR (version = 3 AND (error = true OR ratio = 0.5))", true},
      {"properties.group = 'suppliers' OR properties.group = 'oem'", true},
      {"true AND id = 'p-1'", true},
  };
  for (const auto& r : table) {
    CAPTURE(r.text);
    CHECK(holds(r.text) == r.expected);
  }
}

TEST_CASE("an apostrophe in a string is written twice") {
  CHECK(holds("quote = 'l''Aquila'"));
  CHECK_FALSE(holds("quote = 'lAquila'"));
  CHECK(holds("quote CONTAINS ''''"));
  CHECK(holds("quote != ''"));
}

TEST_CASE("what is no predicate is refused with the place where it is wrong") {
  struct row {
    std::string text;
    const char* place;
  };
  const row table[] = {
      {"", "line 1:0"},
      {"   ", "line 1:3"},
      {"id", "line 1:2"},
      {"id =", "line 1:4"},
      {"id = p", "line 1:5"},
      {"id == 'p'", "line 1:4"},
      {"id = 'p", "line 1:5"},
      {"id = 'p' AND", "line 1:12"},
      {"AND id = 'p'", "line 1:4"},
      {"(id = 'p'", "line 1:9"},
      {"id = 'p')", "line 1:8"},
      {"id IN 'p'", "line 1:6"},
      {"id IN ()", "line 1:7"},
      {"id IN ('p',)", "line 1:11"},
      {"id IN ('p'", "line 1:10"},
      {"id IS 'p'", "line 1:6"},
      {"id NOT 'p'", "line 1:7"},
      {"id = 1.2.3", "line 1:5"},
      {"id = -", "line 1:5"},
      {"id. = 'p'", "line 1:0"},
      {".id = 'p'", "line 1:0"},
      {"a..b = 'p'", "line 1:0"},
      {"1d = 'p'", "line 1:0"},
      {"id = 'a'; DROP TABLE x", "line 1:8"},
      {"id = \"p\"", "line 1:5"},
      {"id = 'a' AND version = 1 OR error = true", "line 1:25"},
      {"id = 'a' OR version = 1 AND error = true", "line 1:24"},
  };
  for (const auto& r : table) {
    CAPTURE(r.text);
    const auto detail = refused(r.text);
    CHECK(detail.starts_with("parse error: "));
    CHECK(detail.find(std::string(r.place) + " ") != std::string::npos);
  }
  CHECK(refused("id = 'a' AND version = 1 OR error = true").find("parentheses") != std::string::npos);
}

TEST_CASE("a predicate has bounds in length and depth") {
  const auto nested = [](size_t depth) { return std::string(depth, '(') + "id = 'p-1'" + std::string(depth, ')'); };
  CHECK(holds(nested(cfm::limits::predicate_depth_max - 1)));
  CHECK(refused(nested(cfm::limits::predicate_depth_max)).find("too deep") != std::string::npos);
  CHECK(refused(nested(4000)).find("too deep") != std::string::npos);
  CHECK(refused("id = '" + std::string(cfm::limits::predicate_bytes_max, 'a') + "'").find("8192") != std::string::npos);
}

TEST_CASE("no text breaks the reader, and what it takes can be asked") {
  const std::string pieces[] = {"id",  " ",    "=",  "'",    "p-1",      "(",    ")",        "AND", "or",
                                "NOT", "in",   "IS", "null", "-",        "1.",   ",",        ".",   "!",
                                "<",   "like", "\\", "\n",   "\xc3\xa4", "TRUE", "vpas.type"};
  uint64_t x = 0x9f31c2;
  const auto roll = [&x](size_t n) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x % n;
  };
  int taken = 0;
  const auto o = a_profile();
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (size_t n = roll(9); n > 0; --n)
      text += pieces[roll(std::size(pieces))] + (roll(2) ? " " : "");
    if (const auto p = predicate::parse(text)) {
      ++taken;
      (void)p->holds(o);
    } else {
      CHECK(p.error().code == "bad_predicate");
    }
  }
  CHECK(taken > 50);
}

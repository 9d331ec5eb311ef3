#include "protocols/json/json.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <map>
#include <thread>

#include "protocols/base/fault.hpp"

using namespace fondaco;
using json::json_errc;

namespace {

std::string repeated(size_t count, std::string_view what) {
  std::string out;
  for (size_t i = 0; i < count; ++i)
    out += what;
  return out;
}

json_errc refusal(std::string_view text, const json::parse_limits& bounds = {}) {
  const auto parsed = json::parse(text, bounds);
  REQUIRE_FALSE(parsed);
  CHECK_FALSE(parsed.error().detail.empty());
  return parsed.error().code;
}

std::string rewritten(std::string_view text) {
  const auto parsed = json::parse(text);
  REQUIRE(parsed);
  return json::write(*parsed);
}

} // namespace

TEST_CASE("a parsed text keeps its values, kinds and member order") {
  const auto parsed = json::parse(R"( {"z":1,"a":[true,false,null,-2,1.5,"\u00e9\n"],"big":18446744073709551615} )");
  REQUIRE(parsed);
  const auto& o = parsed->as_object();
  CHECK(o.begin()->key() == "z");
  CHECK(o.at("z").is_int64());
  CHECK(o.at("a").at(4).is_double());
  CHECK(o.at("a").at(5).as_string() == "\xc3\xa9\n");
  CHECK(o.at("big").as_uint64() == std::numeric_limits<uint64_t>::max());
}

TEST_CASE("a duplicate member is refused at every level and size, and named") {
  for (const char* text : {R"({"a":1,"a":1})", R"([[{"b":{"a":1,"x":2,"a":3}}]])", R"({"\u0061":1,"a":2})"}) {
    CAPTURE(text);
    CHECK(refusal(text) == json_errc::duplicate_key);
  }
  std::string wide = "{";
  for (int i = 0; i < 5000; ++i)
    wide += "\"m" + std::to_string(i) + "\":0,";
  CHECK(refusal(wide + "\"m17\":0}") == json_errc::duplicate_key);
  CHECK(json::parse(wide + "\"m\":0}"));
  CHECK(json::parse(R"({"secret":1,"secret":2})").error().detail == R"(an object names the member "secret" twice)");
}

TEST_CASE("a long duplicate name is cut on a character's boundary") {
  const std::string name = "x" + repeated(100, "\xc3\xa9");
  const auto parsed = json::parse("{\"" + name + "\":1,\"" + name + "\":2}");
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().detail == "an object names the member \"x" + repeated(31, "\xc3\xa9") + "\" (cut) twice");
}

TEST_CASE("U+0000 is refused in values and in names") {
  CHECK(refusal(R"("\u0000")") == json_errc::nul_character);
  CHECK(refusal(R"({"a":["x\u0000y"]})") == json_errc::nul_character);
  CHECK(refusal(R"({"a\u0000":1})") == json_errc::nul_character);
  CHECK(rewritten(R"("\\u0000")") == R"("\\u0000")");
}

TEST_CASE("nesting is bounded by the limit, exactly") {
  const auto arrays = [](size_t depth) { return repeated(depth, "[") + repeated(depth, "]"); };
  CHECK(json::parse(arrays(64)));
  CHECK(refusal(arrays(65)) == json_errc::too_deep);
  CHECK(json::parse(arrays(3), {.depth_max = 3}));
  CHECK(refusal(arrays(4), {.depth_max = 3}) == json_errc::too_deep);
  CHECK(refusal(R"([{"a":[{}]}])", {.depth_max = 3}) == json_errc::too_deep);
  CHECK(json::parse(R"([{"a":[0]}])", {.depth_max = 3}));
  CHECK(json::parse(arrays(1000), {.depth_max = 1000}));
  CHECK(json::parse("1", {.depth_max = 0}));
  CHECK(refusal("[]", {.depth_max = 0}) == json_errc::too_deep);
}

TEST_CASE("a text nested 10,000 deep, closed or not, is refused and leaves the next one unharmed") {
  const auto open = repeated(10'000, "[");
  CHECK(refusal(open + repeated(10'000, "]")) == json_errc::too_deep);
  CHECK(refusal(repeated(10'000, "{\"a\":") + "1" + repeated(10'000, "}")) == json_errc::too_deep);
  CHECK_FALSE(json::parse(open));
  CHECK_FALSE(json::parse(repeated(4'000'000, "[")));
  CHECK(rewritten("[1]") == "[1]");
}

TEST_CASE("a text over the limit is refused before it is read") {
  CHECK(refusal("[1,2]", {.text_bytes_max = 4}) == json_errc::too_large);
  CHECK(json::parse("[1,2]", {.text_bytes_max = 5}));
  CHECK(refusal(std::string((8u << 20) + 1, ' ')) == json_errc::too_large);
}

TEST_CASE("what RFC 8259 does not allow is malformed") {
  for (const char* text : {"",
                           " ",
                           "{",
                           "[1,]",
                           "{\"a\":1,}",
                           "NaN",
                           "Infinity",
                           "01",
                           "1.",
                           ".5",
                           "+1",
                           "'a'",
                           "{a:1}",
                           "[1] 2",
                           "\"\\x\"",
                           "\"\t\"",
                           "\"\xff\"",
                           "\"\xed\xa0\x80\"",
                           "\"\\ud800\"",
                           "tru",
                           "// c\n1"}) {
    CAPTURE(text);
    CHECK(refusal(text) == json_errc::malformed);
  }
}

TEST_CASE("a text that is nowhere is malformed, like one that is empty") {
  CHECK(refusal(std::string_view{}) == json_errc::malformed);
}

TEST_CASE("a number that 64 bits cannot hold is refused, never rounded") {
  CHECK(rewritten("[9223372036854775807,-9223372036854775808,18446744073709551615]") ==
        "[9223372036854775807,-9223372036854775808,18446744073709551615]");
  CHECK(refusal("18446744073709551616") == json_errc::malformed);
  CHECK(refusal("-9223372036854775809") == json_errc::malformed);
  CHECK(refusal("1e400") == json_errc::malformed);
}

TEST_CASE("doubles are written in their shortest form and stay doubles") {
  struct row {
    double number;
    const char* text;
  };
  const row rows[] = {{0.1, "0.1"},
                      {1.0, "1.0"},
                      {-0.0, "-0.0"},
                      {100.0, "100.0"},
                      {1e22, "1e+22"},
                      {1e-7, "1e-07"},
                      {1.0 / 3, "0.3333333333333333"},
                      {5e-324, "5e-324"},
                      {1.7976931348623157e308, "1.7976931348623157e+308"}};
  for (const auto& r : rows) {
    CAPTURE(r.text);
    CHECK(json::write(r.number) == r.text);
    const auto back = json::parse(r.text);
    REQUIRE(back);
    CHECK(back->is_double());
    CHECK(back->as_double() == r.number);
  }
}

TEST_CASE("NaN and infinities are never written") {
  CHECK_THROWS_AS(json::write(std::numeric_limits<double>::quiet_NaN()), broken_invariant);
  CHECK_THROWS_AS(json::write(std::numeric_limits<double>::infinity()), broken_invariant);
}

TEST_CASE("written JSON is compact, escaped where it must be, and in the members' order") {
  CHECK(rewritten(" { \"b\" : [ ] , \"a\" : { } , \"c\" : [ 1 , { \"d\" : null } ] } ") ==
        R"({"b":[],"a":{},"c":[1,{"d":null}]})");
  CHECK(json::write("\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9") == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\"");
  CHECK(json::write(json::object{{"a\n", true}}) == R"({"a\n":true})");
}

TEST_CASE("typed look-ups give nothing for a missing member or another kind") {
  const auto parsed =
      json::parse(R"({"s":"x","i":-5,"u":9223372036854775808,"d":1.0,"b":false,"o":{},"a":[],"n":null})");
  REQUIRE(parsed);
  const auto& o = parsed->as_object();
  CHECK(json::string_at(o, "s") == "x");
  CHECK(json::integer_at(o, "i") == -5);
  CHECK(json::boolean_at(o, "b") == false);
  CHECK(json::object_at(o, "o") != nullptr);
  CHECK(json::array_at(o, "a") != nullptr);
  CHECK_FALSE(json::integer_at(o, "u"));
  CHECK_FALSE(json::integer_at(o, "d"));
  for (const char* name : {"n", "missing"}) {
    CHECK_FALSE(json::string_at(o, name));
    CHECK_FALSE(json::integer_at(o, name));
    CHECK_FALSE(json::boolean_at(o, name));
    CHECK(json::object_at(o, name) == nullptr);
    CHECK(json::array_at(o, name) == nullptr);
  }
}

TEST_CASE("a large text does not change how the next one is read, on any thread") {
  const auto work = [] {
    const std::string large = "[" + repeated(100'000, "\"abcdefgh\",") + "0]";
    const auto parsed = json::parse(large);
    return parsed && parsed->as_array().size() == 100'001 && json::write(*parsed) == large &&
           json::parse("{\"a\":1}").has_value() && !json::parse("{\"a\":1").has_value();
  };
  CHECK(work());
  bool elsewhere = false;
  std::thread([&] { elsewhere = work(); }).join();
  CHECK(elsewhere);
}

TEST_CASE("the JSONTestSuite: every y_ is accepted unless a rule of ours refuses it, every n_ is refused") {
  const char* root = std::getenv("FONDACO_CONFORMANCE_DATA");
  if (!root || !*root) {
    MESSAGE("JSONTestSuite did not run: FONDACO_CONFORMANCE_DATA is not set");
    std::cerr << "JSONTestSuite did not run: FONDACO_CONFORMANCE_DATA is not set\n";
    return;
  }
  // What the suite accepts and we refuse, with the reason: readers differ on which duplicate they take, so a checker
  // and its consumer could see two documents; and a PostgreSQL text holds no U+0000.
  const std::map<std::string, json_errc> ours = {{"y_object_duplicated_key.json", json_errc::duplicate_key},
                                                 {"y_object_duplicated_key_and_value.json", json_errc::duplicate_key},
                                                 {"y_object_escaped_null_in_key.json", json_errc::nul_character},
                                                 {"y_string_null_escape.json", json_errc::nul_character}};
  size_t accepted = 0, refused = 0, either = 0, by_our_rules = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(root) / "json" / "test_parsing")) {
    const std::string name = entry.path().filename().string();
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    CAPTURE(name);
    const auto parsed = json::parse(text);
    if (const auto rule = ours.find(name); rule != ours.end()) {
      ++by_our_rules;
      REQUIRE_FALSE(parsed);
      CHECK(parsed.error().code == rule->second);
    } else if (name.starts_with("y_")) {
      ++accepted;
      REQUIRE(parsed);
      const auto again = json::parse(json::write(*parsed));
      REQUIRE(again);
      CHECK(*again == *parsed);
    } else if (name.starts_with("n_")) {
      ++refused;
      CHECK_FALSE(parsed);
    } else {
      ++either;
    }
  }
  CHECK(by_our_rules == ours.size());
  CHECK(accepted > 80);
  CHECK(refused > 180);
  std::cerr << "JSONTestSuite: " << accepted << " accepted, " << refused << " refused, " << by_our_rules
            << " refused by our rules, " << either << " left to the reader\n";
}

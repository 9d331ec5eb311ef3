#include "protocols/vc/json_schema.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace fondaco;
using namespace fondaco::vc;

namespace {

std::string judged(std::string_view schema, std::string_view instance) {
  const auto s = json::parse(schema);
  const auto i = json::parse(instance);
  REQUIRE_MESSAGE(s.has_value(), schema);
  REQUIRE_MESSAGE(i.has_value(), instance);
  const auto r = check_schema(*s, *i);
  if (!r)
    CHECK_FALSE(r.error().detail.empty());
  return r ? "ok" : r.error().code;
}

constexpr const char* ok = "ok";
constexpr const char* no = "schema_violated";
constexpr const char* unsupported = "unsupported";

struct row {
  const char* schema;
  const char* instance;
  const char* verdict;
};

template <size_t N> void judge_all(const row (&rows)[N]) {
  for (const auto& r : rows) {
    CAPTURE(r.schema);
    CAPTURE(r.instance);
    CHECK(judged(r.schema, r.instance) == r.verdict);
  }
}

} // namespace

TEST_CASE("the kit's membership schema demands id and foo") {
  constexpr const char* schema = R"({"$schema":"http://json-schema.org/draft-04/schema#","id":"https://x/s.json",
    "title":"Membership","type":"object","properties":{"id":{"type":"string"},"foo":{"type":"string"}},
    "required":["id","foo"]})";
  CHECK(judged(schema, R"({"id":"did:web:h","foo":"bar","more":1})") == ok);
  CHECK(judged(schema, R"({"id":"did:web:h"})") == no);
  CHECK(judged(schema, R"({"foo":"bar"})") == no);
  CHECK(judged(schema, R"({"id":"did:web:h","foo":1})") == no);
}

TEST_CASE("every keyword is judged as the drafts say") {
  const row rows[] = {
      {"true", "1", ok},
      {"false", "1", no},
      {"{}", "1", ok},
      {R"({"type":"integer"})", "1", ok},
      {R"({"type":"integer"})", "1.0", ok},
      {R"({"type":"integer"})", "1.5", no},
      {R"({"type":"number"})", R"("1")", no},
      {R"({"type":["string","null"]})", "null", ok},
      {R"({"type":["string","null"]})", "[]", no},
      {R"({"required":["a"]})", R"("not an object")", ok},
      {R"({"required":["a"]})", R"({"a":null})", ok},
      {R"({"properties":{"a":{"type":"string"}}})", R"({"b":1})", ok},
      {R"({"properties":{"a":{"type":"string"}}})", R"({"a":1})", no},
      {R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1})", ok},
      {R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1,"b":2})", no},
      {R"({"additionalProperties":{"type":"string"}})", R"({"a":"x"})", ok},
      {R"({"additionalProperties":{"type":"string"}})", R"({"a":1})", no},
      {R"({"minProperties":2})", R"({"a":1})", no},
      {R"({"maxProperties":1})", R"({"a":1})", ok},
      {R"({"items":{"type":"string"}})", R"(["a","b"])", ok},
      {R"({"items":{"type":"string"}})", R"(["a",1])", no},
      {R"({"minItems":1})", "[]", no},
      {R"({"maxItems":1})", "[1,2]", no},
      {R"({"enum":["a",1]})", R"("a")", ok},
      {R"({"enum":["a",1]})", "1.0", ok},
      {R"({"enum":["a",1]})", R"("b")", no},
      {R"({"const":{"a":1,"b":[2]}})", R"({"b":[2.0],"a":1})", ok},
      {R"({"const":{"a":1}})", R"({"a":1,"b":2})", no},
      {R"({"minimum":1})", "1", ok},
      {R"({"minimum":1})", "0.5", no},
      {R"({"minimum":1})", R"("0")", ok},
      {R"({"maximum":9007199254740992})", "9007199254740993", no},
      {R"({"minimum":1,"exclusiveMinimum":true})", "1", no},
      {R"({"minimum":1,"exclusiveMinimum":false})", "1", ok},
      {R"({"exclusiveMinimum":1})", "1", no},
      {R"({"exclusiveMaximum":1})", "0", ok},
      {R"({"minLength":2})", R"("ä")", no},
      {R"({"maxLength":1})", R"("ä")", ok},
      {R"({"allOf":[{"type":"string"},{"minLength":2}]})", R"("a")", no},
      {R"({"anyOf":[{"type":"string"},{"type":"null"}]})", "null", ok},
      {R"({"anyOf":[{"type":"string"},{"type":"null"}]})", "1", no},
      {R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "1", ok},
      {R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "2", no},
      {R"({"not":{"type":"string"}})", "1", ok},
      {R"({"not":{"type":"string"}})", R"("a")", no},
      {R"({"$defs":{"t":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/t"}}})", R"({"a":"x"})", ok},
      {R"({"$defs":{"t":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/t"}}})", R"({"a":1})", no},
      {R"({"type":"object","additionalProperties":{"$ref":"#"}})", R"({"a":{"b":{}}})", ok},
      {R"({"type":"object","additionalProperties":{"$ref":"#"}})", R"({"a":{"b":1}})", no},
      {R"({"title":"t","description":"d","default":1,"examples":[2],"format":"uri","$comment":"c"})", "7", ok},
  };
  judge_all(rows);
}

TEST_CASE("what cannot be judged is never a silent yes") {
  const row rows[] = {
      {R"({"requird":["a"]})", "{}", unsupported},
      {R"({"pattern":"^a"})", R"("a")", unsupported},
      {R"({"pattern":"^a"})", "1", unsupported},
      {R"({"patternProperties":{"a":false},"additionalProperties":true})", "{}", unsupported},
      {R"({"if":{},"then":false})", "1", unsupported},
      {R"({"uniqueItems":true})", "[1,1]", unsupported},
      {R"({"multipleOf":2})", "3", unsupported},
      {R"({"minContains":1})", "[]", unsupported},
      {R"({"not":{"pattern":"a"}})", "1", unsupported},
      {R"({"anyOf":[{"pattern":"a"},true]})", "1", unsupported},
      {R"({"properties":{"a":{"dependentRequired":{}}}})", R"({"a":1})", unsupported},
      {R"({"type":"string","pattern":"a"})", "1", unsupported},
      {R"({"required":true})", "{}", unsupported},
      {R"({"required":[1]})", "{}", unsupported},
      {R"({"properties":[]})", "{}", unsupported},
      {R"({"additionalProperties":1})", "{}", unsupported},
      {R"({"items":[{"type":"string"}]})", "[]", unsupported},
      {R"({"type":"strng"})", "1", unsupported},
      {R"({"type":[]})", "1", unsupported},
      {R"({"enum":1})", "1", unsupported},
      {R"({"minimum":"1"})", "1", unsupported},
      {R"({"exclusiveMinimum":true})", "1", unsupported},
      {R"({"minLength":"1"})", R"("a")", unsupported},
      {R"({"anyOf":[]})", "1", unsupported},
      {R"({"allOf":{}})", "1", unsupported},
      {R"({"properties":{"a":1}})", R"({"a":1})", unsupported},
      {"1", "1", unsupported},
      {R"({"$ref":"https://elsewhere/s.json"})", "1", unsupported},
      {R"({"$ref":"#/nowhere"})", "1", unsupported},
      {R"({"$ref":"#anchor"})", "1", unsupported},
      {R"({"$schema":"http://json-schema.org/draft-03/schema#"})", "1", unsupported},
      {R"({"$schema":"https://example.org/own"})", "1", unsupported},
      {R"({"properties":{"a":{"$id":"https://x/y","type":"string"}}})", R"({"a":"x"})", unsupported},
  };
  judge_all(rows);
}

TEST_CASE("a schema that asks for endless work is refused") {
  CHECK(judged(R"({"$ref":"#"})", "1") == unsupported);
  CHECK(judged(R"({"allOf":[{"$ref":"#"},{"$ref":"#"}]})", "1") == unsupported);
  CHECK(judged(R"({"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"}]},
                            "b":{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"})",
               "1") == unsupported);
  std::string long_list = "[0";
  std::string long_enum = "[-1";
  for (int i = 1; i < 1000; ++i) {
    long_list += ",0";
    long_enum += "," + std::to_string(i);
  }
  CHECK(judged(R"({"items":{"enum":)" + long_enum + "]}}", long_list + "]") == unsupported);
}

TEST_CASE("a violation names the place and never the value") {
  const auto schema = json::parse(R"({"properties":{"a":{"items":{"type":"string"}}}})");
  const auto r = check_schema(*schema, *json::parse(R"({"a":["x",4711]})"));
  REQUIRE_FALSE(r);
  CHECK(r.error().detail.find("/a/1") != std::string::npos);
  CHECK(r.error().detail.find("4711") == std::string::npos);
}

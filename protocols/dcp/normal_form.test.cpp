#include "protocols/dcp/normal_form.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace fondaco;

namespace {

json::value parsed(const std::string& text) {
  auto v = json::parse(text);
  REQUIRE_MESSAGE(v.has_value(), text);
  return *v;
}

} // namespace

TEST_CASE("the normal form has plain terms and no wrappers, and leaves JSON literals alone") {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"type":"A","x":1})", R"({"type":"A","x":1})"},
      {R"({"@type":"dcp:A","@id":"urn:1"})", R"({"type":"A","id":"urn:1"})"},
      {R"({"@type":["https://w3id.org/dspace-dcp/v1.0/A"]})", R"({"type":"A"})"},
      {R"({"@type":["A","B"]})", R"({"type":["A","B"]})"},
      {R"({"dcp:x":{"@value":1},"https://w3id.org/dspace-dcp/v1.0/y":{"@id":"urn:2"}})", R"({"x":1,"y":"urn:2"})"},
      {R"({"cred:issuer":{"@id":"i"},"x":{"@id":"urn:3","more":1}})", R"({"issuer":"i","x":{"id":"urn:3","more":1}})"},
      {R"({"https://www.w3.org/2018/credentials#issuer":[{"@id":"i"}]})", R"({"issuer":["i"]})"},
      {R"({"x":{"@set":[{"@value":1},{"@list":[2]}]}})", R"({"x":[1,[2]]})"},
      {R"({"x":{"@type":"@json","@value":{"@type":"dcp:B","dcp:y":1}}})", R"({"x":{"@type":"dcp:B","dcp:y":1}})"},
      {R"({"x":{"@value":"dcp:y"},"https://else.example/z":1})", R"({"x":"dcp:y","https://else.example/z":1})"},
      // Of two names for one term, the first stays.
      {R"({"x":1,"dcp:x":2})", R"({"x":1})"},
      {R"({"dcp:x":2,"x":1})", R"({"x":2})"},
      {R"({"@context":["dcp:c"],"x":null})", R"({"@context":["dcp:c"],"x":null})"},
  };
  for (const auto& [from, to] : rows) {
    CAPTURE(from);
    CHECK(dcp::normal_form(parsed(from).get_object()) == parsed(to).get_object());
  }
}

TEST_CASE("deep wrappers end the search, not the program") {
  json::value v = "end";
  for (int i = 0; i < 2'000; ++i)
    v = i % 2 ? json::value(json::object{{"@set", std::move(v)}}) : json::value(json::array{std::move(v)});
  json::object o;
  o.emplace("x", std::move(v));
  CHECK(dcp::normal_form(o).contains("x"));
  CHECK(dcp::literal_items(o, "x").size() == 1);
  CHECK_FALSE(dcp::literal_items(o, "x").front().is_string());
}

TEST_CASE("a message is an object, or the one item of an array") {
  const auto object = parsed(R"({"a":1})");
  const auto in_array = parsed(R"([{"a":1}])");
  CHECK(dcp::message_object(object) == &object.get_object());
  REQUIRE(dcp::message_object(in_array));
  CHECK(*dcp::message_object(in_array) == object.get_object());
  for (const char* text : {"[]", "[{},{}]", "[7]", "[[{}]]", "7", "null", R"("a")"}) {
    const auto v = parsed(text);
    CHECK_MESSAGE(dcp::message_object(v) == nullptr, text);
  }
}

TEST_CASE("a literal is found by its term and comes as it was sent") {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"x":{"dcp:y":1}})", R"({"dcp:y":1})"},
      {R"({"dcp:x":[1,2]})", "[1,2]"},
      {R"({"dcp:x":{"@type":"@json","@value":{"@id":"urn:1"}}})", R"({"@id":"urn:1"})"},
      {R"({"https://w3id.org/dspace-dcp/v1.0/x":[{"@type":"@json","@value":[7]}]})", "[7]"},
      {R"({"x":null,"dcp:x":1})", "1"},
      {R"({"x":{"@value":{"a":1}}})", R"({"@value":{"a":1}})"},
  };
  for (const auto& [text, found] : rows) {
    CAPTURE(text);
    const auto v = parsed(text);
    const auto* literal = dcp::find_literal(v.get_object(), "x");
    REQUIRE(literal);
    CHECK(*literal == parsed(found));
  }
  for (const char* text : {"{}", R"({"y":1})", R"({"x":null})", R"({"dcp:x":{"@type":"@json","@value":null}})"}) {
    const auto v = parsed(text);
    CHECK_MESSAGE(dcp::find_literal(v.get_object(), "x") == nullptr, text);
  }
}

TEST_CASE("the items of a literal are those of its arrays and wrappers") {
  const std::pair<const char*, const char*> rows[] = {
      {R"({})", "[]"},
      {R"({"x":null})", "[]"},
      {R"({"x":[]})", "[]"},
      {R"({"x":"a"})", R"(["a"])"},
      {R"({"x":["a",null,["b"]]})", R"(["a","b"])"},
      {R"({"dcp:x":{"@list":[{"@value":"a"},"b"]}})", R"(["a","b"])"},
      {R"({"x":[{"@type":"@json","@value":[{"@id":"a"},{"id":"b"}]}]})", R"([{"@id":"a"},{"id":"b"}])"},
      {R"({"x":{"@id":"a"}})", R"([{"@id":"a"}])"},
  };
  for (const auto& [text, items] : rows) {
    CAPTURE(text);
    CHECK(dcp::literal_items(parsed(text).get_object(), "x") == parsed(items).get_array());
  }
}

TEST_CASE("a word of the vocabulary loses its prefix or the IRI before it") {
  CHECK(dcp::bare_word("ISSUED") == "ISSUED");
  CHECK(dcp::bare_word("dcp:ISSUED") == "ISSUED");
  CHECK(dcp::bare_word("https://w3id.org/dspace-dcp/v1.0/ISSUED") == "ISSUED");
  CHECK(dcp::bare_word("http://base.example/a/ISSUED") == "ISSUED");
  CHECK(dcp::bare_word("a/ISSUED") == "a/ISSUED");
  CHECK(dcp::bare_word("").empty());
}

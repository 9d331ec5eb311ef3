#include <doctest/doctest.h>

#include "protocols/jsonld/fields.hpp"
#include "protocols/jsonld/lenient.hpp"

using namespace fondaco;
using namespace fondaco::jsonld;

TEST_CASE("a scalar comes out of its wrappers, and a wrapper that holds more stays") {
  struct {
    const char* text;
    const char* inner;
  } const cases[] = {{R"("a")", R"("a")"},
                     {R"({"@id":"a"})", R"("a")"},
                     {R"([{"@value":"a","@language":"en"}])", R"("a")"},
                     {R"([[["a"]]])", R"("a")"},
                     {R"({"@value":5,"@type":"xsd:integer"})", "5"},
                     {R"(["a","b"])", R"(["a","b"])"},
                     {R"({"@id":"a","name":"b"})", R"({"@id":"a","name":"b"})"},
                     {R"({"@id":"a","@value":"b"})", R"({"@id":"a","@value":"b"})"},
                     {R"({"@type":"a"})", R"({"@type":"a"})"},
                     {"[]", "[]"}};
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(unwrapped(*json::parse(c.text)) == *json::parse(c.inner));
  }
  CHECK_FALSE(text_of(json::value(5)));
}

TEST_CASE("a term loses its prefix and its IRI, and nothing else") {
  CHECK(bare_odrl("odrl:use") == "use");
  CHECK(bare_odrl("http://www.w3.org/ns/odrl/2/use") == "use");
  CHECK(bare_odrl("use") == "use");
  CHECK(bare_odrl("https://x/odrl:use") == "https://x/odrl:use");
  CHECK(bare_odrl("odrl:") == "odrl:");
  CHECK(bare_dspace("dspace:ACCEPTED") == "ACCEPTED");
}

TEST_CASE("a term that is prefixed twice is another term, and reads as the same again") {
  for (const std::string_view term :
       {"odrl:odrl:use", "odrl:http://www.w3.org/ns/odrl/2/use", "http://www.w3.org/ns/odrl/2/odrl:use"}) {
    CAPTURE(term);
    CHECK(bare_odrl(term) == term);
    CHECK(bare_odrl(bare_odrl(term)) != "use");
  }
  CHECK(bare_odrl("odrl:odrl:") == "odrl:");
}

TEST_CASE("a base URL that was read once reads as the same again, however many slashes it ended with") {
  for (const std::string url : {"https://h", "https://h/", "https://h//", "https://h/p///"}) {
    CAPTURE(url);
    const auto read = [](const std::string& from) {
      const json::object body{{"callbackAddress", from}};
      return fields(body, "Thing").base_url("callbackAddress", need::required);
    };
    const auto once = read(url);
    CHECK_FALSE(once.empty());
    CHECK(read(once) == once);
    CHECK(without_trailing_slash(once) == once);
  }
}

TEST_CASE("the first fault is kept, and names its field") {
  auto body = *json::parse(R"({"a":1,"c":["x",2],"e":"E"})");
  fields f(body.as_object(), "Thing");
  CHECK(f.texts("c", need::required) == std::vector<std::string>{"x", "2"});
  CHECK_FALSE(f.failure());
  CHECK(f.text("a", need::optional).empty());
  CHECK(f.text("b", need::required).empty());
  REQUIRE(f.failure());
  CHECK(f.failure()->code == "wrong_field");
  CHECK(f.failure()->detail.starts_with("Thing: a is a number; allowed is a string"));
}

TEST_CASE("an object in expanded form is one without a context whose type is a whole IRI of DSP") {
  const auto object = [](const char* text) { return json::parse(text)->get_object(); };
  CHECK(jsonld::is_expanded(object(R"({"@type":"https://w3id.org/dspace/2025/1/CatalogRequestMessage"})")));
  CHECK(jsonld::is_expanded(object(R"({"@type":["https://w3id.org/dspace/2025/1/CatalogRequestMessage"]})")));
  CHECK_FALSE(jsonld::is_expanded(object(R"({"@type":"CatalogRequestMessage"})")));
  CHECK_FALSE(jsonld::is_expanded(object(R"({"@type":"dspace:CatalogRequestMessage"})")));
  CHECK_FALSE(jsonld::is_expanded(object(R"({"@context":[],"@type":"https://w3id.org/dspace/2025/1/X"})")));
  CHECK_FALSE(jsonld::is_expanded(object("{}")));
  const auto bare = jsonld::bare_members(object(R"({"https://w3id.org/dspace/2025/1/filter":{},"x":1,"filter":2})"));
  CHECK(json::write(bare) == R"({"filter":{},"x":1})");
}

#include <doctest/doctest.h>

#include <string>

#include "protocols/dsp/messages.hpp"

using namespace fondaco;
using namespace fondaco::dsp;

namespace {

json::value parsed(std::string_view text) {
  auto v = json::parse(text);
  REQUIRE_MESSAGE(v.has_value(), text);
  return *v;
}

catalog one_dataset() {
  dataset d;
  d.id = "asset-1";
  d.properties = parsed(R"({"name":"A file","@id":"evil","hasPolicy":[],"http://x/y":3})").as_object();
  d.offers.push_back(
      parsed(R"({"@id":"o-1","target":"asset-1","prohibition":[],"permission":[{"action":"use"}]})").as_object());
  d.distributions.push_back({"HttpData-PULL"});
  catalog c{"cat-1", "did:web:provider", "svc-1", "https://p.example/dsp", {}};
  c.datasets.push_back(d);
  return c;
}

} // namespace

TEST_CASE("a catalog is written as the schema demands") {
  CHECK(json::value(write_catalog(one_dataset())) ==
        parsed(R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@type":"Catalog","@id":"cat-1",
    "participantId":"did:web:provider",
    "service":[{"@id":"svc-1","@type":"DataService","endpointURL":"https://p.example/dsp"}],
    "dataset":[{"@id":"asset-1","@type":"Dataset","name":"A file","http://x/y":3,
      "hasPolicy":[{"@id":"o-1","@type":"Offer","permission":[{"action":"use"}]}],
      "distribution":[{"@type":"Distribution","format":"HttpData-PULL",
        "accessService":{"@id":"svc-1","@type":"DataService","endpointURL":"https://p.example/dsp"}}]}]})"));
}

TEST_CASE("a catalog without datasets has no list of them, and what nobody could ask for is left out") {
  auto c = one_dataset();
  c.datasets[0].offers.clear();
  CHECK_FALSE(write_catalog(c).contains("dataset"));
  c = one_dataset();
  c.datasets[0].distributions.clear();
  CHECK_FALSE(write_catalog(c).contains("dataset"));
  CHECK_THROWS_AS(write_dataset(c, c.datasets[0]), broken_invariant);
}

TEST_CASE("a dataset alone is a root object with the catalog's service in it") {
  auto c = one_dataset();
  auto body = write_dataset(c, c.datasets[0]);
  CHECK(body.at("@context") == parsed(R"(["https://w3id.org/dspace/2025/1/context.jsonld"])"));
  CHECK(body.at("@type") == "Dataset");
  CHECK(body.at("@id") == "asset-1");
  CHECK_FALSE(body.at("hasPolicy").as_array().front().as_object().contains("target"));
}

TEST_CASE("a catalog request gives its filter as a list, or null") {
  auto filter = parsed(R"([{"@type":"QuerySpec","limit":5}])");
  CHECK(read_catalog_request(json::value(write_catalog_request(filter))) == filter);
  CHECK(read_catalog_request(json::value(write_catalog_request(filter.as_array()[0]))) == filter);
  auto none = read_catalog_request(json::value(write_catalog_request(json::value(nullptr))));
  REQUIRE(none.has_value());
  CHECK(none->is_null());
  auto body = write_catalog_request(filter);
  body["filter"] = filter.as_array()[0];
  CHECK(read_catalog_request(json::value(body)) == filter);
  body["filter"] = "x";
  auto refused = read_catalog_request(json::value(body));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().detail.find("filter") != std::string::npos);
  for (const char* name : {"@context", "@type"}) {
    auto without = write_catalog_request(filter);
    without.erase(name);
    auto f = read_catalog_request(json::value(without));
    REQUIRE_FALSE(f.has_value());
    CHECK(f.error().detail.find(name) != std::string::npos);
  }
}

TEST_CASE("the version document is plain JSON") {
  CHECK(json::value(write_versions({{"2025-1", "/2025-1", "HTTPS", ""}, {"2025-1", "/p", "HTTPS", "p"}})) ==
        parsed(R"({"protocolVersions":[{"version":"2025-1","path":"/2025-1","binding":"HTTPS"},
                                   {"version":"2025-1","path":"/p","binding":"HTTPS","profile":"p"}]})"));
}

TEST_CASE("a catalog request in expanded form without a context is read like the compact one") {
  const auto read = [](const char* text) { return dsp::read_catalog_request(*json::parse(text)); };
  const auto empty = read(R"({"@type":"https://w3id.org/dspace/2025/1/CatalogRequestMessage",
      "https://w3id.org/dspace/2025/1/filter":{}})");
  REQUIRE_MESSAGE(empty.has_value(), (empty ? "" : empty.error().detail));
  CHECK(json::write(*empty) == "[]");
  const auto filtered = read(R"({"@type":["https://w3id.org/dspace/2025/1/CatalogRequestMessage"],
      "https://w3id.org/dspace/2025/1/filter":[{"@type":"QuerySpec"}]})");
  REQUIRE(filtered.has_value());
  CHECK(json::write(*filtered) == R"([{"@type":"QuerySpec"}])");
  CHECK_FALSE(read(R"({"@type":"CatalogRequestMessage"})").has_value());
  CHECK_FALSE(read(R"({"@type":"https://w3id.org/dspace/2025/1/CatalogError"})").has_value());
}

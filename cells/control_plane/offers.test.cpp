#include "cells/control_plane/offers.hpp"

#include <doctest/doctest.h>

#include "cells/control_plane/catalog_filter.hpp"
#include "cells/control_plane/data_planes.hpp"
#include "cells/control_plane/peer_exchange.hpp"
#include "cells/control_plane/signaling_routes.hpp"
#include "protocols/base/base64.hpp"

using namespace fondaco;
using namespace fondaco::control_plane;

TEST_CASE("an offer's id gives its definition and asset back, encoded or raw") {
  const auto id = make_offer_id("def:1", "asset/ü", uuid{});
  struct row {
    std::string id;
    const char* definition;
    const char* asset;
  };
  const row table[] = {
      {id, "def:1", "asset/ü"},
      {"def-1:asset-1:x", "def-1", "asset-1"},
      // One part that is not base64 makes all three raw.
      {base64_encode("def") + ":" + base64_encode("asset") + ":not base64", "ZGVm", "YXNzZXQ="},
      {base64_encode("def") + ":" + base64_encode("asset") + ":", "def", "asset"},
  };
  for (const auto& r : table) {
    CAPTURE(r.id);
    const auto parts = parse_offer_id(r.id);
    REQUIRE(parts.has_value());
    CHECK(parts->definition_id == r.definition);
    CHECK(parts->asset_id == r.asset);
  }
  for (const auto* bad : {"", "a", "a:b", "a:b:c:d", ":b:c", "a::c"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_offer_id(bad).has_value());
  }
}

TEST_CASE("a catalog's criterion reaches ids, moments of creation and public properties only") {
  struct row {
    const char* given;
    const char* path;
  };
  const row table[] = {
      {"id", "'id'"},
      {"@id", "'@id'"},
      {"createdAt", "'createdAt'"},
      {"https://w3id.org/edc/v0.0.1/ns/id", "'id'"},
      {"name", "'properties'.'name'"},
      {"edc:name", "'properties'.'name'"},
      {"properties.name", "'properties'.'name'"},
      {"'https://w3id.org/edc/v0.0.1/ns/name'", "'properties'.'name'"},
      {"'http://example.org/a.b'", "'properties'.'http://example.org/a.b'"},
      {"privateProperties.cost", nullptr},
      {"edc:privateProperties.cost", nullptr},
      {"'privateProperties'.cost", nullptr},
      {"dataAddress.baseUrl", nullptr},
      {"sealedDataAddress", nullptr},
      {"lookup.cost", nullptr},
      {"dataplaneMetadata.labels", nullptr},
      {"", nullptr},
      {"a..b", nullptr},
      {"'open", nullptr},
  };
  for (const auto& r : table) {
    CAPTURE(r.given);
    const auto got = public_criterion({r.given, "=", "x"});
    CHECK(got.has_value() == (r.path != nullptr));
    if (got && r.path)
      CHECK(got->operand_left == r.path);
  }
}

TEST_CASE("a continuation token stands for the same query") {
  catalog_query query;
  query.filter.push_back({"'properties'.'name'", "in", json::array{"a", "b"}});
  query.offset = 7;
  query.limit = 3;
  query.descending = true;
  const auto back = read_continuation(write_continuation(query));
  REQUIRE(back.has_value());
  CHECK(back->offset == 7);
  CHECK(back->limit == 3);
  CHECK(back->descending);
  REQUIRE(back->filter.size() == 1);
  CHECK(back->filter[0].operand_left == "'properties'.'name'");
  CHECK(json::write(back->filter[0].operand_right) == R"(["a","b"])");
  CHECK_FALSE(read_continuation("").has_value());
  CHECK_FALSE(read_continuation(base64url_encode("[]")).has_value());
  // A forged token gets no further than a filter would.
  const auto forged = base64url_encode(
      R"({"@type":"QuerySpec","filterExpression":[{"@type":"Criterion","operandLeft":"privateProperties.x","operator":"=","operandRight":1}]})");
  CHECK_FALSE(read_continuation(forged).has_value());
}

TEST_CASE("a signaling endpoint is taken with and without its last segment") {
  for (const auto* given : {"https://p.example/api", "https://p.example/api/", "https://p.example/api/dataflows",
                            "https://p.example/api/dataflows/"})
    CHECK(signaling_base(given) == "https://p.example/api");
}

TEST_CASE("a data plane is chosen by transfer type, labels and the asset's profiles") {
  const std::vector<data_plane_record> planes{{"a", "https://a", {"HttpData-PULL"}, {}},
                                              {"b", "https://b", {"HttpData-PULL", "HttpData-PUSH"}, {"gold"}}};
  const plane_wishes none, gold{{"gold"}, {}, {}}, pull{{}, {"HttpData-PULL"}, {}};
  CHECK(offered_types(planes, none) == std::vector<std::string>{"HttpData-PULL", "HttpData-PUSH"});
  CHECK(offered_types(planes, pull) == std::vector<std::string>{"HttpData-PULL"});
  CHECK(choose_plane(planes, none, "HttpData-PULL", 0)->id == "a");
  CHECK(choose_plane(planes, none, "HttpData-PULL", 1)->id == "b");
  CHECK(choose_plane(planes, gold, "HttpData-PULL", 0)->id == "b");
  CHECK(choose_plane(planes, none, "HttpData-PUSH", 7)->endpoint == "https://b");
  CHECK_FALSE(choose_plane(planes, pull, "HttpData-PUSH", 0).has_value());
  CHECK_FALSE(choose_plane(planes, none, "S3-PUSH", 0).has_value());
}

TEST_CASE("the reasons of a peer's error are taken over in bounds") {
  using texts = std::vector<std::string>;
  CHECK(error_reasons(R"({"reason":["a",{"@value":"b"},{"x":1}]})") == texts{"a", "b", R"({"x":1})"});
  CHECK(error_reasons(R"({"reason":"a"})") == texts{"a"});
  CHECK(error_reasons(R"([{"message":"m","type":"t"}])") == texts{"m"});
  CHECK(error_reasons("<html>").empty());
  CHECK(error_reasons("").empty());
  std::string many = R"({"reason":[")" + std::string(5000, 'x') + "\"";
  for (int i = 0; i < 50; ++i)
    many += ",\"y\\n\"";
  const auto got = error_reasons(many + "]}");
  REQUIRE(got.size() == control_plane::limits::peer_reasons_max);
  CHECK(got[0].size() == control_plane::limits::peer_reason_bytes_max);
  CHECK(got[1] == "y ");
  actors::http_answer refused{400, {}, R"({"reason":["no","never"]})"};
  CHECK(failure_text("The counterparty", "X", refused) == "The counterparty answered 400 to X: no; never");
  CHECK(failure_text("The counterparty", "X", std::unexpected(actors::exchange_errc::no_answer)) ==
        "The counterparty did not answer X (no_answer).");
}

TEST_CASE("what may pass is tried again") {
  for (int status : {408, 421, 429, 500, 503})
    CHECK(may_pass(actors::http_answer{status, {}, ""}));
  for (int status : {302, 400, 401, 404, 409})
    CHECK_FALSE(may_pass(actors::http_answer{status, {}, ""}));
  CHECK(may_pass(std::unexpected(actors::exchange_errc::not_connected)));
  CHECK_FALSE(may_pass(std::unexpected(actors::exchange_errc::address_refused)));
}

TEST_CASE("only addresses of this machine are loopback") {
  for (const auto* here : {"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", ""})
    CHECK(gateway::is_loopback(here));
  for (const auto* there : {"10.0.0.1", "1.127.0.1", "::2", "fe80::1", "::ffff:10.0.0.1", "localhost.example"})
    CHECK_FALSE(gateway::is_loopback(there));
}

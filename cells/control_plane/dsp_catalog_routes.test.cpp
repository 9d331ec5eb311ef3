#include "cells/control_plane/dsp_bed.test.hpp"

#include "cells/control_plane/offers.hpp"

using namespace fondaco;
using control_plane::dsp_testing::dsp_bed;

namespace {

constexpr const char* region_is_us =
    R"({"@type":"Set","permission":[{"action":"use","constraint":[{"leftOperand":"attribute.region","operator":"eq","rightOperand":"us"}]}]})";
constexpr const char* region_is_eu =
    R"({"@type":"Set","permission":[{"action":"use","constraint":[{"leftOperand":"attribute.region","operator":"eq","rightOperand":"eu"}]}]})";

std::vector<std::string> ids_in(const control_plane::dsp_testing::answered& a) {
  std::vector<std::string> out;
  if (const auto* datasets = json::array_at(a.body, "dataset"))
    for (const auto& d : *datasets)
      out.emplace_back(*json::string_at(d.as_object(), "@id"));
  return out;
}

using ids = std::vector<std::string>;

std::string filter(const std::string& members) { return R"("filter":[{"@type":"QuerySpec",)" + members + "}]"; }

std::string criterion(const std::string& left, const std::string& right) {
  return R"("filterExpression":[{"@type":"Criterion","operandLeft":")" + left + R"(","operator":"=","operandRight":")" +
         right + "\"}]";
}

} // namespace

TEST_CASE("a catalog shows the assets of the definitions whose access policy allows the asker") {
  dsp_bed bed;
  for (const auto* id : {"asset-2", "asset-3", "asset-4"})
    bed.add_asset(id);
  bed.add_policy("eu-only", region_is_eu);
  bed.add_policy("us-only", region_is_us);
  bed.add_policy("promises", R"({"@type":"Set","obligation":[{"action":"use"}]})");
  bed.add_definition("for-2", "eu-only", "us-only", "asset-2");
  bed.add_definition("for-1", "anyone", "anyone", "asset-1");
  bed.add_definition("again-1", "anyone", "eu-only", "asset-1");
  bed.add_definition("for-3", "us-only", "anyone", "asset-3");
  bed.add_definition("for-4", "anyone", "promises", "asset-4");
  bed.add_definition("lost", "missing", "anyone", "asset-4");
  bed.add_definition("empty", "anyone", "missing", "asset-4");
  const auto got = bed.catalog();
  CHECK(got.status == 200);
  CHECK(got.text("@type") == "Catalog");
  CHECK(got.text("participantId") == "did:web:provider");
  CHECK(ids_in(got) == ids{"asset-1", "asset-2"});
  const auto first = json::array_at(got.body, "dataset")->at(0).as_object();
  CHECK(json::string_at(first, "name") == "data");
  CHECK(json::write(first).find("cost") == std::string::npos);
  CHECK(json::write(first).find("source.example") == std::string::npos);
  const auto& offers = *json::array_at(first, "hasPolicy");
  REQUIRE(offers.size() == 2);
  for (const auto& offer : offers) {
    CHECK_FALSE(offer.as_object().contains("target"));
    const auto parts = control_plane::parse_offer_id(*json::string_at(offer.as_object(), "@id"));
    REQUIRE(parts.has_value());
    CHECK(parts->asset_id == "asset-1");
  }
  const auto& distributions = *json::array_at(first, "distribution");
  REQUIRE(distributions.size() == 1);
  CHECK(json::string_at(distributions[0].as_object(), "format") == "HttpData-PULL");
  CHECK(json::string_at(*json::object_at(distributions[0].as_object(), "accessService"), "endpointURL") ==
        "https://node.example/api/dsp/provider/closed");
}

TEST_CASE("an asset without a data plane that could serve it is not offered") {
  dsp_bed bed;
  bed.add_definition("all", "anyone", "anyone");
  bed.put("provider", cells::kinds::asset, "labelled", R"({"properties":{},"dataplaneMetadata":{"labels":["gold"]}})");
  bed.put("provider", cells::kinds::asset, "push-only",
          R"({"properties":{},"dataplaneMetadata":{"profiles":["HttpData-PUSH"]}})");
  CHECK(ids_in(bed.catalog()) == ids{"asset-1"});
  bed.add_plane(R"(,"labels":["gold"])");
  CHECK(ids_in(bed.catalog()) == ids{"asset-1", "labelled"});
  CHECK(bed.dsp("GET", "catalog/datasets/push-only").status == 404);
}

TEST_CASE("a catalog comes in pages that link to their neighbours") {
  dsp_bed bed;
  bed.add_definition("all", "anyone", "anyone");
  bed.add_definition("some", "anyone", "anyone", "asset-3");
  for (const auto* id : {"asset-2", "asset-3", "asset-4", "asset-5"})
    bed.add_asset(id);
  const auto first = bed.catalog(filter(R"("offset":0,"limit":2)"));
  CHECK(ids_in(first) == ids{"asset-1", "asset-2"});
  const auto token_of = [](const std::string& link, const std::string& relation) {
    const auto end = link.find(">; rel=\"" + relation + "\"");
    REQUIRE(end != std::string::npos);
    const auto from = link.rfind("continuationToken=", end);
    return link.substr(from, end - from);
  };
  auto link = first.header("Link");
  CHECK(link.starts_with("<https://node.example/api/dsp/provider/closed/catalog/request?continuationToken="));
  CHECK(link.find("previous") == std::string::npos);
  const auto second = bed.catalog("", "?" + token_of(link, "next"));
  CHECK(ids_in(second) == ids{"asset-3", "asset-4"});
  link = second.header("Link");
  const auto third = bed.catalog("", "?" + token_of(link, "next"));
  CHECK(ids_in(third) == ids{"asset-5"});
  CHECK(third.header("Link").find("\"next\"") == std::string::npos);
  CHECK(ids_in(bed.catalog("", "?" + token_of(link, "previous"))) == ids{"asset-1", "asset-2"});
  CHECK(ids_in(bed.catalog(filter(R"("limit":2,"sortField":"createdAt","sortOrder":"DESC")"))) ==
        ids{"asset-5", "asset-4"});
  CHECK(bed.catalog("", "?continuationToken=nonsense").status == 400);
  // A page that is exactly full is the last one.
  CHECK(bed.catalog(filter(R"("limit":5)")).header("Link").empty());
}

TEST_CASE("a catalog's filter asks for public properties only") {
  dsp_bed bed;
  bed.add_definition("all", "anyone", "anyone");
  bed.add_asset("asset-2", "other");
  CHECK(ids_in(bed.catalog(filter(criterion("name", "other")))) == ids{"asset-2"});
  CHECK(ids_in(bed.catalog(filter(criterion("https://w3id.org/edc/v0.0.1/ns/name", "other")))) == ids{"asset-2"});
  CHECK(ids_in(bed.catalog(filter(criterion("id", "asset-1")))) == ids{"asset-1"});
  CHECK(ids_in(bed.catalog(filter(criterion("cost", "17")))).empty());
  const char* refused[] = {
      R"("filter":[{"@type":"QuerySpec","filterExpression":[{"@type":"Criterion","operandLeft":"privateProperties.cost","operator":"=","operandRight":"17"}]}])",
      R"("filter":[{"@type":"QuerySpec","filterExpression":[{"@type":"Criterion","operandLeft":"name","operator":"~","operandRight":"17"}]}])",
      R"("filter":[{"@type":"QuerySpec","limit":0}])",
      R"("filter":[{"@type":"QuerySpec","sortField":"name"}])",
      R"("filter":[{"@type":"QuerySpec","where":"1=1"}])",
      R"("filter":[{"@type":"Other"}])",
      R"("filter":["name=other"])",
      R"("filter":[{"@type":"QuerySpec"},{"@type":"QuerySpec"}])",
      R"("filter":7)",
  };
  for (const auto* members : refused) {
    CAPTURE(members);
    const auto got = bed.catalog(members);
    CHECK(got.status == 400);
    CHECK(got.text("@type") == "CatalogError");
    CHECK_FALSE(got.reasons().empty());
  }
  CHECK(bed.catalog(R"("filter":[])").status == 200);
}

TEST_CASE("one dataset is had by its id, if the asker sees it") {
  dsp_bed bed;
  bed.add_policy("us-only", region_is_us);
  bed.add_asset("asset-2");
  bed.add_definition("for-1", "anyone", "anyone", "asset-1");
  bed.add_definition("for-2", "us-only", "anyone", "asset-2");
  const auto got = bed.dsp("GET", "catalog/datasets/asset-1");
  CHECK(got.status == 200);
  CHECK(got.text("@type") == "Dataset");
  CHECK(got.text("@id") == "asset-1");
  for (const auto* id : {"asset-2", "asset-3", "%00", "%ff"}) {
    const auto missing = bed.dsp("GET", std::string("catalog/datasets/") + id);
    CHECK(missing.status == 404);
    CHECK((missing.body.empty() || missing.text("@type") == "CatalogError"));
  }
}

TEST_CASE("callers are let in by participant, profile and token") {
  dsp_bed bed;
  const auto body = dsp_bed::message("CatalogRequestMessage", "");
  struct row {
    const char* path;
    const char* token;
    int status;
    const char* type;
  };
  const row table[] = {
      {"provider/closed/catalog/request", "consumer-token", 200, "Catalog"},
      {"provider/closed/catalog/request", "wrong", 401, "CatalogError"},
      {"provider/closed/catalog/request", "", 401, "CatalogError"},
      {"provider/closed/negotiations/request", "wrong", 401, "ContractNegotiationError"},
      {"provider/closed/transfers/request", "wrong", 401, "TransferError"},
      {"nobody/closed/catalog/request", "consumer-token", 404, "CatalogError"},
      {"nobody/closed/negotiations/request", "", 404, "ContractNegotiationError"},
      {"provider/other/catalog/request", "consumer-token", 404, "CatalogError"},
      {"provider/unknown/transfers/request", "consumer-token", 404, "TransferError"},
      {"consumer/closed/catalog/request", "consumer-token", 401, "CatalogError"},
      {"consumer/closed/catalog/request", "provider-token", 200, "Catalog"},
  };
  for (const auto& r : table) {
    CAPTURE(r.path);
    CAPTURE(r.token);
    const auto got = bed.send("POST", std::string("/api/dsp/") + r.path, body, r.token);
    CHECK(got.status == r.status);
    CHECK(got.text("@type") == r.type);
    CHECK(got.header("WWW-Authenticate") == (r.status == 401 ? "Bearer" : ""));
  }
  const std::string path = "/api/dsp/provider/closed/catalog/request";
  CHECK(bed.send("POST", path, body, "", {{"authorization", "bEaReR consumer-token"}}).status == 200);
  CHECK(bed.send("POST", path, body, "", {{"authorization", "Basic consumer-token"}}).status == 401);
  CHECK(bed.send("POST", path, body, "consumer-token", {{"authorization", "Bearer consumer-token"}}).status == 401);
  CHECK(bed.log().find("consumer-token") == std::string::npos);
}

TEST_CASE("the version document names the participant's profiles and needs no token") {
  dsp_bed bed;
  const auto got = bed.send("GET", "/api/dsp/provider/.well-known/dspace-version", "", "");
  CHECK(got.status == 200);
  const auto& versions = *json::array_at(got.body, "protocolVersions");
  REQUIRE(versions.size() == 1);
  CHECK(json::write(versions[0]) == R"({"version":"2025-1","path":"/closed","binding":"HTTPS","profile":"closed"})");
  CHECK(bed.send("GET", "/api/dsp/nobody/.well-known/dspace-version", "", "").status == 404);
  bed.add_participant("lonely", "x", "{}", "unknown");
  CHECK(bed.send("GET", "/api/dsp/lonely/.well-known/dspace-version", "", "").status == 404);
}

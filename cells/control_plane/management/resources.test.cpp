#include <doctest/doctest.h>

#include "cells/control_plane/management/test_bed.test.hpp"

namespace {

using namespace fondaco;
using control_plane::testing::answered;
using control_plane::testing::test_bed;

std::string asset(const std::string& id, const std::string& more = "") {
  return test_bed::typed("Asset", R"("@id":")" + id + R"(","properties":{"name":"n-)" + id + "\"}" + more);
}

std::string policy(const std::string& id, const std::string& constraint = "") {
  return test_bed::typed("PolicyDefinition",
                         R"("@id":")" + id + R"(","policy":{"@type":"Set","permission":[{"action":"use")" +
                             (constraint.empty() ? "" : ",\"constraint\":[" + constraint + "]") + "}]}");
}

std::string definition(const std::string& id, const std::string& policy_id, const std::string& selector = "[]") {
  return test_bed::typed("ContractDefinition", R"("@id":")" + id + R"(","accessPolicyId":")" + policy_id +
                                                   R"(","contractPolicyId":")" + policy_id + R"(","assetsSelector":)" +
                                                   selector);
}

std::string query(const std::string& left, const std::string& op, const std::string& right) {
  return test_bed::typed("QuerySpec", R"("filterExpression":[{"@type":"Criterion","operandLeft":")" + left +
                                          R"(","operator":")" + op + R"(","operandRight":)" + right + "}]");
}

} // namespace

TEST_CASE("an asset is created, read, found, replaced and removed as the reference says") {
  test_bed bed;
  bed.add_participant("alice");
  auto made = bed.send("alice", "POST", "participants/alice/assets",
                       asset("a1", R"(,"privateProperties":{"shelf":7},"dataAddress":{"type":"File","path":"/x"})"));
  REQUIRE(made.status == 200);
  CHECK(made.text("@type") == "IdResponse");
  CHECK(made.text("@id") == "a1");
  CHECK(json::integer_at(made.object(), "createdAt").value_or(0) > 0);
  CHECK(json::write(made.object().at("@context")) == R"(["https://w3id.org/edc/connector/management/v2"])");

  auto again = bed.send("alice", "POST", "participants/alice/assets", asset("a1"));
  CHECK(again.status == 409);
  CHECK(again.error("type") == "ObjectConflict");

  auto got = bed.send("alice", "GET", "participants/alice/assets/a1");
  REQUIRE(got.status == 200);
  CHECK(got.text("@type") == "Asset");
  CHECK(json::write(got.object().at("properties")) == R"({"name":"n-a1","id":"a1"})");
  CHECK(json::write(got.object().at("privateProperties")) == R"({"shelf":7})");
  CHECK(json::write(got.object().at("dataAddress")) == R"({"type":"File","path":"/x"})");
  CHECK_FALSE(got.object().contains("lookup"));

  for (auto [left, op, right] :
       {std::tuple{"id", "=", "\"a1\""}, std::tuple{"name", "like", "\"n-%\""},
        std::tuple{"'https://w3id.org/edc/v0.0.1/ns/name'", "=", "\"n-a1\""}, std::tuple{"shelf", "=", "7"},
        std::tuple{"privateProperties.shelf", "<", "8"}, std::tuple{"participantContextId", "=", "\"alice\""}}) {
    auto found = bed.send("alice", "POST", "participants/alice/assets/request", query(left, op, right));
    INFO(std::string(left));
    REQUIRE(found.status == 200);
    CHECK(found.body.get_array().size() == 1);
  }
  CHECK(bed.send("alice", "POST", "participants/alice/assets/request", query("participantContextId", "=", "\"bob\""))
            .body.get_array()
            .empty());
  CHECK(bed.send("alice", "POST", "participants/alice/assets/request").body.get_array().size() == 1);

  CHECK(bed.send("alice", "PUT", "participants/alice/assets",
                 test_bed::typed("Asset", R"("@id":"a1","properties":{"name":"new"})"))
            .status == 204);
  CHECK(json::write(bed.send("alice", "GET", "participants/alice/assets/a1").object().at("properties")) ==
        R"({"name":"new","id":"a1"})");
  CHECK(bed.send("alice", "PUT", "participants/alice/assets", asset("a2")).status == 404);

  CHECK(bed.send("alice", "DELETE", "participants/alice/assets/a1").status == 204);
  auto gone = bed.send("alice", "GET", "participants/alice/assets/a1");
  CHECK(gone.status == 404);
  CHECK(gone.error() == "Object of type Asset with ID=a1 was not found");
  CHECK(bed.send("alice", "DELETE", "participants/alice/assets/a1").status == 404);
}

TEST_CASE("the secrets of an asset's address are kept sealed and shown to nobody") {
  test_bed bed;
  bed.add_participant("alice");
  REQUIRE(bed.send("alice", "POST", "participants/alice/assets",
                   asset("a1", R"(,"dataAddress":{"type":"HttpData","baseUrl":"https://x","authCode":"canary-1",)"
                               R"("header:X-Key":"canary-2"})"))
              .status == 200);
  auto got = bed.send("alice", "GET", "participants/alice/assets/a1");
  CHECK(json::write(got.object().at("dataAddress")) == R"({"type":"HttpData","baseUrl":"https://x"})");
  const persistence::entity_key key{tenant("alice"), "asset", "a1"};
  auto stored = bed.documents().get(key);
  REQUIRE((stored && *stored));
  CHECK((*stored)->body.find("canary") == std::string::npos);
  const auto events = bed.journal().read_events(key, 0, 10).value();
  for (const auto& e : events)
    CHECK(e.event.payload.find("canary") == std::string::npos);
  auto address = control_plane::asset_address(bed.vault(), tenant("alice"), json::parse((*stored)->body)->get_object());
  REQUIRE((address && *address));
  CHECK(json::string_at(**address, "authCode") == "canary-1");
  CHECK(json::string_at(**address, "header:X-Key") == "canary-2");
}

TEST_CASE("a body that is not an asset is refused with what is wrong and where") {
  test_bed bed;
  bed.add_participant("alice");
  struct row {
    const char* type;
    const char* members;
    const char* path;
  };
  for (const auto& r : {
           row{"Asset", "", "properties"},
           row{"Asset", R"("properties":7)", "properties"},
           row{"Asset", R"("properties":{"conformsTo":7})", "properties.conformsTo"},
           row{"Asset", R"("properties":{"a":1},"privateProperties":{"edc:a":2})", "privateProperties.a"},
           row{"Asset", R"("properties":{},"dataAddress":{})", "dataAddress.type"},
           row{"Asset", R"("properties":{},"dataplaneMetadata":{"labels":["x"]})", "dataplaneMetadata.@type"},
           row{"Asset", R"("properties":{},"@id":"")", "@id"},
           row{"CatalogAsset", R"("properties":{"format":"x"})", "properties.endpointURL"},
           row{"CatalogAsset", R"("properties":{"endpointURL":"x"})", "properties.format"},
       }) {
    auto got = bed.send("alice", "POST", "participants/alice/assets", test_bed::typed(r.type, r.members));
    INFO(std::string(r.members));
    CHECK(got.status == 400);
    CHECK(got.error("type") == "ValidationFailure");
    CHECK(got.error("path") == r.path);
  }
  CHECK(bed.send("alice", "POST", "participants/alice/assets").status == 400);
  CHECK(bed.send("alice", "POST", "participants/alice/assets", "{\"a\":1,\"a\":2}").status == 400);
  CHECK(bed.send("alice", "POST", "participants/alice/assets", test_bed::typed("PolicyDefinition", "")).error() ==
        "JsonObject type 'PolicyDefinition' does not match expected types: [Asset, CatalogAsset]");
  CHECK(bed.send("alice", "POST", "participants/alice/assets", R"({"@type":"Asset","properties":{}})").error("path") ==
        "@context");
}

TEST_CASE("a catalog asset is shown as one, whichever way it was said") {
  test_bed bed;
  bed.add_participant("alice");
  REQUIRE(
      bed.send("alice", "POST", "participants/alice/assets",
               test_bed::typed("CatalogAsset", R"("@id":"c","properties":{"endpointURL":"https://c","format":"f"})"))
          .status == 200);
  REQUIRE(bed.send("alice", "POST", "participants/alice/assets",
                   test_bed::typed("Asset", R"("@id":"d","properties":{},"privateProperties":{"isCatalog":true})"))
              .status == 200);
  auto c = bed.send("alice", "GET", "participants/alice/assets/c");
  CHECK(c.text("@type") == "CatalogAsset");
  CHECK(json::boolean_at(c.object().at("properties").get_object(), "isCatalog") == true);
  CHECK(bed.send("alice", "GET", "participants/alice/assets/d").text("@type") == "CatalogAsset");
}

TEST_CASE("the same idempotency key with the same body gives the same answer, with another body a conflict") {
  test_bed bed;
  bed.add_participant("alice");
  bed.add_participant("bob");
  const std::string body = test_bed::typed("Asset", R"("properties":{"name":"x"})");
  const gateway::http_headers key{{"idempotency-key", "k1"}};
  auto first = bed.send("alice", "POST", "participants/alice/assets", body, key);
  auto second = bed.send("alice", "POST", "participants/alice/assets", body, key);
  REQUIRE(first.status == 200);
  REQUIRE(second.status == 200);
  CHECK(json::write(first.body) == json::write(second.body));
  auto other = bed.send("alice", "POST", "participants/alice/assets",
                        test_bed::typed("Asset", R"("properties":{"name":"y"})"), key);
  CHECK(other.status == 409);
  auto renamed = bed.send("alice", "POST", "participants/alice/assets", asset("with-an-id"), key);
  CHECK(renamed.status == 409);
  CHECK(bed.send("alice", "POST", "participants/alice/assets/request").body.get_array().size() == 1);
  auto of_bob = bed.send("bob", "POST", "participants/bob/assets", body, key);
  CHECK(of_bob.status == 200);
  CHECK(of_bob.text("@id") != first.text("@id"));
  CHECK(bed.send("alice", "POST", "participants/alice/assets", body, {{"idempotency-key", ""}}).status == 400);
}

TEST_CASE("a token of another participant is refused before anything is looked up, and ids of others do not exist") {
  test_bed bed;
  bed.add_participant("alice");
  bed.add_participant("bob");
  REQUIRE(bed.send("bob", "POST", "participants/bob/assets", asset("secret")).status == 200);
  REQUIRE(bed.send("bob", "POST", "participants/bob/policydefinitions", policy("secret")).status == 200);
  REQUIRE(bed.send("bob", "POST", "participants/bob/contractdefinitions", definition("secret", "secret")).status ==
          200);
  for (const char* kind : {"assets", "policydefinitions", "contractdefinitions"}) {
    const auto theirs = std::string("participants/bob/") + kind + "/";
    const auto ours = std::string("participants/alice/") + kind + "/";
    INFO(std::string(kind));
    auto refused = bed.send("alice", "GET", theirs + "secret");
    CHECK(refused.status == 403);
    CHECK(refused.error("type") == "NotAuthorized");
    CHECK(refused.error() == "User 'alice' is not authorized to access this resource.");
    CHECK(json::write(bed.send("alice", "GET", theirs + "nothing").body) == json::write(refused.body));
    CHECK(bed.send("alice", "GET", std::string("participants/nobody/") + kind + "/x").status == 403);
    auto foreign = bed.send("alice", "GET", ours + "secret");
    CHECK(foreign.status == 404);
    CHECK(foreign.error("type") == "ObjectNotFound");
    CHECK(bed.send("alice", "DELETE", ours + "secret").status == 404);
    CHECK(bed.send("alice", "POST", ours + "request").body.get_array().empty());
    CHECK(bed.send("admin", "POST", ours + "request").body.get_array().empty());
    CHECK(bed.send("admin", "GET", theirs + "secret").status == 200);
    CHECK(bed.send("admin", "GET", std::string("participants/nobody/") + kind + "/x").error() ==
          "Object of type ParticipantContext with ID=nobody was not found");
    CHECK(bed.send("", "GET", theirs + "secret").status == 401);
    CHECK(bed.send("bob:catalog:write", "GET", theirs + "secret").status == 403);
  }
  CHECK(bed.send("bob:assets:read", "POST", "participants/bob/assets", asset("x")).status == 403);
  CHECK(bed.send("bob:assets:read", "DELETE", "participants/bob/assets/secret").status == 403);
  CHECK(bed.send("bob:assets:read", "POST", "participants/bob/assets/request").status == 200);
}

TEST_CASE("a policy definition is kept only if every rule of it can be judged") {
  test_bed bed;
  bed.add_participant("alice");
  const std::string good = R"({"leftOperand":"attribute.region","operator":"eq","rightOperand":"eu"})";
  REQUIRE(bed.send("alice", "POST", "participants/alice/policydefinitions", policy("p1", good)).status == 200);
  auto got = bed.send("alice", "GET", "participants/alice/policydefinitions/p1");
  CHECK(got.text("@type") == "PolicyDefinition");
  CHECK(json::integer_at(got.object(), "createdAt").value_or(0) > 0);
  CHECK(json::write(got.object().at("policy").get_object().at("permission")) ==
        R"([{"action":"use","constraint":[)" + good + "]}]");
  auto valid = bed.send("alice", "POST", "participants/alice/policydefinitions/p1/validate");
  CHECK(valid.text("@type") == "PolicyValidationResult");
  CHECK(json::boolean_at(valid.object(), "isValid") == true);
  CHECK(valid.object().at("errors").get_array().empty());
  CHECK(bed.send("alice", "POST", "participants/alice/policydefinitions/nope/validate").status == 404);

  for (
      const char* wrong : {
          R"("policy":{"@type":"Set","permission":[{"action":"use","constraint":[{"leftOperand":"moon","operator":"eq","rightOperand":"x"}]}]})",
          R"("policy":{"@type":"Set","permission":[{"action":"dance"}]})",
          R"("policy":{"@type":"Set","permission":[{"constraint":[]}]})",
          R"("policy":{"@type":"Set","permission":[]})",
          R"("policy":{"@type":"Offer","permission":[{"action":"use"}]})",
          R"("policy":{"@type":"Set","surprise":1,"permission":[{"action":"use"}]})",
          R"("policy":{"@type":"Set","permission":[{"action":"use","constraint":[{"leftOperand":"inForceDate","operator":"near","rightOperand":"x"}]}]})",
          R"("privateProperties":{})",
      }) {
    auto refused =
        bed.send("alice", "POST", "participants/alice/policydefinitions", test_bed::typed("PolicyDefinition", wrong));
    INFO(std::string(wrong));
    CHECK(refused.status == 400);
    CHECK(refused.error("type") == "ValidationFailure");
    CHECK(refused.error("path").starts_with("policy"));
  }
  CHECK(bed.send("alice", "PUT", "participants/alice/policydefinitions/p1", policy("p2")).status == 400);
  CHECK(bed.send("alice", "PUT", "participants/alice/policydefinitions/p1", policy("p1")).status == 204);
  CHECK(bed.send("alice", "PUT", "participants/alice/policydefinitions/none", policy("none")).status == 404);
}

TEST_CASE("a policy that a contract definition uses cannot be removed") {
  test_bed bed;
  bed.add_participant("alice");
  REQUIRE(bed.send("alice", "POST", "participants/alice/policydefinitions", policy("p1")).status == 200);
  REQUIRE(bed.send("alice", "POST", "participants/alice/contractdefinitions",
                   definition("d1", "p1",
                              R"([{"@type":"Criterion","operandLeft":"name","operator":"=","operandRight":"x"}])"))
              .status == 200);
  auto kept = bed.send("alice", "DELETE", "participants/alice/policydefinitions/p1");
  CHECK(kept.status == 409);
  CHECK(kept.error("type") == "ObjectConflict");
  auto got = bed.send("alice", "GET", "participants/alice/contractdefinitions/d1");
  CHECK(got.text("accessPolicyId") == "p1");
  CHECK(json::write(got.object().at("assetsSelector")) ==
        R"([{"@type":"Criterion","operandLeft":"name","operator":"=","operandRight":"x"}])");
  CHECK_FALSE(got.object().contains("createdAt"));
  CHECK(bed.send("alice", "DELETE", "participants/alice/contractdefinitions/d1").status == 204);
  CHECK(bed.send("alice", "DELETE", "participants/alice/policydefinitions/p1").status == 204);
}

TEST_CASE("a contract definition's selector has to be a query that the store can answer") {
  test_bed bed;
  bed.add_participant("alice");
  for (const char* selector : {
           R"([{"@type":"Criterion","operandLeft":"name","operator":"resembles","operandRight":"x"}])",
           R"([{"@type":"Criterion","operandLeft":"1name","operator":"=","operandRight":"x"}])",
           R"([{"operandLeft":"name","operator":"=","operandRight":"x"}])",
           R"([{"@type":"Criterion","operandLeft":"name","operator":"in","operandRight":"x"}])",
           R"(["x"])",
       }) {
    auto refused = bed.send("alice", "POST", "participants/alice/contractdefinitions", definition("d", "p", selector));
    INFO(std::string(selector));
    CHECK(refused.status == 400);
    CHECK(refused.error("path").starts_with("assetsSelector"));
  }
  auto unknown =
      bed.send("alice", "POST", "participants/alice/contractdefinitions/request", query("colour", "=", "\"red\""));
  CHECK(unknown.status == 400);
  CHECK(unknown.error() == "Error validating schema: Field colour not found on type ContractDefinition");
}

TEST_CASE("a data plane is registered again and again, its authorization sealed, and removed") {
  test_bed bed;
  bed.add_participant("alice");
  const std::string plane =
      R"({"dataplaneId":"dp","endpoint":"https://dp/api/dataflows","transferTypes":["HttpData-PULL"],)"
      R"("authorization":{"type":"oauth2_client_credentials","clientSecret":"canary"}})";
  auto done = bed.send("alice", "PUT", "participants/alice/dataplanes", plane);
  CHECK(done.status == 200);
  CHECK(bed.send("alice", "PUT", "participants/alice/dataplanes", plane).status == 200);
  auto stored = bed.documents().get({tenant("alice"), "data_plane", "dp"});
  REQUIRE((stored && *stored));
  auto body = json::parse((*stored)->body)->get_object();
  CHECK(json::string_at(body, "endpoint") == "https://dp/api");
  CHECK(json::write(body.at("transferTypes")) == R"(["HttpData-PULL"])");
  CHECK((*stored)->body.find("canary") == std::string::npos);
  auto opened = bed.vault().open(tenant("alice"), *json::string_at(body, "authorization"));
  REQUIRE(opened.has_value());
  CHECK(opened->find("canary") != std::string::npos);
  CHECK(bed.send("alice", "PUT", "participants/alice/dataplanes", R"({"dataplaneId":"dp","endpoint":"ftp://x"})")
            .status == 400);
  CHECK(bed.send("alice", "DELETE", "participants/alice/dataplanes/dp").status == 200);
  CHECK(bed.send("alice", "DELETE", "participants/alice/dataplanes/dp").status == 404);
  CHECK(bed.send("alice", "PUT", "participants/bob/dataplanes", plane).status == 403);
}

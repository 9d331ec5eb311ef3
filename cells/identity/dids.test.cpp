#include "cells/identity/identity_bed.test.hpp"

#include "cells/identity/keys.hpp"
#include "protocols/base/base64.hpp"

namespace fondaco::identity {

namespace {

using testing::identity_bed;

constexpr const char* did = "did:web:id.example:acme";
constexpr const char* own = R"({"did":"did:web:id.example:acme"})";

std::string endpoints(const std::string& whose = did) { return "/acme/dids/" + base64url_encode(whose) + "/endpoints"; }

std::string service(const std::string& id, const std::string& url = "https://x.example") {
  return R"({"id":")" + id + R"(","type":"Extra","serviceEndpoint":")" + url + "\"}";
}

/// The endpoint of a published service; empty if there is none.
std::string endpoint_of(identity_bed& bed, const std::string& id) {
  const auto document = did::read_document(bed.document("/acme/did.json").body, did);
  REQUIRE(document.has_value());
  for (const auto& one : document->services)
    if (one.id == id)
      return one.endpoint;
  return "";
}

std::string state(identity_bed& bed) { return bed.api("admin", "POST", "/acme/dids/state", own).text; }

TEST_CASE("a document is served by the host and path of its DID, and by no other") {
  identity_bed bed;
  bed.join("acme");
  REQUIRE(bed.api("admin", "POST", "", identity_bed::manifest("root", "", "did:web:root.example")).status == 200);
  REQUIRE(bed.api("admin", "POST", "", identity_bed::manifest("deep", "", "did:web:localhost%3A8083:a:b")).status ==
          200);
  CHECK(bed.document("/acme/did.json").at("id") == did);
  CHECK(bed.document("/.well-known/did.json", "root.example").at("id") == "did:web:root.example");
  CHECK(bed.document("/a/b/did.json", "localhost:8083").at("id") == "did:web:localhost%3A8083:a:b");
  for (const auto& [path, host] : {std::pair{"/acme/did.json", "root.example"},
                                   {"/acme/did.json", "id.example:8443"},
                                   {"/acme/did.json", ""},
                                   {"/.well-known/did.json", "id.example"},
                                   {"/nobody/did.json", "id.example"},
                                   {"/acme", "id.example"},
                                   {"/acme/x/did.json", "id.example"},
                                   {"/a/b/did.json", "localhost:8084"}}) {
    CAPTURE(path);
    CAPTURE(host);
    CHECK(bed.document(path, host).status == 404);
  }
  CHECK(bed.document("/acme/did.json").header("Content-Type") == "application/json");
  const auto typed =
      bed.ask("", "GET", "/acme/did.json", "", {{"host", "id.example"}, {"accept", "application/did+json"}});
  CHECK(typed.header("Content-Type") == "application/did+json");
  CHECK(bed.ask("", "GET", "/acme/did.json").status == 404);
}

TEST_CASE("a document is published for an active participant and taken back for a deactivated one") {
  identity_bed bed;
  REQUIRE(bed.api("admin", "POST", "",
                  R"({"participantContextId":"acme","did":"did:web:id.example:acme","key":)" + identity_bed::key("k1") +
                      "}")
              .status == 200);
  CHECK(state(bed) == "GENERATED");
  CHECK(bed.document("/acme/did.json").status == 404);
  CHECK(bed.api("admin", "POST", "/acme/dids/publish", own).status == 400);
  CHECK(bed.api("admin", "POST", "/acme/state?isActive=true").status == 204);
  CHECK(state(bed) == "PUBLISHED");
  CHECK(bed.document("/acme/did.json").status == 200);
  CHECK(bed.api("admin", "POST", "/acme/dids/publish", own).status == 204);
  CHECK(bed.api("admin", "POST", "/acme/dids/unpublish", own).status == 400);
  CHECK(bed.api("admin", "POST", "/acme/state?isActive=false").status == 204);
  CHECK(state(bed) == "UNPUBLISHED");
  CHECK(bed.api("admin", "POST", "/acme/dids/unpublish", own).status == 204);
  CHECK(bed.api("admin", "POST", "/acme/dids/publish", own).status == 400);
  for (const char* path : {"/acme/dids/publish", "/acme/dids/unpublish", "/acme/dids/state"}) {
    CHECK(bed.api("admin", "POST", path, R"({"did":"did:web:id.example:globex"})").status == 404);
    CHECK(bed.api("admin", "POST", path, "{}").status == 400);
  }
}

TEST_CASE("a query gives the participant's document, also before it is published") {
  identity_bed bed;
  bed.join("acme");
  bed.join("globex");
  CHECK(bed.api("admin", "POST", "/acme/state?isActive=false").status == 204);
  const auto all = bed.api("acme:dids:read", "POST", "/acme/dids/query", "{}").list();
  REQUIRE(all.size() == 1);
  CHECK(json::string_at(all[0].as_object(), "id") == did);
  CHECK(json::array_at(all[0].as_object(), "verificationMethod")->size() == 1);
  const auto count = [&bed](const std::string& spec) {
    return bed.api("acme:dids:read", "POST", "/acme/dids/query", spec).list().size();
  };
  CHECK(count("") == 1);
  CHECK(count(R"({"filterExpression":[{"operandLeft":"state","operator":"=","operandRight":400}]})") == 1);
  CHECK(count(R"({"filterExpression":[{"operandLeft":"state","operator":"=","operandRight":300}]})") == 0);
  CHECK(count(R"({"offset":1,"filterExpression":null})") == 0);
  CHECK(bed.api("admin", "POST", "/acme/dids/query", R"({"limit":0})").status == 400);
  CHECK(bed.api("admin", "POST", "/acme/dids/query", R"({"filterExpression":[{"operandLeft":"state"}]})").status ==
        400);
}

TEST_CASE("services are added, replaced and removed by their id, absolute or not") {
  identity_bed bed;
  bed.join("acme");
  CHECK(bed.api("admin", "POST", endpoints(), service("x")).status == 204);
  CHECK(endpoint_of(bed, std::string(did) + "#x") == "https://x.example");
  CHECK(bed.api("admin", "POST", endpoints(), service(std::string(did) + "#x")).status == 409);
  CHECK(bed.api("admin", "PATCH", endpoints(), service("#x", "https://y.example")).status == 204);
  CHECK(endpoint_of(bed, std::string(did) + "#x") == "https://y.example");
  CHECK(bed.api("admin", "PATCH", endpoints(), service("z")).status == 400);
  CHECK(bed.api("admin", "DELETE", endpoints() + "?serviceId=x").status == 204);
  CHECK(endpoint_of(bed, std::string(did) + "#x").empty());
  CHECK(bed.api("admin", "DELETE", endpoints() + "?serviceId=x").status == 400);
  CHECK(bed.api("admin", "DELETE", endpoints()).status == 400);
  CHECK(bed.api("admin", "POST", endpoints("did:web:else"), service("x")).status == 404);
  CHECK(bed.api("admin", "POST", "/acme/dids/!!/endpoints", service("x")).status == 404);
  CHECK(bed.api("admin", "POST", endpoints(), R"({"id":"x"})").status == 400);
  CHECK(bed.api("admin", "POST", endpoints(), service("a b")).status == 400);
  CHECK(bed.api("admin", "POST", endpoints() + "?autoPublish=maybe", service("x")).status == 400);
}

TEST_CASE("a change of services publishes the document where that is asked for and allowed") {
  identity_bed bed;
  REQUIRE(bed.api("admin", "POST", "",
                  R"({"participantContextId":"acme","did":"did:web:id.example:acme","key":)" + identity_bed::key("k1") +
                      "}")
              .status == 200);
  CHECK(bed.api("admin", "POST", endpoints() + "?autoPublish=true", service("x")).status == 400);
  CHECK(bed.api("admin", "POST", endpoints(), service("x")).status == 204);
  CHECK(state(bed) == "GENERATED");
  CHECK(bed.api("admin", "POST", "/acme/state?isActive=true").status == 204);
  CHECK(bed.api("admin", "PATCH", endpoints() + "?autoPublish=true", service("x", "https://z.example")).status == 204);
  CHECK(state(bed) == "PUBLISHED");
  CHECK(endpoint_of(bed, std::string(did) + "#x") == "https://z.example");
}

TEST_CASE("this node's own identities are found by participant and by DID") {
  identity_bed bed;
  bed.join("acme");
  CHECK(read_own_did(*bed.services, tenant("acme")) == did);
  CHECK_FALSE(read_own_did(*bed.services, tenant("nobody")).has_value());
  CHECK_FALSE(read_own_document(*bed.services, tenant("nobody")).has_value());
  CHECK(owner_of_did(*bed.services, did) == tenant("acme"));
  CHECK_FALSE(owner_of_did(*bed.services, "did:web:else").has_value());
}

} // namespace

} // namespace fondaco::identity

#include "cells/issuer_service/issuer_bed.test.hpp"

#include "protocols/vc/status_list.hpp"

using namespace fondaco;
using namespace fondaco::issuer_service;
using namespace fondaco::issuer_service::testing;

namespace {

std::string with(json::object body, const char* changes) {
  const auto given = json::parse(changes)->as_object();
  for (const auto& [name, v] : given)
    body[name] = v;
  return json::write(body);
}

const json::object attestation{{"id", "a-1"}, {"attestationType", "holder"}, {"configuration", json::object()}};

std::string criterion(const char* left, const char* op, json::value right) {
  return json::write(json::object{
      {"filterExpression",
       json::array{json::object{{"operandLeft", left}, {"operator", op}, {"operandRight", std::move(right)}}}}});
}

/// Whether the published bit of a credential is set, as a verifier sees it.
std::string verdict(issuer_bed& b, const std::string& compact) {
  const auto what = vc::read_credential(compact)->what;
  std::string out;
  for (const auto& entry : what.statuses) {
    const auto got = b.send("GET", entry.list_url.substr(std::string(node_url).size()));
    const auto list = vc::read_status_list(vc::read_credential(got.raw)->what);
    REQUIRE(list.has_value());
    if (*list->bits.at(entry.index))
      out += (out.empty() ? "" : " ") + entry.purpose;
  }
  return out;
}

} // namespace

TEST_CASE("attestations are made, queried and removed") {
  issuer_bed b;
  const auto made = b.admin("POST", "/attestations", json::write(attestation), "issuer:attestations:write");
  CHECK(made.status == 201);
  CHECK(made.header("Location") == "/api/issuer/v1beta/participants/issuer/attestations/a-1");
  CHECK(b.admin("POST", "/attestations", json::write(attestation)).status == 409);
  const auto all = b.admin("POST", "/attestations/query", "{}", "issuer:attestations:read");
  REQUIRE(all.ids() == std::vector<std::string>{"a-1"});
  const auto& shown = all.body.as_array().at(0).as_object();
  CHECK(json::string_at(shown, "participantContextId") == "issuer");
  CHECK(json::string_at(shown, "attestationType") == "holder");
  CHECK(json::integer_at(shown, "createdAt").value_or(0) > 0);
  CHECK(json::integer_at(shown, "lastModifiedAt").value_or(0) > 0);
  CHECK(b.admin("DELETE", "/attestations/a-1").status == 204);
  CHECK(b.admin("DELETE", "/attestations/a-1").status == 404);
  for (const char* changes : {R"({"attestationType":"database"})", R"({"attestationType":null})", R"({"id":""})",
                              R"({"configuration":null})", R"({"configuration":1})"})
    CHECK(b.admin("POST", "/attestations", with(attestation, changes)).status == 400);
}

TEST_CASE("credential definitions are made, read, replaced, queried and removed") {
  issuer_bed b;
  b.fill();
  const auto def = issuer_bed::definition("def-9", "OtherCredential");
  const auto made = b.admin("POST", "/credentialdefinitions", json::write(def), "issuer:credentialdefinitions:write");
  CHECK(made.status == 201);
  CHECK(made.header("Location") == "/api/issuer/v1beta/participants/issuer/credentialdefinitions/def-9");
  const auto shown = b.admin("GET", "/credentialdefinitions/def-9", "", "issuer:credentialdefinitions:read");
  CHECK(shown.status == 200);
  CHECK(shown.text("id") == "def-9");
  CHECK(shown.text("format") == "VC1_0_JWT");
  CHECK(shown.text("participantContextId") == "issuer");
  CHECK(b.admin("POST", "/credentialdefinitions", json::write(def)).status == 409);
  CHECK(b.admin("PUT", "/credentialdefinitions", with(def, R"({"validity":60})")).status == 200);
  CHECK(json::integer_at(b.admin("GET", "/credentialdefinitions/def-9").body.as_object(), "validity") == 60);
  CHECK(b.admin("PUT", "/credentialdefinitions", with(def, R"({"id":"unknown"})")).status == 404);
  CHECK(b.admin("PUT", "/credentialdefinitions", with(def, R"({"id":null})")).status == 400);
  const auto found =
      b.admin("POST", "/credentialdefinitions/query", criterion("credentialType", "=", "OtherCredential"));
  CHECK(found.ids() == std::vector<std::string>{"def-9"});
  CHECK(b.admin("DELETE", "/credentialdefinitions/def-9").status == 204);
  CHECK(b.admin("GET", "/credentialdefinitions/def-9").status == 404);
  const auto missing = b.admin("POST", "/credentialdefinitions", with(def, R"({"attestations":["x","y"]})"));
  CHECK(missing.status == 400);
  CHECK(missing.raw.find("Attestation definitions [x, y] not found") != std::string::npos);
  CHECK(b.admin("POST", "/credentialdefinitions", with(def, R"({"format":"x"})")).status == 400);
}

TEST_CASE("a definition without an id gets one, the same for the same idempotency key") {
  issuer_bed b;
  b.fill();
  const auto body = with(issuer_bed::definition("", "OtherCredential"), R"({"id":null})");
  const auto send = [&](const char* key) {
    return b.admin("POST", "/credentialdefinitions", body, "admin", "issuer", {{"idempotency-key", key}});
  };
  const auto first = send("k-1");
  REQUIRE(first.status == 201);
  const auto id = issuer_bed::id_of(first);
  CHECK(b.admin("GET", "/credentialdefinitions/" + id).text("id") == id);
  CHECK(issuer_bed::id_of(send("k-1")) == id);
  CHECK(issuer_bed::id_of(send("k-2")) != id);
}

TEST_CASE("holders are made, read, replaced, queried and removed") {
  issuer_bed b;
  const auto body = issuer_bed::holder_body();
  const auto made = b.admin("POST", "/holders", json::write(body), "issuer:holders:write");
  CHECK(made.status == 201);
  CHECK(made.header("Location") == "/api/issuer/v1beta/participants/issuer/holders/" + std::string(holder_did));
  CHECK(b.admin("POST", "/holders", json::write(body)).status == 409);
  const auto shown = b.admin("GET", "/holders/" + std::string(holder_did));
  CHECK(shown.text("holderId") == holder_did);
  CHECK(shown.text("holderName") == "Alice");
  CHECK(shown.body.as_object().at("anonymous") == false);
  CHECK(b.admin("PUT", "/holders", with(body, R"({"name":"Bob"})")).status == 200);
  CHECK(b.admin("GET", "/holders/" + std::string(holder_did)).text("holderName") == "Bob");
  CHECK(b.admin("PUT", "/holders", with(body, R"({"holderId":"unknown"})")).status == 404);
  CHECK(b.admin("POST", "/holders/query", criterion("did", "=", holder_did)).ids("holderId").size() == 1);
  CHECK(b.admin("POST", "/holders/query", criterion("properties.member", "=", false)).ids("holderId").empty());
  CHECK(b.admin("POST", "/holders/query", R"({"limit":0})").status == 400);
  CHECK(b.admin("DELETE", "/holders/" + std::string(holder_did)).status == 204);
  CHECK(b.admin("GET", "/holders/" + std::string(holder_did)).status == 404);
  for (const char* changes :
       {R"({"holderId":null})", R"({"did":null})", R"({"did":"https://x"})", R"({"properties":[]})", R"({"name":7})"})
    CHECK(b.admin("POST", "/holders", with(body, changes)).status == 400);
  auto big = body;
  big["properties"] = json::object{{"text", std::string(33'000, 'x')}};
  CHECK(b.admin("POST", "/holders", json::write(big)).status == 400);
}

TEST_CASE("an id is decoded once, and found too by who does not encode its percent sign") {
  issuer_bed b;
  const std::string did = "did:web:host%3A1:x";
  b.add("/holders", issuer_bed::holder_body(did));
  CHECK(b.admin("GET", "/holders/did:web:host%253A1:x").text("did") == did);
  CHECK(b.admin("GET", "/holders/did:web:host%3A1:x").text("did") == did);
  CHECK(b.admin("GET", "/holders/did:web:host%25253A1:x").status == 404);
  b.add("/holders", issuer_bed::holder_body("did:web:host:1:x"));
  CHECK(b.admin("GET", "/holders/did:web:host%3A1:x").text("did") == "did:web:host:1:x");
  CHECK(b.admin("DELETE", "/holders/did:web:host%253A1:x").status == 204);
  CHECK(b.admin("GET", "/holders/did:web:host%3A1:x").status == 200);
}

TEST_CASE("issuance processes are read and queried") {
  issuer_bed b;
  b.fill();
  const auto id = b.issue();
  const auto shown = b.admin("GET", "/issuanceprocesses/" + id, "", "issuer:issuanceprocesses:read");
  CHECK(shown.status == 200);
  CHECK(shown.text("id") == id);
  CHECK(shown.text("state") == "DELIVERED");
  CHECK(shown.text("holderId") == holder_did);
  CHECK(shown.text("holderPid") == "pid-1");
  CHECK(shown.text("participantContextId") == "issuer");
  const auto& body = shown.body.as_object();
  CHECK(json::write(body.at("claims")) == R"({"member":true,"name":"Alice"})");
  CHECK(json::write(body.at("credentialDefinitions")) == R"(["def-1","def-2"])");
  CHECK(json::write(body.at("credentialFormats")) == R"({"def-1":"VC1_0_JWT","def-2":"VC1_0_JWT"})");
  CHECK(json::integer_at(body, "createdAt").value_or(0) > 0);
  CHECK(json::integer_at(body, "updatedAt").value_or(0) > 0);
  CHECK(b.admin("GET", "/issuanceprocesses/unknown").status == 404);
  CHECK(b.admin("POST", "/issuanceprocesses/query", criterion("state", "=", "DELIVERED")).ids().size() == 1);
  CHECK(b.admin("POST", "/issuanceprocesses/query", criterion("holderPid", "=", "pid-1")).ids().size() == 1);
  CHECK(b.admin("POST", "/issuanceprocesses/query", criterion("id", "=", json::value(id))).ids().size() == 1);
  CHECK(b.admin("POST", "/issuanceprocesses/query", criterion("state", "=", "APPROVED")).ids().empty());
}

TEST_CASE("issued credentials are queried as the CFM asks") {
  issuer_bed b;
  b.fill();
  b.issue();
  const auto all = b.admin("POST", "/credentials/query", criterion("holderId", "=", holder_did));
  CHECK(all.ids().size() == 2);
  const auto one = b.admin("POST", "/credentials/query",
                           criterion("verifiableCredential.credential.type", "contains", "MembershipCredential"),
                           "issuer:credentials:read");
  REQUIRE(one.ids().size() == 1);
  const auto& shown = one.body.as_array().at(0).as_object();
  CHECK(json::string_at(shown, "participantContextId") == "issuer");
  CHECK(json::string_at(shown, "format") == "VC1_0_JWT");
  CHECK(json::integer_at(shown, "state") == 500);
  const auto* credential = json::object_at(shown, "credential");
  REQUIRE(credential);
  CHECK(json::string_at(*credential, "id") == one.ids().front());
  CHECK(one.raw.find("eyJ") == std::string::npos);
}

TEST_CASE("a revoked credential is so at once for everybody, and stays so") {
  issuer_bed b;
  b.fill();
  b.issue();
  const auto compact = issuer_bed::payloads(b.deliveries().front());
  const auto id = vc::read_credential(compact[0])->what.id;
  CHECK(verdict(b, compact[0]).empty());
  const auto before = b.admin("GET", "/credentials/" + id + "/status");
  CHECK(before.text("credentialId") == id);
  CHECK(before.body.as_object().at("status").is_null());
  CHECK(b.admin("POST", "/credentials/" + id + "/revoke", "", "issuer:credentials:write").status == 204);
  CHECK(verdict(b, compact[0]) == "revocation");
  CHECK(verdict(b, compact[1]).empty());
  CHECK(b.admin("GET", "/credentials/" + id + "/status").text("status") == "revocation");
  CHECK(b.admin("POST", "/credentials/query", criterion("state", "=", 600)).ids() == std::vector<std::string>{id});
  CHECK(b.admin("POST", "/credentials/" + id + "/revoke").status == 204);
  // The UUID alone names it too.
  CHECK(b.admin("POST", "/credentials/" + id.substr(9) + "/revoke").status == 204);
  CHECK(b.admin("POST", "/credentials/unknown/revoke").status == 404);
  CHECK(b.admin("GET", "/credentials/unknown/status").status == 404);
  CHECK(b.admin("POST", "/credentials/" + id + "/suspend").status == 400);
  CHECK(b.log().find("revoked: " + id) != std::string::npos);
}

TEST_CASE("a credential with a place in the suspension list is suspended and resumed, and revoked for good") {
  issuer_bed b;
  b.fill();
  auto d = issuer_bed::definition("def-3", "OtherCredential");
  d["statusPurposes"] = json::array{"revocation", "suspension"};
  b.add("/credentialdefinitions", d);
  b.issue({"def-3"});
  const auto compact = issuer_bed::payloads(b.deliveries().front()).front();
  const auto id = vc::read_credential(compact)->what.id;
  const auto state = [&] {
    const auto all = b.admin("POST", "/credentials/query", "{}");
    return json::integer_at(all.body.as_array().at(0).as_object(), "state").value_or(0);
  };
  CHECK(b.admin("POST", "/credentials/" + id + "/suspend").status == 204);
  CHECK(verdict(b, compact) == "suspension");
  CHECK(state() == 700);
  CHECK(b.admin("GET", "/credentials/" + id + "/status").text("status") == "suspension");
  CHECK(b.admin("POST", "/credentials/" + id + "/resume").status == 204);
  CHECK(verdict(b, compact).empty());
  CHECK(state() == 500);
  CHECK(b.admin("POST", "/credentials/" + id + "/suspend").status == 204);
  CHECK(b.admin("POST", "/credentials/" + id + "/revoke").status == 204);
  CHECK(b.admin("POST", "/credentials/" + id + "/resume").status == 204);
  CHECK(verdict(b, compact) == "revocation");
  CHECK(state() == 600);
}

TEST_CASE("credentials are offered to a holder, and its refusal is told") {
  issuer_bed b;
  b.fill();
  const auto url = b.world[holder_did].service() + "/offers";
  std::string taken;
  b.world.play(url, [&taken](const actors::http_call& call) {
    taken = call.body;
    return answer(200, "");
  });
  const auto body = json::write(json::object{{"holderId", holder_did}, {"credentials", json::array{"def-1"}}});
  CHECK(b.admin("POST", "/credentials/offer", body, "issuer:credentials:write").status == 204);
  const auto offer = dcp::read_credential_offer(*json::parse(taken));
  REQUIRE(offer.has_value());
  CHECK(offer->issuer == own_did);
  REQUIRE(offer->credentials.size() == 1);
  CHECK(offer->credentials[0].credential_type == "MembershipCredential");
  b.world.play(url, [](const auto&) { return answer(403, R"([{"message":"not from you"}])"); });
  const auto refused = b.admin("POST", "/credentials/offer", body);
  CHECK(refused.status == 400);
  CHECK(refused.raw.find("The holder answered 403") != std::string::npos);
  CHECK(b.admin("POST", "/credentials/offer", R"({"holderId":"unknown","credentials":["def-1"]})").status == 404);
  CHECK(b.admin("POST", "/credentials/offer",
                json::write(json::object{{"holderId", holder_did}, {"credentials", json::array{"unknown"}}}))
            .status == 400);
  CHECK(b.admin("POST", "/credentials/offer",
                json::write(json::object{{"holderId", holder_did}, {"credentials", json::array()}}))
            .status == 400);
}

TEST_CASE("every route refuses the wrong scope and the wrong participant, and its twin goes in") {
  issuer_bed b;
  b.fill();
  b.add_issuer("other", "did:web:node.example:other");
  struct row {
    const char* method;
    const char* path;
    const char* resource;
    const char* action;
  };
  for (const auto& [method, path, resource, action] : {
           row{"POST", "/attestations", "attestations", "write"},
           row{"DELETE", "/attestations/x", "attestations", "write"},
           row{"POST", "/attestations/query", "attestations", "read"},
           row{"POST", "/credentialdefinitions", "credentialdefinitions", "write"},
           row{"PUT", "/credentialdefinitions", "credentialdefinitions", "write"},
           row{"GET", "/credentialdefinitions/x", "credentialdefinitions", "read"},
           row{"POST", "/credentialdefinitions/query", "credentialdefinitions", "read"},
           row{"DELETE", "/credentialdefinitions/x", "credentialdefinitions", "write"},
           row{"POST", "/holders", "holders", "write"},
           row{"PUT", "/holders", "holders", "write"},
           row{"GET", "/holders/x", "holders", "read"},
           row{"DELETE", "/holders/x", "holders", "write"},
           row{"POST", "/holders/query", "holders", "read"},
           row{"GET", "/issuanceprocesses/x", "issuanceprocesses", "read"},
           row{"POST", "/issuanceprocesses/query", "issuanceprocesses", "read"},
           row{"POST", "/credentials/query", "credentials", "read"},
           row{"POST", "/credentials/offer", "credentials", "write"},
           row{"POST", "/credentials/x/revoke", "credentials", "write"},
           row{"POST", "/credentials/x/suspend", "credentials", "write"},
           row{"POST", "/credentials/x/resume", "credentials", "write"},
           row{"GET", "/credentials/x/status", "credentials", "read"},
       }) {
    CAPTURE(method);
    CAPTURE(path);
    const auto scope = std::string(":") + resource + ":" + action;
    CHECK(b.admin(method, path, "", "").status == 401);
    CHECK(b.admin(method, path, "", "other" + scope).status == 403);
    CHECK(b.admin(method, path, "", "issuer:wrong:admin").status == 403);
    if (std::string(action) == "write")
      CHECK(b.admin(method, path, "", std::string("issuer:") + resource + ":read").status == 403);
    CHECK(b.admin(method, path, "", "admin", "nobody").status == 404);
    const auto twin = b.admin(method, path, "", "issuer" + scope).status;
    CHECK(twin != 401);
    CHECK(twin != 403);
  }
}

TEST_CASE("one issuer's records are not another's") {
  issuer_bed b;
  b.fill();
  b.add_issuer("other", "did:web:node.example:other");
  const auto id = b.issue();
  const auto credential = b.admin("POST", "/credentials/query", "{}").ids().front();
  for (const auto& path : {"/holders/" + std::string(holder_did), std::string("/credentialdefinitions/def-1"),
                           "/issuanceprocesses/" + id, "/credentials/" + credential + "/status"})
    CHECK(b.admin("GET", path, "", "admin", "other").status == 404);
  CHECK(b.admin("POST", "/credentials/" + credential + "/revoke", "", "admin", "other").status == 404);
  CHECK(b.admin("DELETE", "/holders/" + std::string(holder_did), "", "admin", "other").status == 404);
  for (const char* path : {"/holders/query", "/attestations/query", "/credentialdefinitions/query",
                           "/issuanceprocesses/query", "/credentials/query"})
    CHECK(b.admin("POST", path, "{}", "admin", "other").body.as_array().empty());
  // The same ids may be used by both.
  CHECK(b.admin("POST", "/holders", json::write(issuer_bed::holder_body()), "admin", "other").status == 201);
}

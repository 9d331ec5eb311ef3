#include "cells/credential_service/service_bed.test.hpp"

using namespace fondaco;
using namespace fondaco::credential_service;
using namespace fondaco::credential_service::testing;

TEST_CASE("a credential that was asked for is kept sealed, and its request is ISSUED") {
  service_bed b;
  b.request("pid-1");
  const auto compact = b.membership();
  const auto got = b.deliver("pid-1", "MembershipCredential", compact);
  REQUIRE_MESSAGE(got.status == 200, got.message());
  CHECK(b.status_of("pid-1") == "ISSUED");
  const auto held = b.held();
  REQUIRE(held.size() == 1);
  CHECK(held[0].body.find(compact) == std::string::npos);
  const auto body = json::parse(held[0].body)->as_object();
  CHECK(json::string_at(body, "issuerId") == issuer_did);
  CHECK(json::string_at(body, "holderId") == holder_did);
  CHECK(json::integer_at(body, "state") == 500);
  CHECK(json::string_at(*json::object_at(body, "metadata"), "credentialObjectId") == "def-MembershipCredential");
  const auto events =
      b.journal().read_events({tenant("holder"), cells::kinds::verifiable_credential, held[0].key.id}, 0, 10);
  REQUIRE(events.has_value());
  REQUIRE(events->size() == 1);
  CHECK(events->front().event.payload.find(compact) == std::string::npos);
  CHECK(b.log().find(compact) == std::string::npos);
}

TEST_CASE("one request takes deliveries again and again, and one credential is kept once") {
  service_bed b;
  b.request("pid-1", {"MembershipCredential", "InvoiceCredential"});
  const auto first = b.membership();
  CHECK(b.deliver("pid-1", "MembershipCredential", first).status == 200);
  CHECK(b.deliver("pid-1", "MembershipCredential", first).status == 200);
  CHECK(b.held().size() == 1);
  const auto both = b.delivery(
      "pid-1", {{"MembershipCredential", b.membership()}, {"InvoiceCredential", b.membership("InvoiceCredential")}});
  CHECK(b.dcp("credentials", both, b.issuer_token()).status == 200);
  CHECK(b.held().size() == 3);
  CHECK(json::array_at(b.view_of("pid-1"), "credentials")->size() == 3);
}

TEST_CASE("a delivery that overtakes the issuer's own answer is taken") {
  service_bed b;
  std::mutex mutex;
  std::string delivered;
  b.world.play(std::string(issuer_service) + "/credentials", [&](const auto&) -> actors::http_result {
    const auto got = b.deliver("pid-1", "MembershipCredential", b.membership());
    std::scoped_lock lock(mutex);
    delivered = std::to_string(got.status) + got.message();
    return actors::http_answer{201, {{"location", "/requests/issuer-pid"}}, ""};
  });
  const auto made = b.api("POST", "/request",
                          R"({"issuerDid":"did:web:issuer.example","holderPid":"pid-1","credentials":)"
                          R"([{"id":"def-1","type":"MembershipCredential","format":"vc11-sl2021/jwt"}]})");
  REQUIRE(made.status == 201);
  REQUIRE(b.reaches("pid-1", "ISSUED"));
  REQUIRE(b.network.wait([&] {
    std::scoped_lock lock(mutex);
    return !delivered.empty();
  }));
  CHECK(delivered == "200");
  CHECK(b.status_of("pid-1") == "ISSUED");
}

TEST_CASE("what was not asked for, does not hold, or is about somebody else is not kept") {
  service_bed b;
  b.request("pid-1");
  const auto type = std::string("MembershipCredential");
  auto other_issuer = b.world.membership(holder_did);
  other_issuer.issuer = third_did;
  auto expired = b.world.membership(holder_did);
  expired.valid_until = b.world.now() - std::chrono::minutes(1);
  auto nobody = b.world.membership(holder_did);
  nobody.subjects = {json::object{{"level", "gold"}}};
  auto tampered = b.membership();
  tampered[tampered.size() / 2] = tampered[tampered.size() / 2] == 'A' ? 'B' : 'A';
  const auto& third = b.world[third_did];
  struct row {
    std::string name;
    std::string body;
    int status;
  };
  const row table[] = {
      {"another type", b.delivery("pid-1", {{"InvoiceCredential", b.membership("InvoiceCredential")}}), 403},
      {"another format", b.delivery("pid-1", {{type, b.membership()}}, "vc20-bssl/jwt"), 403},
      {"an unknown format", b.delivery("pid-1", {{type, b.membership()}}, "ldp"), 400},
      {"a type that it has not", b.delivery("pid-1", {{type, b.membership("InvoiceCredential")}}), 400},
      {"no JWS", b.delivery("pid-1", {{type, "x"}}), 400},
      {"another issuer", b.delivery("pid-1", {{type, b.world.sign(other_issuer, &third)}}), 400},
      {"signed by another", b.delivery("pid-1", {{type, b.world.sign(b.world.membership(holder_did), &third)}}), 400},
      {"about another", b.delivery("pid-1", {{type, b.membership(type, third_did)}}), 400},
      {"about nobody", b.delivery("pid-1", {{type, b.world.sign(nobody)}}), 400},
      {"expired", b.delivery("pid-1", {{type, b.world.sign(expired)}}), 400},
      {"tampered", b.delivery("pid-1", {{type, tampered}}), 400},
      {"one good, one bad", b.delivery("pid-1", {{type, b.membership()}, {type, "x"}}), 400},
      {"an unknown request", b.delivery("pid-2", {{type, b.membership()}}), 404},
      {"no credentials", b.delivery("pid-1", {}), 400},
      {"a wrong status",
       service_bed::message("CredentialMessage",
                            {{"issuerPid", "i"}, {"holderPid", "pid-1"}, {"status", "INVALID_STATUS"}}),
       400},
      {"no holderPid", service_bed::message("CredentialMessage", {{"issuerPid", "i"}, {"status", "REJECTED"}}), 400},
  };
  for (const auto& r : table) {
    CAPTURE(r.name);
    const auto got = b.dcp("credentials", r.body, b.issuer_token());
    CHECK_MESSAGE(got.status == r.status, got.message());
  }
  CHECK(b.held().empty());
  CHECK(b.status_of("pid-1") == "REQUESTED");
  CHECK(b.deliver("pid-1", type, b.membership()).status == 200);
}

TEST_CASE("only the issuer that was asked delivers") {
  service_bed b;
  b.request("pid-1");
  const auto body = b.delivery("pid-1", {{"MembershipCredential", b.membership()}});
  CHECK(b.dcp("credentials", body, b.world.token(third_did, holder_did, "")).status == 404);
  CHECK(b.dcp("credentials", body, b.world.token(issuer_did, third_did, "")).status == 401);
  CHECK(b.dcp("credentials", body, "").status == 401);
  CHECK(b.held().empty());
  const auto token = b.issuer_token();
  CHECK(b.dcp("credentials", body, token).status == 200);
  CHECK(b.dcp("credentials", body, token).status == 401);
}

TEST_CASE("a credential of one issuer never takes another's place") {
  service_bed b;
  b.request("pid-1");
  auto c = b.world.membership(holder_did);
  c.issuer = third_did;
  c.id = "urn:shared";
  const auto manifest =
      json::object{{"id", "urn:shared"},
                   {"participantContextId", "holder"},
                   {"verifiableCredentialContainer", json::object{{"rawVc", b.world.sign(c, &b.world[third_did])},
                                                                  {"format", "VC1_0_JWT"},
                                                                  {"credential", vc::to_model(c)}}}};
  REQUIRE(b.api("POST", "", json::write(manifest)).status == 204);
  auto same_id = b.world.membership(holder_did);
  same_id.id = "urn:shared";
  CHECK(b.deliver("pid-1", "MembershipCredential", b.world.sign(same_id)).status == 409);
  CHECK(b.status_of("pid-1") == "REQUESTED");
}

TEST_CASE("a rejection ends the request with the issuer's reason, for `why`") {
  service_bed b;
  b.request("pid-1");
  const auto body = service_bed::message("CredentialMessage", {{"issuerPid", "issuer-pid"},
                                                               {"holderPid", "pid-1"},
                                                               {"status", "REJECTED"},
                                                               {"rejectionReason", "no such member"}});
  CHECK(b.dcp("credentials", body, b.issuer_token()).status == 200);
  CHECK(b.status_of("pid-1") == "ERROR");
  const auto view = b.view_of("pid-1");
  const auto& cause = json::array_at(view, "causes")->at(0).as_object();
  CHECK(json::string_at(cause, "side") == "peer");
  CHECK(json::string_at(cause, "text") == "The issuer rejected the request: no such member");
  CHECK(b.deliver("pid-1", "MembershipCredential", b.membership()).status == 400);
  CHECK(b.held().empty());
}

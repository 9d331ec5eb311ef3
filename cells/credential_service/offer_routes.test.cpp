#include "cells/credential_service/service_bed.test.hpp"

using namespace fondaco;
using namespace fondaco::credential_service;
using namespace fondaco::credential_service::testing;

namespace {

json::object full_object(const std::string& id = "def-1", const std::string& type = "MembershipCredential",
                         const std::string& profile = "vc11-sl2021/jwt") {
  return {{"id", id},
          {"type", "CredentialObject"},
          {"credentialType", type},
          {"offerReason", "reissue"},
          {"bindingMethods", json::array{"did:web:"}},
          {"profile", profile},
          {"issuancePolicy", json::object{}}};
}

std::string offer_of(json::array objects, json::value issuer = issuer_did) {
  return service_bed::message("CredentialOfferMessage",
                              {{"issuer", std::move(issuer)}, {"credentials", std::move(objects)}});
}

void publish_metadata(service_bed& b, json::array objects) {
  const auto body =
      service_bed::message("IssuerMetadata", {{"issuer", issuer_did}, {"credentialsSupported", std::move(objects)}});
  b.world.play(std::string(issuer_service) + "/metadata", [body](const auto&) { return answer(200, body); });
}

/// The only request that there is, once it has this status.
persistence::entity_row only_request(service_bed& b, const std::string& status) {
  REQUIRE(b.network.wait([&] {
    const auto rows = b.requests();
    return rows.size() == 1 && rows[0].status == status;
  }));
  return b.requests().front();
}

} // namespace

TEST_CASE("an offer of a trusted issuer becomes a request") {
  service_bed b;
  b.issuer_takes();
  CHECK(b.dcp("offers", offer_of({full_object()}), b.issuer_token()).status == 200);
  const auto row = only_request(b, "REQUESTED");
  const auto view = json::parse(row.view)->as_object();
  CHECK(json::string_at(view, "origin") == "offer");
  const auto calls = b.network.calls("/is/credentials");
  REQUIRE(calls.size() == 1);
  const auto sent = json::parse(calls[0].body)->as_object();
  CHECK(json::string_at(sent, "holderPid") == row.key.id);
  CHECK(json::string_at(json::array_at(sent, "credentials")->at(0).as_object(), "id") == "def-1");
  CHECK(b.network.calls("/metadata").empty());
  CHECK(b.deliver(row.key.id, "MembershipCredential", b.membership()).status == 200);
}

TEST_CASE("a sparse offer is completed from the issuer's metadata") {
  service_bed b;
  b.issuer_takes();
  publish_metadata(b, {full_object("def-1"), full_object("def-2", "InvoiceCredential"), full_object("def-3")});
  const auto body = offer_of({json::object{{"id", "def-1"}}, json::object{{"id", "def-2"}}});
  CHECK(b.dcp("offers", body, b.issuer_token()).status == 200);
  const auto row = only_request(b, "REQUESTED");
  const auto view = json::parse(row.view)->as_object();
  CHECK(json::string_at(view, "origin") == "sparse_offer");
  const auto* wanted = json::array_at(view, "typesAndFormats");
  REQUIRE(wanted->size() == 2);
  CHECK(json::string_at(wanted->at(1).as_object(), "credentialType") == "InvoiceCredential");
  CHECK(json::string_at(wanted->at(1).as_object(), "format") == "vc11-sl2021/jwt");
}

TEST_CASE("an offer of unknown objects, or of an issuer that is gone, is answered and ends as `why` tells") {
  service_bed b;
  publish_metadata(b, {full_object("def-1")});
  CHECK(b.dcp("offers", offer_of({json::object{{"id", "unknown"}}}), b.issuer_token()).status == 200);
  const auto row = only_request(b, "ERROR");
  CHECK(row.view.find("does not describe the credential object 'unknown'") != std::string::npos);

  service_bed gone;
  CHECK(gone.dcp("offers", offer_of({json::object{{"id", "def-1"}}}), gone.issuer_token()).status == 200);
  REQUIRE(gone.network.wait([&] { return gone.network.calls("/metadata").size() > 2; }));
  CHECK(only_request(gone, "CREATED").view.find("last failure: The issuer did not answer") != std::string::npos);
}

TEST_CASE("what an issuer is not trusted for is not asked for, whatever its offer says") {
  service_bed b;
  b.issuer_takes();
  b.trust.replace({{issuer_did, {"MembershipCredential"}, {"membership"}}, {third_did, {"*"}, {"elsewhere"}}});
  const json::array invoice{full_object("def-2", "InvoiceCredential")};
  CHECK(b.dcp("offers", offer_of(invoice), b.issuer_token()).status == 200);
  CHECK(b.dcp("offers", offer_of({full_object()}, third_did), b.world.token(third_did, holder_did, "")).status == 200);
  CHECK(b.dcp("offers", offer_of({full_object("def-1", "MembershipCredential", "ldp")}), b.issuer_token()).status ==
        200);
  CHECK(b.requests().empty());
  CHECK(b.log().find("an offer was not taken up") != std::string::npos);
  publish_metadata(b, {full_object("def-2", "InvoiceCredential")});
  CHECK(b.dcp("offers", offer_of({json::object{{"id", "def-2"}}}), b.issuer_token()).status == 200);
  CHECK(only_request(b, "ERROR").view.find("not trusted for InvoiceCredential") != std::string::npos);
  CHECK(b.network.calls("/is/credentials").empty());
}

TEST_CASE("strangers begin only so many requests in an hour") {
  service_bed b;
  b.trust.replace({});
  publish_metadata(b, {});
  for (int i = 0; i < 70; ++i)
    REQUIRE(b.dcp("offers", offer_of({json::object{{"id", "x"}}}), b.issuer_token()).status == 200);
  persistence::query_spec all;
  all.limit = 1000;
  const auto found = b.services->documents.query_entities(tenant("holder"), credential_request::kind, all);
  REQUIRE(found.has_value());
  CHECK(found->size() == 64);
}

TEST_CASE("an offer is refused without a token that holds, or in another's name") {
  service_bed b;
  const auto body = offer_of({full_object()});
  CHECK(b.dcp("offers", body, "").status == 401);
  CHECK(b.dcp("offers", body, "nonsense").status == 401);
  CHECK(b.dcp("offers", body, b.world.token(issuer_did, third_did, "")).status == 401);
  CHECK(b.dcp("offers", body, b.world.token(third_did, holder_did, "")).status == 403);
  CHECK(b.dcp("offers", offer_of({full_object()}, nullptr), b.issuer_token()).status == 400);
  CHECK(b.dcp("offers", offer_of({}), b.issuer_token()).status == 400);
  CHECK(b.requests().empty());
  b.issuer_takes();
  const auto token = b.issuer_token();
  CHECK(b.dcp("offers", body, token).status == 200);
  CHECK(b.dcp("offers", body, token).status == 401);
}

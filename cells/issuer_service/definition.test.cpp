#include "cells/issuer_service/definition.hpp"

#include <doctest/doctest.h>

using namespace fondaco;
using namespace fondaco::issuer_service;

namespace {

json::object dto(const char* changes = "{}") {
  auto out = json::parse(R"({"id":"def-1","credentialType":"MembershipCredential","format":"vc11-sl2021/jwt",
    "jsonSchemaUrl":"https://schemas.example/membership.json","validity":3600,"attestations":["a-1","a-2"],
    "additionalContext":["https://contexts.example/v1"],
    "rules":[{"type":"expression","configuration":{"claim":"ok","operator":"eq","value":true}}],
    "mappings":[{"input":"name","output":"credentialSubject.name","required":true}]})")
                 ->as_object();
  const auto given = json::parse(changes)->as_object();
  for (const auto& [name, v] : given)
    out[name] = v;
  return out;
}

/// What is wrong with a body; empty if nothing is.
std::string wrong_with(const json::object& body) {
  planes::api::body_check check;
  read_definition(body, check);
  return check.failed() ? check.response().body : "";
}

definition read(const json::object& body) {
  planes::api::body_check check;
  auto d = read_definition(body, check);
  REQUIRE_FALSE(check.failed());
  return d;
}

const auto issuance_id = derive_uuid(3, {"an issuance"});

} // namespace

TEST_CASE("a definition is read whole, and what is kept reads as the same") {
  const auto d = read(dto());
  CHECK(d.id == "def-1");
  CHECK(d.credential_type == "MembershipCredential");
  CHECK(d.form == vc::profile::vc11_jwt);
  CHECK(d.schema_url == "https://schemas.example/membership.json");
  CHECK(d.validity_s == 3600);
  CHECK(d.attestations == std::vector<std::string>{"a-1", "a-2"});
  CHECK(d.contexts == std::vector<std::string>{"https://contexts.example/v1"});
  REQUIRE(d.rules.size() == 1);
  REQUIRE(d.mappings.size() == 1);
  CHECK(d.status_purposes == std::vector<std::string>{"revocation"});
  const auto kept = definition_body(dto(), d);
  CHECK(json::string_at(kept, "format") == "VC1_0_JWT");
  CHECK(json::write(definition_body(kept, read(kept))) == json::write(kept));
}

TEST_CASE("defaults of a definition") {
  const auto d = read(json::parse(R"({"credentialType":"T","format":"VC2_0_JOSE","jsonSchema":"{}"})")->as_object());
  CHECK(d.id.empty());
  CHECK(d.form == vc::profile::vc20_jose);
  CHECK(d.validity_s == issuer_service::limits::validity_default_s);
  CHECK(d.schema_url.empty());
  CHECK(d.attestations.empty());
  CHECK(read(dto(R"({"validity":0})")).validity_s == 0);
  CHECK(read(dto(R"({"statusPurposes":["revocation","suspension","revocation"]})")).status_purposes.size() == 2);
  CHECK(read(dto(R"({"statusPurposes":[]})")).status_purposes.empty());
}

TEST_CASE("a definition with something wrong is refused, and the field is named") {
  struct row {
    const char* changes;
    const char* field;
  };
  for (const auto& [changes, field] : {
           row{R"({"credentialType":null})", "credentialType"},
           row{R"({"credentialType":"Two Words"})", "credentialType"},
           row{R"({"credentialType":"VerifiableCredential"})", "credentialType"},
           row{R"({"format":"VC1_0_LD"})", "format"},
           row{R"({"format":null})", "format"},
           row{R"({"jsonSchemaUrl":null})", "jsonSchema"},
           row{R"({"jsonSchemaUrl":"ftp://x"})", "jsonSchemaUrl"},
           row{R"({"jsonSchema":"not json"})", "jsonSchema"},
           row{R"({"jsonSchema":[]})", "jsonSchema"},
           row{R"({"validity":-1})", "validity"},
           row{R"({"validity":"1"})", "validity"},
           row{R"({"validity":99999999999})", "validity"},
           row{R"({"attestations":[1]})", "attestations"},
           row{R"({"rules":{}})", "rules"},
           row{R"({"rules":[{"type":"other"}]})", "rules[0]"},
           row{R"({"mappings":[{"input":"a","output":"issuer"}]})", "mappings[0]"},
           row{R"({"statusPurposes":["message"]})", "statusPurposes"},
       }) {
    CAPTURE(changes);
    const auto why = wrong_with(dto(changes));
    CHECK(why.find("\"path\":\"" + std::string(field)) != std::string::npos);
  }
}

TEST_CASE("a plan says all of its credentials, and a repeat makes the same") {
  const auto claims = json::parse(R"({"ok":true,"name":"Alice"})")->as_object();
  std::vector<definition> wanted{read(dto()), read(dto(R"({"id":"def-2","format":"vc20-bssl/jwt","mappings":[]})"))};
  CHECK(failed_rules(wanted, claims).empty());
  const auto plan = plan_credentials(wanted, claims, issuance_id);
  REQUIRE(plan.has_value());
  REQUIRE(plan->size() == 2);
  CHECK(*plan == *plan_credentials(wanted, claims, issuance_id));
  const auto& first = plan->front();
  CHECK(first.credential_id.starts_with("urn:uuid:"));
  CHECK(first.credential_id != plan->back().credential_id);
  CHECK(first.format == "vc11-sl2021/jwt");
  CHECK(json::write(first.subject) == R"({"name":"Alice"})");
  CHECK(json::write(plan->back().subject) == "{}");
  const auto other = plan_credentials(wanted, claims, derive_uuid(3, {"another"}));
  CHECK(other->front().credential_id != first.credential_id);
}

TEST_CASE("a request is not granted if a rule fails or a required claim is missing, and the same rule says it once") {
  const std::vector<definition> wanted{read(dto()), read(dto(R"({"id":"def-2"})"))};
  CHECK(failed_rules(wanted, json::parse(R"({"ok":false})")->as_object()).size() == 1);
  CHECK(failed_rules(wanted, {}).size() == 1);
  const auto plan = plan_credentials(wanted, json::parse(R"({"ok":true})")->as_object(), issuance_id);
  REQUIRE_FALSE(plan.has_value());
  CHECK(plan.error() == "The claim 'name' is required and missing.");
}

TEST_CASE("metadata of a definition has what readers ask for") {
  const auto o = dcp::write(dcp::issuer_metadata{"did:web:i", {to_credential_object(read(dto()))}});
  const auto& c = o.at("credentialsSupported").as_array().at(0).as_object();
  CHECK(json::string_at(c, "id") == "def-1");
  CHECK(json::string_at(c, "type") == "CredentialObject");
  CHECK(json::string_at(c, "credentialType") == "MembershipCredential");
  CHECK(json::string_at(c, "profile") == "vc11-sl2021/jwt");
  CHECK(json::string_at(c, "credentialSchema") == "https://schemas.example/membership.json");
  CHECK(json::string_at(c, "offerReason") == "reissue");
  CHECK(json::array_at(c, "bindingMethods")->size() == 1);
}

#include "e2e/role_table.hpp"

namespace fondaco::e2e {

namespace {

constexpr auto reads = access_level::read;
constexpr auto writes = access_level::write;
constexpr auto administers = access_level::admin;

} // namespace

std::vector<guarded_route> identity_table() {
  const std::string all = "/api/identity/v1beta/participants", one = all + "/{p}", keys = one + "/keypairs",
                    dids = one + "/dids", credentials = one + "/credentials";
  const std::string key_2 =
      R"({"resourceId":"key-2","keyId":"key-2","privateKeyAlias":"alpha-key-2","active":false,"usage":"sign_token",)"
      R"("keyGeneratorParams":{"algorithm":"EC"}})";
  const std::string successor =
      R"({"resourceId":"key-3","keyId":"key-3","privateKeyAlias":"alpha-key-3","usage":"sign_token",)"
      R"("keyGeneratorParams":{"algorithm":"EC"}})";
  const std::string service = R"({"id":"extra","type":"Extra","serviceEndpoint":"https://x.example"})";
  const std::string credential =
      R"({"id":"vc-1","participantContextId":"alpha","verifiableCredentialContainer":${container}})";
  const std::string request =
      R"({"issuerDid":"${issuer_did}","holderPid":"pid-1","credentials":[{"id":"membership-credential-def",)"
      R"("type":"MembershipCredential","format":"vc20-bssl/jwt"}]})";
  return {
      {"POST", all, administers, "admin", "",
       R"({"participantContextId":"alpha","did":"${alpha_did}","active":true,"provisionStsAccount":true,)"
       R"("serviceEndpoints":[{"id":"credential-service","type":"CredentialService",)"
       R"("serviceEndpoint":"${protocol}/api/credentials/v1/participants/alpha"}],"key":)"
       R"({"keyId":"${alpha_did}#key1","privateKeyAlias":"alpha-key1","keyGeneratorParams":{"algorithm":"EC"}}})"},
      {"GET", all, administers},
      {"GET", one, reads, "alpha"},
      {"PUT", one + "/scopes", administers, "admin", "p=alpha", R"(["identity-api:read"])"},
      {"POST", one + "/state", writes, "alpha", "p=alpha ?isActive=true"},
      {"POST", one + "/token", writes, "alpha"},
      {"POST", one + "/sts/secret", writes, "alpha"},
      {"GET", keys, reads, "alpha", "", "", "key", "id"},
      {"GET", keys + "/{id}", reads, "alpha", "id=${key}"},
      {"PUT", keys, writes, "alpha", "", key_2},
      {"POST", keys + "/{id}/activate", writes, "alpha", "id=key-2"},
      {"POST", keys + "/{id}/rotate", writes, "alpha", "id=key-2", successor},
      {"POST", keys + "/{id}/revoke", writes, "alpha", "id=key-3"},
      {"POST", dids + "/publish", writes, "alpha", "", R"({"did":"${alpha_did}"})"},
      {"POST", dids + "/query", reads, "alpha", "", "{}"},
      {"POST", dids + "/state", reads, "alpha", "", R"({"did":"${alpha_did}"})"},
      {"POST", dids + "/{did}/endpoints", writes, "alpha", "did=${alpha_did_64}", service},
      {"PATCH", dids + "/{did}/endpoints", writes, "alpha", "did=${alpha_did_64}", service},
      {"DELETE", dids + "/{did}/endpoints", writes, "alpha", "did=${alpha_did_64} ?serviceId=extra"},
      {"POST", credentials + "/request", writes, "alpha", "", request},
      {"GET", credentials + "/request/{holderPid}", reads, "alpha", "holderPid=pid-1"},
      {"GET", credentials, reads, "alpha", "", "", "container", "verifiableCredential"},
      {"POST", credentials, writes, "alpha", "", credential},
      {"PUT", credentials, writes, "alpha", "", credential},
      {"GET", credentials + "/{id}", reads, "alpha", "id=vc-1"},
      {"DELETE", credentials + "/{id}", writes, "alpha", "id=vc-1"},
      {"POST", one + "/state", writes, "alpha", "p=alpha ?isActive=false"},
      {"POST", dids + "/unpublish", writes, "alpha", "", R"({"did":"${alpha_did}"})"},
      {"DELETE", one, writes, "alpha"},
  };
}

std::vector<guarded_route> issuer_table() {
  const std::string one = "/api/issuer/v1beta/participants/{p}", attestations = one + "/attestations",
                    definitions = one + "/credentialdefinitions", holders = one + "/holders",
                    processes = one + "/issuanceprocesses", credentials = one + "/credentials";
  const std::string definition =
      R"({"id":"def-2","credentialType":"OtherCredential","format":"vc20-bssl/jwt","jsonSchema":"{}","validity":60,)"
      R"("attestations":["att-2"],"mappings":[{"input":"a","output":"credentialSubject.a","required":true}]})";
  const std::string holder = R"({"holderId":"holder-2","did":"did:web:holder.example","name":"Alice"})";
  return {
      {"POST", attestations, writes, "issuer", "", R"({"id":"att-2","attestationType":"holder","configuration":{}})"},
      {"POST", attestations + "/query", reads, "issuer", "", "{}"},
      {"POST", definitions, writes, "issuer", "", definition},
      {"PUT", definitions, writes, "issuer", "", definition},
      {"GET", definitions + "/{id}", reads, "issuer", "id=def-2"},
      {"POST", definitions + "/query", reads, "issuer", "", "{}"},
      {"DELETE", definitions + "/{id}", writes, "issuer", "id=def-2"},
      {"DELETE", attestations + "/{id}", writes, "issuer", "id=att-2"},
      {"POST", holders, writes, "issuer", "", holder},
      {"PUT", holders, writes, "issuer", "", holder},
      {"GET", holders + "/{id}", reads, "issuer", "id=holder-2"},
      {"POST", holders + "/query", reads, "issuer", "", "{}"},
      {"DELETE", holders + "/{id}", writes, "issuer", "id=holder-2"},
      {"POST", processes + "/query", reads, "issuer", "", "{}", "process", "id"},
      {"GET", processes + "/{id}", reads, "issuer", "id=${process}"},
      {"POST", credentials + "/query", reads, "issuer", "", "{}", "issued", "id"},
      {"GET", credentials + "/{id}/status", reads, "issuer", "id=${issued}"},
      {"POST", credentials + "/offer", writes, "issuer", "",
       R"({"holderId":"${holder}","credentials":["membership-credential-def"]})"},
      {"POST", credentials + "/{id}/suspend", writes, "issuer", "id=${suspendable}"},
      {"POST", credentials + "/{id}/resume", writes, "issuer", "id=${suspendable}"},
      {"POST", credentials + "/{id}/revoke", writes, "issuer", "id=${issued}"},
  };
}

std::vector<guarded_route> cfm_table() {
  const std::string cfm = "/api/v1alpha1", tenants = cfm + "/tenants",
                    profiles = tenants + "/{tenant}/participant-profiles", dataspaces = cfm + "/dataspace-profiles",
                    activities = cfm + "/activity-definitions", definitions = cfm + "/orchestration-definitions",
                    orchestrations = cfm + "/orchestrations";
  return {
      {"POST", cfm + "/cells", writes, "admin", "", R"({"state":"active"})", "new_cell", "id"},
      {"GET", cfm + "/cells", reads},
      {"DELETE", cfm + "/cells/{id}", writes, "admin", "id=${new_cell}"},
      {"POST", dataspaces, writes, "admin", "", R"({"dataspaceSpec":{"protocolStack":["dsp-2025-1"]}})", "new_space",
       "id"},
      {"GET", dataspaces, reads},
      {"GET", dataspaces + "/{id}", reads, "admin", "id=${new_space}"},
      {"POST", dataspaces + "/{id}/deployments", writes, "admin", "id=${new_space}",
       R"({"profileId":"${new_space}","cellId":"${cell}"})"},
      {"DELETE", dataspaces + "/{id}", writes, "admin", "id=${unused_space}"},
      {"POST", tenants, writes, "admin", "", R"({"properties":{"name":"new"}})", "new_tenant", "id"},
      {"GET", tenants, reads},
      {"POST", tenants + "/query", reads, "admin", "", R"({"predicate":"true"})"},
      {"GET", tenants + "/{id}", reads, "admin", "id=${new_tenant}"},
      {"PATCH", tenants + "/{id}", writes, "admin", "id=${new_tenant}", R"({"properties":{"a":"b"}})"},
      {"POST", profiles, writes, "admin", "tenant=${tenant}",
       R"({"identifier":"${extra_did}","dataspaceProfileIds":["${guests}"]})", "new_profile", "id"},
      {"GET", profiles, reads, "admin", "tenant=${tenant}"},
      {"GET", profiles + "/{id}", reads, "admin", "tenant=${tenant} id=${new_profile}"},
      {"POST", cfm + "/participant-profiles/query", reads, "admin", "", R"({"predicate":"true"})"},
      {"DELETE", profiles + "/{id}", writes, "admin", "tenant=${tenant} id=${profile}"},
      {"DELETE", tenants + "/{id}", writes, "admin", "id=${new_tenant}"},
      {"POST", activities, writes, "admin", "", R"({"type":"extra-activity"})"},
      {"GET", activities, reads},
      {"DELETE", activities + "/{type}", writes, "admin", "type=extra-activity"},
      {"POST", definitions, writes, "admin", "",
       R"({"id":"extra-template","activities":{"cfm.orchestration.extra":[{"id":"a","type":"context-activity","dependsOn":[]}]}})"},
      {"GET", definitions, reads},
      {"GET", definitions + "/{template}", reads, "admin", "template=extra-template"},
      {"DELETE", definitions + "/{template}", writes, "admin", "template=extra-template"},
      {"POST", orchestrations, writes, "admin", "",
       R"({"id":"${orchestration_id}","correlationId":"c-1","orchestrationType":"cfm.orchestration.vpa.dispose","payload":{}})"},
      {"POST", orchestrations + "/query", reads, "admin", "", R"({"predicate":"true"})", "orchestration", "id"},
      {"GET", orchestrations + "/{id}", reads, "admin", "id=${orchestration}"},
  };
}

std::vector<guarded_route> onboarding_table() {
  const std::string all = "/api/onboarding/v1/applications", one = all + "/{id}", document = one + "/documents/{name}";
  return {
      {"POST", all, writes, "admin", "",
       R"({"organisation":"late","identifier":"${late_did}","dataspaceProfileIds":["${guests}"]})", "application",
       "id"},
      {"POST", all + "/query", reads, "admin", "",
       R"({"@context":["https://w3id.org/edc/connector/management/v2"],"@type":"QuerySpec"})"},
      {"GET", one, reads, "admin", "id=${application}"},
      {"PUT", document, writes, "admin", "id=${application} name=extract", "an extract"},
      {"GET", document, reads, "admin", "id=${application} name=extract"},
      {"POST", one + "/decision", administers, "admin", "id=${application}",
       R"({"approved":false,"reason":"the extract has expired"})"},
      {"POST", one + "/retry", administers, "admin", "id=${failed_application}"},
  };
}

} // namespace fondaco::e2e

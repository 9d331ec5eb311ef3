// Who may not call a route is refused, and the same request of who may succeeds: every route of the admin APIs that the
// node says it serves.

#include "e2e/cases.hpp"
#include "e2e/fabric.hpp"
#include "e2e/role_matrix.hpp"
#include "e2e/tenant_bed.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

const std::vector<std::string> both_apis{"identity-api:read", "identity-api:write", "issuer-admin-api:read",
                                         "issuer-admin-api:write"};
/// A fabric with one tenant and callers of every role.
struct guarded_fabric {
  explicit guarded_fabric(bed& b) : f(b.fresh_folder(), options(b, keys)), by((f.start(), f.cfm())) {
    serve_keys(keys);
    acme = f.begin("acme");
    f.await_active(acme);
  }

  static fabric_options options(bed& b, const peer& keys) {
    fabric_options o;
    o.kind = b.kind();
    o.jwks_url = keys.root() + "/jwks";
    for (const char* id : {"alpha", "beta", "issuer"})
      o.clients.push_back({id, "participant", id, both_apis});
    o.clients.push_back({"clerk", "admin", "", {"onboarding-api:read", "onboarding-api:write"}});
    return o;
  }

  void add_beta() {
    const std::string id = "beta";
    json::object manifest{{"participantContextId", id}, {"did", f.did(id)}, {"active", true}};
    manifest["key"] = json::object{{"keyId", f.did(id) + "#key1"},
                                   {"privateKeyAlias", id + "-key1"},
                                   {"keyGeneratorParams", json::object{{"algorithm", "EC"}}}};
    const auto made = f.at(f.cfm()).call("POST", "/api/identity/v1beta/participants", manifest).as_object();
    by.betas_key = text_at(made, "apiKey");
    check(!by.betas_key.empty(), "no key was given for " + id);
  }

  peer keys;
  fabric f;
  callers by;
  tenancy acme;
};

void run_identity(bed& b) {
  guarded_fabric w(b);
  w.add_beta();
  json::object holder{{"holderId", w.f.did("alpha")}, {"did", w.f.did("alpha")}, {"name", "alpha"}};
  holder["properties"] = json::object{{"membership", json::object{{"level", "full"}}}};
  w.f.at(w.f.cfm()).call("POST", "/api/issuer/v1beta/participants/issuer/holders", holder);
  known_names known{{"alpha_did", w.f.did("alpha")},
                    {"alpha_did_64", base64url(w.f.did("alpha"))},
                    {"issuer_did", w.f.did("issuer")},
                    {"protocol", w.f.cfm().url("protocol")}};
  run_table(w.by, identity_table(), known);
}

/// The id of a fresh credential of acme's that can be suspended.
std::string add_suspendable(guarded_fabric& w) {
  auto& who = w.f.at(w.f.cfm());
  const std::string issuer = "/api/issuer/v1beta/participants/issuer";
  json::object definition{{"id", "suspendable-def"},
                          {"credentialType", "SuspendableCredential"},
                          {"format", "vc20-bssl/jwt"},
                          {"jsonSchema", "{}"},
                          {"validity", 3600}};
  definition["attestations"] = json::array{"holder-attestation"};
  definition["mappings"] = json::array{
      json::object{{"input", "membership"}, {"output", "credentialSubject.membership"}, {"required", true}}};
  definition["statusPurposes"] = json::array{"revocation", "suspension"};
  who.call("POST", issuer + "/credentialdefinitions", definition);
  json::object request{{"issuerDid", w.f.did("issuer")}, {"holderPid", "suspendable"}};
  request["credentials"] = json::array{
      json::object{{"id", "suspendable-def"}, {"type", "SuspendableCredential"}, {"format", "vc20-bssl/jwt"}}};
  const auto holder = "/api/identity/v1beta/participants/" + w.acme.context;
  who.call("POST", holder + "/credentials/request", request);
  return wait_for("the suspendable credential at its holder", [&](std::string& saw) -> std::optional<std::string> {
    const auto held = who.call("GET", holder + "/credentials?type=SuspendableCredential");
    saw = json::serialize(held);
    if (held.as_array().empty())
      return std::nullopt;
    const auto container = object_at(held.as_array().at(0).as_object(), "verifiableCredential");
    return text_at(object_at(container, "credential"), "id");
  });
}

void run_issuer(bed& b) {
  guarded_fabric w(b);
  w.add_beta();
  known_names known{{"holder", w.f.did("acme")}, {"suspendable", add_suspendable(w)}};
  run_table(w.by, issuer_table(), known);
}

void run_cfm(bed& b) {
  guarded_fabric w(b);
  auto& who = w.f.at(w.f.cfm());
  const auto cells = who.call("GET", "/api/v1alpha1/cells").as_array();
  const auto unused = who.call("POST", "/api/v1alpha1/dataspace-profiles", {{"dataspaceSpec", json::object()}});
  known_names known{{"cell", text_at(cells.at(0).as_object(), "id")},
                    {"unused_space", text_at(unused.as_object(), "id")},
                    {"tenant", w.acme.tenant},
                    {"profile", w.acme.profile},
                    {"guests", w.f.dataspace_profile("guests")},
                    {"extra_did", w.f.did("extra")},
                    {"orchestration_id", random_uuid()}};
  run_table(w.by, cfm_table(), known);
}

void run_onboarding(bed& b) {
  guarded_fabric w(b);
  auto& who = w.f.at(w.f.cfm());
  // Its DID is somebody's already.
  const std::string applications = "/api/onboarding/v1/applications";
  json::object body{{"organisation", "acme again"}, {"identifier", w.f.did("acme")}};
  body["dataspaceProfileIds"] = json::array{json::value(w.f.dataspace_profile("guests"))};
  const auto id = text_at(who.call("POST", applications, body).as_object(), "id");
  who.call("POST", applications + "/" + id + "/decision", {{"approved", true}, {"reason", "checked"}});
  wait_for("the second application of one DID to fail", [&](std::string& saw) -> std::optional<bool> {
    saw = text_at(who.call("GET", applications + "/" + id).as_object(), "state");
    return saw == "FAILED" ? std::optional(true) : std::nullopt;
  });
  known_names known{
      {"late_did", w.f.did("late")}, {"guests", w.f.dataspace_profile("guests")}, {"failed_application", id}};
  run_table(w.by, onboarding_table(), known);
}

} // namespace

cases role_cases() {
  return {
      {"every route of the Identity API refuses the wrong role, scope and tenant, and lets in who may", run_identity},
      {"every route of the Issuer Admin API refuses the wrong role, scope and tenant, and lets in who may", run_issuer},
      {"every route of the CFM refuses the wrong role and scope, and lets in who may", run_cfm},
      {"every route of the onboarding service refuses the wrong role and scope, and lets in who may", run_onboarding}};
}

} // namespace fondaco::e2e

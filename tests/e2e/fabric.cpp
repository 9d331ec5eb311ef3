#include "e2e/fabric.hpp"

#include <filesystem>

#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr const char* cfm_api = "/api/v1alpha1";
constexpr const char* issuer_api = "/api/issuer/v1beta/participants/issuer";
constexpr const char* membership = "MembershipCredential";

const std::vector<std::string> admin_scopes{
    "identity-api:admin",         "identity-api:read",           "identity-api:write",      "issuer-admin-api:admin",
    "issuer-admin-api:read",      "issuer-admin-api:write",      "tenant-manager-api:read", "tenant-manager-api:write",
    "provision-manager-api:read", "provision-manager-api:write", "onboarding-api:admin",    "onboarding-api:read",
    "onboarding-api:write"};

json::object activity(const char* id, const char* type, std::initializer_list<const char*> depends_on) {
  json::array list;
  for (const char* d : depends_on)
    list.push_back(d);
  return {{"id", id}, {"type", type}, {"dependsOn", std::move(list)}};
}

std::string assigned(const char* key, const std::string& value) { return std::string(key) + " = \"" + value + "\"\n"; }

json::object object_of(json::value v) { return v.is_object() ? std::move(v.get_object()) : json::object(); }

std::string profile_path(const tenancy& t) {
  return std::string(cfm_api) + "/tenants/" + t.tenant + "/participant-profiles/" + t.profile;
}

} // namespace

fabric::fabric(const std::string& folder, fabric_options o) : options_(std::move(o)), files_(folder + "/files") {
  std::filesystem::create_directories(files_);
  if (options_.split) {
    cfm_ = &add("cfm", R"(["tenant-manager", "provision-manager", "agents", "onboarding"])", folder);
    control_ = &add("control", R"(["control-plane"])", folder);
    credentials_ = &add("credentials", R"(["credential-service", "issuer-service"])", folder);
    data_ = &add("data", R"(["data-plane"])", folder);
  } else {
    cfm_ = control_ = credentials_ = data_ = &add("all", "", folder);
  }
  introduce();
}

node& fabric::add(const std::string& name, const std::string& roles, const std::string& folder) {
  node_options n;
  n.name = name;
  n.kind = options_.kind;
  n.file_roots = {files_};
  n.clients = options_.clients;
  n.jwks_url = options_.jwks_url;
  n.roles = roles;
  n.admin_scopes = admin_scopes;
  n.profiles = std::string("[[dataspace_profile]]\n") + assigned("name", dataspace) +
               "identity = \"dcp\"\nscopes = [\"org.eclipse.dspace.dcp.vc.type:" + membership + ":read\"]\n";
  nodes_.push_back(std::make_unique<node>(std::move(n), folder + "/" + name));
  admins_[nodes_.back().get()] = std::make_unique<admin>(*nodes_.back());
  return *nodes_.back();
}

// What the nodes have to know of each other, before they start.
void fabric::introduce() {
  for (const auto& n : nodes_)
    n->configure(options_.more + "[identity]\ndid_web_http = true\n[[trusted_issuer]]\n" +
                 assigned("did", did("issuer")) + "types = [\"" + membership + "\"]\n");
  if (!options_.nats_url.empty())
    cfm_->configure("[cfm]\nbroker = \"nats\"\n" + assigned("nats_url", options_.nats_url) +
                    assigned("nats_stream", "cfm-" + random_hex(6)) + "activity_silence_ms = 5000\n");
  if (!options_.split)
    return;
  const auto secret = random_hex(32);
  for (const auto& n : nodes_) {
    write_private(n->folder() + "/agents.secret", secret);
    n->configure("[[api_client]]\n" + assigned("id", "agents") + assigned("role", "provisioner") +
                 assigned("secret_file", n->folder() + "/agents.secret") +
                 "scopes = [\"management-api:admin\", \"identity-api:admin\", \"issuer-admin-api:admin\", "
                 "\"tenant-manager-api:read\", \"tenant-manager-api:write\"]\n");
  }
  cfm_->configure("[agents]\n" + assigned("client_id", "agents") +
                  assigned("secret_file", cfm_->folder() + "/agents.secret") +
                  assigned("control_plane_url", control_->url("management")) +
                  assigned("credential_service_url", credentials_->url("management")) +
                  assigned("issuer_service_url", credentials_->url("management")) +
                  assigned("tenant_manager_url", cfm_->url("management")) +
                  assigned("data_plane_signaling_url", data_->url("signaling")) +
                  assigned("control_plane_protocol_url", control_->url("protocol")) +
                  assigned("credential_service_protocol_url", credentials_->url("protocol")));
}

void fabric::start() {
  for (const auto& n : nodes_)
    n->start();
  make_issuer();
  cell_ = text_at(object_of(at(cfm()).call("POST", std::string(cfm_api) + "/cells", {{"state", "active"}})), "id");
  make_dataspace_profile("members", true);
  make_dataspace_profile("guests", false);
  make_orchestrations();
}

std::string fabric::did(const std::string& name) const {
  return "did:web:127.0.0.1%3A" + std::to_string(credentials_->port("protocol")) + ":" + name;
}

void fabric::make_issuer() {
  auto& who = at(credentials());
  json::object manifest{{"participantContextId", "issuer"},
                        {"did", did("issuer")},
                        {"active", true},
                        {"provisionStsAccount", false},
                        {"provisionApiKey", false}};
  manifest["serviceEndpoints"] = json::array{
      json::object{{"id", "issuer-service"},
                   {"type", "IssuerService"},
                   {"serviceEndpoint", credentials().url("protocol") + "/api/issuance/v1beta/participants/issuer"}}};
  manifest["key"] = json::object{{"keyId", did("issuer") + "#key1"},
                                 {"privateKeyAlias", "issuer-key1"},
                                 {"keyGeneratorParams", json::object{{"algorithm", "EC"}}}};
  who.call("POST", "/api/identity/v1beta/participants", manifest);
  who.call("POST", std::string(issuer_api) + "/attestations",
           {{"id", "holder-attestation"}, {"attestationType", "holder"}, {"configuration", json::object()}});
  json::object definition{{"id", "membership-credential-def"},
                          {"credentialType", membership},
                          {"format", "vc20-bssl/jwt"},
                          {"jsonSchema", "{}"},
                          {"validity", 604800}};
  definition["attestations"] = json::array{"holder-attestation"};
  definition["mappings"] = json::array{
      json::object{{"input", "membership"}, {"output", "credentialSubject.membership"}, {"required", true}}};
  who.call("POST", std::string(issuer_api) + "/credentialdefinitions", definition);
}

void fabric::make_dataspace_profile(const std::string& name, bool members) {
  json::object spec;
  spec["protocolStack"] = json::array{"dsp-2025-1", "dcp-1.0.1"};
  spec["credentialSpecs"] = json::array();
  if (members)
    spec["credentialSpecs"] = json::array{json::object{{"id", "membership-credential-def"},
                                                       {"type", membership},
                                                       {"issuer", did("issuer")},
                                                       {"format", "vc20-bssl/jwt"}}};
  auto& who = at(cfm());
  const auto path = std::string(cfm_api) + "/dataspace-profiles";
  const auto made = who.call("POST", path, {{"dataspaceSpec", spec}, {"properties", json::object{{"name", name}}}});
  const auto id = text_at(object_of(made), "id");
  dataspace_profiles_[name] = id;
  who.call("POST", path + "/" + id + "/deployments", {{"profileId", id}, {"cellId", cell_}});
}

void fabric::make_orchestrations() {
  auto& who = at(cfm());
  for (const char* type : {"context-activity", "edcv-activity", "identityhub-activity", "registration-activity",
                           "siglet-activity", "onboarding-activity"})
    who.call("POST", std::string(cfm_api) + "/activity-definitions", {{"type", type}});
  json::object activities;
  activities["cfm.orchestration.vpa.deploy"] =
      json::array{activity("context", "context-activity", {}),
                  activity("connector", "edcv-activity", {"context"}),
                  activity("identity", "identityhub-activity", {"context", "connector"}),
                  activity("registration", "registration-activity", {"context"}),
                  activity("dataplane", "siglet-activity", {"connector"}),
                  activity("credentials", "onboarding-activity", {"identity", "registration", "dataplane"})};
  activities["cfm.orchestration.vpa.dispose"] =
      json::array{activity("revocation", "onboarding-activity", {}),
                  activity("deregistration", "registration-activity", {"revocation"}),
                  activity("connector-end", "edcv-activity", {"revocation"}),
                  activity("identity-end", "identityhub-activity", {"connector-end"})};
  who.call("POST", std::string(cfm_api) + "/orchestration-definitions",
           {{"id", "vpa-template"}, {"activities", activities}});
}

tenancy fabric::begin(const std::string& name, const std::string& dataspace_profile) {
  auto& who = at(cfm());
  tenancy t{name, "", "", ""};
  const auto path = std::string(cfm_api) + "/tenants";
  t.tenant = text_at(object_of(who.call("POST", path, {{"properties", json::object{{"name", name}}}})), "id");
  json::object body{{"identifier", did(name)}};
  body["dataspaceProfileIds"] = json::array{json::value(dataspace_profiles_.at(dataspace_profile))};
  if (dataspace_profile == "members")
    body["vpaProperties"] = json::object{{"cfm.issuer", json::object{{"membership", json::object{{"level", "full"}}}}}};
  t.profile = text_at(object_of(who.call("POST", path + "/" + t.tenant + "/participant-profiles", body)), "id");
  return t;
}

std::string fabric::state(const tenancy& t) {
  const auto got = at(cfm()).send("GET", profile_path(t));
  if (got.status != 200)
    return std::to_string(got.status);
  const auto vpas = array_at(got.object(), "vpas");
  return vpas.empty() ? "no VPA" : text_at(vpas.front().as_object(), "state");
}

void fabric::await_active(tenancy& t, milliseconds within) {
  wait_for(
      t.name + " to be active",
      [&](std::string& saw) -> std::optional<bool> {
        saw = state(t);
        check(saw != "error", t.name + " could not be deployed: " + cfm().ctl({"why", t.profile}).out);
        return saw == "active" ? std::optional(true) : std::nullopt;
      },
      within);
  const auto shown = object_of(at(cfm()).call("GET", profile_path(t)));
  t.context = text_at(object_at(object_at(shown, "properties"), "cfm.vpa.state"), "participantContextId");
  check(!t.context.empty(), t.name + " is active without a participant context: " + json::serialize(shown));
}

void fabric::dispose(const tenancy& t) { at(cfm()).call("DELETE", profile_path(t)); }

void fabric::await_disposed(const tenancy& t, milliseconds within) {
  wait_for(
      t.name + " to be disposed",
      [&](std::string& saw) -> std::optional<bool> {
        saw = state(t);
        check(saw != "error", t.name + " could not be disposed of: " + cfm().ctl({"why", t.profile}).out);
        return saw == "disposed" ? std::optional(true) : std::nullopt;
      },
      within);
}

} // namespace fondaco::e2e

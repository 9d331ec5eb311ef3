// Stages 1 to 4 and the operator's preparation.

#include <iterator>

#include "tools/fondaco/journey_stages.hpp"

namespace fondaco::tools {

namespace {

constexpr const char* applications = "/api/onboarding/v1/applications";
constexpr const char* cfm_api = "/api/v1alpha1";
constexpr const char* issuer_api = "/api/issuer/v1beta/participants/issuer";

json::object activity(const char* id, const char* type, std::initializer_list<const char*> depends_on) {
  json::array list;
  for (const char* d : depends_on)
    list.push_back(d);
  return {{"id", id}, {"type", type}, {"dependsOn", std::move(list)}};
}

} // namespace

journey_stages::journey_stages(const journey_options& o, journey_world& w, journey_console& c)
    : options_(o), world_(w), console_(c) {
  for (auto* m : {&acme_, &globex_, &umbrella_})
    m->did = world_.did(m->name);
}

void journey_stages::start() {
  for (const auto& n : world_.nodes())
    console_.step("start", n->name(), "starts its node as a process of its own", [&] {
      auto started = n->start(options_.program);
      if (!started)
        throw broken_journey{started.error()};
      return "READY (pid " + std::to_string(n->pid()) + ")";
    });
}

void journey_stages::make_issuer() {
  auto& node = world_.credentials();
  json::object manifest{{"participantContextId", "issuer"},
                        {"did", world_.did("issuer")},
                        {"active", true},
                        {"provisionStsAccount", false},
                        {"provisionApiKey", false}};
  manifest["serviceEndpoints"] =
      json::array{json::object{{"id", "issuer-service"},
                               {"type", "IssuerService"},
                               {"serviceEndpoint", node.url("protocol") + "/api/issuance/v1beta/participants/issuer"}}};
  manifest["key"] = json::object{{"keyId", world_.did("issuer") + "#key1"},
                                 {"privateKeyAlias", "issuer-key1"},
                                 {"keyGeneratorParams", json::object{{"algorithm", "EC"}}}};
  console_.call(node, "POST", "/api/identity/v1beta/participants", manifest);
  console_.call(node, "POST", std::string(issuer_api) + "/attestations",
                {{"id", "holder-attestation"}, {"attestationType", "holder"}, {"configuration", json::object()}});
  json::object definition{{"id", "membership-credential-def"},
                          {"credentialType", membership},
                          {"format", "vc20-bssl/jwt"},
                          {"jsonSchema", "{}"},
                          {"validity", 604800}};
  definition["attestations"] = json::array{"holder-attestation"};
  definition["mappings"] = json::array{
      json::object{{"input", "membership"}, {"output", "credentialSubject.membership"}, {"required", true}}};
  console_.call(node, "POST", std::string(issuer_api) + "/credentialdefinitions", definition);
}

void journey_stages::make_profile(const std::string& name, bool members) {
  json::object spec;
  spec["protocolStack"] = json::array{"dsp-2025-1", "dcp-1.0.1"};
  spec["credentialSpecs"] = json::array();
  if (members)
    spec["credentialSpecs"] = json::array{json::object{{"id", "membership-credential-def"},
                                                       {"type", membership},
                                                       {"issuer", world_.did("issuer")},
                                                       {"format", "vc20-bssl/jwt"}}};
  auto made = console_.call(world_.cfm(), "POST", std::string(cfm_api) + "/dataspace-profiles",
                            {{"dataspaceSpec", spec}, {"properties", json::object{{"name", name}}}});
  const auto id = text_of(made.object(), "id");
  dataspace_profiles_[name] = id;
  console_.call(world_.cfm(), "POST", std::string(cfm_api) + "/dataspace-profiles/" + id + "/deployments",
                {{"profileId", id}, {"cellId", cell_}});
}

void journey_stages::make_orchestrations() {
  for (const char* type : {"context-activity", "edcv-activity", "identityhub-activity", "registration-activity",
                           "siglet-activity", "onboarding-activity"})
    console_.call(world_.cfm(), "POST", std::string(cfm_api) + "/activity-definitions", {{"type", type}});
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
  console_.call(world_.cfm(), "POST", std::string(cfm_api) + "/orchestration-definitions",
                {{"id", "vpa-template"}, {"activities", activities}});
}

void journey_stages::prepare() {
  console_.step("issuer", "operator", "sets up the issuer of membership credentials", [&] {
    make_issuer();
    return world_.did("issuer");
  });
  console_.step("fabric", "operator", "tells the CFM its cell, dataspace and orchestrations", [&] {
    cell_ = text_of(
        console_.call(world_.cfm(), "POST", std::string(cfm_api) + "/cells", {{"state", "active"}}).object(), "id");
    make_profile("members", true);
    make_profile("guests", false);
    make_orchestrations();
    return std::string("2 dataspace profiles, 6 activities");
  });
}

void journey_stages::apply() {
  for (auto* m : {&acme_, &globex_, &umbrella_})
    console_.step("apply", m->name, "applies for membership, with its register extract", [&] {
      json::object body{{"organisation", m->name}, {"identifier", m->did}};
      body["dataspaceProfileIds"] = json::array{json::value(dataspace_profiles_["members"])};
      body["attestation"] = json::object{{"membership", json::object{{"level", "full"}, {"since", "2026-01-01"}}}};
      m->application = text_of(console_.call(world_.cfm(), "POST", applications, body).object(), "id");
      console_.upload(world_.cfm(), std::string(applications) + "/" + m->application + "/documents/register-extract",
                      "Extract of the commercial register for " + m->name + ".", "text/plain");
      return std::string("SUBMITTED");
    });
}

void journey_stages::verify() {
  const auto decide = [&](const journey_member& m, bool approved, const char* reason) {
    console_.step("verify", "authority", std::string(approved ? "approves " : "rejects ") + m.name + ": " + reason,
                  [&] {
                    console_.call(world_.cfm(), "POST", std::string(applications) + "/" + m.application + "/decision",
                                  {{"approved", approved}, {"reason", reason}});
                    return std::string(approved ? "APPROVED" : "REJECTED");
                  });
  };
  decide(acme_, true, "legal and compliance checks passed");
  decide(globex_, true, "legal and compliance checks passed");
  decide(umbrella_, false, "the register extract has expired");
}

void journey_stages::provision_stranger() {
  const auto tenants = std::string(cfm_api) + "/tenants";
  umbrella_.tenant = text_of(
      console_.call(world_.cfm(), "POST", tenants, {{"properties", json::object{{"name", "umbrella"}}}}).object(),
      "id");
  json::object body{{"identifier", umbrella_.did}};
  body["dataspaceProfileIds"] = json::array{json::value(dataspace_profiles_["guests"])};
  umbrella_.profile = text_of(
      console_.call(world_.cfm(), "POST", tenants + "/" + umbrella_.tenant + "/participant-profiles", body).object(),
      "id");
}

std::string journey_stages::profile_state(const journey_member& m) {
  const auto path = std::string(cfm_api) + "/tenants/" + m.tenant + "/participant-profiles/" + m.profile;
  const auto answer = console_.try_call(world_.cfm(), "GET", path);
  const auto body = answer.object();
  const auto* vpas = json::array_at(body, "vpas");
  return vpas && !vpas->empty() ? text_of(vpas->front().as_object(), "state") : std::to_string(answer.status);
}

void journey_stages::provision() {
  for (auto* m : {&acme_, &globex_})
    console_.step("provision", "cfm", "deploys the agents of " + m->name + " into the cell", [&] {
      console_.await("an active tenant for " + m->name, [&] {
        const auto shown =
            console_.call(world_.cfm(), "GET", std::string(applications) + "/" + m->application).object();
        m->tenant = text_of(shown, "tenantId");
        m->profile = text_of(shown, "participantProfileId");
        m->context = text_of(shown, "participantContextId");
        const auto state = text_of(shown, "state");
        if (state == "FAILED")
          throw broken_journey{"the provisioning failed: " + console_.why(world_.cfm(), m->application)};
        return std::pair(state == "ACTIVE", state);
      });
      return "ACTIVE as " + m->context.substr(0, 8) + "...";
    });
  console_.step("host", "operator", "hosts umbrella all the same, without membership", [&] {
    provision_stranger();
    console_.await("an active tenant for umbrella", [&] {
      const auto state = profile_state(umbrella_);
      if (state == "error")
        throw broken_journey{"the provisioning failed: " + console_.why(world_.cfm(), umbrella_.profile)};
      return std::pair(state == "active", state);
    });
    const auto path =
        std::string(cfm_api) + "/tenants/" + umbrella_.tenant + "/participant-profiles/" + umbrella_.profile;
    const auto shown = console_.call(world_.cfm(), "GET", path).object();
    const auto* properties = json::object_at(shown, "properties");
    const auto* kept = properties ? json::object_at(*properties, "cfm.vpa.state") : nullptr;
    umbrella_.context = kept ? text_of(*kept, "participantContextId") : "";
    return std::string("ACTIVE");
  });
}

void journey_stages::receive_credentials() {
  for (const auto* m : {&acme_, &globex_})
    console_.step("credential", m->name, "holds its membership credential, issued over DCP", [&] {
      const auto list = console_
                            .call(world_.credentials(), "GET",
                                  "/api/identity/v1beta/participants/" + m->context + "/credentials?type=" + membership)
                            .array();
      if (list.size() != 1)
        throw broken_journey{m->name + " holds " + std::to_string(list.size()) + " membership credentials"};
      return std::string(membership);
    });
  console_.step("credential", "umbrella", "holds none", [&] {
    const auto list = console_
                          .call(world_.credentials(), "GET",
                                "/api/identity/v1beta/participants/" + umbrella_.context + "/credentials")
                          .array();
    if (!list.empty())
      throw broken_journey{"umbrella holds credentials"};
    return std::string("0 credentials");
  });
}

} // namespace fondaco::tools

#include "cfm/agents/activity_run.hpp"
#include "protocols/base/ids.hpp"

namespace fondaco::cfm {

namespace {

constexpr const char* participants = "/api/identity/v1beta/participants";

admin_call identity_api(const activity_run& run, std::string method, std::string path) {
  admin_call c;
  c.method = std::move(method);
  c.base_url = run.services.settings.credential_service_url;
  c.path = participants + std::move(path);
  return c;
}

json::object endpoint(const std::string& id, const char* type, const std::string& url) {
  return {{"id", id}, {"type", type}, {"serviceEndpoint", url}};
}

json::object manifest_of(const activity_run& run) {
  const auto& to = run.services.settings;
  const auto pc = run.context();
  const auto did = run.did();
  json::object m{{"participantContextId", pc},
                 {"did", did},
                 {"active", true},
                 {"provisionStsAccount", to.separate_credential_service},
                 {"provisionApiKey", false}};
  m["serviceEndpoints"] =
      json::array{endpoint(pc + "-credentialservice", "CredentialService",
                           to.credential_service_protocol_url + "/api/credentials/v1/participants/" + pc),
                  endpoint(pc + "-dsp", "ProtocolEndpoint",
                           to.control_plane_protocol_url + "/api/dsp/" + pc + "/" + to.dataspace_profile),
                  endpoint(pc + "-dataservice", "DataService",
                           to.control_plane_protocol_url + "/api/dsp/" + pc + "/.well-known/dspace-version")};
  m["key"] = json::object{{"keyId", did + "#key1"},
                          {"privateKeyAlias", derive_uuid(0, {run.message().orchestration_id, "key1"}).text()},
                          {"keyGeneratorParams", json::object{{"algorithm", "EdDSA"}, {"curve", "Ed25519"}}}};
  return m;
}

// The control plane of another group asks the STS for its tokens: it gets the account, whose secret is shown once.
actors::task<activity_result> introduce_sts(activity_run& run, std::string secret) {
  if (secret.empty()) {
    auto renew = identity_api(run, "POST", "/" + run.context() + "/sts/secret");
    auto renewing = run.call(renew);
    auto renewed = co_await std::move(renewing);
    if (!renewed || !renewed->good())
      co_return run.failed(renew, renewed);
    secret = json::string_at(renewed->object(), "clientSecret").value_or("");
  }
  admin_call configure;
  configure.method = "PATCH";
  configure.base_url = run.services.settings.control_plane_url;
  configure.path = "/api/management/v5beta/participants/" + run.context() + "/config";
  configure.body["@context"] = json::array{"https://w3id.org/edc/connector/management/v2"};
  configure.body["@type"] = "ParticipantContextConfig";
  configure.body["entries"] =
      json::object{{"edc.iam.sts.oauth.token.url", run.services.settings.credential_service_url + "/api/sts/token"},
                   {"edc.iam.sts.oauth.client.id", run.did()}};
  configure.body["privateEntries"] = json::object{{"edc.iam.sts.oauth.client.secret", secret}};
  auto configuring = run.call(configure);
  auto configured = co_await std::move(configuring);
  if (!configured || !configured->good())
    co_return run.failed(configure, configured);
  co_return run.complete();
}

} // namespace

actors::task<activity_result> run_context_activity(activity_run& run) {
  if (run.disposes())
    co_return run.complete();
  if (run.did().empty())
    co_return run.fatal("The processing data has no cfm.participant.id.");
  auto id = derive_uuid(0, {run.message().orchestration_id, "participant context"}).text();
  std::erase(id, '-');
  json::object values{{keys::participant_context_id, id}};
  auto output = values;
  co_return run.complete(std::move(values), std::move(output));
}

actors::task<activity_result> run_identity_activity(activity_run& run) {
  const auto pc = run.context();
  if (pc.empty())
    co_return run.fatal("The processing data has no participantContextId.");
  if (run.disposes()) {
    auto remove = identity_api(run, "DELETE", "/" + pc);
    auto removing = run.call(remove);
    auto removed = co_await std::move(removing);
    if (removed && (removed->good() || removed->status == 404))
      co_return run.complete();
    co_return run.failed(remove, removed);
  }
  auto create = identity_api(run, "POST", "");
  create.body = manifest_of(run);
  auto creating = run.call(create);
  auto created = co_await std::move(creating);
  std::string secret;
  if (created && created->good()) {
    secret = json::string_at(created->object(), "clientSecret").value_or("");
  } else if (created && created->status == 409) {
    auto look = identity_api(run, "GET", "/" + pc);
    auto looking = run.call(look);
    auto found = co_await std::move(looking);
    if (auto wrong = run.after_conflict(run.failed(create, created), look, found, "did"))
      co_return std::move(*wrong);
  } else {
    co_return run.failed(create, created);
  }
  if (!run.services.settings.separate_credential_service)
    co_return run.complete();
  auto introducing = introduce_sts(run, std::move(secret));
  co_return co_await std::move(introducing);
}

} // namespace fondaco::cfm

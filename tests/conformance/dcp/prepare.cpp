#include <poll.h>

#include "conformance/dcp/cases.hpp"

namespace fondaco::conformance::dcp {

namespace {

constexpr auto request_within = std::chrono::seconds(20);
constexpr int poll_pause_ms = 100;

/// The node's management listener, as one of its API clients.
class admin {
public:
  admin(world& w, const node_settings& node) : w_(w), node_(node) {
    auto form = "grant_type=client_credentials&client_id=" + node.client_id + "&client_secret=" + node.client_secret;
    auto got = w_.send("POST", node.management_url + "/oauth2/token",
                       {{"Content-Type", "application/x-www-form-urlencoded"}}, form);
    expect_2xx(got, "a token for the node's management");
    token_ = text_at(object_of(got.raw.body), "access_token");
  }

  json::object call(const std::string& method, const std::string& path, const json::object& body = {}) {
    http::header_list headers{{"Authorization", "Bearer " + token_}};
    if (method != "GET") {
      headers.emplace_back("Content-Type", "application/json");
    }
    auto got = w_.send(method, node_.management_url + path, headers, method == "GET" ? "" : json::serialize(body));
    expect_2xx(got, "preparing the node: " + method + " " + path);
    return object_of(got.raw.body);
  }

private:
  world& w_;
  const node_settings& node_;
  std::string token_;
};

/// The DID of a participant of the node, below its protocol listener.
std::string did_at(const node_settings& node, const std::string& id) {
  auto authority = node.protocol_url.substr(std::min(node.protocol_url.size(), std::string("http://").size()));
  if (auto colon = authority.find(':'); colon != std::string::npos) {
    authority.replace(colon, 1, "%3A");
  }
  return "did:web:" + authority + ":" + id;
}

/// Makes an identity with one key and one service; gives the secret of its token service client.
std::string add_identity(admin& a, const node_settings& node, const std::string& id, const char* service,
                         const std::string& path) {
  auto did = did_at(node, id);
  const json::object key{{"keyId", did + "#key-1"},
                         {"privateKeyAlias", id + "-key-1"},
                         {"keyGeneratorParams", json::object{{"algorithm", "EC"}}}};
  const json::object endpoint{{"id", id + "-service"},
                              {"type", service},
                              {"serviceEndpoint", node.protocol_url + path + "/participants/" + id}};
  auto made = a.call("POST", "/api/identity/v1beta/participants",
                     {{"participantContextId", id},
                      {"did", did},
                      {"active", true},
                      {"keys", json::array{json::value(key)}},
                      {"serviceEndpoints", json::array{json::value(endpoint)}}});
  return text_at(made, "clientSecret");
}

/// The holder asks the program's issuer for both credentials: what the cases deliver is an answer to that.
void request_credentials(world& w, admin& a, const std::string& holder_did) {
  w.serve_always("POST /credentials CredentialRequestMessage",
                 [&w, holder_did](const http::message& request, const json::object&) {
                   if (auto why = w.refusal(request, holder_did, w.issuer.did)) {
                     return http::reply{401, *why, {}, false};
                   }
                   auto location = w.config().callback_address + "/requests/" + random_uuid();
                   return http::reply{201, "", {{"Location", location}}, false};
                 });
  w.serve_always("GET /requests/", [&w, holder_did](const http::message& request, const json::object&) {
    if (auto why = w.refusal(request, holder_did, w.issuer.did)) {
      return http::reply{401, *why, {}, false};
    }
    return json_reply(200, json::object{{"@context", json::array{dcp_context}},
                                        {"type", "CredentialStatus"},
                                        {"issuerPid", request.second.substr(request.second.rfind('/') + 1)},
                                        {"holderPid", w.config().correlation_id},
                                        {"status", "RECEIVED"}});
  });
  json::array wanted;
  for (const auto* type : {membership, sensitive_data}) {
    wanted.push_back(json::object{{"format", jwt_profile_1_1}, {"type", type}, {"id", random_uuid()}});
  }
  const std::string path = "/api/identity/v1beta/participants/holder/credentials/request";
  a.call("POST", path,
         {{"issuerDid", w.issuer.did}, {"holderPid", w.config().correlation_id}, {"credentials", std::move(wanted)}});
  const auto end = std::chrono::steady_clock::now() + request_within;
  std::string status;
  while (status != "REQUESTED") {
    expect(status != "ERROR" && std::chrono::steady_clock::now() < end,
           "the holder's request did not reach the issuer; its status is '" + status + "'");
    status = text_at(a.call("GET", path + "/" + w.config().correlation_id), "status");
    ::poll(nullptr, 0, poll_pause_ms);
  }
}

void prepare_issuer(world& w, admin& a) {
  const std::string base = "/api/issuer/v1beta/participants/issuer";
  a.call("POST", base + "/attestations",
         {{"id", "holder-properties"}, {"attestationType", "holder"}, {"configuration", json::object()}});
  const json::object mapping{{"input", "name"}, {"output", "credentialSubject.participant_name"}, {"required", true}};
  for (const auto* type : {membership, sensitive_data}) {
    a.call("POST", base + "/credentialdefinitions",
           {{"id", std::string(type) + "-definition"},
            {"credentialType", type},
            {"format", jwt_profile_1_1},
            {"jsonSchema", "{}"},
            {"validity", 3600},
            {"attestations", json::array{"holder-properties"}},
            {"rules", json::array()},
            {"mappings", json::array{json::value(mapping)}}});
  }
  a.call("POST", base + "/holders",
         {{"holderId", w.holder.did},
          {"did", w.holder.did},
          {"name", "Alice"},
          {"properties", json::object{{"name", "Alice"}}}});
}

void prepare_verifier(admin& a, const node_settings& node) {
  const json::array context{"https://w3id.org/edc/connector/management/v2"};
  const std::string base = "/api/management/v5beta/participants";
  a.call("POST", base,
         {{"@context", context},
          {"@type", "ParticipantContext"},
          {"@id", "verifier"},
          {"identity", did_at(node, "verifier")}});
  a.call("PUT", base + "/verifier/profiles",
         {{"@context", context},
          {"@type", "AssociateDataspaceProfile"},
          {"profiles", json::array{json::value(node.dataspace_profile)}}});
}

} // namespace

void prepare(world& w, settings& into) {
  const auto node = into.node;
  admin a(w, node);
  const std::string credentials = "/api/credentials/v1", issuance = "/api/issuance/v1beta";
  if (into.wants(packages::presentation_cs) || into.wants(packages::issuance_cs)) {
    into.sts_client_secret = add_identity(a, node, "holder", "CredentialService", credentials);
    into.did_holder = into.sts_client_id = did_at(node, "holder");
    into.sts_url = node.management_url + "/api/sts";
    request_credentials(w, a, into.did_holder);
  }
  if (into.wants(packages::issuance_issuer)) {
    add_identity(a, node, "issuer", "IssuerService", issuance);
    into.did_issuer = did_at(node, "issuer");
    prepare_issuer(w, a);
  }
  if (into.wants(packages::presentation_verifier)) {
    add_identity(a, node, "verifier", "CredentialService", credentials);
    into.did_verifier = did_at(node, "verifier");
    into.trigger_url = node.protocol_url + "/api/dsp/verifier/" + node.dataspace_profile + "/catalog/request";
    prepare_verifier(a, node);
  }
}

} // namespace fondaco::conformance::dcp

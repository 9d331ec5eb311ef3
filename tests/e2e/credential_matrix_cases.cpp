// Every DCP route, and every door that takes a client's secret, against every caller who may not call it.

#include <algorithm>
#include <ctime>

#include "conformance/dcp/crypto.hpp"
#include "e2e/counterparty.hpp"
#include "e2e/fabric.hpp"
#include "e2e/fixed_tokens.hpp"
#include "e2e/protocol_matrix.hpp"
#include "e2e/tenant_bed.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr int64_t lifetime_s = 300;
constexpr const char* dcp_context = "https://w3id.org/dspace-dcp/v1.0/dcp.jsonld";
constexpr const char* presented_scope = "org.eclipse.dspace.dcp.vc.type:MembershipCredential:read";
const std::string identities = "/api/identity/v1beta/participants";

using rows = std::vector<protocol_route>;

std::string message_of(const std::string& type, const std::string& members) {
  return R"({"@context":[")" + std::string(dcp_context) + R"("],"type":")" + type + "\"," + members + "}";
}

answer post_form(const std::string& url, const std::string& form) {
  return send("POST", url, {{"Content-Type", "application/x-www-form-urlencoded"}}, form);
}

/// A fabric with the identities alpha and beta, both of them holders and issuers, and the test as the office: an issuer
/// that alpha has asked for a credential, and a holder whom alpha issues to.
class credential_bed {
public:
  explicit credential_bed(bed& b) : f_(b.fresh_folder(), options(b)), by_((f_.start(), f_.cfm())) {
    office_.behave([this](const delivery& d) { return serve(d); });
    other_.behave_at("office", [this](const delivery&) { return json_reply(200, office_document()); });
    for (const char* id : {"alpha", "beta"})
      add(id);
    ask_office();
  }

  fabric& f() { return f_; }
  callers& by() { return by_; }
  std::string office() const { return other_.did_at("office"); }
  const counterparty& other() const { return other_; }

  std::string sts_form(const std::string& client, const std::string& secret, const std::string& more = "") const {
    return "grant_type=client_credentials&client_id=" + in_path(client) + "&client_secret=" + secret +
           "&audience=" + in_path(office()) + more;
  }
  std::string sts_url() { return f_.cfm().url("management") + "/api/sts/token"; }
  const std::string& sts_secret(const std::string& id) const { return sts_secrets_.at(id); }

  /// A self-issued token of whoever has this key, with what a tenant's STS lets the office see.
  std::string token(const did_party& by, const std::string& to, int64_t lives_s = lifetime_s) {
    const auto got =
        post_form(sts_url(), sts_form(f_.did(to), sts_secret(to), "&bearer_access_scope=" + in_path(presented_scope)));
    check(got.status == 200, "the STS answered " + std::to_string(got.status) + ": " + got.body);
    const auto given = conformance::dcp::read_jwt(text_at(got.object(), "access_token"));
    const auto now = static_cast<int64_t>(std::time(nullptr));
    const auto begin = std::min(now, now + lives_s - lifetime_s) - 2;
    return conformance::dcp::sign_jwt(by.key, by.kid,
                                      {{"iss", by.did},
                                       {"sub", by.did},
                                       {"aud", f_.did(to)},
                                       {"jti", random_uuid()},
                                       {"iat", begin},
                                       {"exp", now + lives_s},
                                       {"token", given ? text_at(given->claims, "token") : ""}});
  }
  did_party office_party() const { return {office(), office() + "#key", other_.holder.key}; }

private:
  static fabric_options options(bed& b) {
    fabric_options o;
    o.kind = b.kind();
    for (const char* id : {"alpha", "beta"})
      o.clients.push_back({id, "participant", id, {"identity-api:read"}});
    return o;
  }

  json::object office_document() const {
    auto out = other_.document_as(office());
    out["service"] = json::array{
        json::object{{"id", office() + "#c"}, {"type", "CredentialService"}, {"serviceEndpoint", office_.root()}},
        json::object{{"id", office() + "#i"}, {"type", "IssuerService"}, {"serviceEndpoint", office_.root()}}};
    return out;
  }

  // As an issuer it takes every request and never delivers; as a holder it takes every credential.
  http::reply serve(const delivery& d) const {
    if (d.method == "POST" && text_at(d.message(), "type") == "CredentialRequestMessage")
      return {201, "", {{"Location", office_.root() + "/requests/1"}}, false};
    if (d.method == "POST")
      return {200, "", {}, false};
    return json_reply(200, {{"@context", json::array{dcp_context}},
                            {"type", "CredentialStatus"},
                            {"issuerPid", "1"},
                            {"holderPid", "pid-1"},
                            {"status", "RECEIVED"}});
  }

  void add(const std::string& id) {
    auto& who = f_.at(f_.cfm());
    json::object manifest{{"participantContextId", id}, {"did", f_.did(id)}, {"active", true}};
    manifest["provisionStsAccount"] = true;
    manifest["key"] = json::object{{"keyId", f_.did(id) + "#key1"},
                                   {"privateKeyAlias", id + "-key1"},
                                   {"keyGeneratorParams", json::object{{"algorithm", "EC"}}}};
    sts_secrets_[id] = text_at(who.call("POST", identities, manifest).as_object(), "clientSecret");
    check(!sts_secrets_[id].empty(), "no secret was given for the STS account of " + id);
    const auto issuer = "/api/issuer/v1beta/participants/" + id;
    who.call("POST", issuer + "/attestations",
             {{"id", "att"}, {"attestationType", "holder"}, {"configuration", json::object()}});
    json::object definition{{"id", "def"},
                            {"credentialType", "MembershipCredential"},
                            {"format", "vc20-bssl/jwt"},
                            {"jsonSchema", "{}"},
                            {"validity", 3600}};
    definition["attestations"] = json::array{"att"};
    definition["mappings"] = json::array{
        json::object{{"input", "membership"}, {"output", "credentialSubject.membership"}, {"required", true}}};
    who.call("POST", issuer + "/credentialdefinitions", definition);
    json::object holder{{"holderId", office()}, {"did", office()}, {"name", "office"}};
    holder["properties"] = json::object{{"membership", json::object{{"level", "full"}}}};
    who.call("POST", issuer + "/holders", holder);
  }

  void ask_office() {
    json::object request{{"issuerDid", office()}, {"holderPid", "pid-1"}};
    request["credentials"] =
        json::array{json::object{{"id", "def"}, {"type", "MembershipCredential"}, {"format", "vc20-bssl/jwt"}}};
    f_.at(f_.cfm()).call("POST", identities + "/alpha/credentials/request", request);
    office_.await("/credentials");
  }

  counterparty other_;
  peer office_;
  fabric f_;
  callers by_;
  std::map<std::string, std::string> sts_secrets_;
};

header_maker bearer(std::function<std::string()> token) {
  return [=] { return http::header_list{{"Authorization", "Bearer " + token()}}; };
}

header_maker bearer(std::string_view token) {
  return [text = "Bearer " + std::string(token)] { return http::header_list{{"Authorization", text}}; };
}

protocol_callers callers_of(credential_bed& t) {
  const auto office = t.office_party();
  const did_party impostor{office.did, office.kid, t.other().stranger.key};
  protocol_callers who;
  who.listener = "protocol";
  who.right = bearer([&t, office] { return t.token(office, "alpha"); });
  who.at_beta = bearer([&t, office] { return t.token(office, "beta"); });
  who.refused = {{"nobody", 401, [] { return http::header_list(); }},
                 {"a token that is none", 401, bearer("garbage")},
                 {"an expired token", 401, bearer([&t, office] { return t.token(office, "alpha", -3600); })},
                 {"a token for another tenant", 401, who.at_beta},
                 {"a token that another signed", 401, bearer([&t, impostor] { return t.token(impostor, "alpha"); })},
                 {"the administrator's token", 401, bearer(t.by().as("admin").token())},
                 {"alpha's token for its APIs", 401, bearer(t.by().as("alpha").token())},
                 {"a token of an API's issuer", 401, bearer(fixed_tokens::good)}};
  who.stranger = bearer([&t] { return t.token(t.other().stranger, "alpha"); });
  return who;
}

void run_dcp(bed& b) {
  credential_bed t(b);
  known_names known{{"office", t.office()}};
  run_protocol_table(t.by(), callers_of(t), credential_table(), known);
}

struct secret_door {
  std::string name;
  std::string url;
  std::function<std::string(const std::string& client, const std::string& secret)> form;
  std::string alpha, beta, nobody;
  std::string alpha_secret, beta_secret;
};

void run_secrets(bed& b) {
  credential_bed t(b);
  const auto& n = t.f().cfm();
  const auto oauth = [](const std::string& client, const std::string& secret) {
    return "grant_type=client_credentials&client_id=" + client + "&client_secret=" + secret;
  };
  const auto sts = [&t](const std::string& client, const std::string& secret) { return t.sts_form(client, secret); };
  const std::vector<secret_door> doors{{"the token endpoint", n.url("management") + "/oauth2/token", oauth, "alpha",
                                        "beta", "alphb", n.secret("alpha"), n.secret("beta")},
                                       {"the STS", t.sts_url(), sts, t.f().did("alpha"), t.f().did("beta"),
                                        t.f().did("alphb"), t.sts_secret("alpha"), t.sts_secret("beta")}};
  for (const auto& d : doors) {
    const auto refused = [&](const std::string& who, const std::string& client, const std::string& secret) {
      auto got = post_form(d.url, d.form(client, secret));
      check_equal("the status of " + who + " at " + d.name, got.status, 401);
      return looks(got, client);
    };
    const auto unknown = refused("a client that does not exist", d.nobody, d.alpha_secret);
    check_equal("what a wrong secret is told at " + d.name, refused("a wrong secret", d.alpha, random_hex(32)),
                unknown);
    check_equal("what another tenant's secret is told at " + d.name,
                refused("another tenant's secret", d.alpha, d.beta_secret), unknown);
    check_equal("the status of the right secret at " + d.name, post_form(d.url, d.form(d.beta, d.beta_secret)).status,
                200);
  }
}

} // namespace

std::vector<protocol_route> credential_table() {
  const std::string service = "/api/credentials/v1/participants/{p}", issuer = "/api/issuance/v1beta/participants/{p}";
  // The request is answered first, before alpha asks how it stands.
  return {{"POST", service + "/credentials", "",
           message_of("CredentialMessage", R"("issuerPid":"1","holderPid":"pid-1","status":"REJECTED",)"
                                           R"("rejectionReason":"not a member","credentials":[])"),
           "pid-1", true},
          {"POST", service + "/presentations/query", "",
           message_of("PresentationQueryMessage", R"("scope":[")" + std::string(presented_scope) + R"("])")},
          {"POST", service + "/offers", "",
           message_of("CredentialOfferMessage",
                      R"("issuer":"${office}","credentials":[{"id":"x","type":"CredentialObject",)"
                      R"("credentialType":"Unheard","profile":"vc20-bssl/jwt"}])")},
          {"POST", issuer + "/credentials", "",
           message_of("CredentialRequestMessage", R"("holderPid":"h-1","credentials":[{"id":"def"}])"), "", false, 0,
           "request", "Location"},
          {"GET", issuer + "/requests/{id}", "id=${request}", "", "${request}", true}};
}

cases credential_matrix_cases() {
  return {{"every DCP route refuses who proves nothing to this participant, and hides another's requests", run_dcp},
          {"a client's secret opens neither another tenant's account nor tells whether it exists", run_secrets}};
}

} // namespace fondaco::e2e

#include "e2e/counterparty.hpp"

#include <array>
#include <ctime>

#include "e2e/raw.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace dcp = conformance::dcp;

namespace {

constexpr const char* dcp_context = "https://w3id.org/dspace-dcp/v1.0/dcp.jsonld";
constexpr const char* membership = "MembershipCredential";
constexpr const char* access_token = "the holder lets the bearer see its membership";
/// What was made now was made a little ago: another clock may lag behind.
constexpr int64_t made_ago_s = 2;
constexpr int64_t token_lifetime_s = 300;

int64_t now_s() { return static_cast<int64_t>(std::time(nullptr)); }

std::string instant(int64_t seconds) {
  const auto t = static_cast<time_t>(seconds);
  tm utc{};
  ::gmtime_r(&t, &utc);
  std::array<char, 32> out{};
  return {out.data(), std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

json::object document_of(const std::string& did, const did_party& p, const std::string& credential_service) {
  json::array ids{json::value(p.kid)};
  json::object method{
      {"id", p.kid}, {"type", "JsonWebKey2020"}, {"controller", p.did}, {"publicKeyJwk", p.key.public_jwk()}};
  json::object service{
      {"id", did + "#credentials"}, {"type", "CredentialService"}, {"serviceEndpoint", credential_service}};
  return {{"@context", json::array{"https://www.w3.org/ns/did/v1", "https://w3id.org/dspace-dcp/v1.0"}},
          {"id", did},
          {"verificationMethod", json::array{json::value(std::move(method))}},
          {"authentication", ids},
          {"assertionMethod", ids},
          {"capabilityInvocation", ids},
          {"service", json::array{json::value(std::move(service))}}};
}

/// One bit of the signature's first byte is turned.
std::string tampered(const std::string& jws) {
  const auto dot = jws.rfind('.');
  auto signature = base64url_decode(jws.substr(dot + 1));
  signature[0] = static_cast<char>(signature[0] ^ 1);
  return jws.substr(0, dot + 1) + base64url(signature);
}

bool has_access(const delivery& d) {
  const std::string scheme = "Bearer ";
  const auto t = d.authorization.starts_with(scheme) ? dcp::read_jwt(d.authorization.substr(scheme.size()))
                                                     : std::optional<dcp::jwt>();
  return t && text_at(t->claims, "token") == access_token;
}

/// The path's first segment, of `/<name>/did.json`.
std::string name_in(const std::string& path) { return path.substr(1, path.find('/', 1) - 1); }

} // namespace

counterparty::counterparty()
    : host_(std::make_unique<peer>()), holder(make("holder")), stranger(make("stranger")), issuer(make("issuer")),
      untrusted(make("untrusted")) {
  host_->behave([this](const delivery& d) { return serve(d); });
}

// First, so that no request comes when the rest is gone.
counterparty::~counterparty() { host_.reset(); }

did_party counterparty::make(const std::string& name) const {
  const auto did = did_at(name);
  return {did, did + "#key", dcp::ec_key::fresh()};
}

std::string counterparty::did_at(const std::string& name) const {
  return "did:web:127.0.0.1%3A" + std::to_string(port_of(host_->root())) + ":" + name;
}

std::string counterparty::trust_in_issuer() const {
  return "[[trusted_issuer]]\ndid = \"" + issuer.did + "\"\ntypes = [\"" + membership + "\"]\n";
}

void counterparty::behave_at(const std::string& name, std::function<http::reply(const delivery&)> how) {
  std::lock_guard lock(mutex_);
  elsewhere_[name] = std::move(how);
}

json::object counterparty::document_as(const std::string& did) const {
  auto p = holder;
  p.did = did;
  p.kid = did + "#key";
  return document_of(did, p, host_->root());
}

void counterparty::present(spoil how) {
  std::lock_guard lock(mutex_);
  spoil_ = std::move(how);
}

std::string counterparty::token(const std::string& audience, const std::string& issuer_did) const {
  const auto& did = issuer_did.empty() ? holder.did : issuer_did;
  const auto now = now_s();
  return dcp::sign_jwt(holder.key, did + "#key",
                       {{"iss", did},
                        {"sub", did},
                        {"aud", audience},
                        {"jti", random_uuid()},
                        {"iat", now - made_ago_s},
                        {"exp", now + token_lifetime_s},
                        {"token", access_token}});
}

http::reply counterparty::serve(const delivery& d) {
  if (d.method == "GET" && d.path.ends_with("/did.json")) {
    for (const auto* p : {&holder, &stranger, &issuer, &untrusted})
      if (d.path == "/" + p->did.substr(p->did.rfind(':') + 1) + "/did.json")
        return json_reply(200, document_of(p->did, *p, host_->root()));
    std::function<http::reply(const delivery&)> how;
    {
      std::lock_guard lock(mutex_);
      if (const auto found = elsewhere_.find(name_in(d.path)); found != elsewhere_.end())
        how = found->second;
    }
    return how ? how(d) : http::reply{404, "", {}, false};
  }
  if (d.method != "POST" || d.path != "/presentations/query")
    return {404, "", {}, false};
  if (!has_access(d))
    return {401, "", {}, false};
  presentation_draft draft{&holder, &holder, holder.did, &issuer, "", random_uuid(), 300, 600, false, false};
  const auto asking = dcp::read_jwt(d.authorization.substr(std::string("Bearer ").size()));
  draft.audience = text_at(asking->claims, "iss");
  spoil how;
  {
    std::lock_guard lock(mutex_);
    how = spoil_;
  }
  if (how)
    how(draft);
  return json_reply(200, {{"@context", json::array{dcp_context}},
                          {"type", "PresentationResponseMessage"},
                          {"presentation", json::array{json::value(presentation(draft))}}});
}

std::string counterparty::presentation(const presentation_draft& draft) const {
  const auto now = now_s();
  json::object vp{{"@context", json::array{"https://www.w3.org/2018/credentials/v1"}},
                  {"type", "VerifiablePresentation"},
                  {"verifiableCredential", json::array{json::value(credential(draft))}}};
  auto out = dcp::sign_jwt(draft.signer->key, draft.signer->kid,
                           {{"iss", draft.holder->did},
                            {"sub", draft.holder->did},
                            {"aud", draft.audience},
                            {"jti", draft.jti},
                            {"nbf", now - token_lifetime_s},
                            {"iat", now - token_lifetime_s},
                            {"exp", now + draft.presentation_lifetime_s},
                            {"vp", std::move(vp)}});
  return draft.presentation_tampered ? tampered(out) : out;
}

std::string counterparty::credential(const presentation_draft& draft) const {
  const auto begin = now_s() - 2 * token_lifetime_s, end = now_s() + draft.credential_lifetime_s;
  const auto id = "urn:uuid:" + random_uuid();
  json::object vc{{"@context", json::array{"https://www.w3.org/2018/credentials/v1"}},
                  {"id", id},
                  {"type", json::array{"VerifiableCredential", membership}},
                  {"issuer", draft.issuer->did},
                  {"issuanceDate", instant(begin)},
                  {"expirationDate", instant(end)},
                  {"credentialSubject", json::object{{"id", draft.subject}, {"membership", json::object()}}}};
  auto out = dcp::sign_jwt(draft.issuer->key, draft.issuer->kid,
                           {{"iss", draft.issuer->did},
                            {"sub", draft.subject},
                            {"jti", id},
                            {"nbf", begin},
                            {"iat", begin},
                            {"exp", end},
                            {"vc", std::move(vc)}});
  return draft.credential_tampered ? tampered(out) : out;
}

traced_answer tell(const std::string& url, const std::string& token, const json::object& body) {
  traced_answer out{{}, random_hex(16)};
  out.got = send("POST", url,
                 {{"Authorization", "Bearer " + token},
                  {"Content-Type", "application/json"},
                  {"traceparent", "00-" + out.trace_id + "-" + random_hex(8) + "-01"}},
                 json::serialize(body));
  return out;
}

traced_answer ask_catalog(const std::string& dsp, const std::string& token) {
  return tell(dsp + "/catalog/request", token, message("CatalogRequestMessage"));
}

} // namespace fondaco::e2e

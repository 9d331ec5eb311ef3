#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/ports/clock.hpp"
#include "actors/ports/http_exchange.hpp"
#include "gateway/form.hpp"
#include "protocols/dcp/messages.hpp"
#include "protocols/dcp/self_issued.hpp"
#include "protocols/did/document.hpp"
#include "protocols/jose/jwt.hpp"
#include "protocols/vc/credential.hpp"
#include "protocols/vc/presentation.hpp"
#include "protocols/vc/status_list.hpp"

/// The hosts of a dataspace that trusts by DCP, as tests play them: DID documents, a token service, credential
/// services, status lists and schemas. Only *.test.cpp files include it.
namespace fondaco::identity::testing {

inline constexpr const char* membership_scope = "org.eclipse.dspace.dcp.vc.type:MembershipCredential:read";
inline constexpr const char* sts_url = "https://sts.example/token";
inline constexpr const char* issuer_did = "did:web:issuer.example";

/// Somebody with a DID, a key and a document.
struct party {
  explicit party(std::string who)
      : did(std::move(who)), kid(did + "#key-1"), key(jose::key_pair::generate(jose::key_type::ec_p256, kid)) {
    document.id = did;
    did::verification_method method;
    method.id = kid;
    method.controller = did;
    method.public_key_jwk = key.public_half().jwk();
    document.methods.push_back(std::move(method));
    document.authentication = document.assertion_method = document.capability_invocation = {kid};
    document.services.push_back({did + "#cs", "CredentialService", service()});
  }
  /// The base of its credential service.
  std::string service() const {
    auto url = *did::web_url(did, false);
    return url.substr(0, url.find("/", 8)) + "/cs";
  }

  std::string did;
  std::string kid;
  jose::key_pair key;
  did::document document;
  /// What its credential service presents, as compact JWS.
  std::vector<std::string> credentials;
};

/// An answer with a JSON body.
inline actors::http_result answer(int status, const std::string& body) {
  return actors::http_answer{status, {{"content-type", "application/json"}}, body};
}

class dcp_world {
public:
  using host = std::function<actors::http_result(const actors::http_call&)>;

  dcp_world() { join(issuer_did); }

  party& join(const std::string& did) {
    auto& p = *parties_.emplace_back(std::make_unique<party>(did));
    play(*did::web_url(did, false),
         [&p](const auto&) { return answer(200, json::write(did::write_document(p.document))); });
    play(p.service() + "/presentations/query", [this, &p](const auto& call) { return present(p, call); });
    return p;
  }
  party& operator[](const std::string& did) {
    for (auto& p : parties_)
      if (p->did == did)
        return *p;
    FAIL("no such party: " << did);
    return *parties_.front();
  }
  party& issuer() { return (*this)[issuer_did]; }

  /// Puts something else where a party or nobody was; also while calls are made.
  void play(const std::string& url, host h) {
    std::scoped_lock lock(mutex_);
    hosts_[url] = std::move(h);
  }
  actors::http_result operator()(const actors::http_call& call) {
    if (call.url == sts_url)
      return make_token(call);
    host h;
    {
      std::scoped_lock lock(mutex_);
      if (const auto found = hosts_.find(call.url); found != hosts_.end())
        h = found->second;
    }
    return h ? h(call) : actors::http_result(std::unexpected(actors::exchange_errc::not_connected));
  }

  /// A membership of this holder, valid now.
  vc::credential membership(const std::string& holder, const std::string& type = "MembershipCredential") {
    vc::credential c;
    c.contexts = {"https://www.w3.org/2018/credentials/v1"};
    c.id = "urn:uuid:" + std::to_string(++made_);
    c.types = {"VerifiableCredential", type};
    c.issuer = issuer_did;
    c.subjects.push_back(json::object{{"id", holder}, {"level", "gold"}});
    c.valid_from = now() - std::chrono::hours(1);
    c.valid_until = now() + std::chrono::hours(24);
    return c;
  }
  std::string sign(const vc::credential& c, const party* by = nullptr) {
    const auto& signer = by ? *by : issuer();
    return vc::sign_credential(c, signer.key, signer.kid, "urn:uuid:jti-" + std::to_string(++made_), now());
  }
  /// A presentation by this holder.
  std::string present_to(const party& holder, const std::string& verifier, std::vector<std::string> credentials) {
    vc::presentation_draft d;
    d.holder = holder.did;
    d.audience = verifier;
    d.jti = "vp-" + std::to_string(++made_);
    d.now = now();
    d.credentials = std::move(credentials);
    return vc::sign_presentation(d, holder.key, holder.kid);
  }
  /// The answer of a credential service.
  static actors::http_result presentation_answer(std::vector<std::string> presentations) {
    dcp::presentation_response r;
    for (auto& p : presentations)
      r.presentations.emplace_back(std::move(p));
    return answer(200, json::write(dcp::write(r)));
  }
  /// A fresh self-issued token of a party.
  std::string token(const std::string& from, const std::string& to, const std::string& access_token = "access") {
    const auto& p = (*this)[from];
    dcp::self_issued_draft d;
    d.issuer = from;
    d.audience = to;
    d.jti = "jti-" + std::to_string(++made_);
    d.access_token = access_token;
    d.now = now();
    return dcp::sign_self_issued(d, p.key, p.kid);
  }
  timepoint now() const { return clock_.now(); }

  /// The configuration that makes a participant get its tokens here.
  static json::object sts_entries(const std::string& did) {
    return {{"edc.iam.sts.oauth.token.url", sts_url}, {"edc.iam.sts.oauth.client.id", did}};
  }
  static json::object sts_secrets() { return {{"edc.iam.sts.oauth.client.secret", "sts-secret"}}; }

private:
  actors::http_result make_token(const actors::http_call& call) {
    const auto form = gateway::parse_form(call.body);
    if (!form)
      return answer(400, "{}");
    const auto field = [&form](const char* name) {
      const auto found = form->find(name);
      return found == form->end() ? std::string() : found->second;
    };
    const auto granted = field("bearer_access_scope");
    const auto access = granted.empty() ? field("token") : "access " + granted;
    const auto made = token(field("client_id"), field("audience"), access);
    return answer(200,
                  json::write(json::object{{"access_token", made}, {"expires_in", 300}, {"token_type", "Bearer"}}));
  }
  actors::http_result present(const party& p, const actors::http_call& call) {
    std::string bearer;
    for (const auto& [name, value] : call.headers)
      if (name == "Authorization" && value.starts_with("Bearer "))
        bearer = value.substr(7);
    const auto token = jose::parse_jwt(bearer);
    if (!token || p.credentials.empty())
      return answer(401, R"({"message":"nothing is granted"})");
    const auto verifier = json::string_at(token->claims, "iss").value_or("");
    return presentation_answer({present_to(p, std::string(verifier), p.credentials)});
  }

  actors::system_clock clock_;
  std::vector<std::unique_ptr<party>> parties_;
  std::mutex mutex_;
  std::map<std::string, host> hosts_;
  std::atomic<int> made_ = 0;
};

} // namespace fondaco::identity::testing

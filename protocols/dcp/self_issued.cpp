#include "protocols/dcp/self_issued.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/ids.hpp"
#include "protocols/dcp/messages.hpp"

namespace fondaco::dcp {

namespace {

constexpr size_t jti_bytes_max = 512;

std::unexpected<fault> bad_token(std::string detail) {
  return std::unexpected(fault{std::string(name_of(dcp_errc::bad_token)), std::move(detail), cure::fix_input});
}

std::optional<fault> check_moments(const json::object& claims, timepoint now) {
  const auto refuse = [](std::string detail) {
    return fault{std::string(name_of(dcp_errc::bad_token)), std::move(detail), cure::fix_input};
  };
  const auto exp = jose::moment_at(claims, "exp");
  const auto iat = jose::moment_at(claims, "iat");
  if (!exp || !iat)
    return refuse("The token needs `exp` and `iat`, in seconds.");
  if (*exp + limits::leeway_ms <= now)
    return refuse("The token's `exp` has passed.");
  if (*iat > now + limits::leeway_ms)
    return refuse("The token's `iat` lies in the future.");
  if (*iat > *exp)
    return refuse("The token's `iat` lies after its `exp`.");
  if (claims.contains("nbf")) {
    const auto nbf = jose::moment_at(claims, "nbf");
    if (!nbf)
      return refuse("The token's `nbf` must be a number of seconds.");
    if (*nbf > now + limits::leeway_ms)
      return refuse("The token's `nbf` lies in the future.");
  }
  return std::nullopt;
}

bool meant_for(const json::object& claims, std::string_view audience) {
  const auto* aud = claims.if_contains("aud");
  if (!aud)
    return false;
  if (aud->is_string())
    return std::string_view(aud->get_string()) == audience;
  return aud->is_array() && std::ranges::any_of(aud->get_array(), [&](const json::value& v) {
           return v.is_string() && std::string_view(v.get_string()) == audience;
         });
}

json::object times_and_id(const std::string& jti, timepoint now) {
  const auto seconds = jose::numeric_date(now);
  json::object claims;
  claims["jti"] = jti;
  claims["iat"] = seconds;
  claims["nbf"] = seconds;
  claims["exp"] = jose::numeric_date(now + limits::token_lifetime_ms);
  return claims;
}

std::string signed_with(const jose::key_pair& key, const std::string& kid, const json::object& claims) {
  return jose::sign_jwt(key, claims, json::object{{"kid", kid}});
}

// The public key of a method; the detail says why there is none.
std::expected<jose::public_key, fault> key_of(const did::verification_method& m) {
  auto key = jose::import_public_jwk(m.public_key_jwk);
  if (!key)
    return bad_token("The key " + m.id + " cannot be used: " + key.error().detail);
  return std::move(*key);
}

std::expected<void, fault> verify_with(const jose::jws& token, const did::document& signer, did::relationship r,
                                       bool strict) {
  const auto* method = did::find_method(signer, token.kid, r, strict);
  if (!method)
    return bad_token("The DID document of " + signer.id + " has " +
                     (token.kid ? "no such key as the token's `kid` names, for this use."
                                : "not exactly one key for this use, and the token names none."));
  auto key = key_of(*method);
  if (!key)
    return std::unexpected(std::move(key.error()));
  if (auto verified = jose::verify_jws(token, *key); !verified)
    return bad_token("The token's signature does not hold: " + verified.error().detail);
  return {};
}

// The `jti`, within bounds.
std::optional<std::string> jti_of(const json::object& claims) {
  const auto jti = json::string_at(claims, "jti");
  if (!jti || jti->empty() || jti->size() > jti_bytes_max)
    return std::nullopt;
  return std::string(*jti);
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0)
      out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

} // namespace

std::string sign_self_issued(const self_issued_draft& draft, const jose::key_pair& key, const std::string& kid) {
  auto claims = times_and_id(draft.jti, draft.now);
  claims["iss"] = draft.issuer;
  claims["sub"] = draft.issuer;
  claims["aud"] = draft.audience;
  if (!draft.access_token.empty())
    claims["token"] = draft.access_token;
  return signed_with(key, kid, claims);
}

std::string sign_access_token(const access_draft& draft, const jose::key_pair& key, const std::string& kid) {
  auto claims = times_and_id(draft.jti, draft.now);
  claims["iss"] = draft.holder;
  claims["aud"] = draft.holder;
  claims["sub"] = draft.verifier;
  std::string scopes;
  for (const auto& s : draft.scopes)
    scopes += (scopes.empty() ? "" : " ") + s;
  claims["scope"] = scopes;
  return signed_with(key, kid, claims);
}

std::expected<self_issued, fault> read_self_issued(std::string_view compact, std::string_view own_did, timepoint now) {
  auto parsed = jose::parse_jwt(compact);
  if (!parsed)
    return bad_token("The token is not acceptable: " + parsed.error().detail);
  const auto& claims = parsed->claims;
  const auto iss = json::string_at(claims, "iss");
  const auto sub = json::string_at(claims, "sub");
  if (!iss || !sub || *iss != *sub || !iss->starts_with("did:") || iss->size() > fondaco::limits::id_bytes_max)
    return bad_token("The token's `iss` and `sub` must be the same DID, of at most 512 bytes.");
  if (claims.contains("sub_jwk"))
    return bad_token("The token must not have `sub_jwk`.");
  if (!meant_for(claims, own_did))
    return bad_token("The token's `aud` is not " + std::string(own_did) + ".");
  const auto& kid = parsed->envelope.kid;
  if (kid && did::did_of(*kid) != *iss)
    return bad_token("The token's `kid` is not a key of its `iss`.");
  if (kid && kid->find('#') == std::string::npos)
    return bad_token("The token's `kid` must be `<iss>#<fragment>`.");
  if (auto wrong = check_moments(claims, now))
    return std::unexpected(std::move(*wrong));
  auto jti = jti_of(claims);
  if (!jti)
    return bad_token("The token needs a `jti` of 1 to 512 bytes.");
  const auto* access = claims.if_contains("token");
  if (access && !access->is_null() && !access->is_string())
    return bad_token("The token's `token` must be a string.");
  self_issued out;
  out.issuer = *iss;
  out.jti = std::move(*jti);
  out.expires_at = *jose::moment_at(claims, "exp");
  out.access_token = json::string_at(claims, "token").value_or("");
  out.token = std::move(*parsed);
  return out;
}

std::expected<void, fault> verify_self_issued(const self_issued& t, const did::document& issuer, bool strict) {
  if (issuer.id != t.issuer)
    return bad_token("The DID document is not that of the token's `iss`.");
  return verify_with(t.token.envelope, issuer, did::relationship::capability_invocation, strict);
}

std::expected<access_grant, fault> verify_access_token(std::string_view compact, const did::document& own,
                                                       std::string_view verifier, timepoint now) {
  auto parsed = jose::parse_jwt(compact);
  if (!parsed)
    return bad_token("The access token is not acceptable: " + parsed.error().detail);
  const auto& claims = parsed->claims;
  if (!parsed->envelope.kid)
    return bad_token("The access token names no key.");
  if (auto verified = verify_with(parsed->envelope, own, did::relationship::capability_invocation, false); !verified)
    return bad_token("The access token was not made by this participant.");
  if (json::string_at(claims, "iss") != own.id || !meant_for(claims, own.id))
    return bad_token("The access token is not for this participant.");
  if (json::string_at(claims, "sub") != verifier)
    return bad_token("The access token was handed to another verifier.");
  if (auto wrong = check_moments(claims, now))
    return std::unexpected(std::move(*wrong));
  auto jti = jti_of(claims);
  const auto scope = json::string_at(claims, "scope");
  if (!jti || !scope)
    return bad_token("The access token needs `jti` (1 to 512 bytes) and `scope`.");
  access_grant out;
  out.scopes = words_of(*scope);
  out.jti = std::move(*jti);
  out.expires_at = *jose::moment_at(claims, "exp");
  return out;
}

} // namespace fondaco::dcp

#include "protocols/vc/credential.hpp"

#include <initializer_list>
#include <utility>

#include "protocols/jose/jwt.hpp"
#include "protocols/vc/model.hpp"

namespace fondaco::vc {

namespace {

/// What the envelope itself claims; null claims count as missing.
struct registered {
  std::string issuer;
  std::string subject;
  std::optional<timepoint> not_before;
  std::optional<timepoint> expires_at;
};

std::expected<registered, fault> read_registered(const json::object& claims) {
  registered out;
  auto issuer = text_of(claims, "iss");
  auto subject = text_of(claims, "sub");
  const auto not_before = date_of(claims, "nbf");
  const auto expires_at = date_of(claims, "exp");
  for (const fault* f : std::initializer_list<const fault*>{
           issuer ? nullptr : &issuer.error(), subject ? nullptr : &subject.error(),
           not_before ? nullptr : &not_before.error(), expires_at ? nullptr : &expires_at.error()})
    if (f)
      return std::unexpected(*f);
  return registered{std::move(*issuer), std::move(*subject), *not_before, *expires_at};
}

/// The object that is the credential: the `vc` claim, or the payload itself.
std::expected<std::pair<const json::object*, profile>, fault> find_model(const json::object& claims) {
  const auto* vc = member_of(claims, "vc");
  const bool is_model_itself = member_of(claims, "credentialSubject") != nullptr;
  if (vc && is_model_itself)
    return refuse(vc_errc::contradictory, "the payload is a credential and has another in its 'vc' claim");
  if (vc) {
    if (!vc->is_object())
      return refuse(vc_errc::malformed, "the 'vc' claim is not an object");
    return std::pair(&vc->get_object(), profile::vc11_jwt);
  }
  if (!is_model_itself)
    return refuse(vc_errc::malformed, "the payload has neither a 'vc' claim nor a 'credentialSubject'");
  if (!says(claims, "@context", base_context_20)) {
    const bool is_11 = says(claims, "@context", base_context_11);
    return refuse(is_11 ? vc_errc::unsupported : vc_errc::malformed,
                  is_11 ? "a credential of VCDM 1.1 has to stand in a 'vc' claim"
                        : "'@context' does not hold " + std::string(base_context_20));
  }
  return std::pair(&claims, profile::vc20_jose);
}

/// Lets the envelope's claims complete the credential, and refuses where they say something else.
std::expected<void, fault> reconcile(credential& what, const registered& claims) {
  if (what.issuer.empty())
    what.issuer = claims.issuer;
  if (what.issuer.empty())
    return refuse(vc_errc::malformed, "neither 'issuer' nor 'iss' names the issuer");
  if (!claims.issuer.empty() && claims.issuer != what.issuer)
    return refuse(vc_errc::contradictory, "'iss' and 'issuer' name different issuers");
  if (!claims.subject.empty())
    for (auto& subject : what.subjects) {
      const auto [id, was_missing] = subject.emplace("id", claims.subject);
      if (!was_missing && id->value() != json::value(claims.subject))
        return refuse(vc_errc::contradictory, "'sub' and the id in 'credentialSubject' name different subjects");
    }
  what.valid_from = later(what.valid_from, claims.not_before);
  what.valid_until = earlier(what.valid_until, claims.expires_at);
  return {};
}

/// The NumericDate at or after a moment, so that the credential's own date, not the envelope's, ends it.
int64_t numeric_date_up(timepoint t) { return jose::numeric_date(t + milliseconds{999}); }

json::object claims_of_11(const credential& what, std::string_view jti, timepoint now) {
  credential dated = what;
  // VCDM 1.1 demands an issuance date.
  if (!dated.valid_from)
    dated.valid_from = now;
  json::object claims;
  claims["iss"] = what.issuer;
  if (const auto subject = only_subject(what))
    claims["sub"] = *subject;
  claims["jti"] = jti;
  claims["iat"] = jose::numeric_date(now);
  claims["nbf"] = jose::numeric_date(*dated.valid_from);
  if (what.valid_until)
    claims["exp"] = numeric_date_up(*what.valid_until);
  claims["vc"] = write_signed_model(dated);
  return claims;
}

json::object claims_of_20(const credential& what, timepoint now) {
  auto claims = write_signed_model(what);
  claims["iat"] = jose::numeric_date(now);
  if (what.valid_until)
    claims["exp"] = numeric_date_up(*what.valid_until);
  return claims;
}

} // namespace

std::expected<signed_credential, fault> read_credential(std::string_view compact) {
  if (compact.size() > limits::credential_bytes_max)
    return refuse(vc_errc::malformed,
                  "the credential has more than " + std::to_string(limits::credential_bytes_max) + " bytes");
  auto token = jose::parse_jwt(compact);
  if (!token)
    return refuse(token.error().code == jose::jwt_errc::malformed ? vc_errc::malformed : vc_errc::unsupported,
                  token.error().detail);
  const auto model = find_model(token->claims);
  if (!model)
    return std::unexpected(model.error());
  auto what = read_model(*model->first, model->second);
  if (!what)
    return std::unexpected(std::move(what.error()));
  const auto claims = read_registered(token->claims);
  if (!claims)
    return std::unexpected(claims.error());
  if (auto agreed = reconcile(*what, *claims); !agreed)
    return std::unexpected(std::move(agreed.error()));
  return signed_credential{std::move(*what), std::move(token->envelope), std::string(compact)};
}

std::string sign_credential(const credential& what, const jose::key_pair& key, const std::string& kid,
                            std::string_view jti, timepoint now) {
  if (what.form == profile::vc11_jwt)
    return jose::sign_jwt(key, claims_of_11(what, jti, now), {{"kid", kid}});
  return jose::sign_jwt(key, claims_of_20(what, now), {{"typ", "vc+jwt"}, {"kid", kid}});
}

std::expected<void, fault> check_times(const credential& what, timepoint now, milliseconds leeway) {
  if (what.valid_from && now < *what.valid_from - leeway)
    return refuse(vc_errc::not_yet_valid, "it is not valid before " + to_rfc3339(*what.valid_from));
  if (what.valid_until && now >= *what.valid_until + leeway)
    return refuse(vc_errc::expired, "it was valid until " + to_rfc3339(*what.valid_until));
  return {};
}

} // namespace fondaco::vc

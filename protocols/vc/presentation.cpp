#include "protocols/vc/presentation.hpp"

#include <algorithm>

#include "protocols/jose/jwt.hpp"
#include "protocols/vc/model.hpp"

namespace fondaco::vc {

namespace {

constexpr std::string_view submission_context = "https://identity.foundation/presentation-exchange/submission/v1";

json::object claims_of_11(const presentation_draft& d) {
  json::object vp;
  vp["@context"] = json::array{base_context_11, submission_context};
  vp["type"] = presentation_type;
  vp["verifiableCredential"] = json::array(d.credentials.begin(), d.credentials.end());
  return {{"vp", std::move(vp)}};
}

json::object claims_of_20(const presentation_draft& d) {
  json::array credentials;
  for (const auto& compact : d.credentials)
    credentials.push_back(json::object{{"@context", base_context_20},
                                       {"id", "data:application/vc+jwt," + compact},
                                       {"type", "EnvelopedVerifiableCredential"}});
  json::object claims;
  claims["@context"] = json::array{base_context_20};
  claims["type"] = presentation_type;
  claims["holder"] = d.holder;
  claims["verifiableCredential"] = std::move(credentials);
  return claims;
}

} // namespace

std::string sign_presentation(const presentation_draft& draft, const jose::key_pair& key, const std::string& kid) {
  invariant(draft.credentials.size() <= limits::presentation_credentials_max, "a presentation holds few credentials");
  const bool is_11 = draft.form == profile::vc11_jwt;
  auto claims = is_11 ? claims_of_11(draft) : claims_of_20(draft);
  claims["iss"] = draft.holder;
  claims["sub"] = draft.holder;
  claims["aud"] = draft.audience;
  claims["jti"] = draft.jti;
  claims["iat"] = jose::numeric_date(draft.now);
  claims["nbf"] = jose::numeric_date(draft.now);
  claims["exp"] = jose::numeric_date(draft.now + draft.valid_for);
  return jose::sign_jwt(key, claims, {{"typ", is_11 ? "JWT" : "vp+jwt"}, {"kid", kid}});
}

std::expected<void, fault> check_presentation(const signed_presentation& p, std::string_view audience, timepoint now,
                                              milliseconds leeway) {
  if (p.audiences.empty())
    return refuse(vc_errc::wrong_audience, "the presentation has no 'aud'");
  if (std::ranges::find(p.audiences, audience) == p.audiences.end())
    return refuse(vc_errc::wrong_audience, "the presentation's 'aud' does not name " + std::string(audience));
  if (!p.expires_at)
    return refuse(vc_errc::malformed, "the presentation has no 'exp'");
  if (now >= *p.expires_at + leeway)
    return refuse(vc_errc::expired, "the presentation expired at " + to_rfc3339(*p.expires_at));
  if (p.not_before && now < *p.not_before - leeway)
    return refuse(vc_errc::not_yet_valid, "the presentation is not valid before " + to_rfc3339(*p.not_before));
  if (p.issued_at && now < *p.issued_at - leeway)
    return refuse(vc_errc::not_yet_valid,
                  "the presentation says it was made in the future, at " + to_rfc3339(*p.issued_at));
  return {};
}

} // namespace fondaco::vc

#include "protocols/jose/jwt.hpp"

#include <algorithm>
#include <cmath>

namespace fondaco::jose {
namespace {

/// The last second of the year 9999: no claim means a later one, and sums with a leeway stay in range.
constexpr double last_second = 253'402'300'799.0;

std::unexpected<jwt_error> refuse(jwt_errc code, std::string detail) {
  return std::unexpected(jwt_error{code, std::move(detail)});
}

std::unexpected<jwt_error> missing(std::string_view claim) {
  return refuse(jwt_errc::missing_claim, "the token has no '" + std::string(claim) + "' claim");
}

bool is_string_or_strings(const json::value& v) {
  const auto* list = v.if_array();
  return v.is_string() ||
         (list && std::all_of(list->begin(), list->end(), [](const auto& item) { return item.is_string(); }));
}

std::expected<void, jwt_error> check_form(const json::object& claims) {
  for (const char* name : {"iss", "sub", "jti"})
    if (const auto* claim = claims.if_contains(name); claim && !claim->is_string())
      return refuse(jwt_errc::malformed, "the '" + std::string(name) + "' claim is not a string");
  for (const char* name : {"exp", "nbf", "iat"})
    if (claims.contains(name) && !moment_at(claims, name))
      return refuse(jwt_errc::malformed, "the '" + std::string(name) + "' claim is not a number of seconds");
  if (const auto* aud = claims.if_contains("aud"); aud && !is_string_or_strings(*aud))
    return refuse(jwt_errc::malformed, "the 'aud' claim is neither a string nor an array of strings");
  return {};
}

bool names_one_of(const json::value& aud, const std::vector<std::string>& names) {
  const auto ours = [&](const json::value& v) {
    return std::find(names.begin(), names.end(), std::string_view(v.get_string())) != names.end();
  };
  const auto* list = aud.if_array();
  return list ? std::any_of(list->begin(), list->end(), ours) : ours(aud);
}

std::expected<void, jwt_error> check_parties(const json::object& claims, const expectations& expected) {
  if (expected.issuer) {
    const auto iss = json::string_at(claims, "iss");
    if (!iss)
      return missing("iss");
    if (*iss != *expected.issuer)
      return refuse(jwt_errc::wrong_issuer, "the 'iss' claim is not the expected issuer " + *expected.issuer);
  }
  if (expected.subject) {
    const auto sub = json::string_at(claims, "sub");
    if (!sub)
      return missing("sub");
    if (*sub != *expected.subject)
      return refuse(jwt_errc::wrong_subject, "the 'sub' claim is not the expected subject " + *expected.subject);
  }
  if (!expected.audiences.empty()) {
    const auto* aud = claims.if_contains("aud");
    if (!aud)
      return missing("aud");
    if (!names_one_of(*aud, expected.audiences))
      return refuse(jwt_errc::wrong_audience, "the 'aud' claim does not name " + expected.audiences.front());
  }
  return {};
}

std::expected<void, jwt_error> check_times(const json::object& claims, timepoint now, milliseconds leeway) {
  if (const auto exp = moment_at(claims, "exp"); exp && now >= *exp + leeway)
    return refuse(jwt_errc::expired, "the token expired at " + to_rfc3339(*exp));
  if (const auto nbf = moment_at(claims, "nbf"); nbf && now < *nbf - leeway)
    return refuse(jwt_errc::not_yet_valid, "the token is not valid before " + to_rfc3339(*nbf));
  if (const auto iat = moment_at(claims, "iat"); iat && now < *iat - leeway)
    return refuse(jwt_errc::not_yet_valid, "the token says it was issued in the future, at " + to_rfc3339(*iat));
  return {};
}

template <typename Keys>
std::expected<jwt, jwt_error> verify(std::string_view compact, const Keys& keys, const expectations& expected) {
  auto token = parse_jwt(compact);
  if (!token)
    return token;
  if (auto genuine = verify_jws(token->envelope, keys); !genuine)
    return std::unexpected(genuine.error());
  if (auto acceptable = check_claims(token->claims, expected); !acceptable)
    return std::unexpected(acceptable.error());
  return token;
}

} // namespace

std::expected<jwt, jwt_error> parse_jwt(std::string_view compact) {
  auto envelope = parse_jws(compact);
  if (!envelope)
    return std::unexpected(envelope.error());
  auto claims = json::parse(envelope->payload, {.text_bytes_max = limits::jws_bytes_max});
  if (!claims)
    return refuse(jwt_errc::malformed, "the token's claims: " + claims.error().detail);
  if (!claims->is_object())
    return refuse(jwt_errc::malformed, "the token's claims are not an object");
  return jwt{.envelope = std::move(*envelope), .claims = std::move(claims->get_object())};
}

std::expected<void, jwt_error> check_claims(const json::object& claims, const expectations& expected) {
  if (auto formed = check_form(claims); !formed)
    return formed;
  for (const auto& name : expected.required)
    if (!claims.contains(name))
      return missing(name);
  if (auto right = check_parties(claims, expected); !right)
    return right;
  return check_times(claims, expected.now, expected.leeway);
}

std::expected<jwt, jwt_error> verify_jwt(std::string_view compact, const key_set& keys, const expectations& expected) {
  return verify(compact, keys, expected);
}

std::expected<jwt, jwt_error> verify_jwt(std::string_view compact, const public_key& key,
                                         const expectations& expected) {
  return verify(compact, key, expected);
}

std::string sign_jwt(const key_pair& key, const json::object& claims, const json::object& extra) {
  json::object header;
  header["typ"] = "JWT";
  for (const auto& [name, member] : extra)
    header[name] = member;
  return sign_jws(key, json::write(claims), header);
}

std::optional<timepoint> moment_at(const json::object& claims, std::string_view name) {
  const auto* claim = claims.if_contains(name);
  if (!claim || !claim->is_number())
    return std::nullopt;
  const double seconds = std::clamp(claim->to_number<double>(), -last_second, last_second);
  return from_epoch_ms(std::llround(seconds * 1000));
}

int64_t numeric_date(timepoint t) noexcept {
  return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
}

} // namespace fondaco::jose

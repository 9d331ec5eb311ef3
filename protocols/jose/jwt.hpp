#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/time.hpp"
#include "protocols/jose/jws.hpp"

namespace fondaco::jose {

namespace limits {
/// How far two clocks may lie apart, by default.
inline constexpr milliseconds clock_leeway = std::chrono::seconds{30};
} // namespace limits

/// A JWT (RFC 7519) taken apart. Until it is verified, nothing in it is true.
struct jwt {
  jws envelope;
  json::object claims;
};

/// What a token has to say.
struct expectations {
  /// The moment to judge `exp`, `nbf` and `iat` at.
  timepoint now;
  /// The `iss`; nothing takes any, or none.
  std::optional<std::string> issuer = {};
  /// The names of this place: `aud` (a string or an array of them) must hold one; empty takes any, or none.
  std::vector<std::string> audiences = {};
  /// The `sub`; nothing takes any, or none.
  std::optional<std::string> subject = {};
  /// The claims that must be there, whatever they say.
  std::vector<std::string> required = {"exp"};
  /// How far `exp`, `nbf` and `iat` may be off.
  milliseconds leeway = limits::clock_leeway;
};

/// The parts of a compact JWT: a JWS whose payload is a JSON object.
std::expected<jwt, jwt_error> parse_jwt(std::string_view compact);

/// Judges the claims. Order: form, required claims, issuer, subject, audience, `exp`, `nbf`, `iat`.
std::expected<void, jwt_error> check_claims(const json::object& claims, const expectations& expected);

/// The JWT, with its signature checked by a key of the set and its claims judged.
std::expected<jwt, jwt_error> verify_jwt(std::string_view compact, const key_set& keys, const expectations& expected);

/// The JWT, with its signature checked by a key that the caller chose and its claims judged.
std::expected<jwt, jwt_error> verify_jwt(std::string_view compact, const public_key& key, const expectations& expected);

/// A compact JWT; its header has `typ` `JWT` unless `extra` says another.
std::string sign_jwt(const key_pair& key, const json::object& claims, const json::object& extra = {});

/// The moment a NumericDate claim names (whole or fractional seconds; beyond the year 9999 the last moment of it);
/// nothing if it is missing or not a number.
std::optional<timepoint> moment_at(const json::object& claims, std::string_view name);

/// The NumericDate of a moment, in whole seconds.
int64_t numeric_date(timepoint t) noexcept;

} // namespace fondaco::jose

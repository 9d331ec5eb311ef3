#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/base/fault.hpp"
#include "protocols/jose/jwk.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::jose {

namespace limits {
/// The longest compact JWS that is read, in bytes: a presentation carries credentials inside.
inline constexpr size_t jws_bytes_max = 1u << 20;
/// The longest JOSE header that is read, in bytes.
inline constexpr size_t jose_header_bytes_max = 16u << 10;
} // namespace limits

/// Why a signed token was not accepted.
enum class jwt_errc : uint8_t {
  /// The text is no compact JWS, or its header or claims are not what RFC 7515 and RFC 7519 ask. The sender must
  /// correct it.
  malformed = 1,
  /// The `alg` is `none`, symmetric or unknown, or does not belong to the key. Sign with ES256, EdDSA, RS256 or PS256.
  alg_not_allowed,
  /// The header names a critical extension (`crit`), and none is understood. Send the token without it.
  critical_extension,
  /// No known key has the header's `kid`, or none is named and several fit. Publish the key, or name it.
  unknown_key,
  /// The signature was not made by this key over these bytes. The sender must sign again.
  bad_signature,
  /// The token's `exp` has passed. Get a fresh one.
  expired,
  /// The token's `nbf` or `iat` lies in the future. Wait, or correct the clocks.
  not_yet_valid,
  /// The `iss` is not the expected one. Use the issuer that this place trusts.
  wrong_issuer,
  /// The `aud` does not name this place. Get a token for it.
  wrong_audience,
  /// The `sub` is not the expected one. Get a token for that subject.
  wrong_subject,
  /// A required claim is absent. Get a token that has it.
  missing_claim,
};

/// The enumerator's name, for error bodies, logs and metrics.
std::string_view name_of(jwt_errc code) noexcept;

/// What the caller can do about it.
constexpr cure cure_of(jwt_errc code) noexcept {
  return code == jwt_errc::unknown_key || code == jwt_errc::not_yet_valid ? cure::retry : cure::fix_input;
}

/// A refused token: why, and a sentence that never repeats the token.
struct jwt_error {
  jwt_errc code;
  std::string detail;
};

/// A compact JWS (RFC 7515) taken apart. Until it is verified, nothing in it is true.
struct jws {
  /// The protected header. Keys that it brings or points at (`jwk`, `jku`, `x5c`, `x5u`) are never used.
  json::object header;
  std::string payload;
  /// The raw bytes of the signature.
  std::string signature;
  /// The ASCII bytes that the signature covers, as they came.
  std::string signing_input;
  /// The header's `alg`, one of the allow-list.
  algorithm alg;
  /// The header's `kid`.
  std::optional<std::string> kid;
};

/// The parts of a compact JWS: strict base64url, `alg` on the allow-list, no `crit`.
std::expected<jws, jwt_error> parse_jws(std::string_view compact);

/// Checks the signature with a key that the caller chose; the key must allow the header's `alg`.
std::expected<void, jwt_error> verify_jws(const jws& token, const public_key& key);

/// Chooses the key by the header's `kid` (without one, the only key that allows the `alg`) and checks the signature.
std::expected<void, jwt_error> verify_jws(const jws& token, const key_set& keys);

/// A compact JWS over the payload. `alg` and, unless the header has one, `kid` are set from the key; `extra` adds other
/// header members, as `typ`.
std::string sign_jws(const key_pair& key, std::string_view payload, const json::object& extra = {});

/// The raw signature (RFC 7518: r and s of 32 bytes each for ES256) over the bytes.
std::string sign_bytes(const key_pair& key, std::string_view bytes);

/// True if the raw signature over the bytes was made by this key with this algorithm.
bool verify_bytes(const public_key& key, algorithm alg, std::string_view bytes, std::string_view signature);

} // namespace fondaco::jose

#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/fault.hpp"
#include "protocols/json/json.hpp"

struct evp_pkey_st; // OpenSSL's EVP_PKEY

namespace fondaco::jose {

namespace limits {
/// The smallest RSA modulus that is taken, in bits (RFC 7518, section 3.3).
inline constexpr int rsa_modulus_bits_min = 2048;
/// The largest RSA modulus that is taken, in bits: a larger one makes each verification an attack.
inline constexpr int rsa_modulus_bits_max = 8192;
/// The keys that are read from one set; the rest is ignored.
inline constexpr size_t set_keys_max = 64;
} // namespace limits

/// The signature algorithms of RFC 7518 and RFC 8037 that are ours; RSA is verified, never signed.
enum class algorithm : uint8_t { es256, eddsa, rs256, ps256 };

/// The name in an `alg` member: `ES256`, `EdDSA`, `RS256`, `PS256`.
std::string_view name_of(algorithm a) noexcept;

/// The algorithm that an `alg` member names (`Ed25519` of RFC 9864 is EdDSA too); nothing for `none`, `HS256` and all
/// others. Names are case-sensitive.
std::optional<algorithm> algorithm_of(std::string_view name) noexcept;

/// The kinds of key that are ours.
enum class key_type : uint8_t { ec_p256, ed25519, rsa };

/// Why a JWK was not taken.
enum class jwk_errc : uint8_t {
  /// A member is missing, of the wrong kind, not strict base64url, or of the wrong length. The sender must correct it.
  malformed = 1,
  /// The key type, curve or `alg` is not one of ours, or they do not fit each other. Send another key.
  unsupported,
  /// The key's `use` or `key_ops` forbid to verify (or, for a private key, to sign) with it. Send a signature key.
  wrong_use,
  /// The key is too weak: RSA below 2048 bits, an exponent below 3, or made by a broken generator. Make a new key.
  weak,
  /// The members are no key: a point off the curve, or a private part that does not belong to the public one.
  not_a_key,
  /// A public place holds a private or symmetric key. The key is burnt: its owner must replace it.
  exposes_secret,
  /// Two keys of a set have the same `kid` and type, so that a signature names neither. The sender must correct it.
  duplicate_kid,
};

/// What the caller can do about it.
constexpr cure cure_of(jwk_errc) noexcept { return cure::fix_input; }

/// A refused key: why, and a sentence that never repeats key material.
struct jwk_error {
  jwk_errc code;
  std::string detail;
};

/// A public key that verifies signatures. Immutable, cheap to copy, usable from any thread; making one costs up to 25
/// us, so keep it.
class public_key {
public:
  key_type type() const noexcept;
  /// The `kid`, or nothing if the JWK had none.
  const std::optional<std::string>& kid() const noexcept;
  /// The SHA-256 thumbprint of RFC 7638, in base64url: the key's identity.
  const std::string& thumbprint() const noexcept;
  /// True if the algorithm belongs to the key's type and to its `alg` member, if it has one.
  bool allows(algorithm a) const noexcept;
  /// The JWK: the required members, then `kid`, `alg` and `use` as far as they are known.
  json::object jwk() const;
  /// OpenSSL's handle, for the sources of this folder.
  evp_pkey_st* handle() const noexcept;

private:
  friend struct key_maker;
  struct data;
  explicit public_key(std::shared_ptr<const data> d) : data_(std::move(d)) {}
  std::shared_ptr<const data> data_;
};

/// The public key of a JWK (RFC 7517). A JWK with private members is refused (`exposes_secret`).
std::expected<public_key, jwk_error> import_public_jwk(const json::object& jwk);

/// A P-256 or Ed25519 key that signs. Immutable, usable from any thread; prints and compares as nothing secret.
class key_pair {
public:
  /// A fresh key from OpenSSL's random source; without a `kid`, the thumbprint is the `kid`. RSA is not made.
  static key_pair generate(key_type type, std::optional<std::string> kid = {});
  /// The half that others may see.
  const public_key& public_half() const noexcept { return public_; }
  /// The one algorithm that it signs with.
  algorithm signs_with() const noexcept;
  /// OpenSSL's handle, for the sources of this folder.
  evp_pkey_st* handle() const noexcept { return public_.handle(); }

private:
  friend struct key_maker;
  explicit key_pair(public_key both) : public_(std::move(both)) {}
  public_key public_;
};

/// The key pair of a private JWK (`d` present, belonging to the public members).
std::expected<key_pair, jwk_error> import_private_jwk(const json::object& jwk);

/// The private JWK, `d` included: a secret, for the vault and nothing else.
json::object export_private_jwk(const key_pair& pair);

/// The keys of a JWK set (RFC 7517, section 5).
struct key_set {
  std::vector<public_key> keys;
  /// A sentence for each key of the set that was passed over, as section 5 asks.
  std::vector<std::string> ignored;
};

/// The usable keys of a JWK set; keys that are not ours or are broken are passed over. A set that exposes a secret or
/// names two keys of a type alike is refused.
std::expected<key_set, jwk_error> import_jwks(const json::value& set);

/// The JWK set with these public keys.
json::object export_jwks(const std::vector<public_key>& keys);

} // namespace fondaco::jose

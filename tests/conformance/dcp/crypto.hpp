#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <openssl/evp.h>

namespace fondaco::conformance::dcp {

namespace json = boost::json;

/// Base64url without padding.
std::string base64url(std::string_view bytes);
/// The bytes of base64url text; nothing if it is none.
std::optional<std::string> from_base64url(std::string_view text);
/// A random version 4 UUID.
std::string random_uuid();

/// An EC key on P-256: a fresh pair, or the public half that a DID document shows.
class ec_key {
public:
  /// A fresh pair.
  static ec_key fresh();
  /// The public key of a JWK; nothing unless it is a point on P-256.
  static std::optional<ec_key> from_jwk(const json::object& jwk);

  /// The public half as a JWK.
  [[nodiscard]] json::object public_jwk() const;
  /// The ES256 signature (r and s, 64 bytes) over the text.
  [[nodiscard]] std::string sign(std::string_view text) const;
  [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const;

private:
  explicit ec_key(EVP_PKEY* key) : key_(key, &EVP_PKEY_free) {}
  std::shared_ptr<EVP_PKEY> key_;
};

/// A JWS in its compact form, taken apart.
struct jwt {
  json::object header, claims;
  std::string signed_text, signature;
};

/// Signs claims: `{"alg":"ES256","typ":"JWT","kid":kid}`.
std::string sign_jwt(const ec_key& key, const std::string& kid, const json::object& claims);
/// Takes a token apart without verifying it; nothing if it is none.
std::optional<jwt> read_jwt(std::string_view token);

/// The member's text; empty if there is none.
std::string text_at(const json::object& o, std::string_view name);

/// `u` and the base64url of the gzipped bits of a status list, with one bit set (the first bit is the highest).
std::string encoded_list(size_t bits, size_t set_bit);

} // namespace fondaco::conformance::dcp

#pragma once

#include "protocols/jose/jwk.hpp"
#include "protocols/jose/openssl.hpp"

/// How keys are made from numbers; only the sources of this folder include it.
namespace fondaco::jose {

/// What a JWK says beside its numbers.
struct key_labels {
  std::optional<std::string> kid;
  /// The `alg` member: the only algorithm that the key allows.
  std::optional<algorithm> only;
};

struct public_key::data {
  key_type type;
  openssl::key handle;
  /// The members that the thumbprint covers, in normal form and in the order that RFC 7638 asks for.
  json::object required;
  std::string thumbprint;
  key_labels labels;
};

/// True if keys of this type sign with this algorithm.
bool belongs_to(algorithm a, key_type type) noexcept;

/// The friend of both key classes that fills them.
struct key_maker {
  static std::expected<public_key, jwk_error> make_public(key_type type, const json::object& jwk, key_labels labels);
  static std::expected<key_pair, jwk_error> make_pair(key_type type, const json::object& jwk, key_labels labels);
  static key_pair generate(key_type type, std::optional<std::string> kid);
  static json::object private_jwk(const key_pair& pair);

private:
  static public_key wrap(key_type type, openssl::key handle, json::object required, key_labels labels);
};

} // namespace fondaco::jose

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cells/identity/edge.hpp"
#include "cells/identity/keys.hpp"
#include "protocols/jose/jwk.hpp"

namespace fondaco::identity {

namespace limits {
/// The most key pairs of a participant that are not revoked: all but created ones are methods of its DID document.
inline constexpr size_t key_pairs_max = 48;
/// How long a key pair is meant to be used, by default (EDC's 180 days); nothing acts on it.
inline constexpr milliseconds key_use_default{180LL * 24 * 3'600'000};
/// The longest alias of a private key, in bytes.
inline constexpr size_t key_alias_bytes_max = 256;
} // namespace limits

/// A key pair that is to be added (KeyDescriptor; identity API reference, section 4.2).
struct key_descriptor {
  /// Empty if the request gives none.
  std::string resource_id;
  /// Absolute: `<did>#<fragment>`.
  std::string key_id;
  /// The type of the verification method.
  std::string type = "JsonWebKey2020";
  std::string private_key_alias;
  /// The public key, if the private one is in the vault already; nothing if both are made here, of this type.
  std::optional<json::object> public_jwk;
  jose::key_type generate = jose::key_type::ed25519;
  bool active = true;
  std::vector<key_usage> usages = {key_usage::sign_credentials, key_usage::sign_presentation, key_usage::sign_token};
};

/// Reads a descriptor; what is wrong goes to `check`. `inside` is its place in the body, empty for the body itself.
key_descriptor read_key_descriptor(const json::object& o, std::string_view did, api::body_check& check,
                                   std::string_view inside);

/// Adds the key pair; false if it is there already (the same resource with the same key id), so that a step can be
/// repeated. 409 if the resource or the key id is another's, 400 if the given private key is not in the vault.
task<result<bool>> add_key(cell_services& s, tenant owner, std::string did, key_descriptor d, bool make_default);

/// The id that a descriptor's resource gets.
std::string resource_id_of(const cell_services& s, const tenant& owner, const key_descriptor& d);

/// Takes the default from all other key pairs that share a usage with this one.
task<result<bool>> clear_other_defaults(cell_services& s, tenant owner, std::string resource_id);

/// KeyPairResource as the API shows it.
json::object show_key(json::object stored);

} // namespace fondaco::identity

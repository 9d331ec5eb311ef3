#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "persistence/vault.hpp"
#include "protocols/base/fault.hpp"
#include "protocols/base/ids.hpp"
#include "protocols/jose/jwk.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::gateway {

/// The tenant that the node's own secrets and documents belong to; no participant context can have its id, since those
/// may not start with a dot.
inline tenant node_tenant() { return tenant(".node"); }

/// The keys of the node's token endpoint: the first one signs, all of them are published, so that tokens signed before
/// a change of keys stay good. Immutable; any thread may call.
class token_keys {
public:
  /// Keys of which the first one signs; there must be one.
  explicit token_keys(std::vector<jose::key_pair> keys);

  /// The keys in the vault under `token-signing-key` of the node's tenant; at the first start a fresh one is made and
  /// kept there. Blocks. Nodes that share a vault and start for the first time at the same moment settle on what the
  /// vault has in the end only if they read it again: start the first one alone.
  static std::expected<std::shared_ptr<const token_keys>, fault>
  load_or_create(persistence::vault& vault, jose::key_type type = jose::key_type::ec_p256);

  /// A signed access token (RFC 9068: `typ` is `at+jwt`).
  std::string sign(const json::object& claims) const;
  /// The public keys as a JWK set's text.
  const std::string& jwks() const noexcept { return jwks_; }
  /// The public keys, for the node's own verifier.
  const std::shared_ptr<const jose::key_set>& public_keys() const noexcept { return public_; }

private:
  std::vector<jose::key_pair> keys_;
  std::shared_ptr<const jose::key_set> public_;
  std::string jwks_;
};

} // namespace fondaco::gateway

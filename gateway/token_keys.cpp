#include "gateway/token_keys.hpp"

#include <utility>

#include "protocols/jose/jwt.hpp"

namespace fondaco::gateway {
namespace {

constexpr std::string_view secret_name = "token-signing-key";

fault vault_fault(persistence::vault_errc e) {
  switch (e) {
  case persistence::vault_errc::bad_key:
    return {"vault_bad_key", "the vault's key-encryption key is not usable, so the token key cannot be read",
            cure::fix_input};
  case persistence::vault_errc::not_authentic:
    return {"vault_not_authentic", "the token key in the vault was not made by this vault or was altered", cure::stop};
  case persistence::vault_errc::bad_name:
  case persistence::vault_errc::unavailable: break;
  }
  return {"vault_unavailable", "the vault that keeps the token key does not answer", cure::retry};
}

fault broken(const std::string& what) {
  return {"bad_token_key", "the vault's `token-signing-key` is not a JWK set of private keys: " + what,
          cure::fix_input};
}

std::string to_secret(const jose::key_pair& pair) {
  json::array keys;
  keys.emplace_back(jose::export_private_jwk(pair));
  json::object set;
  set["keys"] = std::move(keys);
  return json::write(set);
}

std::expected<std::shared_ptr<const token_keys>, fault> from_secret(std::string_view text) {
  const auto parsed = json::parse(text);
  const auto* set = parsed && parsed->is_object() ? json::array_at(parsed->get_object(), "keys") : nullptr;
  if (!set || set->empty())
    return std::unexpected(broken("no `keys`"));
  std::vector<jose::key_pair> keys;
  for (const auto& entry : *set) {
    const auto* jwk = entry.if_object();
    if (!jwk)
      return std::unexpected(broken("a key is not an object"));
    auto pair = jose::import_private_jwk(*jwk);
    if (!pair)
      return std::unexpected(broken(pair.error().detail));
    keys.push_back(std::move(*pair));
  }
  return std::make_shared<const token_keys>(std::move(keys));
}

} // namespace

token_keys::token_keys(std::vector<jose::key_pair> keys) : keys_(std::move(keys)) {
  invariant(!keys_.empty(), "a token endpoint has a key");
  jose::key_set set;
  for (const auto& pair : keys_)
    set.keys.push_back(pair.public_half());
  jwks_ = json::write(jose::export_jwks(set.keys));
  public_ = std::make_shared<const jose::key_set>(std::move(set));
}

std::expected<std::shared_ptr<const token_keys>, fault> token_keys::load_or_create(persistence::vault& vault,
                                                                                   jose::key_type type) {
  auto kept = vault.get(node_tenant(), secret_name);
  if (!kept)
    return std::unexpected(vault_fault(kept.error()));
  if (!*kept) {
    const auto fresh = to_secret(jose::key_pair::generate(type));
    if (auto put = vault.put(node_tenant(), secret_name, fresh); !put)
      return std::unexpected(vault_fault(put.error()));
    // Read back, so that a key which another node put meanwhile is the one that both use.
    kept = vault.get(node_tenant(), secret_name);
    if (!kept)
      return std::unexpected(vault_fault(kept.error()));
    invariant(kept->has_value(), "the vault keeps what it acknowledged");
  }
  return from_secret(**kept);
}

std::string token_keys::sign(const json::object& claims) const {
  return jose::sign_jwt(keys_.front(), claims, json::object{{"typ", "at+jwt"}});
}

} // namespace fondaco::gateway

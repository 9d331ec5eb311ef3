#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "gateway/auth.hpp"
#include "gateway/claims.hpp"
#include "gateway/jwks_source.hpp"
#include "protocols/base/fault.hpp"

namespace fondaco::gateway {

namespace limits {
/// The longest bearer token that is looked at, in bytes.
inline constexpr size_t bearer_token_bytes_max = 8u << 10;
/// The most verified tokens that are remembered.
inline constexpr size_t verified_tokens_max = 4096;
} // namespace limits

/// An issuer whose tokens are taken.
struct trusted_issuer {
  /// What `iss` must be, exactly.
  std::string issuer;
  /// What `aud` must name. EDC-V does not check it; here a token for another service opens nothing.
  std::string audience;
  /// Where the issuer's keys are fetched; empty if `keys` gives them.
  std::string jwks_url;
  /// The issuer's keys, for the node's own endpoint.
  std::shared_ptr<const jose::key_set> keys;
  /// How the claims name the participant.
  dialect_options dialect;
  /// How far `exp`, `nbf` and `iat` may be off.
  milliseconds leeway_ms{0};
  /// How long fetched keys are good, and how long a verified token is remembered at most: a key that the issuer takes
  /// back opens nothing after that.
  milliseconds cache_validity_ms{300'000};
};

/// The bearer token of a request's one Authorization header; 401 without it or with another scheme.
std::expected<std::string, denied> bearer_token(const request& r);

/// The claims of the management API's dialects that a verified token holds; a sentence if one is not of its kind.
std::expected<token_claims, std::string> read_claims(const json::object& claims);

/// Verifies JWTs of one or more issuers (management API reference, section 3.1): signature by the key that `kid` names
/// (a token without `kid` only if its issuer has exactly one key), `iss`, `aud`, `exp`, `nbf` and `iat`. Remembers good
/// tokens by their SHA-256 until they expire. Any thread may call.
class jwks_verifier final : public token_verifier {
public:
  /// A verifier that trusts these issuers; a fault if two have the same name, or one has no audience or no keys.
  static std::expected<std::unique_ptr<jwks_verifier>, fault> make(std::vector<trusted_issuer> issuers,
                                                                   jwks_source::parts on);
  ~jwks_verifier() override;
  task<std::expected<principal, denied>> verify(std::shared_ptr<const request> r) override;

  struct impl;
  /// For `make` alone: only it can make an `impl`.
  explicit jwks_verifier(std::shared_ptr<impl> i);

private:
  std::shared_ptr<impl> impl_;
};

} // namespace fondaco::gateway

#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/fault.hpp"
#include "protocols/base/time.hpp"
#include "protocols/did/document.hpp"
#include "protocols/jose/jwt.hpp"

namespace fondaco::dcp {

namespace limits {
/// How far clocks may lie apart; DCP's kit demands less than 60 s.
inline constexpr milliseconds leeway_ms{5'000};
/// How long our own tokens live.
inline constexpr milliseconds token_lifetime_ms{300'000};
} // namespace limits

/// What a self-issued token says.
struct self_issued_draft {
  /// `iss` and `sub`: the bearer's DID.
  std::string issuer;
  /// The receiver's DID.
  std::string audience;
  std::string jti;
  /// The `token` claim: an access token to the bearer's own resources; empty for none.
  std::string access_token;
  timepoint now;
};
/// The signed token; `kid` is absolute.
std::string sign_self_issued(const self_issued_draft& draft, const jose::key_pair& key, const std::string& kid);

/// What an access token to the holder's own credentials says (DCP reference, section 2.2).
struct access_draft {
  /// `iss` and `aud`: the holder's DID.
  std::string holder;
  /// `sub`: the verifier that it is handed to.
  std::string verifier;
  std::vector<std::string> scopes;
  std::string jti;
  timepoint now;
};
/// The signed access token; `kid` is absolute.
std::string sign_access_token(const access_draft& draft, const jose::key_pair& key, const std::string& kid);

/// A self-issued token that was taken apart and is not verified.
struct self_issued {
  jose::jwt token;
  std::string issuer;
  std::string jti;
  timepoint expires_at;
  /// The `token` claim; empty if there is none.
  std::string access_token;
};

/// The rules that need no key (DCP reference, section 2.1, steps 1 to 3 and 7): form, `iss` == `sub`, `aud`, `kid` of
/// the issuer's DID, `exp`, `iat`, `nbf`, `jti`, no `sub_jwk`. A fault `bad_token` says which does not hold.
std::expected<self_issued, fault> read_self_issued(std::string_view compact, std::string_view own_did, timepoint now);

/// The rules that need the issuer's document (steps 4 to 6): its method, the relationship, the signature.
std::expected<void, fault> verify_self_issued(const self_issued& t, const did::document& issuer, bool strict);

/// The access token that a verifier hands back to its maker: signed by one of the holder's own keys, made for this
/// verifier, alive; gives its scopes, jti and end (section 2.2, steps 2 to 6).
struct access_grant {
  std::vector<std::string> scopes;
  std::string jti;
  timepoint expires_at;
};
std::expected<access_grant, fault> verify_access_token(std::string_view compact, const did::document& own,
                                                       std::string_view verifier, timepoint now);

} // namespace fondaco::dcp

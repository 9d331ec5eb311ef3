#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http.hpp"
#include "protocols/base/ids.hpp"

namespace fondaco::gateway {

/// Who calls an admin API, as its bearer token proved.
struct principal {
  /// The token's subject or client id: never a tenant's id by itself.
  std::string subject;
  /// The one participant context that it may act for; nothing for administrators.
  std::optional<tenant> participant;
  /// The granted scopes, as `management-api:assets:write`.
  std::vector<std::string> scopes;
};

/// True if a granted scope satisfies the required one (management API reference, section 3.2).
bool satisfies(const std::vector<std::string>& granted, std::string_view required);

/// True if the scopes hold `<prefix>:admin`, which acts for every participant of that API.
bool administers(const std::vector<std::string>& granted, std::string_view prefix);

/// The scopes of a `scope` claim or parameter: split at spaces, empty ones left out.
std::vector<std::string> split_scopes(std::string_view text);

/// Why a request was not let in: the status and body that the reference names.
struct denied {
  int status = 401;
  std::string content_type = "application/json";
  std::string body;
};

/// 401 with the JSON body `{"error":"<detail>"}` (section 3.1, step 1). The detail never holds a token.
denied unauthenticated(std::string_view detail);
/// 401 in plain text, as the reference has it for a missing or unknown participant (section 3.1, step 5).
denied without_participant(std::string_view detail);
/// 403 in plain text: `Required scope '<x>' missing` (section 3.1, step 6).
denied without_scope(std::string_view scope);
/// 403 with the JSON error array of section 6: the caller does not own what it asked for.
denied not_owner(std::string_view subject);
/// 503: the caller may be right, but the keys that would prove it cannot be had now; it may try again.
denied keys_unavailable();

/// Verifies bearer tokens: JWT signed by a key of a JWKS, with issuer, audience and times checked.
class token_verifier {
public:
  virtual ~token_verifier() = default;
  /// The caller that the request's Authorization header proves.
  virtual task<std::expected<principal, denied>> verify(std::shared_ptr<const request> r) = 0;
};

/// Verifies, then demands a scope (403 without it) and, if `participant` is given, that the caller is an administrator
/// (`<prefix>:admin`) or that participant (403 before any look-up).
task<std::expected<principal, denied>> admit(token_verifier& v, std::shared_ptr<const request> r, std::string scope,
                                             std::optional<tenant> participant);

/// The response to a denied request; 401 carries `WWW-Authenticate: Bearer`, 503 a `Retry-After`.
response to_response(const denied& d);

} // namespace fondaco::gateway

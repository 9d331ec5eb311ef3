#include "gateway/claims.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace fondaco::gateway {
namespace {

constexpr std::string_view management_prefix = "management-api";

/// The APIs whose older tokens carry `<prefix>:read` or `<prefix>:write` beside a role.
constexpr std::array<std::string_view, 3> role_prefixes{management_prefix, "identity-api", "issuer-admin-api"};

std::string_view prefix_of(std::string_view scope) { return scope.substr(0, scope.find(':')); }

bool is_read(const request& r) { return r.method == "GET" || r.method == "HEAD" || r.path.ends_with("/request"); }

/// Section 3.3 asks for the literal scope, so a write scope alone does not read.
std::vector<std::string> elevated(std::vector<std::string> scopes, const request& r) {
  for (const auto prefix : role_prefixes) {
    const std::string literal = std::string(prefix) + (is_read(r) ? ":read" : ":write");
    if (std::ranges::find(scopes, literal) != scopes.end())
      scopes.push_back(std::string(prefix) + ":admin");
  }
  return scopes;
}

std::vector<std::string> without_elevation(std::vector<std::string> scopes) {
  std::erase_if(scopes, [](const std::string& text) {
    const auto prefix = prefix_of(text);
    return prefix == "operator" || administers({text}, prefix);
  });
  return scopes;
}

std::vector<std::string> operator_only(std::vector<std::string> scopes) {
  std::erase_if(scopes, [](const std::string& text) { return prefix_of(text) != "operator"; });
  return scopes;
}

std::string name_of_caller(const token_claims& c) { return c.subject.value_or(c.client_id.value_or(std::string())); }

std::expected<principal, denied> from_role(const token_claims& claims, const request& r) {
  if (!claims.subject)
    return std::unexpected(without_participant("No 'sub' claim present"));
  principal out;
  out.subject = *claims.subject;
  if (*claims.role == "admin" || *claims.role == "provisioner") {
    out.scopes = elevated(claims.scopes, r);
    return out;
  }
  if (*claims.role == "operator") {
    out.scopes = operator_only(claims.scopes);
    return out;
  }
  if (*claims.role != "participant")
    return std::unexpected(denied{403, "text/plain", "Required user role not satisfied."});
  if (!claims.participant_context_id)
    return std::unexpected(without_participant("No 'participant_context_id' claim present"));
  out.participant = tenant(*claims.participant_context_id);
  out.scopes = without_elevation(claims.scopes);
  return out;
}

} // namespace

std::expected<principal, denied> to_principal(const token_claims& claims, const dialect_options& dialect,
                                              const request& r) {
  if (claims.role && dialect.read_role)
    return from_role(claims, r);
  principal out;
  out.subject = name_of_caller(claims);
  out.scopes = claims.scopes;
  if (administers(claims.scopes, management_prefix))
    return out;
  if (!claims.subject) {
    // An administrator of one of these APIs needs no context there (identity API reference, section 3.2).
    if (std::ranges::any_of(role_prefixes, [&](auto prefix) { return administers(claims.scopes, prefix); }))
      return out;
    return std::unexpected(without_participant("No 'sub' claim present"));
  }
  if (claims.participant_context_id)
    out.participant = tenant(*claims.participant_context_id);
  else if (dialect.participant_from_sub)
    out.participant = tenant(*claims.subject);
  return out;
}

} // namespace fondaco::gateway

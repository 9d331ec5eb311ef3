#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "gateway/auth.hpp"

namespace fondaco::gateway {

/// What a verified token says about its bearer, in either claim dialect of the management API reference.
struct token_claims {
  /// `sub`; may be missing in an administrator's token.
  std::optional<std::string> subject;
  /// `client_id`, where the issuer gives one.
  std::optional<std::string> client_id;
  /// `role`: set in the older dialect only (section 3.3) and in tokens of the node's own endpoint.
  std::optional<std::string> role;
  /// `participant_context_id`.
  std::optional<std::string> participant_context_id;
  /// `scope`, split.
  std::vector<std::string> scopes;
};

/// How an issuer's claims name the participant.
struct dialect_options {
  /// A token without `participant_context_id` means the participant by its `sub`, as EDC-V's tokens do (section 3.1).
  /// Off for the node's own tokens: ids of API clients are not ids of tenants.
  bool participant_from_sub = false;
  /// The `role` claim is read; off for an issuer that uses the name for something else.
  bool read_role = true;
};

/// The caller that verified claims name, for this request.
///
/// Without `role` (section 3.1) scopes count as they are; a holder of `management-api:admin` needs neither `sub` nor
/// participant. With `role` (section 3.3) the role and the literal scope must both be there: `admin` and `provisioner`
/// hold `<prefix>:admin` for a request that their `<prefix>:read` or `<prefix>:write` allows; `participant` acts for
/// its `participant_context_id` and can neither administer nor operate, whatever its scopes say; `operator` keeps its
/// `operator:` scopes and nothing else, so that it never sees business data.
std::expected<principal, denied> to_principal(const token_claims& claims, const dialect_options& dialect,
                                              const request& r);

} // namespace fondaco::gateway

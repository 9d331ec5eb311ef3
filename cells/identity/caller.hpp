#pragma once

#include <expected>
#include <optional>
#include <string>

#include "cells/services.hpp"
#include "gateway/http.hpp"
#include "protocols/base/fault.hpp"
#include "protocols/did/document.hpp"

namespace fondaco::identity {

namespace limits {
/// The furthest end of a token that is taken: its `jti` is remembered until then.
inline constexpr milliseconds caller_token_ends_in_max{24 * 3'600'000};
} // namespace limits

/// Who sent a DCP or DSP message, as its self-issued token proved.
struct proven_caller {
  /// The DID.
  std::string did;
  did::document document;
  /// The access token to the caller's credentials; empty if it gave none.
  std::string access_token;
};

/// The bearer token of a request: exactly one Authorization header `Bearer <token>` with a capital B (DCP reference,
/// section 2); nothing otherwise.
std::optional<std::string> dcp_bearer(const gateway::request& r);

/// Proves a self-issued token to be meant for `own_did` (DCP reference, section 2.1): form, claims, the issuer's
/// document (asked anew once if the key is not in the cached one), relationship, signature, then its `jti`, which is
/// marked as seen durably for the tenant and never taken twice. `bad_token` faults are the caller's (401); `retry`
/// faults (the document's host or the store does not answer) are for now.
actors::task<std::expected<proven_caller, fault>>
prove_caller(cells::cell_services& s, tenant owner, std::string own_did, std::string token, bool needs_access_token);

} // namespace fondaco::identity

#pragma once

#include <expected>
#include <string>
#include <vector>

#include "cells/identity/keys.hpp"
#include "cells/services.hpp"
#include "protocols/base/fault.hpp"

namespace fondaco::identity {

/// What a self-issued token is for.
struct token_request {
  /// The receiver's DID.
  std::string audience;
  /// Scopes of the credentials that the receiver may read: an access token with them goes into the claim `token`.
  std::vector<std::string> bearer_access_scopes;
  /// An access token of the receiver's to hand back, instead.
  std::string access_token;
};

/// A self-issued token that this key signs, with an access token that the same key signs if scopes are granted.
std::string make_token(cells::cell_services& s, const signer& by, const token_request& r);

/// A self-issued token of a participant (DCP reference, sections 2 and 9). If its configuration names an STS
/// (`edc.iam.sts.oauth.token.url`, `edc.iam.sts.oauth.client.id`, private `edc.iam.sts.oauth.client.secret`), the STS
/// makes it; else its own keys at this node do. `retry` faults are for now, others say what to configure.
actors::task<std::expected<std::string, fault>> self_issued_token(cells::cell_services& s, tenant owner,
                                                                  token_request r);

} // namespace fondaco::identity

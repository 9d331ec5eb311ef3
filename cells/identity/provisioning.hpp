#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cells/identity/manifest.hpp"

namespace fondaco::identity {

/// What is shown once when a participant was made.
struct shown_secrets {
  std::optional<std::string> api_key;
  std::optional<std::string> client_id;
  std::optional<std::string> client_secret;
};

/// Makes a participant: its context, DID document, key pairs, account at the STS and agent. Until the last step the
/// context counts as absent; a creation that did not come to its end is finished by the same request once more (with
/// the same DID). 409 if the participant is there, or the DID is another's.
task<result<shown_secrets>> provision(cell_services& s, manifest m);

/// The id of the agent that a participant context has in this role, which is also its type.
inline constexpr const char* agent_id = "credential-service";

/// Ends and destroys what this node's identity, credential and issuer roles keep of a participant (`dispose_role`);
/// every step can be repeated, also after a creation that did not come to its end. 404 if there is nothing.
task<result<bool>> take_down(cell_services& s, tenant owner);

/// Publishes (or takes back) the participant's DID document.
task<result<bool>> move_document(cell_services& s, tenant owner, std::string did, bool published);

/// A fresh API key of a participant: its id and 64 random bytes (identity API reference, section 3.1).
std::string fresh_api_key(cell_services& s, const tenant& owner);

/// Says no with a response, or yes; runs in the reader pool.
using write_guard = std::function<result<bool>()>;

/// Makes a fresh secret for the participant's account at the STS, and the account if there is none; gives the secret,
/// of which only the hash is kept. The guard is asked before each try to write; empty for none.
task<result<std::string>> renew_sts_secret(cell_services& s, tenant owner, std::string did, write_guard guard);

} // namespace fondaco::identity

#include "cells/control_plane/peer_tokens.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "cells/identity/token_source.hpp"
#include "cells/participants/directory.hpp"

namespace fondaco::control_plane {

namespace {

using actors::task;
using cells::cell_services;
using token_result = std::expected<std::string, fault>;

/// What the pool says of the configured token for a counterparty.
struct token_lookup {
  bool participant_known = false;
  std::optional<std::string> token;
};

std::unexpected<fault> for_now(const char* detail) {
  return std::unexpected(fault{"unavailable", detail, cure::retry});
}

task<token_result> configured_token(cell_services& s, tenant owner, std::string profile, std::string peer) {
  auto looking = actors::in_pool(s.pool, s.edge, owner, [&s, owner, profile, peer] {
    token_lookup out;
    if (const auto self = cells::read_participant(s, owner)) {
      out.participant_known = true;
      out.token = cells::token_for(s, *self, profile, peer);
    }
    return out;
  });
  auto found = co_await std::move(looking);
  if (!found)
    co_return for_now("Too many reads wait in this node.");
  // A participant that cannot be read may be one whose store does not answer: it is tried again.
  if (!found->participant_known)
    co_return for_now("The participant context cannot be read.");
  if (!found->token)
    co_return std::unexpected(
        fault{"no_token", "No token is configured to present to '" + peer + "' in dataspace profile '" + profile + "'.",
              cure::fix_input});
  co_return std::move(*found->token);
}

} // namespace

const cells::dataspace_profile* find_profile(const cells::cell_settings& settings, std::string_view name) noexcept {
  const auto found = std::ranges::find(settings.profiles, name, &cells::dataspace_profile::name);
  return found == settings.profiles.end() ? nullptr : &*found;
}

task<token_result> token_for_peer(cell_services& s, tenant owner, std::string profile, std::string counterparty_id,
                                  std::vector<std::string> more_scopes) {
  const auto* known = find_profile(s.settings, profile);
  if (!known || known->identity == cells::identity_mode::token) {
    auto looking = configured_token(s, std::move(owner), std::move(profile), std::move(counterparty_id));
    co_return co_await std::move(looking);
  }
  identity::token_request wanted;
  wanted.audience = std::move(counterparty_id);
  wanted.bearer_access_scopes = known->scopes;
  for (auto& scope : more_scopes)
    if (std::ranges::find(wanted.bearer_access_scopes, scope) == wanted.bearer_access_scopes.end())
      wanted.bearer_access_scopes.push_back(std::move(scope));
  auto making = identity::self_issued_token(s, std::move(owner), std::move(wanted));
  co_return co_await std::move(making);
}

} // namespace fondaco::control_plane

#include "cells/identity/caller.hpp"

#include <utility>

#include "protocols/base/hash.hpp"
#include "protocols/dcp/messages.hpp"
#include "protocols/dcp/self_issued.hpp"

namespace fondaco::identity {

namespace {

using actors::task;
using cells::cell_services;

fault bad_token(std::string detail) {
  return {std::string(dcp::name_of(dcp::dcp_errc::bad_token)), std::move(detail), cure::fix_input};
}

fault for_now(std::string detail) { return {"unavailable", std::move(detail), cure::retry}; }

using found_document = std::expected<did::document, fault>;

/// The issuer's document, in which the token's key was found and its signature held: the cached one, else a fresh one.
task<found_document> prove_signature(cell_services& s, dcp::self_issued token) {
  std::string why;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const bool fresh = attempt > 0;
    auto resolving = s.dids.resolve(token.issuer, fresh);
    auto document = co_await std::move(resolving);
    if (!document) {
      auto detail = "The DID document of " + token.issuer + " was not had: " + document.error().detail + ".";
      const bool again = document.error().remedy == cure::retry;
      co_return std::unexpected(again ? for_now(std::move(detail)) : bad_token(std::move(detail)));
    }
    auto holds = dcp::verify_self_issued(token, *document, s.settings.strict_relationships);
    if (holds)
      co_return std::move(*document);
    why = holds.error().detail;
  }
  co_return std::unexpected(bad_token(std::move(why)));
}

/// `jti:<iss>:<jti>`, hashed where it would be too long for an id.
std::string mark_of(const dcp::self_issued& token) {
  auto id = "jti:" + token.issuer + ":" + token.jti;
  return id.size() <= fondaco::limits::id_bytes_max ? id : "jti:" + hex(sha256(id));
}

/// Takes the token's `jti`, which nobody can take a second time.
task<std::expected<void, fault>> take_once(cell_services& s, tenant owner, dcp::self_issued token, timepoint now) {
  persistence::seen_mark mark{mark_of(token), token.expires_at + dcp::limits::leeway_ms};
  auto taking = actors::in_pool(s.pool, s.edge, owner, [&s, owner, mark, now] {
    return s.journal.claim_seen(owner, std::span<const persistence::seen_mark>(&mark, 1), now);
  });
  const auto taken = co_await std::move(taking);
  if (!taken || !*taken)
    co_return std::unexpected(for_now("The token cannot be marked as seen now; send the message with a fresh one."));
  if (!**taken)
    co_return std::unexpected(bad_token("The token was seen before: its jti may be used once."));
  co_return std::expected<void, fault>();
}

} // namespace

std::optional<std::string> dcp_bearer(const gateway::request& r) {
  constexpr std::string_view scheme = "Bearer ";
  std::optional<std::string> found;
  for (const auto& [name, value] : r.headers) {
    if (name != "authorization")
      continue;
    if (found || !value.starts_with(scheme))
      return std::nullopt;
    found = value.substr(scheme.size());
    if (found->empty() || found->find(' ') != std::string::npos)
      return std::nullopt;
  }
  return found;
}

task<std::expected<proven_caller, fault>> prove_caller(cell_services& s, tenant owner, std::string own_did,
                                                       std::string token, bool needs_access_token) {
  const auto now = s.clock.now();
  auto read = dcp::read_self_issued(token, own_did, now);
  if (!read)
    co_return std::unexpected(std::move(read.error()));
  if (needs_access_token && read->access_token.empty())
    co_return std::unexpected(
        bad_token("The token has no claim 'token' with an access token to the caller's credentials."));
  if (read->expires_at - now > limits::caller_token_ends_in_max)
    co_return std::unexpected(bad_token("The token's exp lies more than 24 hours ahead."));
  auto proving = prove_signature(s, *read);
  auto document = co_await std::move(proving);
  if (!document)
    co_return std::unexpected(std::move(document.error()));
  auto taking = take_once(s, std::move(owner), *read, now);
  auto taken = co_await std::move(taking);
  if (!taken)
    co_return std::unexpected(std::move(taken.error()));
  proven_caller out{std::move(read->issuer), std::move(*document), std::move(read->access_token)};
  co_return out;
}

} // namespace fondaco::identity

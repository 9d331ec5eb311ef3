#include <algorithm>
#include <utility>

#include "cells/credential_service/dcp_edge.hpp"
#include "cells/credential_service/held_credentials.hpp"
#include "cells/credential_service/routes.hpp"
#include "cells/identity/credential_check.hpp"
#include "cells/identity/keys.hpp"
#include "cells/identity/presentations.hpp"
#include "planes/api/errors.hpp"
#include "protocols/dcp/messages.hpp"
#include "protocols/dcp/self_issued.hpp"
#include "protocols/vc/presentation.hpp"

namespace fondaco::credential_service {

namespace api = planes::api;

namespace {

using cells::cell_services;

/// The scopes that a query asks for.
struct question {
  std::vector<dcp::scope> requested;
};

result<question> read_question(const gateway::request& r) {
  const auto body = read_json(r);
  if (!body)
    return std::unexpected(body.error());
  const auto message = dcp::read_presentation_query(*body);
  if (!message)
    return std::unexpected(bad_message(message.error()));
  question out;
  for (const auto& text : message->scopes) {
    auto scope = dcp::parse_scope(text);
    if (!scope)
      return std::unexpected(bad_message(scope.error()));
    out.requested.push_back(std::move(*scope));
  }
  return out;
}

std::vector<dcp::scope> scopes_of(const dcp::access_grant& grant) {
  std::vector<dcp::scope> out;
  for (const auto& text : grant.scopes)
    if (auto scope = dcp::parse_scope(text))
      out.push_back(std::move(*scope));
  return out;
}

/// What the caller's access token grants; it counts once. Blocks.
result<std::vector<dcp::scope>> read_grant(cell_services& s, const dcp_caller& c) {
  const auto own = identity::read_own_document(s, c.owner);
  if (!own)
    return std::unexpected(unproven("The participant publishes no keys that could have signed the access token."));
  const auto now = s.clock.now();
  const auto grant = dcp::verify_access_token(c.peer.access_token, *own, c.peer.did, now);
  if (!grant)
    return std::unexpected(unproven("The access token does not hold: " + grant.error().detail));
  const persistence::seen_mark mark{"jti:" + c.own_did + ":" + grant->jti, grant->expires_at + dcp::limits::leeway_ms};
  const auto fresh = s.journal.claim_seen(c.owner, {&mark, 1}, now);
  if (!fresh)
    return std::unexpected(unavailable("The access token cannot be marked as used now; ask again."));
  if (!*fresh)
    return std::unexpected(unproven("The access token was used before."));
  return scopes_of(*grant);
}

/// What may be presented of all that is held. Blocks.
result<std::vector<held_credential>> find_credentials(cell_services& s, const tenant& owner, const question& q,
                                                      const std::vector<dcp::scope>& granted) {
  persistence::query_spec spec;
  spec.limit = limits::held_credentials_max;
  spec.sort_field = "createdAt";
  spec.descending = true;
  const auto documents = s.documents.query(owner, cells::kinds::verifiable_credential, spec);
  if (!documents)
    return std::unexpected(api::from_query(documents.error()));
  std::vector<held_credential> held;
  for (const auto& d : *documents)
    if (auto one = read_held(d))
      held.push_back(std::move(*one));
  return select_credentials(std::move(held), q.requested, granted, s.clock.now());
}

/// Leaves out what its issuer has revoked. A list that cannot be had keeps nothing back: the verifier looks itself.
task<std::vector<held_credential>> without_revoked(cell_services& s, std::vector<held_credential> chosen) {
  const auto deadline = s.clock.now() + s.settings.exchange_timeout_ms;
  std::vector<held_credential> out;
  for (auto& one : chosen) {
    if (out.size() >= identity::limits::presented_credentials_max)
      break;
    auto checking = identity::check_statuses(s, one.what, deadline);
    const auto standing = co_await std::move(checking);
    if (standing || standing.error().remedy == cure::retry)
      out.push_back(std::move(one));
  }
  co_return out;
}

/// The presentations, each of one data model and proof only (DCP reference, section 4.1). Blocks.
result<json::array> make_presentations(cell_services& s, const dcp_caller& c,
                                       const std::vector<held_credential>& chosen) {
  json::array out;
  if (chosen.empty())
    return out;
  const auto signer = identity::find_signer(s, c.owner, identity::key_usage::sign_presentation);
  if (!signer)
    return std::unexpected(unavailable("The participant cannot sign a presentation: " + signer.error().detail));
  for (const auto form : {vc::profile::vc11_jwt, vc::profile::vc20_jose}) {
    vc::presentation_draft draft;
    draft.form = form;
    for (const auto& one : chosen) {
      if (one.what.form != form)
        continue;
      auto raw = s.vault.open(c.owner, one.sealed);
      if (!raw)
        return std::unexpected(api::vault_unavailable());
      draft.credentials.push_back(std::move(*raw));
    }
    if (draft.credentials.empty())
      continue;
    draft.holder = c.own_did;
    draft.audience = c.peer.did;
    draft.jti = s.runtime.fresh_id(c.owner).text();
    draft.now = s.clock.now();
    out.emplace_back(vc::sign_presentation(draft, signer->key, signer->kid));
  }
  return out;
}

static_assert(identity::limits::presented_credentials_max <= vc::limits::presentation_credentials_max);

} // namespace

task<response> answer_query(cell_services& s, request_ptr r, message_trail& trail) {
  auto token = need_bearer(*r);
  if (!token)
    co_return std::move(token.error());
  auto asked = read_question(*r);
  if (!asked)
    co_return std::move(asked.error());
  auto entering = enter(s, r, std::move(*token), true);
  auto caller = co_await std::move(entering);
  if (!caller)
    co_return std::move(caller.error());
  trail.counterparty = caller->peer.did;
  auto finding =
      actors::in_pool(s.pool, s.edge, [&s, c = *caller, q = *asked]() -> result<std::vector<held_credential>> {
        auto granted = read_grant(s, c);
        if (!granted)
          return std::unexpected(std::move(granted.error()));
        return find_credentials(s, c.owner, q, *granted);
      });
  auto found = co_await std::move(finding);
  if (!found)
    co_return api::busy();
  if (!*found)
    co_return std::move(found->error());
  auto checking = without_revoked(s, std::move(**found));
  auto standing = co_await std::move(checking);
  auto signing = actors::in_pool(
      s.pool, s.edge, [&s, c = *caller, standing = std::move(standing)] { return make_presentations(s, c, standing); });
  auto presented = co_await std::move(signing);
  if (!presented)
    co_return api::busy();
  if (!*presented)
    co_return std::move(presented->error());
  dcp::presentation_response out;
  out.presentations = std::move(**presented);
  co_return gateway::json_response(200, json::write(dcp::write(out)));
}

} // namespace fondaco::credential_service

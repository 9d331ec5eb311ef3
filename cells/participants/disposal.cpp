#include "cells/participants/disposal.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "cells/participants/vpa.hpp"
#include "planes/api/errors.hpp"

namespace fondaco::cells {

namespace {

namespace api = planes::api;
using api::result;
using api::task;
using participants::vpa;
using participants::vpa_state;

constexpr const char* type = "ParticipantContext";

gateway::response store_silent() {
  return api::error_response(503,
                             {{"The store does not answer; ask again after a moment.", "Unavailable", "", nullptr}});
}

persistence::entity_key agent_key(const tenant& owner, const std::string& agent_id) {
  return {owner, std::string(vpa::kind), agent_id};
}

/// An answer of the journal as an answer of the edge.
result<bool> done(const std::expected<void, persistence::journal_errc>& r) {
  if (!r)
    return std::unexpected(store_silent());
  return true;
}

task<result<bool>> run(cell_services& s, std::function<result<bool>()> work) {
  auto working = actors::in_pool(s.pool, s.edge, std::move(work));
  auto worked = co_await std::move(working);
  if (!worked)
    co_return std::unexpected(api::busy());
  co_return std::move(*worked);
}

using told = std::expected<vpa::reply, actors::ask_error>;

task<told> tell_agent(cell_services& s, tenant owner, std::string agent_id, vpa::command command) {
  auto asking = actors::ask<vpa>(s.runtime, s.edge, agent_key(owner, agent_id), s.runtime.shard_for(owner),
                                 std::move(command), s.command_timeout_ms);
  co_return co_await std::move(asking);
}

bool is_missing(const told& t) {
  return !t && t.error().code == actors::ask_errc::refused && t.error().why.code == "not_found";
}

/// The tombstone. A creation that was interrupted may have come to no agent: its id is not given again either.
task<result<bool>> bury(cell_services& s, tenant owner, std::string agent_id, std::string reason) {
  vpa::command end = vpa::dispose{reason, ""};
  auto telling = tell_agent(s, owner, agent_id, end);
  auto buried = co_await std::move(telling);
  if (is_missing(buried)) {
    vpa::command make = vpa::create{agent_id, agent_id, ""};
    auto making = tell_agent(s, owner, agent_id, std::move(make));
    buried = co_await std::move(making);
    if (buried) {
      auto again = tell_agent(s, owner, agent_id, std::move(end));
      buried = co_await std::move(again);
    }
  }
  if (!buried)
    co_return std::unexpected(api::from_ask(buried.error(), type, owner.id()));
  co_return true;
}

/// True if no agent of the tenant is left but tombstones. Blocks.
result<bool> is_last(cell_services& s, const tenant& owner) {
  persistence::query_spec spec;
  spec.filter.push_back({"state", "!=", json::value(participants::name_of(vpa_state::disposed))});
  spec.limit = 1;
  const auto left = s.documents.query_entities(owner, vpa::kind, spec);
  if (!left)
    return std::unexpected(api::from_query(left.error()));
  return left->empty();
}

/// What goes after the role's own rows: the entries elsewhere, secrets if this was the last role, the context at the
/// very end. Gives whether it was the last role. Blocks.
result<bool> erase_rest(cell_services& s, const tenant& owner, const disposal_plan& plan) {
  for (const auto& entry : plan.entries)
    if (auto gone = s.journal.erase_entity(entry); !gone)
      return std::unexpected(store_silent());
  auto last = is_last(s, owner);
  if (!last)
    return last;
  if (*last)
    if (auto shredded = s.vault.shred(owner); !shredded)
      return std::unexpected(api::vault_unavailable());
  if (auto gone = s.journal.erase(owner, {}, *last); !gone)
    return std::unexpected(store_silent());
  // By itself and last: who finds it still there takes up what was interrupted before.
  if (!plan.context_kind.empty())
    if (auto gone = s.journal.erase(owner, std::array{plan.context_kind}, false); !gone)
      return std::unexpected(store_silent());
  return last;
}

} // namespace

task<result<bool>> has_role(cell_services& s, tenant owner, std::string agent_id, std::string context_kind) {
  std::function<result<bool>()> look = [&s, owner, agent_id, context_kind]() -> result<bool> {
    const auto agent = s.journal.read_row(agent_key(owner, agent_id));
    if (!agent)
      return std::unexpected(store_silent());
    if (*agent && (*agent)->status != participants::name_of(vpa_state::disposed))
      return true;
    if (context_kind.empty())
      return false;
    const auto context = s.journal.read_row({owner, context_kind, owner.id()});
    if (!context)
      return std::unexpected(store_silent());
    return context->has_value();
  };
  auto looking = run(s, std::move(look));
  co_return co_await std::move(looking);
}

task<result<bool>> is_disposed(cell_services& s, tenant owner, std::string agent_id) {
  std::function<result<bool>()> look = [&s, owner, agent_id]() -> result<bool> {
    const auto agent = s.journal.read_row(agent_key(owner, agent_id));
    if (!agent)
      return std::unexpected(store_silent());
    return *agent && (*agent)->status == participants::name_of(vpa_state::disposed);
  };
  auto looking = run(s, std::move(look));
  co_return co_await std::move(looking);
}

task<result<bool>> dispose_role(cell_services& s, tenant owner, disposal_plan plan) {
  invariant(std::ranges::find(plan.kinds, vpa::kind) == plan.kinds.end(), "the tombstones stay");
  auto burying = bury(s, owner, plan.agent_id, plan.reason);
  auto buried = co_await std::move(burying);
  if (!buried)
    co_return std::unexpected(std::move(buried.error()));
  auto kinds = plan.kinds;
  if (!plan.context_kind.empty())
    kinds.push_back(plan.context_kind);
  auto forgetting = actors::forget(s.runtime, s.edge, owner, std::move(kinds));
  (void)co_await std::move(forgetting);
  for (const auto& entry : plan.entries) {
    auto leaving = actors::forget(s.runtime, s.edge, entry);
    (void)co_await std::move(leaving);
  }
  std::erase(plan.kinds, plan.context_kind);
  auto own = actors::in_pool(s.pool, s.edge, owner,
                             [&s, owner, kinds = plan.kinds] { return done(s.journal.erase(owner, kinds, false)); });
  auto erased = co_await std::move(own);
  if (!erased)
    co_return std::unexpected(api::busy());
  if (!*erased)
    co_return std::unexpected(std::move(erased->error()));
  std::function<result<bool>()> rest = [&s, owner, plan] { return erase_rest(s, owner, plan); };
  auto ending = run(s, std::move(rest));
  co_return co_await std::move(ending);
}

} // namespace fondaco::cells

#include "cells/data_plane/disposal.hpp"

#include <utility>

#include "cells/data_plane/data_flow.hpp"
#include "cells/data_plane/pull_gate.hpp"
#include "cells/participants/disposal.hpp"
#include "planes/api/errors.hpp"

namespace fondaco::data_plane {

namespace api = planes::api;
using api::result;
using api::task;
using cells::cell_services;

namespace {

/// The id of the agent that a participant has in this role; made at its removal, as the tombstone.
constexpr const char* agent_id = "data-plane";

task<result<std::vector<persistence::entity_row>>> some_flows(cell_services& s, tenant owner, bool open_only) {
  persistence::query_spec spec;
  spec.limit = open_only ? persistence::limits::read_rows_max : 1;
  if (open_only)
    spec.filter.push_back({"state", "not in",
                           json::array{json::value(dps::name_of(dps::flow_state::completed)),
                                       json::value(dps::name_of(dps::flow_state::terminated))}});
  auto reading = api::query_rows(s, std::move(owner), std::string(data_flow::kind), std::move(spec));
  co_return co_await std::move(reading);
}

task<bool> end_flow(cell_services& s, persistence::entity_row row, std::string reason) {
  process_pull_gate().end(row.key.owner, row.key.id);
  data_flow::signal g;
  g.type = dps::flow_signal::terminate;
  g.reason = std::move(reason);
  data_flow::command command = std::move(g);
  auto asking = actors::ask<data_flow>(s.runtime, s.edge, std::move(row.key), row.shard, std::move(command),
                                       s.command_timeout_ms);
  auto reply = co_await std::move(asking);
  co_return reply.has_value();
}

} // namespace

task<result<size_t>> end_flows(cell_services& s, tenant owner, std::string reason) {
  if (!s.runtime.knows(data_flow::kind))
    co_return size_t{0};
  for (;;) {
    auto looking = some_flows(s, owner, true);
    auto open = co_await std::move(looking);
    if (!open)
      co_return std::unexpected(std::move(open.error()));
    size_t left = 0;
    for (auto& row : *open) {
      auto ending = end_flow(s, std::move(row), reason);
      const bool ended = co_await std::move(ending);
      left += ended ? 0 : 1;
    }
    if (left > 0 || open->empty())
      co_return left;
  }
}

task<result<bool>> remove_participant(cell_services& s, tenant owner, std::string reason) {
  auto looking = some_flows(s, owner, false);
  auto known = co_await std::move(looking);
  if (!known)
    co_return std::unexpected(std::move(known.error()));
  auto asking = cells::has_role(s, owner, agent_id, "");
  auto has = co_await std::move(asking);
  if (!has)
    co_return has;
  if (!*has && known->empty())
    co_return false;
  auto burying = cells::is_disposed(s, owner, agent_id);
  auto disposed = co_await std::move(burying);
  if (!disposed)
    co_return disposed;
  if (!*disposed) {
    auto ending = end_flows(s, owner, reason);
    auto left = co_await std::move(ending);
    if (!left)
      co_return std::unexpected(std::move(left.error()));
    if (*left > 0)
      co_return std::unexpected(api::error_response(
          503, {{std::to_string(*left) + " data flows are still ending; ask again.", "Unavailable", "", nullptr}}));
  }
  cells::disposal_plan plan;
  plan.agent_id = agent_id;
  plan.kinds = {std::string(data_flow::kind)};
  plan.reason = std::move(reason);
  auto disposing = cells::dispose_role(s, std::move(owner), std::move(plan));
  auto gone = co_await std::move(disposing);
  if (!gone)
    co_return gone;
  co_return true;
}

} // namespace fondaco::data_plane

#include "cells/control_plane/running_work.hpp"

#include <set>
#include <utility>
#include <vector>

#include "cells/control_plane/negotiation.hpp"
#include "cells/control_plane/transfer_process.hpp"
#include "cells/data_plane/disposal.hpp"

namespace fondaco::control_plane {

namespace api = planes::api;
using api::result;
using api::task;
using cells::cell_services;

namespace {

/// How long the peers are given between two looks.
constexpr milliseconds look_again_ms{200};

/// The names of the states in which a process of either kind owes nothing any more.
json::array ended_states() { return json::array{"FINALIZED", "COMPLETED", "TERMINATED", "REMOVED"}; }

using rows = std::vector<persistence::entity_row>;

task<result<rows>> open_rows(cell_services& s, tenant owner, std::string_view kind) {
  persistence::query_spec spec;
  spec.filter.push_back({"state", "not in", ended_states()});
  spec.limit = persistence::limits::read_rows_max;
  auto reading = api::query_rows(s, std::move(owner), std::string(kind), std::move(spec));
  co_return co_await std::move(reading);
}

/// The processes that were told to end by this request.
using told_ids = std::set<std::string>;

/// Orders the end of those that were not told yet, as long as there is time. A refusal leaves the process open: the
/// next look sees it.
template <class D>
task<bool> terminate(cell_services& s, const rows& open, told_ids& told, std::string reason, timepoint until) {
  for (const auto& row : open) {
    if (told.contains(row.key.id))
      continue;
    typename D::command command = typename D::terminate{reason, ""};
    auto key = row.key;
    auto asking =
        actors::ask<D>(s.runtime, s.edge, std::move(key), row.shard, std::move(command), s.command_timeout_ms);
    auto reply = co_await std::move(asking);
    if (reply)
      told.insert(row.key.id);
    if (s.clock.now() >= until)
      co_return false;
  }
  co_return true;
}

std::string counted(size_t n, const char* one) { return std::to_string(n) + " " + one + (n == 1 ? "" : "s"); }

} // namespace

std::string in_words(const open_work& w) {
  std::string out;
  for (const auto& [n, one] :
       {std::pair{w.negotiations, "negotiation"}, {w.transfers, "transfer"}, {w.flows, "data flow"}})
    if (n > 0)
      out += (out.empty() ? "" : " and ") + counted(n, one);
  return out.empty() ? "nothing" : out;
}

task<result<open_work>> end_work(cell_services& s, tenant owner, std::string reason, milliseconds within) {
  const auto until = s.clock.now() + within;
  // Giving the orders has a deadline of its own, so that a removal that does not wait gives them all the same.
  const auto orders_until = s.clock.now() + s.command_timeout_ms;
  told_ids told;
  for (;;) {
    auto reading = open_rows(s, owner, negotiation::kind);
    auto negotiations = co_await std::move(reading);
    if (!negotiations)
      co_return std::unexpected(std::move(negotiations.error()));
    auto reading_too = open_rows(s, owner, transfer_process::kind);
    auto transfers = co_await std::move(reading_too);
    if (!transfers)
      co_return std::unexpected(std::move(transfers.error()));
    auto telling = terminate<negotiation>(s, *negotiations, told, reason, orders_until);
    (void)co_await std::move(telling);
    auto telling_too = terminate<transfer_process>(s, *transfers, told, reason, orders_until);
    (void)co_await std::move(telling_too);
    open_work left{negotiations->size(), transfers->size(), 0};
    if (left.none() || s.clock.now() >= until) {
      // Last, since a transfer's end comes to its flow by a signal, which the peer's side of the flow sees too.
      auto ending = data_plane::end_flows(s, owner, reason);
      auto flows = co_await std::move(ending);
      if (!flows)
        co_return std::unexpected(std::move(flows.error()));
      left.flows = *flows;
      co_return left;
    }
    auto waiting = actors::pause(s.runtime, s.edge, look_again_ms);
    (void)co_await std::move(waiting);
  }
}

} // namespace fondaco::control_plane

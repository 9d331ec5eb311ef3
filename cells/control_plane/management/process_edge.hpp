#pragma once

#include <string>
#include <utility>

#include "cells/control_plane/management/resource.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/body_check.hpp"
#include "planes/api/errors.hpp"

namespace fondaco::control_plane::management {

/// A kind of process as the routes show it. One static object each.
struct process_view {
  std::string_view kind;
  /// The name in errors, as `ContractNegotiation`.
  const char* type;
  const char* read_scope;
  const char* write_scope;
  const field_map& (*fields)();
  json::object (*show)(const persistence::entity_row& row);
};

/// The members of a row's view that are shown, copied in their order.
inline json::object shown_members(const json::object& view, std::initializer_list<std::string_view> members) {
  json::object out;
  for (auto name : members)
    if (const auto* v = view.if_contains(name))
      out.emplace(name, *v);
  return out;
}

/// What answers show of a negotiation and of an agreement.
json::object show_negotiation(const persistence::entity_row& row);
json::object show_agreement(const persistence::document& d);

/// POST request: 200 with an array of those that were not removed.
task<response> query_processes(cell_services& s, const process_view& what, request_ptr r);
/// GET {id}.
task<response> get_process(cell_services& s, const process_view& what, request_ptr r);
/// GET {id}/state: 200 with an object of this type.
task<response> get_process_state(cell_services& s, const process_view& what, const char* state_type, request_ptr r);

/// The reason in a body of one of these orders; an empty body has none.
result<std::string> read_reason(const gateway::request& r, const char* type);

/// Sends an operator's order to a process of decider D: 204, 404 or 409.
template <class D>
task<response> order(cell_services& s, const process_view& what, tenant owner, std::string id,
                     typename D::command command) {
  const auto shard = shard_of_id(s, id);
  if (!shard)
    co_return planes::api::not_found(what.type, id);
  persistence::entity_key key{owner, std::string(D::kind), id};
  auto asking = actors::ask<D>(s.runtime, s.edge, std::move(key), *shard, std::move(command), s.command_timeout_ms);
  auto reply = co_await std::move(asking);
  if (!reply)
    co_return from_process(reply.error(), what.type, id);
  co_return no_content();
}

/// Sends the first command to a process of decider D: 200 with an IdResponse.
template <class D>
task<response> begin_process(cell_services& s, const process_view& what, tenant owner, std::string id,
                             typename D::command command) {
  const auto shard = shard_of_id(s, id);
  invariant(shard.has_value(), "an id that we chose carries its shard");
  persistence::entity_key key{owner, std::string(D::kind), id};
  auto row_key = key;
  auto asking = actors::ask<D>(s.runtime, s.edge, std::move(key), *shard, std::move(command), s.command_timeout_ms);
  auto reply = co_await std::move(asking);
  if (!reply)
    co_return from_process(reply.error(), what.type, id);
  // A repeat of the request gets the moment of the first one.
  auto reading = need_row(s, std::move(row_key), what.type);
  auto row = co_await std::move(reading);
  if (!row)
    co_return std::move(row.error());
  co_return planes::api::id_response(id, row->created_at);
}

} // namespace fondaco::control_plane::management

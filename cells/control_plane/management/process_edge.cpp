#include "cells/control_plane/management/process_edge.hpp"

#include "protocols/json/json.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;

task<response> query_processes(cell_services& s, const process_view& what, request_ptr r) {
  auto entering = enter(s, r, what.read_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  auto plan = plan_query(*r, *owner, what.fields());
  if (!plan)
    co_return std::move(plan.error());
  std::vector<json::object> out;
  if (plan->nothing)
    co_return api::array_response(std::move(out));
  plan->spec.filter.push_back({"state", "!=", json::value("REMOVED")});
  auto reading = query_rows(s, *owner, std::string(what.kind), plan->spec);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  for (const auto& row : *found)
    out.push_back(what.show(row));
  co_return api::array_response(std::move(out));
}

task<response> get_process(cell_services& s, const process_view& what, request_ptr r) {
  auto entering = enter(s, r, what.read_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  persistence::entity_key key{*owner, std::string(what.kind), path_value(*r, "id")};
  auto reading = need_row(s, std::move(key), what.type);
  auto row = co_await std::move(reading);
  if (!row)
    co_return std::move(row.error());
  co_return api::object_response(what.show(*row));
}

task<response> get_process_state(cell_services& s, const process_view& what, const char* state_type, request_ptr r) {
  auto entering = enter(s, r, what.read_scope);
  auto owner = co_await std::move(entering);
  if (!owner)
    co_return std::move(owner.error());
  persistence::entity_key key{*owner, std::string(what.kind), path_value(*r, "id")};
  auto reading = need_row(s, std::move(key), what.type);
  auto row = co_await std::move(reading);
  if (!row)
    co_return std::move(row.error());
  json::object out{{"@type", state_type}, {"state", row->status}};
  co_return api::object_response(std::move(out));
}

result<std::string> read_reason(const gateway::request& r, const char* type) {
  if (r.body.empty())
    return std::string();
  auto body = api::read_body(r, {type});
  if (!body)
    return std::unexpected(std::move(body.error()));
  body_check check;
  auto reason = check.text(*body, "reason", need::optional);
  if (reason.size() > 1024)
    check.refuse("reason has more than 1024 bytes", "reason");
  if (check.failed())
    return std::unexpected(check.response());
  return reason;
}

} // namespace fondaco::control_plane::management

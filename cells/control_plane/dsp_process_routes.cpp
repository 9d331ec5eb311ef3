#include "cells/control_plane/dsp_process_routes.hpp"

#include <utility>

#include "cells/control_plane/management/edge.hpp"

namespace fondaco::control_plane {

using gateway::response;
using gateway::task;

task<response> serve_dsp(cells::cell_services& s, request_ptr r, dsp_part part, dsp_step how, std::string message) {
  auto entering = enter_dsp(s, r, part);
  const auto caller = co_await std::move(entering);
  if (!caller)
    co_return caller.error();
  auto answering = how(r, *caller);
  auto out = co_await std::move(answering);
  co_return noted(std::move(out.answer), *r, message, caller->peer.id, out.entity_id);
}

task<dsp_outcome> read_process_state(cells::cell_services& s, request_ptr r, const dsp_caller& caller, dsp_part part,
                                     std::string_view kind) {
  dsp_outcome out;
  out.entity_id = path_param(*r, "pid");
  out.answer = dsp_error(part, 404, "There is no such process.");
  if (!management::shard_of_id(s, out.entity_id))
    co_return out;
  const persistence::entity_key key{caller.self.owner, std::string(kind), out.entity_id};
  auto reading = actors::in_pool(s.pool, s.edge, [&s, key] { return s.journal.read_row(key); });
  const auto row = co_await std::move(reading);
  if (!row || !*row) {
    out.answer = dsp_unavailable(part);
    co_return out;
  }
  const auto view = **row ? management::stored_object((**row)->view) : json::object{};
  const auto text = [&view](const char* name) { return std::string(json::string_at(view, name).value_or("")); };
  dsp::process_view p;
  p.consumer_pid = text("consumerPid");
  p.provider_pid = text("providerPid");
  p.state = text("dspState");
  // Until our first message was answered the counterparty has not been told of a process that it could ask for.
  const bool shared = !p.consumer_pid.empty() && !p.provider_pid.empty() && !p.state.empty();
  if (!shared || text("counterPartyId") != caller.peer.id || (**row)->status == "REMOVED")
    co_return out;
  const auto body = part == dsp_part::transfer ? dsp::write_transfer_process(p) : dsp::write_negotiation_process(p);
  out.answer = gateway::json_response(200, json::write(body));
  co_return out;
}

} // namespace fondaco::control_plane

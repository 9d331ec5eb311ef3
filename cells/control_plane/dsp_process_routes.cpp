#include "cells/control_plane/dsp_process_routes.hpp"

#include <utility>

#include "cells/control_plane/management/edge.hpp"
#include "cells/control_plane/peer_exchange.hpp"
#include "cells/span.hpp"

namespace fondaco::control_plane {

using gateway::response;
using gateway::task;

namespace {

std::string span_name(dsp_part part) {
  switch (part) {
  case dsp_part::catalog: return "catalog";
  case dsp_part::negotiation: return "negotiation";
  case dsp_part::transfer: return "transfer";
  }
  return "catalog";
}

/// By what the caller finds its refusal again: its process's id, or what the logs of both sides have.
std::string refusal_id(const gateway::request& r) {
  const auto body = json::parse(r.body);
  auto id = body ? pids_of(*body).consumer_pid : std::string();
  return id.empty() ? r.correlation_id : id;
}

bool is_first_request(const gateway::request& r) { return r.method == "POST" && !r.params.contains("pid"); }

refused_request refusal_of(const gateway::request& r, std::string counterparty, std::string message,
                           std::vector<std::string> reasons) {
  refused_request out;
  out.id = refusal_id(r);
  out.counterparty_id = std::move(counterparty);
  out.profile = path_param(r, "profile");
  out.message = std::move(message);
  out.reasons = std::move(reasons);
  out.correlation_id = r.correlation_id;
  return out;
}

/// What an error body says, for a span.
std::string failure_of(const response& out) {
  std::string why = std::to_string(out.status);
  for (const auto& reason : error_reasons(out.body))
    why += ": " + reason;
  return why;
}

} // namespace

task<response> serve_dsp(cells::cell_services& s, request_ptr r, dsp_part part, dsp_step how, std::string message,
                         std::shared_ptr<refused_requests> refusals) {
  cells::work_span span(s, span_name(part), r->traceparent);
  span.with("message_type", message).with("direction", "received").with("participant_context", path_param(*r, "pc"));
  span.with("profile", path_param(*r, "profile"));
  const bool ends = message.ends_with("TerminationMessage");
  auto entering = enter_dsp(s, r, part, ends ? dsp_proof::identity : dsp_proof::credentials);
  const auto caller = co_await std::move(entering);
  if (!caller) {
    const auto& no = caller.error();
    span.with("counterparty", no.proven_id).fail(failure_of(no.answer));
    if (!no.proven_id.empty() && is_first_request(*r)) {
      auto refusal = refusal_of(*r, no.proven_id, message, no.reasons);
      auto keeping = refusals->keep(s, tenant(path_param(*r, "pc")), std::move(refusal));
      co_await std::move(keeping);
    }
    co_return no.answer;
  }
  auto answering = how(r, *caller);
  auto out = co_await std::move(answering);
  span.with("counterparty", caller->peer.id).with("entity_id", out.entity_id);
  if (out.answer.status >= 400)
    span.fail(failure_of(out.answer));
  co_return noted(std::move(out.answer), *r, message, caller->peer.id, out.entity_id);
}

task<bool> keep_refusal(cells::cell_services& s, std::shared_ptr<refused_requests> refusals, request_ptr r,
                        dsp_caller caller, std::string message, std::vector<std::string> reasons) {
  if (!caller.by_credentials)
    co_return false;
  auto refusal = refusal_of(*r, caller.peer.id, std::move(message), std::move(reasons));
  auto keeping = refusals->keep(s, caller.self.owner, std::move(refusal));
  co_return co_await std::move(keeping);
}

task<dsp_outcome> read_process_state(cells::cell_services& s, request_ptr r, const dsp_caller& caller, dsp_part part,
                                     std::string_view kind) {
  dsp_outcome out;
  out.entity_id = path_param(*r, "pid");
  out.answer = dsp_error(part, 404, "There is no such process.");
  if (!management::shard_of_id(s, out.entity_id))
    co_return out;
  const persistence::entity_key key{caller.self.owner, std::string(kind), out.entity_id};
  auto reading = actors::in_pool(s.pool, s.edge, key.owner, [&s, key] { return s.journal.read_row(key); });
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

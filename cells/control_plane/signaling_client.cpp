#include "cells/control_plane/signaling_client.hpp"

#include <utility>

#include "cells/control_plane/data_planes.hpp"
#include "cells/control_plane/management.hpp"
#include "cells/control_plane/message_log.hpp"
#include "cells/control_plane/peer_exchange.hpp"
#include "cells/control_plane/plane_access.hpp"
#include "cells/control_plane/transfer_request.hpp"
#include "cells/span.hpp"

namespace fondaco::control_plane {

namespace {

using actors::task;
using cells::cell_services;
using dps::flow_signal;
using transfer = transfer_process;

transfer::command failed(const transfer::effect& e, std::string cause, bool transient) {
  transfer::signal_failed out;
  out.message_id = e.message_id;
  out.cause = std::move(cause);
  out.transient = transient;
  return out;
}

/// What has to be read before a signal is sent.
struct preparation {
  plane_access access;
  std::optional<dsp::data_address> address;
  /// The address of the asset's data, for a start.
  std::optional<json::object> source;
  /// Why the signal cannot be sent; empty if it can.
  std::string obstacle;
  bool transient = false;
};

preparation obstructed(std::string why, bool transient) {
  preparation out;
  out.obstacle = std::move(why);
  out.transient = transient;
  return out;
}

bool passes(persistence::vault_errc e) { return e == persistence::vault_errc::unavailable; }

preparation prepare(cell_services& s, const tenant& owner, const transfer::effect& e) {
  preparation out;
  auto access = read_plane_access(s, owner, e.dataplane_id);
  if (!access)
    return obstructed(access.error().detail, access.error().remedy == cure::retry);
  out.access = std::move(*access);
  auto address = open_address(s.vault, owner, e.sealed_address);
  if (!address)
    return obstructed("The sealed address of the data cannot be opened.", passes(address.error()));
  out.address = std::move(*address);
  if (e.signal != flow_signal::start)
    return out;
  auto asset = s.documents.get({owner, cells::kinds::asset, e.request.dataset_id});
  if (!asset)
    return obstructed("The store does not answer.", true);
  if (!*asset)
    return obstructed("The asset '" + e.request.dataset_id + "' does not exist any more.", false);
  auto source = asset_address(s.vault, owner, document_body(**asset));
  if (!source)
    return obstructed("The address of the asset's data cannot be opened.", passes(source.error()));
  out.source = std::move(*source);
  return out;
}

std::string body_of(const transfer::effect& e, preparation& with) {
  switch (*e.signal) {
  case flow_signal::prepare:
  case flow_signal::start: {
    auto request = e.request;
    request.data_address = std::move(with.address);
    if (with.source)
      request.metadata["dataAddress"] = std::move(*with.source);
    return json::write(dps::write_data_flow_request(request));
  }
  case flow_signal::started:
  case flow_signal::resume: {
    dps::address_message m;
    m.message_id = e.message_id;
    m.data_address = std::move(with.address);
    return json::write(dps::write_address_message(m));
  }
  case flow_signal::suspend:
  case flow_signal::terminate: {
    dps::stop_message m;
    m.message_id = e.message_id;
    m.reason = e.reason;
    return json::write(dps::write_stop(m));
  }
  default: return "{}";
  }
}

/// The state that a plane has after it took the signal; STARTING and PREPARING come before.
dps::flow_state target_of(flow_signal signal) {
  switch (signal) {
  case flow_signal::prepare: return dps::flow_state::prepared;
  case flow_signal::suspend: return dps::flow_state::suspended;
  case flow_signal::completed: return dps::flow_state::completed;
  case flow_signal::terminate: return dps::flow_state::terminated;
  default: return dps::flow_state::started;
  }
}

bool is_pending_of(dps::flow_state state, flow_signal signal) {
  return (signal == flow_signal::start && state == dps::flow_state::starting) ||
         (signal == flow_signal::prepare && state == dps::flow_state::preparing);
}

std::string words(flow_signal signal) { return "'" + std::string(dps::name_of(signal)) + "'"; }

/// What a plane's answer of success means.
struct reading {
  transfer::signal_taken taken;
  std::optional<dsp::data_address> address;
  /// Why the answer cannot be used; empty if it can.
  std::string fault;
};

reading read_answer(const transfer::effect& e, const std::string& transfer_id, const std::string& body) {
  const auto signal = *e.signal;
  reading out;
  out.taken.message_id = e.message_id;
  const bool makes_flow = signal == flow_signal::prepare || signal == flow_signal::start;
  if (!makes_flow && (signal != flow_signal::resume || body.empty()))
    return out;
  const auto parsed = json::parse(body);
  auto status = parsed ? dps::read_status(*parsed) : std::unexpected(fault{"", "its body is not JSON"});
  if (!status) {
    // Some planes answer a resume without a status message.
    if (makes_flow)
      out.fault = "The data plane's answer to " + words(signal) + " cannot be read: " + status.error().detail + ".";
    return out;
  }
  out.taken.pending = is_pending_of(status->state, signal);
  if (!out.taken.pending && status->state != target_of(signal))
    out.fault = "The data plane's answer to " + words(signal) + " says state " +
                std::string(dps::name_of(status->state)) + (status->error.empty() ? "." : ": " + status->error);
  if (makes_flow && status->data_flow_id != transfer_id)
    out.taken.flow_id = status->data_flow_id;
  out.address = std::move(status->data_address);
  return out;
}

task<transfer::command> take(cell_services& s, tenant owner, transfer::effect e, reading r) {
  if (!r.fault.empty())
    co_return failed(e, std::move(r.fault), false);
  if (r.address) {
    auto sealing =
        actors::in_pool(s.pool, s.edge, owner, [&s, owner, a = r.address] { return seal_address(s.vault, owner, a); });
    auto sealed = co_await std::move(sealing);
    if (!sealed || !*sealed)
      co_return failed(e, "The data plane's address cannot be sealed now.", true);
    r.taken.sealed_address = std::move(**sealed);
  }
  transfer::command out = std::move(r.taken);
  co_return out;
}

/// One call to the plane, with a token if it wants one.
struct plane_call {
  std::string method;
  std::string url;
  std::string body;
  std::string label;
};

/// An answer, or why the call could not be made.
struct plane_answer {
  std::optional<actors::http_result> result;
  std::string obstacle;
  bool transient = false;
};

/// Where a call comes from and with what it is made.
struct plane_line {
  tenant owner;
  std::string transfer_id;
  std::string plane_id;
  plane_access access;
  std::shared_ptr<plane_tokens> tokens;
  /// The trace that the transfer began in; empty for none.
  std::string traceparent;
};

void note_signal(const plane_line& line, const plane_call& c, const std::string& trace, const std::string& outcome) {
  message_note n;
  n.category = log_category::dps;
  n.message = c.label;
  n.participant_context = line.owner.id();
  n.counterparty = line.plane_id;
  n.entity_id = line.transfer_id;
  n.correlation_id = cells::trace_id_of(trace);
  n.outcome = outcome;
  note(std::move(n));
}

task<plane_answer> call_plane(cell_services& s, plane_line line, plane_call c) {
  plane_answer out;
  actors::http_call call;
  call.method = c.method;
  call.url = c.url;
  call.body = c.body;
  if (!c.body.empty())
    call.headers.emplace_back("Content-Type", "application/json");
  call.traceparent = traceparent_of(line.traceparent, line.transfer_id, s.random.next());
  const auto trace = call.traceparent;
  cells::work_span span(s, "signaling", line.traceparent.empty() ? trace : line.traceparent);
  span.with("signal", c.label).with("participant_context", line.owner.id()).with("data_plane", line.plane_id);
  span.with("entity_id", line.transfer_id);
  bool fresh = true;
  if (line.access.credentials) {
    auto fetching = plane_token(s, line.tokens, line.owner, *line.access.credentials);
    auto token = co_await std::move(fetching);
    if (!token) {
      out.obstacle = token.error().detail;
      out.transient = token.error().remedy == cure::retry;
      span.fail(out.obstacle);
      co_return out;
    }
    fresh = token->fresh;
    call.headers.emplace_back("Authorization", "Bearer " + token->token);
  }
  auto exchanging = exchange(s, std::move(call));
  auto answer = co_await std::move(exchanging);
  note_signal(line, c, trace, outcome_of(answer));
  if (!answer || answer->status >= 300)
    span.fail(failure_text("The data plane", c.label, answer));
  if (answer && answer->status == 401 && line.access.credentials) {
    line.tokens->drop(line.owner, *line.access.credentials);
    if (!fresh) {
      out.obstacle = "The data plane does not take its access token any more; a new one is fetched.";
      out.transient = true;
      co_return out;
    }
  }
  out.result = std::move(answer);
  co_return out;
}

/// True if the plane's state shows that it took the signal before, and nothing of its answer is needed any more.
bool was_taken(const transfer::effect& e, const actors::http_result& status, reading& into) {
  if (!status || status->status != 200)
    return false;
  const auto body = json::parse(status->body);
  const auto found = body ? dps::read_status_response(*body) : std::unexpected(fault{});
  if (!found)
    return false;
  const auto signal = *e.signal;
  into.taken.message_id = e.message_id;
  into.taken.pending = is_pending_of(found->state, signal);
  if (into.taken.pending)
    return true;
  const auto direction = dps::direction_of(e.request.profile);
  const bool answer_had_address = (signal == flow_signal::start && direction != dps::direction::push) ||
                                  (signal == flow_signal::prepare && direction == dps::direction::push) ||
                                  (signal == flow_signal::resume && e.sealed_address.empty());
  return found->state == target_of(signal) && !answer_had_address;
}

/// Why a plane has to be asked once more to erase what it has; empty if it has not.
std::string why_not_left(const std::string& plane_id, const actors::http_result& answer) {
  const int status = answer ? answer->status : 0;
  const bool again = status == 401 || status == 403 || (status != 501 && may_pass(answer));
  return again ? failure_text("The data plane '" + plane_id + "'", "the removal", answer) : std::string();
}

} // namespace

std::optional<std::string> plane_tokens::find(const tenant& owner, const plane_credentials& with, timepoint now) {
  std::scoped_lock lock(mutex_);
  const auto found = entries_.find({owner, with.token_endpoint, with.client_id});
  if (found == entries_.end() || now >= found->second.until)
    return std::nullopt;
  return found->second.token;
}

void plane_tokens::keep(const tenant& owner, const plane_credentials& with, std::string token, timepoint until) {
  std::scoped_lock lock(mutex_);
  if (entries_.size() >= limits::plane_tokens_max)
    entries_.clear();
  entries_.insert_or_assign({owner, with.token_endpoint, with.client_id}, entry{std::move(token), until});
}

void plane_tokens::drop(const tenant& owner, const plane_credentials& with) {
  std::scoped_lock lock(mutex_);
  entries_.erase({owner, with.token_endpoint, with.client_id});
}

task<transfer::command> signal_plane(cell_services& s, std::shared_ptr<plane_tokens> tokens, tenant owner,
                                     std::string transfer_id, transfer::effect e, bool repeated) {
  auto preparing = actors::in_pool(s.pool, s.edge, owner, [&s, owner, e] { return prepare(s, owner, e); });
  auto ready = co_await std::move(preparing);
  if (!ready)
    co_return failed(e, "Too many reads wait in this node.", true);
  if (!ready->obstacle.empty())
    co_return failed(e, std::move(ready->obstacle), ready->transient);
  plane_line line{owner, transfer_id, e.dataplane_id, ready->access, std::move(tokens), e.traceparent};
  plane_call call{"POST", e.base_url + e.path, body_of(e, *ready), std::string(dps::name_of(*e.signal))};
  auto calling = call_plane(s, line, std::move(call));
  auto answer = co_await std::move(calling);
  if (!answer.result)
    co_return failed(e, std::move(answer.obstacle), answer.transient);
  const auto& result = *answer.result;
  if (result && result->status >= 200 && result->status < 300) {
    auto taking = take(s, owner, e, read_answer(e, transfer_id, result->body));
    co_return co_await std::move(taking);
  }
  const auto cause = failure_text("The data plane", words(*e.signal), result);
  if (may_pass(result) || !repeated || e.probe_path.empty())
    co_return failed(e, cause, may_pass(result));
  plane_call question{"GET", e.base_url + e.probe_path, "", "status"};
  auto asking = call_plane(s, line, std::move(question));
  const auto status = co_await std::move(asking);
  if (!status.result || may_pass(*status.result))
    co_return failed(e, cause, true);
  reading taken_before;
  if (was_taken(e, *status.result, taken_before)) {
    transfer::command out = std::move(taken_before.taken);
    co_return out;
  }
  co_return failed(e, cause, false);
}

task<std::optional<std::string>> leave_planes(cell_services& s, tenant owner) {
  using line_to = std::pair<data_plane_record, std::expected<plane_access, fault>>;
  using found = std::expected<std::vector<line_to>, persistence::query_error>;
  auto reading = actors::in_pool(s.pool, s.edge, owner, [&s, owner]() -> found {
    auto planes = read_data_planes(s, owner);
    if (!planes)
      return std::unexpected(std::move(planes.error()));
    std::vector<line_to> out;
    for (auto& plane : *planes) {
      auto access = read_plane_access(s, owner, plane.id);
      out.emplace_back(std::move(plane), std::move(access));
    }
    return out;
  });
  const auto planes = co_await std::move(reading);
  if (!planes || !*planes)
    co_return "The store does not answer.";
  const auto tokens = std::make_shared<plane_tokens>();
  std::optional<std::string> first;
  for (const auto& [plane, access] : **planes) {
    auto why = access ? std::string() : access.error().detail;
    if (access) {
      plane_line line{owner, "", plane.id, *access, tokens, ""};
      plane_call call{"DELETE", plane.endpoint, "", "removal"};
      auto calling = call_plane(s, std::move(line), std::move(call));
      const auto answer = co_await std::move(calling);
      why = answer.result ? why_not_left(plane.id, *answer.result) : answer.obstacle;
    }
    if (!why.empty() && !first)
      first = std::move(why);
  }
  co_return first;
}

} // namespace fondaco::control_plane

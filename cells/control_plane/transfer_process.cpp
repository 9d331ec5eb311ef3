#include "cells/control_plane/transfer_process.hpp"

#include <algorithm>

namespace fondaco::control_plane {

namespace ev = transfer_events;
using dps::flow_signal;
using dsp::transfer_message;
using dsp::transfer_state;

std::string_view name_of(transfer_errc e) noexcept {
  switch (e) {
  case transfer_errc::not_found: return "not_found";
  case transfer_errc::illegal_transition: return "illegal_transition";
  case transfer_errc::bad_message: return "bad_message";
  case transfer_errc::pid_mismatch: return "pid_mismatch";
  case transfer_errc::agreement_refused: return "agreement_refused";
  case transfer_errc::no_data_plane: return "no_data_plane";
  case transfer_errc::idempotency_key_reused: return "idempotency_key_reused";
  case transfer_errc::already_exists: return "already_exists";
  }
  return "not_found";
}

bool owns_address(const transfer_terms& terms) {
  const bool push = dps::direction_of(terms.format) == dps::direction::push;
  return push == (terms.self == dsp::role::consumer);
}

namespace {

using state = transfer_process::state;

bool has_ended(const state& s) { return s.dsp_state && dsp::is_final(*s.dsp_state); }

/// Every change of the state known to both sides goes through here; an end is never left.
void move_to(state& s, transfer_state next) {
  if (has_ended(s))
    return;
  s.dsp_state = next;
  s.awaits_address = false;
  if (next == transfer_state::suspended || dsp::is_final(next))
    s.sealed_address.clear();
  if (dsp::is_final(next))
    s.awaited_flow.reset();
}

transfer_step* first_with(state& s, const std::string& id) {
  auto& steps = s.queue.steps;
  return !steps.empty() && steps.front().id == id ? &steps.front() : nullptr;
}

void apply(state& s, const ev::opened& e) {
  s = state{};
  s.exists = true;
  s.terms = e.terms;
  s.peer_pid = e.peer_pid;
  s.sealed_address = e.sealed_address;
  s.queue = e.queue;
  s.created_at = e.at;
  if (e.terms.self == dsp::role::provider) {
    s.dsp_state = transfer_state::requested;
    s.last_received = transfer_message::request;
    remember_message(s.accepted_message_ids, e.cause);
  }
}

void apply(state& s, const ev::received& e) {
  remember_message(s.accepted_message_ids, e.cause);
  if (!s.exists || has_ended(s))
    return;
  move_to(s, target_of(e.type));
  s.last_received = e.type;
  s.queue = e.queue;
  if (!e.peer_pid.empty())
    s.peer_pid = e.peer_pid;
  if (!e.sealed_address.empty() && !has_ended(s))
    s.sealed_address = e.sealed_address;
  if (!e.reason.empty()) {
    s.error_detail = e.reason;
    add_cause(s.causes, {cause_side::peer, e.reason});
  }
}

void apply(state& s, const ev::ordered& e) {
  s.queue = e.queue;
  if (!e.peer_pid.empty())
    s.peer_pid = e.peer_pid;
  if (!e.reason.empty())
    add_cause(s.causes, {cause_side::local, e.reason});
}

void apply(state& s, const ev::acknowledged& e) {
  if (!first_with(s, e.cause))
    return;
  move_to(s, target_of(e.type));
  if (!e.peer_pid.empty())
    s.peer_pid = e.peer_pid;
  s.awaits_address = e.awaits_address && !has_ended(s);
  s.queue = e.queue;
}

void keep_address(state& s, const std::string& sealed) {
  if (!sealed.empty() && !has_ended(s))
    s.sealed_address = sealed;
}

void apply(state& s, const ev::signalled& e) {
  s.queue = e.queue;
  if (!e.flow_id.empty())
    s.flow_id = e.flow_id;
  if (e.pending && !has_ended(s))
    s.awaited_flow = e.signal;
  keep_address(s, e.sealed_address);
}

void apply(state& s, const ev::reported& e) {
  s.queue = e.queue;
  if (e.signal == flow_signal::prepared || e.signal == flow_signal::started) {
    s.awaited_flow.reset();
    keep_address(s, e.sealed_address);
  } else if (e.signal == flow_signal::errored) {
    s.error_detail = e.text;
    add_cause(s.causes, {cause_side::data_plane, e.text});
  }
}

void apply(state& s, const ev::step_failed& e) {
  add_cause(s.causes, e.why);
  if (auto* step = first_with(s, e.cause)) {
    step->failure = e.why.text;
    step->probing = step->probing || e.refused;
  }
}

void apply(state& s, const ev::resumed& e) {
  if (auto* step = first_with(s, e.cause)) {
    step->probing = false;
    ++step->refusals;
    step->not_before = e.not_before;
  }
}

void apply(state& s, const ev::step_dropped& e) {
  add_cause(s.causes, e.why);
  s.queue = e.queue;
}

void apply(state& s, const ev::ended& e) {
  if (has_ended(s))
    return;
  move_to(s, transfer_state::terminated);
  for (const auto& c : e.causes)
    add_cause(s.causes, c);
  if (!e.causes.empty())
    s.error_detail = e.causes.back().text;
  s.queue = e.queue;
}

void apply(state& s, const ev::reviewed& e) { s.reviewed_at = e.at; }

timepoint idle_until(const state& s) { return std::max(s.updated_at, s.reviewed_at) + s.terms.settings.idle_max_ms; }

dsp::transfer_envelope envelope_of(const state& s, const transfer_step& step) {
  dsp::transfer_envelope m;
  m.type = *step.message;
  m.message_id = step.id;
  const bool consumes = s.terms.self == dsp::role::consumer;
  m.consumer_pid = consumes ? s.terms.id : s.peer_pid;
  m.provider_pid = consumes ? s.peer_pid : s.terms.id;
  if (m.type == transfer_message::request) {
    m.callback_address = s.terms.callback_address;
    m.agreement_id = s.terms.agreement_id;
    m.format = s.terms.format;
  }
  m.code = step.code;
  m.reasons = step.reasons;
  return m;
}

std::string message_path(const state& s, transfer_message type) {
  const auto base = "/transfers/" + path_segment(s.peer_pid);
  switch (type) {
  case transfer_message::request: return "/transfers/request";
  case transfer_message::start: return base + "/start";
  case transfer_message::suspension: return base + "/suspension";
  case transfer_message::completion: return base + "/completion";
  case transfer_message::termination: return base + "/termination";
  }
  return base;
}

void fill_signal(transfer_process::effect& body, const state& s, const transfer_step& step) {
  const auto signal = *step.signal;
  body.signal = signal;
  body.dataplane_id = s.terms.plane ? s.terms.plane->id : std::string();
  body.base_url = s.terms.plane ? s.terms.plane->endpoint : std::string();
  const auto verb = std::string(dps::name_of(signal));
  body.reason = step.reasons.empty() ? std::string() : step.reasons.front();
  if (signal != flow_signal::prepare && signal != flow_signal::start) {
    const auto flow = path_segment(s.flow_id.empty() ? s.terms.id : s.flow_id);
    body.path = "/dataflows/" + flow + "/" + verb;
    body.probe_path = "/dataflows/" + flow + "/status";
    return;
  }
  body.path = "/dataflows/" + verb;
  body.probe_path = "/dataflows/" + path_segment(s.terms.id) + "/status";
  auto& r = body.request;
  r.message_id = step.id;
  r.participant_id = s.terms.participant_id;
  r.counter_party_id = s.terms.counterparty_id;
  r.dataspace_context = s.terms.profile;
  r.data_flow_id = s.terms.id;
  r.agreement_id = s.terms.agreement_id;
  r.dataset_id = s.terms.asset_id;
  r.profile = s.terms.format;
  r.claims = s.terms.claims;
  r.metadata = s.terms.metadata;
  r.labels = s.terms.labels;
  r.callback_address = s.terms.signaling_address;
}

std::string status_of_step(const state& s, const transfer_step& step) {
  if (step.message) {
    switch (*step.message) {
    case transfer_message::request: return "REQUESTING";
    case transfer_message::start: return s.dsp_state == transfer_state::requested ? "STARTING" : "RESUMING";
    case transfer_message::suspension: return "SUSPENDING";
    case transfer_message::completion: return "COMPLETING";
    case transfer_message::termination: return "TERMINATING";
    }
  }
  switch (*step.signal) {
  case flow_signal::started: return "STARTUP_REQUESTED";
  case flow_signal::suspend: return "SUSPENDING_REQUESTED";
  case flow_signal::resume: return s.dsp_state == transfer_state::suspended ? "RESUMING" : "RESUMING_REQUESTED";
  case flow_signal::completed: return "COMPLETING_REQUESTED";
  case flow_signal::terminate: return "TERMINATING_REQUESTED";
  default: return "INITIAL";
  }
}

/// In words: what a step does.
std::string step_words(const transfer_step& step) {
  return step.message ? "the counterparty's acknowledgement of our " + std::string(dsp::name_of(*step.message))
                      : "the data plane's answer to '" + std::string(dps::name_of(*step.signal)) + "'";
}

} // namespace

transfer_process::state transfer_process::evolve(state s, const event& e) {
  std::visit([&s](const auto& one) { apply(s, one); }, e);
  if (!std::holds_alternative<ev::reviewed>(e))
    s.updated_at = std::visit([](const auto& one) { return one.at; }, e);
  return s;
}

std::vector<actors::owed_effect<transfer_process::effect>> transfer_process::owed(const state& s) {
  std::vector<actors::owed_effect<effect>> out;
  if (!s.exists || s.queue.steps.empty() || s.awaited_flow)
    return out;
  const auto& step = s.queue.steps.front();
  if (!step.message && !step.signal)
    return out;
  effect body;
  body.probe = step.probing;
  body.message_id = step.id;
  body.counterparty_id = s.terms.counterparty_id;
  body.profile = s.terms.profile;
  body.traceparent = s.terms.traceparent;
  if (step.with_address)
    body.sealed_address = s.sealed_address;
  if (step.message) {
    body.envelope = envelope_of(s, step);
    body.base_url = s.terms.counterparty_address;
    body.path = message_path(s, *step.message);
    if (!s.peer_pid.empty())
      body.probe_path = "/transfers/" + path_segment(s.peer_pid);
  } else {
    fill_signal(body, s, step);
  }
  auto key = step.id + (step.probing ? "/probe/" : "/send/") + std::to_string(step.refusals);
  out.push_back({std::move(key), step.not_before, std::move(body)});
  return out;
}

std::optional<timepoint> transfer_process::wake_at(const state& s) {
  if (!s.exists)
    return std::nullopt;
  if (!s.queue.steps.empty() && !s.awaited_flow)
    return s.queue.steps.front().not_before;
  if (has_ended(s))
    return std::nullopt;
  return idle_until(s);
}

std::optional<transfer_process::command> transfer_process::tick(const state& s, timepoint now) {
  if (!s.exists)
    return std::nullopt;
  const bool owing = !s.queue.steps.empty() && !s.awaited_flow;
  const bool window_over = owing && now >= s.queue.steps.front().window_until;
  const bool idle = !owing && !has_ended(s) && now >= idle_until(s);
  if (window_over || idle)
    return time_passed{};
  return std::nullopt;
}

std::string transfer_process::status(const state& s) {
  const auto& steps = s.queue.steps;
  if (s.awaited_flow)
    return s.awaited_flow == flow_signal::prepare ? "PREPARATION_REQUESTED" : "STARTUP_REQUESTED";
  if (!steps.empty()) {
    const auto first = steps.front().signal;
    if (first == flow_signal::prepare || first == flow_signal::start)
      return s.dsp_state && s.dsp_state != transfer_state::requested ? status_of_step(s, steps.back()) : "INITIAL";
    const auto message = std::ranges::find_if(steps, [](const auto& one) { return one.message.has_value(); });
    // The answer to a consumer's start is ours to give, but the counterparty asked for it.
    if (message != steps.end() && !(first == flow_signal::resume && message->only_with_address))
      return status_of_step(s, *message);
    if (first)
      return status_of_step(s, steps.front());
  }
  if (s.awaits_address)
    return "RESUMED";
  return s.dsp_state ? std::string(dsp::name_of(*s.dsp_state)) : "INITIAL";
}

dsp::process_view dsp_view(const transfer_process::state& s) {
  dsp::process_view v;
  const bool consumes = s.terms.self == dsp::role::consumer;
  v.consumer_pid = consumes ? s.terms.id : s.peer_pid;
  v.provider_pid = consumes ? s.peer_pid : s.terms.id;
  v.state = dsp::name_of(s.dsp_state.value_or(transfer_state::requested));
  return v;
}

std::string waiting_on(const transfer_process::state& s) {
  if (!s.exists)
    return {};
  if (s.awaited_flow)
    return "the data plane's callback after '" + std::string(dps::name_of(*s.awaited_flow)) + "'";
  if (!s.queue.steps.empty()) {
    const auto& step = s.queue.steps.front();
    if (!step.message && !step.signal)
      return {};
    if (step.probing)
      return "the counterparty's state, since it refused our " + std::string(dsp::name_of(*step.message));
    return step_words(step) + (step.failure.empty() ? "" : ", tried again; last failure: " + step.failure);
  }
  if (!s.dsp_state || has_ended(s))
    return {};
  if (s.awaits_address)
    return "the counterparty's start with the new address";
  switch (*s.dsp_state) {
  case transfer_state::requested:
    return s.terms.self == dsp::role::provider ? "an operator's order to start" : "the counterparty's start";
  case transfer_state::started: return "the end of the data, or either side's order";
  case transfer_state::suspended: return "either side's order to go on";
  default: return {};
  }
}

std::string transfer_process::view(const state& s) {
  json::object o;
  const auto put = [&o](std::string_view name, const std::string& text) {
    if (!text.empty())
      o.emplace(name, std::string_view(text));
  };
  const auto& t = s.terms;
  const auto pids = dsp_view(s);
  o.emplace("type", dsp::name_of(t.self));
  put("correlationId", s.peer_pid);
  put("assetId", t.asset_id);
  put("contractId", t.agreement_id);
  put("transferType", t.format);
  put("counterPartyId", t.counterparty_id);
  put("counterPartyAddress", t.counterparty_address);
  put("profile", t.profile);
  put("errorDetail", s.error_detail);
  o.emplace("createdAt", to_epoch_ms(s.created_at));
  o.emplace("stateTimestamp", to_epoch_ms(s.updated_at));
  o.emplace("callbackAddresses", t.callback_addresses.is_array() ? t.callback_addresses : json::value(json::array{}));
  if (s.dsp_state)
    o.emplace("dspState", dsp::name_of(*s.dsp_state));
  put("consumerPid", pids.consumer_pid);
  put("providerPid", pids.provider_pid);
  put("dataplaneId", t.plane ? t.plane->id : std::string());
  put("sealedAddress", s.sealed_address);
  if (!t.metadata.empty())
    o.emplace("dataplaneMetadata", t.metadata);
  if (!t.private_properties.empty())
    o.emplace("privateProperties", t.private_properties);
  o.emplace("causes", causes_json(s.causes));
  put("waitingOn", waiting_on(s));
  return json::write(o);
}

} // namespace fondaco::control_plane

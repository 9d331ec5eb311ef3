#include "cells/control_plane/negotiation.hpp"

#include <algorithm>

#include "protocols/json/json.hpp"

namespace fondaco::control_plane {

namespace ev = negotiation_events;
using dsp::negotiation_message;
using dsp::negotiation_state;

std::string_view name_of(negotiation_errc e) noexcept {
  switch (e) {
  case negotiation_errc::not_found: return "not_found";
  case negotiation_errc::illegal_transition: return "illegal_transition";
  case negotiation_errc::bad_message: return "bad_message";
  case negotiation_errc::pid_mismatch: return "pid_mismatch";
  case negotiation_errc::offer_refused: return "offer_refused";
  case negotiation_errc::agreement_differs: return "agreement_differs";
  case negotiation_errc::idempotency_key_reused: return "idempotency_key_reused";
  case negotiation_errc::already_exists: return "already_exists";
  case negotiation_errc::busy: return "busy";
  case negotiation_errc::not_removable: return "not_removable";
  }
  return "not_found";
}

namespace {

using state = negotiation::state;

void apply(state& s, const ev::opened& e) {
  s = state{};
  s.exists = true;
  s.self = e.self;
  s.id = e.id;
  s.peer_pid = e.peer_pid;
  s.counterparty_id = e.counterparty_id;
  s.counterparty_address = e.counterparty_address;
  s.callback_address = e.callback_address;
  s.participant_id = e.participant_id;
  s.profile = e.profile;
  s.asset_id = e.asset_id;
  s.offer = e.offer;
  s.terms = e.terms;
  s.claims = e.claims;
  s.callback_addresses = e.callback_addresses;
  s.request_id = e.request_id;
  s.request_digest = e.request_digest;
  s.settings = e.settings;
  s.traceparent = e.traceparent;
  s.created_at = e.at;
  if (e.first) {
    s.outbox = e.first;
    s.messages = 1;
  } else {
    s.last_received = e.self == dsp::role::provider ? negotiation_message::request : negotiation_message::offer;
    s.dsp_state = target_of(*s.last_received);
    remember_message(s.accepted_message_ids, e.cause);
  }
}

bool ended(const state& s) { return s.dsp_state && dsp::is_final(*s.dsp_state); }

void keep_policy(state& s, negotiation_message type, const json::object& policy) {
  if (type == negotiation_message::request || type == negotiation_message::offer) {
    s.offer = policy;
  } else if (type == negotiation_message::agreement) {
    s.agreement = policy;
    s.agreement_id = json::string_at(policy, "@id").value_or("");
  }
}

void apply(state& s, const ev::received& e) {
  remember_message(s.accepted_message_ids, e.cause);
  if (!s.exists || ended(s))
    return;
  s.dsp_state = target_of(e.type);
  s.last_received = e.type;
  s.outbox.reset();
  if (!e.peer_pid.empty())
    s.peer_pid = e.peer_pid;
  if (!e.asset_id.empty())
    s.asset_id = e.asset_id;
  if (!e.terms.empty())
    s.terms = e.terms;
  if (!e.claims.empty())
    s.claims = e.claims;
  keep_policy(s, e.type, e.policy);
  if (e.type == negotiation_message::termination) {
    s.error_detail = e.reason;
    add_cause(s.causes, {cause_side::peer, e.reason});
  }
}

void apply(state& s, const ev::sending& e) {
  ++s.messages;
  s.outbox = e.out;
  if (!e.terms.empty())
    s.terms = e.terms;
  if (!e.peer_pid.empty())
    s.peer_pid = e.peer_pid;
}

void apply(state& s, const ev::acknowledged& e) {
  if (!s.outbox || s.outbox->message_id != e.cause)
    return;
  if (!e.peer_pid.empty())
    s.peer_pid = e.peer_pid;
  if (!ended(s)) {
    s.dsp_state = target_of(s.outbox->type);
    keep_policy(s, s.outbox->type, s.outbox->policy);
  }
  s.outbox.reset();
}

void apply(state& s, const ev::send_failed& e) {
  add_cause(s.causes, {e.refused ? cause_side::peer : cause_side::local, e.text});
  if (!s.outbox || s.outbox->message_id != e.cause)
    return;
  s.outbox->failure = e.text;
  if (e.refused)
    s.outbox->probing = true;
}

void apply(state& s, const ev::resumed& e) {
  if (!s.outbox || s.outbox->message_id != e.cause)
    return;
  s.outbox->probing = false;
  ++s.outbox->refusals;
  s.outbox->not_before = e.not_before;
}

void apply(state& s, const ev::ended& e) {
  if (ended(s))
    return;
  s.dsp_state = negotiation_state::terminated;
  for (const auto& c : e.causes)
    add_cause(s.causes, c);
  if (!e.causes.empty())
    s.error_detail = e.causes.back().text;
  s.outbox = e.notice;
  if (e.notice)
    ++s.messages;
}

void apply(state& s, const ev::notice_dropped& e) {
  add_cause(s.causes, {cause_side::local, e.text});
  if (s.outbox && s.outbox->message_id == e.cause)
    s.outbox.reset();
}

void apply(state& s, const ev::removed&) {
  s.removed = true;
  s.outbox.reset();
}

std::string send_path(const state& s, negotiation_message type) {
  if (s.peer_pid.empty())
    return type == negotiation_message::offer ? "/negotiations/offers" : "/negotiations/request";
  const auto base = "/negotiations/" + path_segment(s.peer_pid);
  switch (type) {
  case negotiation_message::request: return base + "/request";
  case negotiation_message::offer: return base + "/offers";
  case negotiation_message::agreement: return base + "/agreement";
  case negotiation_message::verification: return base + "/agreement/verification";
  case negotiation_message::accepted:
  case negotiation_message::finalized: return base + "/events";
  case negotiation_message::termination: return base + "/termination";
  }
  return base;
}

dsp::negotiation_envelope envelope_of(const state& s, const negotiation_outgoing& out) {
  dsp::negotiation_envelope m;
  m.type = out.type;
  m.message_id = out.message_id;
  m.consumer_pid = s.self == dsp::role::consumer ? s.id : s.peer_pid;
  m.provider_pid = s.self == dsp::role::provider ? s.id : s.peer_pid;
  // A first message names the callback instead of the process id that the peer will choose.
  if (s.peer_pid.empty())
    m.callback_address = s.callback_address;
  m.policy = out.policy;
  m.code = out.code;
  m.reasons = out.reasons;
  return m;
}

std::string_view in_flight_status(negotiation_message type) {
  switch (type) {
  case negotiation_message::request: return "REQUESTING";
  case negotiation_message::offer: return "OFFERING";
  case negotiation_message::accepted: return "ACCEPTING";
  case negotiation_message::agreement: return "AGREEING";
  case negotiation_message::verification: return "VERIFYING";
  case negotiation_message::finalized: return "FINALIZING";
  case negotiation_message::termination: return "TERMINATING";
  }
  return "INITIAL";
}

} // namespace

negotiation::state negotiation::evolve(state s, const event& e) {
  std::visit([&s](const auto& one) { apply(s, one); }, e);
  s.updated_at = std::visit([](const auto& one) { return one.at; }, e);
  return s;
}

std::vector<actors::owed_effect<negotiation::effect>> negotiation::owed(const state& s) {
  std::vector<actors::owed_effect<effect>> out;
  if (!s.exists || s.removed || !s.outbox)
    return out;
  const auto& box = *s.outbox;
  effect body;
  body.probe = box.probing;
  body.message_id = box.message_id;
  body.envelope = envelope_of(s, box);
  body.base_url = s.counterparty_address;
  body.path = send_path(s, box.type);
  if (!s.peer_pid.empty())
    body.probe_path = "/negotiations/" + path_segment(s.peer_pid);
  body.counterparty_id = s.counterparty_id;
  body.profile = s.profile;
  body.traceparent = s.traceparent;
  auto key = box.message_id + (box.probing ? "/probe/" : "/send/") + std::to_string(box.refusals);
  out.push_back({std::move(key), box.not_before, std::move(body)});
  return out;
}

std::optional<timepoint> negotiation::wake_at(const state& s) {
  if (!s.exists || s.removed)
    return std::nullopt;
  if (s.outbox)
    return s.outbox->not_before;
  if (ended(s))
    return std::nullopt;
  return s.updated_at + s.settings.idle_max_ms;
}

std::optional<negotiation::command> negotiation::tick(const state& s, timepoint now) {
  if (!s.exists || s.removed)
    return std::nullopt;
  const bool window_over = s.outbox && now >= s.outbox->window_until;
  const bool silent = !s.outbox && !ended(s) && now >= s.updated_at + s.settings.idle_max_ms;
  if (window_over || silent)
    return time_passed{};
  return std::nullopt;
}

std::string negotiation::status(const state& s) {
  if (s.removed)
    return "REMOVED";
  if (s.outbox)
    return std::string(in_flight_status(s.outbox->type));
  return s.dsp_state ? std::string(dsp::name_of(*s.dsp_state)) : "INITIAL";
}

dsp::process_view dsp_view(const negotiation::state& s) {
  dsp::process_view v;
  v.consumer_pid = s.self == dsp::role::consumer ? s.id : s.peer_pid;
  v.provider_pid = s.self == dsp::role::provider ? s.id : s.peer_pid;
  // Before the first answer the state is the one that our first message asks for.
  const auto first = s.outbox ? target_of(s.outbox->type) : negotiation_state::requested;
  v.state = dsp::name_of(s.dsp_state.value_or(first));
  return v;
}

std::string waiting_on(const negotiation::state& s) {
  if (!s.exists || s.removed)
    return {};
  if (s.outbox) {
    const auto message = std::string(in_flight_status(s.outbox->type));
    if (s.outbox->probing)
      return message + ": asking the counterparty for its state, since it refused our message";
    if (!s.outbox->failure.empty())
      return message + ": our message is tried again; last failure: " + s.outbox->failure;
    return message + ": the counterparty's acknowledgement of our message";
  }
  if (!s.dsp_state || dsp::is_final(*s.dsp_state))
    return {};
  const auto type = negotiation_message{static_cast<uint8_t>(*s.dsp_state)};
  const bool ours = s.last_received != type;
  const bool offered_to_us = s.self == dsp::role::consumer && *s.dsp_state == negotiation_state::offered;
  if (!ours && (offered_to_us || !s.settings.automatic))
    return std::string("an operator's order to go on from ") + std::string(dsp::name_of(*s.dsp_state));
  return std::string("the counterparty's next message after ") + std::string(dsp::name_of(*s.dsp_state));
}

std::string negotiation::view(const state& s) {
  json::object o;
  const auto put = [&o](std::string_view name, const std::string& text) {
    if (!text.empty())
      o.emplace(name, std::string_view(text));
  };
  o.emplace("type", dsp::name_of(s.self));
  put("counterPartyId", s.counterparty_id);
  put("counterPartyAddress", s.counterparty_address);
  put("profile", s.profile);
  put("correlationId", s.peer_pid);
  put("assetId", s.asset_id);
  put("contractAgreementId", s.agreement_id);
  put("errorDetail", s.error_detail);
  o.emplace("createdAt", to_epoch_ms(s.created_at));
  o.emplace("stateTimestamp", to_epoch_ms(s.updated_at));
  o.emplace("callbackAddresses", s.callback_addresses.is_array() ? s.callback_addresses : json::value(json::array{}));
  if (s.dsp_state)
    o.emplace("dspState", dsp::name_of(*s.dsp_state));
  put("consumerPid", dsp_view(s).consumer_pid);
  put("providerPid", dsp_view(s).provider_pid);
  o.emplace("causes", causes_json(s.causes));
  put("waitingOn", waiting_on(s));
  return json::write(o);
}

} // namespace fondaco::control_plane

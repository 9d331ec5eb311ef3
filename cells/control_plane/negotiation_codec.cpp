#include "cells/control_plane/negotiation.hpp"

namespace fondaco::control_plane {

namespace ev = negotiation_events;
using dsp::negotiation_message;

void negotiation::state::each(auto& s, auto&& f) {
  f("exists", s.exists);
  f("removed", s.removed);
  f("self", s.self);
  f("id", s.id);
  f("peer_pid", s.peer_pid);
  f("counterparty_id", s.counterparty_id);
  f("counterparty_address", s.counterparty_address);
  f("callback_address", s.callback_address);
  f("participant_id", s.participant_id);
  f("profile", s.profile);
  f("asset_id", s.asset_id);
  f("offer", s.offer);
  f("terms", s.terms);
  f("agreement_id", s.agreement_id);
  f("agreement", s.agreement);
  f("dsp_state", s.dsp_state);
  f("outbox", s.outbox);
  f("accepted_message_ids", s.accepted_message_ids);
  f("last_received", s.last_received);
  f("causes", s.causes);
  f("error_detail", s.error_detail);
  f("created_at", s.created_at);
  f("updated_at", s.updated_at);
  f("callback_addresses", s.callback_addresses);
  f("request_id", s.request_id);
  f("request_digest", s.request_digest);
  f("claims", s.claims);
  f("settings", s.settings);
  f("messages", s.messages);
  f("traceparent", s.traceparent);
}

namespace {

/// The version of the events' payloads that this node writes, and the newest that it reads.
constexpr uint16_t payload_version = 1;

std::string reached(negotiation_message type) {
  switch (type) {
  case negotiation_message::request: return "negotiation.requested";
  case negotiation_message::offer: return "negotiation.offered";
  case negotiation_message::accepted: return "negotiation.accepted";
  case negotiation_message::agreement: return "negotiation.agreed";
  case negotiation_message::verification: return "negotiation.verified";
  case negotiation_message::finalized: return "negotiation.finalized";
  case negotiation_message::termination: return "negotiation.terminated";
  }
  return "negotiation.requested";
}

std::string under_way(negotiation_message type) {
  switch (type) {
  case negotiation_message::request: return "negotiation.requesting";
  case negotiation_message::offer: return "negotiation.offering";
  case negotiation_message::accepted: return "negotiation.accepting";
  case negotiation_message::agreement: return "negotiation.agreeing";
  case negotiation_message::verification: return "negotiation.verifying";
  case negotiation_message::finalized: return "negotiation.finalizing";
  case negotiation_message::termination: return "negotiation.terminating";
  }
  return "negotiation.requesting";
}

std::string type_of(const ev::opened& e) {
  if (e.first)
    return under_way(e.first->type);
  return reached(e.self == dsp::role::provider ? negotiation_message::request : negotiation_message::offer);
}
std::string type_of(const ev::received& e) { return reached(e.type); }
std::string type_of(const ev::sending& e) { return under_way(e.out.type); }
std::string type_of(const ev::acknowledged& e) {
  // The end itself was an event before: this one says that the peer knows.
  return e.type == negotiation_message::termination ? "negotiation.termination_delivered" : reached(e.type);
}
std::string type_of(const ev::send_failed& e) {
  return e.refused ? "negotiation.send_refused" : "negotiation.send_failed";
}
std::string type_of(const ev::resumed&) { return "negotiation.send_resumed"; }
std::string type_of(const ev::ended&) { return "negotiation.terminated"; }
std::string type_of(const ev::notice_dropped&) { return "negotiation.termination_undelivered"; }
std::string type_of(const ev::removed&) { return "negotiation.removed"; }

} // namespace

persistence::event_record negotiation::encode(const event& e) {
  persistence::event_record r;
  r.type = std::visit([](const auto& one) { return type_of(one); }, e);
  r.version = payload_version;
  r.payload = planes::write_event(e);
  r.cause = std::visit([](const auto& one) { return one.cause; }, e);
  return r;
}

std::optional<negotiation::event> negotiation::decode(const persistence::event_record& record) {
  return planes::event_reader<event>::read(record, payload_version);
}

std::string negotiation::freeze(const state& s) { return planes::write_state(s); }

std::optional<negotiation::state> negotiation::thaw(std::string_view text) { return planes::read_state<state>(text); }

} // namespace fondaco::control_plane

#include "cells/control_plane/transfer_process.hpp"

namespace fondaco::control_plane {

namespace ev = transfer_events;
using dps::flow_signal;
using dsp::transfer_message;

void transfer_process::state::each(auto& s, auto&& f) {
  f("exists", s.exists);
  f("terms", s.terms);
  f("peer_pid", s.peer_pid);
  f("dsp_state", s.dsp_state);
  f("queue", s.queue);
  f("awaited_flow", s.awaited_flow);
  f("awaits_address", s.awaits_address);
  f("flow_id", s.flow_id);
  f("sealed_address", s.sealed_address);
  f("accepted_message_ids", s.accepted_message_ids);
  f("last_received", s.last_received);
  f("causes", s.causes);
  f("error_detail", s.error_detail);
  f("created_at", s.created_at);
  f("updated_at", s.updated_at);
  f("reviewed_at", s.reviewed_at);
}

namespace {

/// The version of the events' payloads that this node writes, and the newest that it reads.
constexpr uint16_t payload_version = 1;

std::string reached(transfer_message type) {
  switch (type) {
  case transfer_message::request: return "transfer.requested";
  case transfer_message::start: return "transfer.started";
  case transfer_message::suspension: return "transfer.suspended";
  case transfer_message::completion: return "transfer.completed";
  case transfer_message::termination: return "transfer.terminated";
  }
  return "transfer.requested";
}

std::string type_of(const ev::opened& e) {
  return e.terms.self == dsp::role::consumer ? "transfer.initiated" : "transfer.requested";
}
std::string type_of(const ev::received& e) { return reached(e.type); }
std::string type_of(const ev::ordered& e) {
  switch (e.type) {
  case transfer_message::suspension: return "transfer.suspending";
  case transfer_message::completion: return "transfer.completing";
  case transfer_message::termination: return "transfer.terminating";
  default: return "transfer.starting";
  }
}
std::string type_of(const ev::acknowledged& e) {
  // The end itself was an event before: this one says that the peer knows.
  return e.type == transfer_message::termination ? "transfer.termination_delivered" : reached(e.type);
}
std::string type_of(const ev::signalled& e) {
  return "transfer.flow_" + std::string(dps::name_of(e.signal)) + (e.pending ? "_pending" : "_taken");
}
std::string type_of(const ev::reported& e) { return "transfer.flow_" + std::string(dps::name_of(e.signal)); }
std::string type_of(const ev::step_failed& e) { return e.refused ? "transfer.send_refused" : "transfer.send_failed"; }
std::string type_of(const ev::resumed&) { return "transfer.send_resumed"; }
std::string type_of(const ev::step_dropped&) { return "transfer.step_dropped"; }
std::string type_of(const ev::ended&) { return "transfer.terminated"; }
std::string type_of(const ev::reviewed&) { return "transfer.reviewed"; }

} // namespace

persistence::event_record transfer_process::encode(const event& e) {
  persistence::event_record r;
  r.type = std::visit([](const auto& one) { return type_of(one); }, e);
  r.version = payload_version;
  r.payload = planes::write_event(e);
  r.cause = std::visit([](const auto& one) { return one.cause; }, e);
  return r;
}

std::optional<transfer_process::event> transfer_process::decode(const persistence::event_record& record) {
  return planes::event_reader<event>::read(record, payload_version);
}

std::string transfer_process::freeze(const state& s) { return planes::write_state(s); }

std::optional<transfer_process::state> transfer_process::thaw(std::string_view text) {
  return planes::read_state<state>(text);
}

} // namespace fondaco::control_plane

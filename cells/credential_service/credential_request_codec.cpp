#include "cells/credential_service/credential_request.hpp"

namespace fondaco::planes {
template <> struct enumerators<credential_service::request_state> {
  using enum credential_service::request_state;
  static constexpr enumerator<credential_service::request_state> all[] = {
      {created, "created"}, {requesting, "requesting"}, {requested, "requested"}, {issued, "issued"}, {error, "error"}};
};
} // namespace fondaco::planes

namespace fondaco::credential_service {

namespace ev = credential_request_events;

void credential_request::state::each(auto& s, auto&& f) {
  f("exists", s.exists);
  f("at", s.at);
  f("id", s.id);
  f("issuer_did", s.issuer_did);
  f("issuer_pid", s.issuer_pid);
  f("wanted", s.wanted);
  f("origin", s.origin);
  f("request_id", s.request_id);
  f("request_digest", s.request_digest);
  f("window_until", s.window_until);
  f("poll_at", s.poll_at);
  f("polls", s.polls);
  f("credentials", s.credentials);
  f("failure", s.failure);
  f("causes", s.causes);
  f("error_detail", s.error_detail);
  f("created_at", s.created_at);
  f("updated_at", s.updated_at);
  f("traceparent", s.traceparent);
}

namespace {

/// The version of the events' payloads that this node writes, and the newest that it reads.
constexpr uint16_t payload_version = 1;

std::string_view type_of(const ev::opened&) { return "credential_request.created"; }
std::string_view type_of(const ev::requesting&) { return "credential_request.requesting"; }
std::string_view type_of(const ev::attempt_failed&) { return "credential_request.attempt_failed"; }
std::string_view type_of(const ev::requested&) { return "credential_request.requested"; }
std::string_view type_of(const ev::polled&) { return "credential_request.polled"; }
std::string_view type_of(const ev::issued&) { return "credential_request.issued"; }
std::string_view type_of(const ev::ended&) { return "credential_request.failed"; }

} // namespace

persistence::event_record credential_request::encode(const event& e) {
  persistence::event_record r;
  r.type = std::visit([](const auto& one) { return type_of(one); }, e);
  r.version = payload_version;
  r.payload = planes::write_event(e);
  r.cause = std::visit([](const auto& one) { return one.cause; }, e);
  return r;
}

std::optional<credential_request::event> credential_request::decode(const persistence::event_record& record) {
  return planes::event_reader<event>::read(record, payload_version);
}

std::string credential_request::freeze(const state& s) { return planes::write_state(s); }

std::optional<credential_request::state> credential_request::thaw(std::string_view text) {
  return planes::read_state<state>(text);
}

} // namespace fondaco::credential_service

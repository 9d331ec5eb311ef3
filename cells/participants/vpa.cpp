#include "cells/participants/vpa.hpp"

namespace fondaco::participants {

namespace ev = vpa_events;

std::string_view name_of(vpa_errc e) noexcept {
  switch (e) {
  case vpa_errc::not_found: return "not_found";
  case vpa_errc::already_exists: return "already_exists";
  case vpa_errc::bad_type: return "bad_type";
  case vpa_errc::disposed: return "disposed";
  }
  return "not_found";
}

std::string_view name_of(vpa_type t) noexcept {
  for (const auto& [type, name] : planes::enumerators<vpa_type>::all)
    if (type == t)
      return name;
  return "control-plane";
}

std::optional<vpa_type> parse_vpa_type(std::string_view text) noexcept {
  for (const auto& [type, name] : planes::enumerators<vpa_type>::all)
    if (name == text)
      return type;
  return std::nullopt;
}

std::string_view name_of(vpa_state s) noexcept {
  switch (s) {
  case vpa_state::active: return "ACTIVE";
  case vpa_state::frozen: return "FROZEN";
  case vpa_state::disposed: return "DISPOSED";
  }
  return "ACTIVE";
}

void vpa::state::each(auto& s, auto&& f) {
  f("exists", s.exists);
  f("id", s.id);
  f("type", s.type);
  f("at", s.at);
  f("reason", s.reason);
  f("created_at", s.created_at);
  f("updated_at", s.updated_at);
}

namespace {

using state = vpa::state;
using outcome = std::expected<actors::decision<vpa>, actors::refusal>;

constexpr uint16_t payload_version = 1;

std::unexpected<actors::refusal> refuse(vpa_errc code, std::string detail) {
  return std::unexpected(actors::refusal{{std::string(name_of(code)), std::move(detail), cure::fix_input}, false});
}

void apply(state& s, const ev::created& e) {
  s = state{};
  s.exists = true;
  s.id = e.id;
  s.type = e.type;
  s.created_at = s.updated_at = e.at;
}

void apply(state& s, const ev::moved& e) {
  s.updated_at = e.at;
  if (s.at == vpa_state::disposed)
    return;
  s.at = e.to;
  s.reason = e.reason;
}

actors::decision<vpa> answer(const state& before, std::vector<vpa::event> events, bool created = false) {
  auto after = before;
  for (const auto& e : events)
    after = vpa::evolve(std::move(after), e);
  actors::decision<vpa> d;
  d.reply = {after.id, after.type, after.at, created};
  d.events = std::move(events);
  return d;
}

outcome move(const state& s, vpa_state to, std::string reason, std::string request_id, timepoint now) {
  if (!s.exists)
    return refuse(vpa_errc::not_found, "There is no such VPA.");
  if (s.at == to)
    return answer(s, {});
  if (s.at == vpa_state::disposed)
    return refuse(vpa_errc::disposed, "The VPA is disposed of; make a new one.");
  return answer(s, {ev::moved{now, std::move(request_id), to, std::move(reason)}});
}

outcome decide_one(const state& s, const vpa::create& c, timepoint now) {
  const auto type = parse_vpa_type(c.type);
  if (!type)
    return refuse(vpa_errc::bad_type, "The type '" + c.type +
                                          "' is none of control-plane, credential-service, issuer-service, "
                                          "data-plane.");
  if (!s.exists)
    return answer(s, {ev::created{now, c.request_id, c.id, *type}}, true);
  if (s.type != *type)
    return refuse(vpa_errc::already_exists, "A VPA with this id exists; it is a " + std::string(name_of(s.type)) + ".");
  if (s.at == vpa_state::disposed)
    return refuse(vpa_errc::disposed, "The VPA is disposed of; make one with another id.");
  return answer(s, {});
}

outcome decide_one(const state& s, const vpa::freeze_it& c, timepoint now) {
  return move(s, vpa_state::frozen, c.reason, c.request_id, now);
}

outcome decide_one(const state& s, const vpa::thaw_it& c, timepoint now) {
  return move(s, vpa_state::active, {}, c.request_id, now);
}

outcome decide_one(const state& s, const vpa::dispose& c, timepoint now) {
  return move(s, vpa_state::disposed, c.reason, c.request_id, now);
}

std::string type_of(const ev::created&) { return "vpa.created"; }
std::string type_of(const ev::moved& e) {
  switch (e.to) {
  case vpa_state::active: return "vpa.thawed";
  case vpa_state::frozen: return "vpa.frozen";
  case vpa_state::disposed: return "vpa.disposed";
  }
  return "vpa.thawed";
}

} // namespace

std::expected<actors::decision<vpa>, actors::refusal> vpa::decide(const state& s, const command& c, timepoint now) {
  return std::visit([&](const auto& one) { return decide_one(s, one, now); }, c);
}

vpa::state vpa::evolve(state s, const event& e) {
  std::visit([&s](const auto& one) { apply(s, one); }, e);
  return s;
}

persistence::event_record vpa::encode(const event& e) {
  persistence::event_record r;
  r.type = std::visit([](const auto& one) { return type_of(one); }, e);
  r.version = payload_version;
  r.payload = planes::write_event(e);
  r.cause = std::visit([](const auto& one) { return one.cause; }, e);
  return r;
}

std::optional<vpa::event> vpa::decode(const persistence::event_record& record) {
  return planes::event_reader<event>::read(record, payload_version);
}

std::string vpa::freeze(const state& s) { return planes::write_state(s); }

std::optional<vpa::state> vpa::thaw(std::string_view text) { return planes::read_state<state>(text); }

std::string vpa::status(const state& s) { return s.exists ? std::string(name_of(s.at)) : "ABSENT"; }

std::string vpa::view(const state& s) {
  json::object o;
  o.emplace("type", name_of(s.type));
  o.emplace("state", vpa::status(s));
  if (!s.reason.empty())
    o.emplace("reason", s.reason);
  o.emplace("createdAt", to_epoch_ms(s.created_at));
  o.emplace("updatedAt", to_epoch_ms(s.updated_at));
  return json::write(o);
}

} // namespace fondaco::participants

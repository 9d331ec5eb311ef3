#include "cells/issuer_service/status_list.hpp"

#include <algorithm>
#include <utility>

#include "cells/issuer_service/routes.hpp"
#include "protocols/base/ids.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::issuer_service {

namespace ev = status_list_events;

std::string_view name_of(list_errc e) noexcept {
  switch (e) {
  case list_errc::full: return "full";
  case list_errc::not_found: return "not_found";
  case list_errc::invalid: return "invalid";
  }
  return "not_found";
}

void status_list::state::each(auto& s, auto&& f) {
  f("exists", s.exists);
  f("id", s.id);
  f("purpose", s.purpose);
  f("number", s.number);
  f("bits", s.bits);
  f("next", s.next);
  f("recent", s.recent);
  f("encoded", s.encoded);
  f("created_at", s.created_at);
  f("updated_at", s.updated_at);
}

namespace {

using state = status_list::state;
using outcome = std::expected<actors::decision<status_list>, actors::refusal>;

constexpr uint16_t payload_version = 1;
constexpr const char* name_space = "status_list";

std::unexpected<actors::refusal> refuse(list_errc code, std::string detail) {
  return std::unexpected(actors::refusal{{std::string(name_of(code)), std::move(detail), cure::fix_input}, false});
}

const allocation* find_key(const std::vector<allocation>& places, const std::string& key) {
  const auto found = std::ranges::find(places, key, &allocation::key);
  return found == places.end() ? nullptr : &*found;
}

std::string body_of(const state& s) {
  return json::write(
      json::object{{"purpose", s.purpose}, {"number", s.number}, {"bits", s.bits}, {"encodedList", s.encoded}});
}

std::string wrong_allocation(const status_list::allocate& c) {
  if (c.keys.empty() || c.keys.size() > limits::allocation_places_max)
    return "An allocation asks for 1 to " + std::to_string(limits::allocation_places_max) + " places.";
  if (c.purpose.empty() || c.id.empty() || c.id.size() > fondaco::limits::id_bytes_max)
    return "The list's id or purpose is missing or too long.";
  if (c.bits <= 0 || c.bits % 8 != 0 || c.bits > static_cast<int64_t>(vc::limits::status_list_bytes_max) * 8)
    return "A list has whole bytes of bits.";
  return {};
}

outcome decide_one(const state& s, const status_list::allocate& c, timepoint now) {
  if (auto wrong = wrong_allocation(c); !wrong.empty())
    return refuse(list_errc::invalid, std::move(wrong));
  actors::decision<status_list> d;
  d.reply.id = c.id;
  auto next = s.next;
  ev::allocated given{now, {}, {}};
  for (const auto& key : c.keys) {
    const auto* known = find_key(s.recent, key);
    if (!known)
      known = find_key(given.places, key);
    if (!known) {
      given.places.push_back({key, next++});
      known = &given.places.back();
    }
    d.reply.indices.push_back(known->index);
  }
  if (given.places.empty())
    return d;
  if (next > (s.exists ? s.bits : c.bits))
    return refuse(list_errc::full, "The status list has not so many places left.");
  if (!s.exists) {
    ev::opened e{now, {}, c.id, c.purpose, c.number, c.bits};
    d.names.push_back({name_space, c.id});
    d.documents.push_back({cells::kinds::status_list, c.id, body_of(status_list::evolve(s, e))});
    d.events.push_back(std::move(e));
  }
  d.events.push_back(std::move(given));
  return d;
}

outcome decide_one(const state& s, const status_list::set_bit& c, timepoint now) {
  if (!s.exists || c.index < 0 || c.index >= s.next)
    return refuse(list_errc::not_found, "The status list has given no such place away.");
  const auto bits = vc::status_bits::decode(s.encoded);
  invariant(bits.has_value(), "a status list keeps what it can read");
  actors::decision<status_list> d;
  d.reply.id = s.id;
  if (bits->at(static_cast<uint64_t>(c.index)) == c.value)
    return d;
  ev::changed e{now, c.cause, c.index, c.value};
  d.documents.push_back({cells::kinds::status_list, s.id, body_of(status_list::evolve(s, e))});
  d.events.push_back(std::move(e));
  return d;
}

void apply(state& s, const ev::opened& e) {
  s = state{};
  s.exists = true;
  s.id = e.id;
  s.purpose = e.purpose;
  s.number = e.number;
  s.bits = e.bits;
  s.encoded = vc::status_bits(static_cast<uint64_t>(e.bits)).encode();
  s.created_at = e.at;
}

void apply(state& s, const ev::allocated& e) {
  for (const auto& place : e.places) {
    s.next = std::max(s.next, place.index + 1);
    s.recent.push_back(place);
  }
  if (s.recent.size() > limits::remembered_allocations_max)
    s.recent.erase(s.recent.begin(), s.recent.end() - limits::remembered_allocations_max);
}

void apply(state& s, const ev::changed& e) {
  auto bits = vc::status_bits::decode(s.encoded);
  if (!bits || e.index < 0 || e.index >= s.bits)
    return;
  bits->set(static_cast<uint64_t>(e.index), e.value);
  s.encoded = bits->encode();
}

std::string_view type_of(const ev::opened&) { return "status_list.opened"; }
std::string_view type_of(const ev::allocated&) { return "status_list.allocated"; }
std::string_view type_of(const ev::changed&) { return "status_list.changed"; }

} // namespace

std::expected<actors::decision<status_list>, actors::refusal> status_list::decide(const state& s, const command& c,
                                                                                  timepoint now) {
  return std::visit([&](const auto& one) { return decide_one(s, one, now); }, c);
}

status_list::state status_list::evolve(state s, const event& e) {
  std::visit([&s](const auto& one) { apply(s, one); }, e);
  s.updated_at = std::visit([](const auto& one) { return one.at; }, e);
  return s;
}

persistence::event_record status_list::encode(const event& e) {
  persistence::event_record r;
  r.type = std::visit([](const auto& one) { return type_of(one); }, e);
  r.version = payload_version;
  r.payload = planes::write_event(e);
  r.cause = std::visit([](const auto& one) { return one.cause; }, e);
  return r;
}

std::optional<status_list::event> status_list::decode(const persistence::event_record& record) {
  return planes::event_reader<event>::read(record, payload_version);
}

std::string status_list::freeze(const state& s) { return planes::write_state(s); }

std::optional<status_list::state> status_list::thaw(std::string_view text) { return planes::read_state<state>(text); }

std::string status_list::status(const state& s) {
  if (!s.exists)
    return "ABSENT";
  return s.next >= s.bits ? "FULL" : "OPEN";
}

std::string status_list::view(const state& s) {
  return json::write(
      json::object{{"purpose", s.purpose}, {"number", s.number}, {"bits", s.bits}, {"allocated", s.next}});
}

} // namespace fondaco::issuer_service

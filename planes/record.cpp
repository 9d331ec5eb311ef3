#include "planes/record.hpp"

namespace fondaco::planes {

namespace ev = record_events;

std::string_view name_of(record_errc e) noexcept {
  switch (e) {
  case record_errc::not_found: return "not_found";
  case record_errc::already_exists: return "already_exists";
  case record_errc::idempotency_key_reused: return "idempotency_key_reused";
  case record_errc::version_conflict: return "version_conflict";
  case record_errc::bad_record: return "bad_record";
  }
  return "not_found";
}

void record::state::each(auto& s, auto&& f) {
  f("exists", s.exists);
  f("record_kind", s.record_kind);
  f("id", s.id);
  f("version", s.version);
  f("created_at", s.created_at);
  f("updated_at", s.updated_at);
  f("request_id", s.request_id);
  f("digest", s.digest);
  f("request_created", s.request_created);
}

namespace {

using state = record::state;
using outcome = std::expected<actors::decision<record>, actors::refusal>;

constexpr uint16_t payload_version = 1;

/// Room for what the event holds besides the body, and for the escapes of the body's quotes.
constexpr size_t body_bytes_max = persistence::limits::payload_bytes_max / 4;

std::unexpected<actors::refusal> refuse(record_errc code, std::string detail) {
  return std::unexpected(actors::refusal{{std::string(name_of(code)), std::move(detail), cure::fix_input}, false});
}

void apply(state& s, const ev::written& e) {
  if (!s.exists)
    s.created_at = e.at;
  s.exists = true;
  s.record_kind = e.record_kind;
  s.id = e.id;
  ++s.version;
  s.updated_at = e.at;
  s.request_id = e.cause;
  s.digest = e.digest;
  s.request_created = e.created;
}

void apply(state& s, const ev::removed& e) {
  s.exists = false;
  ++s.version;
  s.updated_at = e.at;
  s.request_id.clear();
  s.digest.clear();
}

actors::decision<record> answer(const state& s) {
  actors::decision<record> d;
  d.reply = {s.id, s.version, s.created_at, s.updated_at, s.request_created};
  return d;
}

std::optional<actors::refusal> wrong_record(const record::put& c) {
  const auto wrong = [](std::string detail) { return refuse(record_errc::bad_record, std::move(detail)).error(); };
  if (c.record_kind.empty())
    return wrong("The kind of the record is missing.");
  if (c.id.empty() || c.id.size() > fondaco::limits::id_bytes_max)
    return wrong("The id is missing or longer than " + std::to_string(fondaco::limits::id_bytes_max) + " bytes.");
  if (c.body.empty() || c.body.size() > body_bytes_max)
    return wrong("The body is missing or longer than " + std::to_string(body_bytes_max) + " bytes.");
  return std::nullopt;
}

outcome decide_one(const state& s, const record::put& c, timepoint now) {
  if (auto wrong = wrong_record(c))
    return std::unexpected(std::move(*wrong));
  if (s.exists && !c.request_id.empty() && c.request_id == s.request_id) {
    if (c.digest != s.digest)
      return refuse(record_errc::idempotency_key_reused,
                    "The idempotency key was used with another request; choose a new key.");
    return answer(s);
  }
  if (s.exists && c.when == record::mode::create)
    return refuse(record_errc::already_exists, "A " + c.record_kind + " with id '" + c.id + "' exists.");
  if (!s.exists && c.when == record::mode::replace)
    return refuse(record_errc::not_found, "There is no " + c.record_kind + " with id '" + c.id + "'.");
  if (c.expected_version && *c.expected_version != (s.exists ? s.version : 0))
    return refuse(record_errc::version_conflict, "The record has version " + std::to_string(s.version) + ", not " +
                                                     std::to_string(*c.expected_version) + ".");
  ev::written e{now, c.request_id, c.record_kind, c.id, !s.exists, c.digest, c.body};
  auto d = answer(record::evolve(s, e));
  d.names = c.names;
  d.documents.push_back({c.record_kind, c.id, c.body});
  d.events.push_back(std::move(e));
  return d;
}

outcome decide_one(const state& s, const record::remove& c, timepoint now) {
  if (!s.exists)
    return refuse(record_errc::not_found, "There is no such " + c.record_kind + ".");
  ev::removed e{now, c.request_id, s.record_kind};
  auto d = answer(record::evolve(s, e));
  d.reply.created = false;
  d.documents.push_back({s.record_kind, s.id, std::nullopt});
  d.events.push_back(std::move(e));
  return d;
}

std::string type_of(const ev::written& e) { return e.record_kind + (e.created ? ".created" : ".updated"); }
std::string type_of(const ev::removed& e) { return e.record_kind + ".deleted"; }

} // namespace

std::expected<actors::decision<record>, actors::refusal> record::decide(const state& s, const command& c,
                                                                        timepoint now) {
  return std::visit([&](const auto& one) { return decide_one(s, one, now); }, c);
}

record::state record::evolve(state s, const event& e) {
  std::visit([&s](const auto& one) { apply(s, one); }, e);
  return s;
}

persistence::event_record record::encode(const event& e) {
  persistence::event_record r;
  r.type = std::visit([](const auto& one) { return type_of(one); }, e);
  r.version = payload_version;
  r.payload = write_event(e);
  r.cause = std::visit([](const auto& one) { return one.cause; }, e);
  return r;
}

std::optional<record::event> record::decode(const persistence::event_record& record) {
  return event_reader<event>::read(record, payload_version);
}

std::string record::freeze(const state& s) { return write_state(s); }

std::optional<record::state> record::thaw(std::string_view text) { return read_state<state>(text); }

std::string record::status(const state& s) {
  if (s.exists)
    return "PRESENT";
  return s.version == 0 ? "ABSENT" : "REMOVED";
}

std::string record::view(const state& s) {
  json::object o;
  o.emplace("kind", s.record_kind);
  o.emplace("version", s.version);
  o.emplace("createdAt", to_epoch_ms(s.created_at));
  o.emplace("updatedAt", to_epoch_ms(s.updated_at));
  return json::write(o);
}

actors::entity_kind record_kind(std::string name) {
  actors::entity_kind k;
  k.name = std::move(name);
  k.make = [](const persistence::entity_key& key) { return std::make_unique<actors::typed_state<record>>(key); };
  k.run_effect = [](actors::effect_run, std::function<void(std::any)>) { invariant(false, "records owe nothing"); };
  return k;
}

} // namespace fondaco::planes

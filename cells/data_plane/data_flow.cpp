#include "cells/data_plane/data_flow.hpp"

#include <algorithm>

#include "planes/codec/path.hpp"
#include "protocols/base/ids.hpp"

namespace fondaco::data_plane {

namespace ev = data_flow_events;
using dps::flow_signal;
using dps::flow_state;

std::string_view name_of(data_flow_errc e) noexcept {
  switch (e) {
  case data_flow_errc::not_found: return "not_found";
  case data_flow_errc::illegal_transition: return "illegal_transition";
  case data_flow_errc::already_exists: return "already_exists";
  case data_flow_errc::bad_message: return "bad_message";
  }
  return "not_found";
}

void data_flow::state::each(auto& s, auto&& f) {
  f("exists", s.exists);
  f("terms", s.terms);
  f("at", s.at);
  f("token_digest", s.token_digest);
  f("sealed_address", s.sealed_address);
  f("sealed_source", s.sealed_source);
  f("messages", s.messages);
  f("notices", s.notices);
  f("ids", s.ids);
  f("error_detail", s.error_detail);
  f("created_at", s.created_at);
  f("updated_at", s.updated_at);
  f("reviewed_at", s.reviewed_at);
}

namespace {

using state = data_flow::state;
using outcome = std::expected<actors::decision<data_flow>, actors::refusal>;

constexpr uint16_t payload_version = 1;

std::unexpected<actors::refusal> refuse(data_flow_errc code, std::string detail) {
  return std::unexpected(actors::refusal{{std::string(name_of(code)), std::move(detail), cure::fix_input}, false});
}

/// Every change of the state goes through here: an end is never left, and what allows pulls goes with it.
void move_to(state& s, flow_state next) {
  if (dps::is_final(s.at))
    return;
  s.at = next;
  if (next == flow_state::suspended || dps::is_final(next)) {
    s.token_digest.clear();
    s.sealed_address.clear();
  }
  if (dps::is_final(next))
    s.sealed_source.clear();
}

void remember(state& s, flow_signal signal, const std::string& message_id) {
  std::erase_if(s.messages, [signal](const auto& m) { return m.signal == signal; });
  if (!message_id.empty())
    s.messages.push_back({signal, message_id});
}

void apply(state& s, const ev::opened& e) {
  s = state{};
  s.exists = true;
  s.terms = e.terms;
  s.at = e.signal == flow_signal::prepare ? flow_state::prepared : flow_state::started;
  s.token_digest = e.token_digest;
  s.sealed_address = e.sealed_address;
  s.sealed_source = e.sealed_source;
  s.created_at = e.at;
  remember(s, e.signal, e.cause);
}

void apply(state& s, const ev::signalled& e) {
  move_to(s, e.to);
  remember(s, e.signal, e.cause);
  if (!e.token_digest.empty() && s.at == flow_state::started)
    s.token_digest = e.token_digest;
  if (!e.sealed_address.empty() && s.at == flow_state::started)
    s.sealed_address = e.sealed_address;
}

void apply(state& s, const ev::reported& e) {
  ++s.ids;
  s.notices.push_back(e.notice);
  if (e.notice.signal == flow_signal::completed)
    move_to(s, flow_state::completed);
  else
    s.error_detail = e.notice.text;
}

void apply(state& s, const ev::notice_failed& e) {
  if (!s.notices.empty() && s.notices.front().id == e.cause)
    s.notices.front().failure = e.text;
}

void apply(state& s, const ev::notice_done& e) {
  if (!e.text.empty())
    s.error_detail = e.text;
  if (s.notices.empty() || s.notices.front().id != e.cause)
    return;
  s.notices.erase(s.notices.begin());
}

void apply(state& s, const ev::reviewed& e) { s.reviewed_at = e.at; }

timepoint review_at(const state& s) { return std::max(s.updated_at, s.reviewed_at) + s.terms.settings.review_ms; }

outcome answer(const state& before, std::vector<data_flow::event> events, bool created = false) {
  auto after = before;
  for (const auto& e : events)
    after = data_flow::evolve(std::move(after), e);
  actors::decision<data_flow> d;
  d.reply = {after.terms.id, after.at, after.sealed_address, created};
  if (!after.token_digest.empty() && after.token_digest != before.token_digest)
    d.names.push_back({std::string(token_name_space), after.token_digest});
  d.events = std::move(events);
  return d;
}

bool is_known(const state& s, flow_signal signal, const std::string& message_id) {
  return !message_id.empty() && std::ranges::find(s.messages, flow_message{signal, message_id}) != s.messages.end();
}

std::unexpected<actors::refusal> wrong_state(const state& s, flow_signal signal) {
  return refuse(data_flow_errc::illegal_transition, "Cannot process '" + std::string(dps::name_of(signal)) +
                                                        "': the data flow is " + data_flow::status(s) + ".");
}

outcome decide_one(const state& s, const data_flow::open& c, timepoint now) {
  if (s.exists) {
    if (is_known(s, c.signal, c.message_id))
      return answer(s, {});
    return refuse(data_flow_errc::already_exists,
                  "A data flow with this id exists; it is " + data_flow::status(s) + ".");
  }
  const bool consumes = c.signal == flow_signal::prepare;
  if (!consumes && c.signal != flow_signal::start)
    return refuse(data_flow_errc::not_found, "There is no such data flow.");
  for (const auto& [name, value] : {std::pair{"dataFlowId", &c.terms.id},
                                    {"messageId", &c.message_id},
                                    {"participantId", &c.terms.participant_id},
                                    {"agreementId", &c.terms.agreement_id},
                                    {"datasetId", &c.terms.dataset_id},
                                    {"profile", &c.terms.profile}})
    if (value->empty())
      return refuse(data_flow_errc::bad_message, std::string(name) + " is missing.");
  if (auto wrong = dps::wrong_address(c.signal, c.terms.profile, c.has_address))
    return refuse(data_flow_errc::bad_message, std::move(wrong->detail));
  ev::opened e{now, c.message_id, c.signal, c.terms, c.token_digest, c.sealed_address, c.sealed_source};
  e.terms.side = consumes ? dsp::role::consumer : dsp::role::provider;
  return answer(s, {std::move(e)}, true);
}

outcome decide_one(const state& s, const data_flow::signal& c, timepoint now) {
  if (!s.exists)
    return refuse(data_flow_errc::not_found, "There is no such data flow.");
  // `started` is the consumer's signal; from a provider's plane it is a callback.
  if (c.type == flow_signal::started && s.terms.side == dsp::role::provider)
    return wrong_state(s, c.type);
  if (is_known(s, c.type, c.message_id) || dps::is_repeat(s.at, c.type))
    return answer(s, {});
  const bool known = c.type == flow_signal::started || c.type == flow_signal::suspend ||
                     c.type == flow_signal::resume || c.type == flow_signal::terminate ||
                     c.type == flow_signal::completed;
  const auto to = known ? dps::next_state(s.terms.side, s.at, c.type) : std::nullopt;
  if (!to)
    return wrong_state(s, c.type);
  if (auto wrong = dps::wrong_address(c.type, s.terms.profile, c.has_address))
    return refuse(data_flow_errc::bad_message, std::move(wrong->detail));
  return answer(s, {ev::signalled{now, c.message_id, c.type, *to, c.token_digest, c.sealed_address, c.reason}});
}

outcome decide_one(const state& s, const data_flow::report& c, timepoint now) {
  if (!s.exists)
    return refuse(data_flow_errc::not_found, "There is no such data flow.");
  if (c.type != flow_signal::completed && c.type != flow_signal::errored)
    return refuse(data_flow_errc::bad_message, "A data plane reports 'completed' or 'errored'.");
  if (dps::is_repeat(s.at, c.type))
    return answer(s, {});
  if (s.at != flow_state::started && !(c.type == flow_signal::errored && s.at == flow_state::suspended))
    return wrong_state(s, c.type);
  // The same error again, before it was told, is the same news.
  if (!s.notices.empty() && s.notices.back().signal == c.type && s.notices.back().text == c.text)
    return answer(s, {});
  flow_notice n;
  const auto own = parse_uuid(s.terms.id);
  n.id = derive_uuid(own ? own->shard() : shard_number{0}, {s.terms.id, "notice", std::to_string(s.ids + 1)}).text();
  n.signal = c.type;
  n.text = c.text;
  n.not_before = now;
  n.window_until = now + s.terms.settings.send_window_ms;
  return answer(s, {ev::reported{now, {}, std::move(n)}});
}

outcome decide_one(const state& s, const data_flow::delivered& c, timepoint now) {
  if (s.notices.empty() || s.notices.front().id != c.notice_id)
    return answer(s, {});
  return answer(s, {ev::notice_done{now, c.notice_id, {}}});
}

std::string window_text(const state& s) {
  const auto& n = s.notices.front();
  return "The control plane did not take '" + std::string(dps::name_of(n.signal)) +
         "' in time; last failure: " + (n.failure.empty() ? "no answer" : n.failure);
}

outcome decide_one(const state& s, const data_flow::not_delivered& c, timepoint now) {
  if (s.notices.empty() || s.notices.front().id != c.notice_id)
    return answer(s, {});
  const auto& n = s.notices.front();
  if (!c.transient)
    return answer(
        s, {ev::notice_done{now, n.id,
                            "The control plane refused '" + std::string(dps::name_of(n.signal)) + "': " + c.cause}});
  std::vector<data_flow::event> events;
  if (c.cause != n.failure)
    events.push_back(ev::notice_failed{now, n.id, c.cause});
  if (now >= n.window_until) {
    auto told = s;
    told.notices.front().failure = c.cause;
    events.push_back(ev::notice_done{now, n.id, window_text(told)});
  }
  return answer(s, std::move(events));
}

outcome decide_one(const state& s, const data_flow::time_passed&, timepoint now) {
  if (!data_flow::tick(s, now))
    return answer(s, {});
  if (!s.notices.empty())
    return answer(s, {ev::notice_done{now, s.notices.front().id, window_text(s)}});
  return answer(s, {ev::reviewed{now, {}}});
}

std::string type_of(const ev::opened& e) {
  return e.signal == flow_signal::prepare ? "data_flow.prepared" : "data_flow.started";
}
std::string type_of(const ev::signalled& e) {
  switch (e.signal) {
  case flow_signal::suspend: return "data_flow.suspended";
  case flow_signal::resume: return "data_flow.resumed";
  case flow_signal::terminate: return "data_flow.terminated";
  case flow_signal::completed: return "data_flow.completed";
  default: return "data_flow.started";
  }
}
std::string type_of(const ev::reported& e) {
  return e.notice.signal == flow_signal::completed ? "data_flow.completed" : "data_flow.errored";
}
std::string type_of(const ev::notice_failed&) { return "data_flow.callback_failed"; }
std::string type_of(const ev::notice_done& e) {
  return e.text.empty() ? "data_flow.callback_taken" : "data_flow.callback_dropped";
}
std::string type_of(const ev::reviewed&) { return "data_flow.reviewed"; }

} // namespace

std::expected<actors::decision<data_flow>, actors::refusal> data_flow::decide(const state& s, const command& c,
                                                                              timepoint now) {
  return std::visit([&](const auto& one) { return decide_one(s, one, now); }, c);
}

data_flow::state data_flow::evolve(state s, const event& e) {
  std::visit([&s](const auto& one) { apply(s, one); }, e);
  if (!std::holds_alternative<ev::reviewed>(e))
    s.updated_at = std::visit([](const auto& one) { return one.at; }, e);
  return s;
}

std::vector<actors::owed_effect<data_flow::effect>> data_flow::owed(const state& s) {
  std::vector<actors::owed_effect<effect>> out;
  if (!s.exists || s.notices.empty())
    return out;
  const auto& n = s.notices.front();
  effect body;
  body.message.message_id = n.id;
  body.message.data_flow_id = s.terms.id;
  body.message.state = n.signal == flow_signal::completed ? flow_state::completed : s.at;
  body.message.error = n.text;
  body.base_url = s.terms.callback_address;
  body.path = "/transfers/" + planes::path_segment(s.terms.id) + "/dataflow/" + std::string(dps::name_of(n.signal));
  body.participant_id = s.terms.participant_id;
  body.traceparent = s.terms.traceparent;
  out.push_back({n.id, n.not_before, std::move(body)});
  return out;
}

std::optional<timepoint> data_flow::wake_at(const state& s) {
  if (!s.exists)
    return std::nullopt;
  if (!s.notices.empty())
    return s.notices.front().not_before;
  if (dps::is_final(s.at))
    return std::nullopt;
  return review_at(s);
}

std::optional<data_flow::command> data_flow::tick(const state& s, timepoint now) {
  if (!s.exists)
    return std::nullopt;
  const bool due =
      s.notices.empty() ? !dps::is_final(s.at) && now >= review_at(s) : now >= s.notices.front().window_until;
  if (due)
    return time_passed{};
  return std::nullopt;
}

std::string data_flow::status(const state& s) { return std::string(dps::name_of(s.at)); }

std::string data_flow::view(const state& s) {
  json::object o;
  const auto put = [&o](std::string_view name, const std::string& text) {
    if (!text.empty())
      o.emplace(name, std::string_view(text));
  };
  o.emplace("side", dsp::name_of(s.terms.side));
  o.emplace("state", dps::name_of(s.at));
  put("participantId", s.terms.participant_id);
  put("counterPartyId", s.terms.counter_party_id);
  put("agreementId", s.terms.agreement_id);
  put("datasetId", s.terms.dataset_id);
  put("profile", s.terms.profile);
  put("tokenDigest", s.token_digest);
  if (s.at == flow_state::started)
    put("source", s.sealed_source);
  put("errorDetail", s.error_detail);
  put("traceparent", s.terms.traceparent);
  o.emplace("createdAt", to_epoch_ms(s.created_at));
  o.emplace("stateTimestamp", to_epoch_ms(s.updated_at));
  if (!s.notices.empty())
    put("waitingOn", "the control plane's answer to '" + std::string(dps::name_of(s.notices.front().signal)) + "'");
  return json::write(o);
}

persistence::event_record data_flow::encode(const event& e) {
  persistence::event_record r;
  r.type = std::visit([](const auto& one) { return type_of(one); }, e);
  r.version = payload_version;
  r.payload = planes::write_event(e);
  r.cause = std::visit([](const auto& one) { return one.cause; }, e);
  return r;
}

std::optional<data_flow::event> data_flow::decode(const persistence::event_record& record) {
  return planes::event_reader<event>::read(record, payload_version);
}

std::string data_flow::freeze(const state& s) { return planes::write_state(s); }

std::optional<data_flow::state> data_flow::thaw(std::string_view text) { return planes::read_state<state>(text); }

bool is_transient(const data_flow::command& outcome) {
  const auto* failed = std::get_if<data_flow::not_delivered>(&outcome);
  return failed && failed->transient;
}

} // namespace fondaco::data_plane

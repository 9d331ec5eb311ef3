#include "cells/credential_service/credential_request.hpp"

#include <algorithm>

#include "protocols/base/ids.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::credential_service {

namespace ev = credential_request_events;
using control_plane::cause_side;
using control_plane::process_cause;

std::string_view name_of(request_origin o) noexcept {
  switch (o) {
  case request_origin::api: return "api";
  case request_origin::offer: return "offer";
  case request_origin::sparse_offer: return "sparse_offer";
  }
  return "api";
}

std::string_view name_of(request_errc e) noexcept {
  switch (e) {
  case request_errc::not_found: return "not_found";
  case request_errc::already_exists: return "already_exists";
  case request_errc::idempotency_key_reused: return "idempotency_key_reused";
  case request_errc::illegal_state: return "illegal_state";
  case request_errc::bad_request: return "bad_request";
  }
  return "not_found";
}

std::string_view name_of(request_state s) noexcept {
  switch (s) {
  case request_state::created: return "CREATED";
  case request_state::requesting: return "REQUESTING";
  case request_state::requested: return "REQUESTED";
  case request_state::issued: return "ISSUED";
  case request_state::error: return "ERROR";
  }
  return "CREATED";
}

namespace {

using state = credential_request::state;
using outcome = std::expected<actors::decision<credential_request>, actors::refusal>;

std::unexpected<actors::refusal> refuse(request_errc code, std::string detail) {
  return std::unexpected(actors::refusal{{std::string(name_of(code)), std::move(detail), cure::fix_input}, false});
}

bool is_final(request_state at) { return at == request_state::issued || at == request_state::error; }

outcome answer(const state& before, std::vector<credential_request_event> events = {}, bool created = false) {
  actors::decision<credential_request> d;
  auto after = before;
  for (const auto& e : events)
    after = credential_request::evolve(std::move(after), e);
  d.reply = {after.id, after.at, created};
  d.events = std::move(events);
  return d;
}

std::string wrong_beginning(const credential_request::begin& c) {
  const auto is_long = [](const std::string& text) { return text.size() > fondaco::limits::id_bytes_max; };
  if (c.id.empty() || is_long(c.id))
    return "The holder process id is missing or longer than 512 bytes.";
  if (c.issuer_did.empty() || is_long(c.issuer_did))
    return "The issuer's DID is missing or longer than 512 bytes.";
  if (c.wanted.empty())
    return "No credential is asked for.";
  for (const auto& w : c.wanted)
    if (w.id.empty() || is_long(w.id))
      return "The id of a credential object is missing or longer than 512 bytes.";
  return {};
}

outcome decide_one(const state& s, const credential_request::begin& c, timepoint now) {
  if (s.exists) {
    if (c.request_id.empty() || c.request_id != s.request_id)
      return refuse(request_errc::already_exists, "A credential request with this holder process id exists.");
    if (c.request_digest != s.request_digest)
      return refuse(request_errc::idempotency_key_reused,
                    "The idempotency key was used with another request; choose a new key.");
    return answer(s);
  }
  if (auto wrong = wrong_beginning(c); !wrong.empty())
    return refuse(request_errc::bad_request, std::move(wrong));
  ev::opened e;
  e.at = now;
  e.cause = c.request_id;
  e.id = c.id;
  e.issuer_did = c.issuer_did;
  e.wanted = c.wanted;
  e.origin = c.origin;
  e.request_digest = c.request_digest;
  e.window_until = now + c.window_ms;
  e.traceparent = c.traceparent;
  auto d = answer(s, {std::move(e)}, true);
  d->names = c.names;
  return d;
}

outcome decide_one(const state& s, const credential_request::prepared& c, timepoint now) {
  if (!s.exists || s.at != request_state::created)
    return answer(s);
  invariant(!c.wanted.empty(), "a prepared request asks for something");
  return answer(s, {ev::requesting{now, {}, c.wanted}});
}

bool is_at(const state& s, credential_request::step which) {
  if (!s.exists)
    return false;
  return s.at == (which == credential_request::step::prepare ? request_state::created : request_state::requesting);
}

outcome decide_one(const state& s, const credential_request::step_failed& c, timepoint now) {
  if (!is_at(s, c.which))
    return answer(s);
  if (!c.transient)
    return answer(s, {ev::ended{now, {}, {{c.said_by_peer ? cause_side::peer : cause_side::local, c.cause}}}});
  if (s.failure == c.cause)
    return answer(s);
  return answer(s, {ev::attempt_failed{now, {}, c.cause}});
}

timepoint next_poll(int64_t polls_so_far, timepoint now) {
  auto wait = limits::poll_first_ms;
  for (int64_t i = 0; i < polls_so_far && wait < limits::poll_cap_ms; ++i)
    wait *= 2;
  return now + std::min(wait, limits::poll_cap_ms);
}

outcome decide_one(const state& s, const credential_request::accepted& c, timepoint now) {
  // After a delivery that overtook the answer there is nothing more to know.
  if (!s.exists || s.at != request_state::requesting)
    return answer(s);
  return answer(s, {ev::requested{now, {}, c.issuer_pid, next_poll(0, now)}});
}

outcome decide_one(const state& s, const credential_request::poll_result& c, timepoint now) {
  if (!s.exists || s.at != request_state::requested || c.number != s.polls)
    return answer(s);
  if (c.status == "REJECTED")
    return answer(s, {ev::ended{now, {}, {{cause_side::peer, "The issuer rejected the request."}}}});
  ev::polled e{now, {}, c.cause, false, next_poll(s.polls + 1, now)};
  if (c.status == "ISSUED") {
    e.text = "The issuer has issued the credentials, but none arrived here.";
    e.said_by_peer = true;
  }
  return answer(s, {std::move(e)});
}

outcome decide_one(const state& s, const credential_request::receive_credentials& c, timepoint now) {
  if (!s.exists || s.issuer_did != c.issuer_did)
    return refuse(request_errc::not_found, "There is no such credential request to this issuer.");
  // The issuer may be faster than its own answer: then the request is still under way.
  if (s.at == request_state::created || s.at == request_state::error)
    return refuse(request_errc::illegal_state,
                  "The credential request takes no credentials in state " + std::string(name_of(s.at)) + ".");
  const bool known = std::ranges::all_of(
      c.credentials, [&](const auto& id) { return std::ranges::find(s.credentials, id) != s.credentials.end(); });
  if (s.at == request_state::issued && known)
    return answer(s);
  return answer(s, {ev::issued{now, {}, c.issuer_pid, c.credentials}});
}

outcome decide_one(const state& s, const credential_request::receive_rejection& c, timepoint now) {
  if (!s.exists || s.issuer_did != c.issuer_did)
    return refuse(request_errc::not_found, "There is no such credential request to this issuer.");
  if (s.at == request_state::error)
    return answer(s);
  if (s.at == request_state::created || s.at == request_state::issued)
    return refuse(request_errc::illegal_state,
                  "The credential request cannot be rejected in state " + std::string(name_of(s.at)) + ".");
  auto text = std::string("The issuer rejected the request") + (c.reason.empty() ? "." : ": " + c.reason);
  return answer(s, {ev::ended{now, {}, {{cause_side::peer, std::move(text)}}}});
}

outcome decide_one(const state& s, const credential_request::time_passed&, timepoint now) {
  if (!s.exists || is_final(s.at) || now < s.window_until)
    return answer(s);
  auto text = "No credential came within " + control_plane::in_words(s.window_until - s.created_at) + ".";
  return answer(s, {ev::ended{now, {}, {{cause_side::local, std::move(text)}}}});
}

void apply(state& s, const ev::opened& e) {
  s = state{};
  s.exists = true;
  s.id = e.id;
  s.issuer_did = e.issuer_did;
  s.wanted = e.wanted;
  s.origin = e.origin;
  s.request_id = e.cause;
  s.request_digest = e.request_digest;
  s.window_until = e.window_until;
  s.traceparent = e.traceparent;
  s.created_at = e.at;
}

void apply(state& s, const ev::requesting& e) {
  s.failure.clear();
  if (s.at == request_state::created)
    s.at = request_state::requesting;
  if (!e.wanted.empty())
    s.wanted = e.wanted;
}

void apply(state& s, const ev::attempt_failed& e) {
  s.failure = e.text;
  add_cause(s.causes, {cause_side::local, e.text});
}

void apply(state& s, const ev::requested& e) {
  s.failure.clear();
  if (is_final(s.at))
    return;
  s.at = request_state::requested;
  s.issuer_pid = e.issuer_pid;
  s.poll_at = e.poll_at;
  s.polls = 0;
}

void apply(state& s, const ev::polled& e) {
  ++s.polls;
  s.poll_at = e.poll_at;
  add_cause(s.causes, {e.said_by_peer ? cause_side::peer : cause_side::local, e.text});
}

void apply(state& s, const ev::issued& e) {
  if (s.at == request_state::error)
    return;
  s.at = request_state::issued;
  s.failure.clear();
  if (s.issuer_pid.empty())
    s.issuer_pid = e.issuer_pid;
  for (const auto& id : e.credentials)
    if (std::ranges::find(s.credentials, id) == s.credentials.end())
      s.credentials.push_back(id);
  if (s.credentials.size() > limits::delivered_ids_max)
    s.credentials.erase(s.credentials.begin(), s.credentials.end() - limits::delivered_ids_max);
}

void apply(state& s, const ev::ended& e) {
  if (is_final(s.at))
    return;
  s.at = request_state::error;
  for (const auto& c : e.causes)
    add_cause(s.causes, c);
  if (!e.causes.empty())
    s.error_detail = e.causes.back().text;
}

} // namespace

std::expected<actors::decision<credential_request>, actors::refusal>
credential_request::decide(const state& s, const command& c, timepoint now) {
  return std::visit([&](const auto& one) { return decide_one(s, one, now); }, c);
}

credential_request::state credential_request::evolve(state s, const event& e) {
  std::visit([&s](const auto& one) { apply(s, one); }, e);
  s.updated_at = std::visit([](const auto& one) { return one.at; }, e);
  return s;
}

std::vector<actors::owed_effect<credential_request::effect>> credential_request::owed(const state& s) {
  std::vector<actors::owed_effect<effect>> out;
  if (!s.exists || is_final(s.at) || (s.at == request_state::requested && s.issuer_pid.empty()))
    return out;
  effect body;
  body.id = s.id;
  body.issuer_did = s.issuer_did;
  body.issuer_pid = s.issuer_pid;
  body.wanted = s.wanted;
  body.origin = s.origin;
  body.poll_number = s.polls;
  body.traceparent = s.traceparent;
  std::string key;
  auto not_before = s.created_at;
  switch (s.at) {
  case request_state::created:
    body.what = effect::act::prepare;
    key = "prepare";
    break;
  case request_state::requesting:
    body.what = effect::act::request;
    key = "request";
    break;
  default:
    body.what = effect::act::poll;
    key = "poll/" + std::to_string(s.polls);
    not_before = s.poll_at;
  }
  out.push_back({std::move(key), not_before, std::move(body)});
  return out;
}

std::optional<timepoint> credential_request::wake_at(const state& s) {
  if (!s.exists || is_final(s.at))
    return std::nullopt;
  if (s.at == request_state::requested)
    return s.issuer_pid.empty() ? s.window_until : std::min(s.poll_at, s.window_until);
  return std::min(s.updated_at, s.window_until);
}

std::optional<credential_request::command> credential_request::tick(const state& s, timepoint now) {
  if (s.exists && !is_final(s.at) && now >= s.window_until)
    return time_passed{};
  return std::nullopt;
}

std::string credential_request::status(const state& s) { return std::string(name_of(s.at)); }

std::string waiting_on(const credential_request::state& s) {
  const auto tried = s.failure.empty() ? std::string() : "; it is tried again; last failure: " + s.failure;
  switch (s.at) {
  case request_state::created: return s.exists ? "the issuer " + s.issuer_did + " to be found" + tried : "";
  case request_state::requesting: return "the answer of the issuer " + s.issuer_did + tried;
  case request_state::requested: return "the credentials of the issuer " + s.issuer_did;
  case request_state::issued:
  case request_state::error: break;
  }
  return {};
}

std::string credential_request::view(const state& s) {
  json::object o;
  const auto put = [&o](std::string_view name, std::string_view text) {
    if (!text.empty())
      o.emplace(name, text);
  };
  put("issuerDid", s.issuer_did);
  put("issuerPid", s.issuer_pid);
  json::array wanted;
  for (const auto& w : s.wanted)
    wanted.push_back(json::object{{"id", w.id}, {"credentialType", w.credential_type}, {"format", w.format}});
  o.emplace("typesAndFormats", std::move(wanted));
  json::array held;
  for (const auto& id : s.credentials)
    held.emplace_back(id);
  o.emplace("credentials", std::move(held));
  put("origin", name_of(s.origin));
  put("errorDetail", s.error_detail);
  o.emplace("createdAt", to_epoch_ms(s.created_at));
  o.emplace("stateTimestamp", to_epoch_ms(s.updated_at));
  o.emplace("causes", causes_json(s.causes));
  put("waitingOn", waiting_on(s));
  return json::write(o);
}

bool is_transient(const credential_request::command& outcome) {
  const auto* failed = std::get_if<credential_request::step_failed>(&outcome);
  return failed && failed->transient;
}

} // namespace fondaco::credential_service

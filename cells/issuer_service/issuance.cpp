#include "cells/issuer_service/issuance.hpp"

#include <algorithm>
#include <utility>

#include "cells/issuer_service/routes.hpp"
#include "protocols/base/ids.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::issuer_service {

namespace ev = issuance_events;
using control_plane::cause_side;
using control_plane::process_cause;

std::string_view name_of(credential_state s) noexcept {
  switch (s) {
  case credential_state::issued: return "issued";
  case credential_state::suspended: return "suspended";
  case credential_state::revoked: return "revoked";
  }
  return "issued";
}

std::string_view name_of(issuance_errc e) noexcept {
  switch (e) {
  case issuance_errc::not_found: return "not_found";
  case issuance_errc::already_exists: return "already_exists";
  case issuance_errc::invalid: return "invalid";
  }
  return "not_found";
}

std::string_view name_of(issuance_state s) noexcept {
  switch (s) {
  case issuance_state::approved: return "APPROVED";
  case issuance_state::delivered: return "DELIVERED";
  case issuance_state::errored: return "ERRORED";
  case issuance_state::rejected: return "REJECTED";
  }
  return "APPROVED";
}

namespace {

using state = issuance::state;
using outcome = std::expected<actors::decision<issuance>, actors::refusal>;

std::unexpected<actors::refusal> refuse(issuance_errc code, std::string detail) {
  return std::unexpected(actors::refusal{{std::string(name_of(code)), std::move(detail), cure::fix_input}, false});
}

bool is_open(const state& s) { return s.exists && s.at == issuance_state::approved; }
bool is_made(const state& s) { return !s.credentials.empty(); }

/// The events, and the documents of what was made as they are after them.
outcome answer(const state& before, std::vector<issuance_event> events = {}) {
  actors::decision<issuance> d;
  auto after = before;
  for (const auto& e : events)
    after = issuance::evolve(std::move(after), e);
  d.reply = {after.id, after.at};
  if (!events.empty())
    for (const auto& c : after.credentials) {
      auto body = issued_credential_body(after, c);
      const auto was = std::ranges::find(before.credentials, c.credential_id, &made_credential::credential_id);
      if (before.at == after.at && was != before.credentials.end() && was->status == c.status)
        continue;
      d.documents.push_back({cells::kinds::issued_credential, c.credential_id, std::move(body)});
    }
  d.events = std::move(events);
  return d;
}

std::string wrong_beginning(const issuance::begin& c) {
  const auto is_bad = [](const std::string& text) {
    return text.empty() || text.size() > fondaco::limits::id_bytes_max;
  };
  if (is_bad(c.id))
    return "The issuance's id is missing or longer than 512 bytes.";
  if (is_bad(c.holder_pid))
    return "The holder's process id is missing or longer than 512 bytes.";
  if (is_bad(c.holder_did))
    return "The holder's DID is missing or longer than 512 bytes.";
  if (c.reasons.empty() && c.plan.empty())
    return "There is nothing to issue.";
  return {};
}

issuance_event rejection_of(const issuance::begin& c, timepoint now) {
  ev::rejected e;
  e.at = now;
  e.cause = c.holder_pid;
  e.id = c.id;
  e.participant_context = c.participant_context;
  e.holder_pid = c.holder_pid;
  e.holder_id = c.holder_id;
  e.holder_did = c.holder_did;
  e.definitions = c.definitions;
  for (const auto& reason : c.reasons)
    add_cause(e.causes, {cause_side::local, reason});
  e.traceparent = c.traceparent;
  return e;
}

issuance_event approval_of(const issuance::begin& c, timepoint now) {
  ev::approved e;
  e.at = now;
  e.cause = c.holder_pid;
  e.id = c.id;
  e.participant_context = c.participant_context;
  e.holder_pid = c.holder_pid;
  e.holder_id = c.holder_id;
  e.holder_did = c.holder_did;
  e.sealed_token = c.sealed_token;
  e.claims = c.claims;
  e.plan = c.plan;
  e.window_until = now + c.window_ms;
  e.traceparent = c.traceparent;
  return e;
}

outcome decide_one(const state& s, const issuance::begin& c, timepoint now) {
  if (s.exists)
    return refuse(issuance_errc::already_exists, "A request with this holder process id exists; choose another.");
  if (auto wrong = wrong_beginning(c); !wrong.empty())
    return refuse(issuance_errc::invalid, std::move(wrong));
  return answer(s, {c.reasons.empty() ? approval_of(c, now) : rejection_of(c, now)});
}

outcome decide_one(const state& s, const issuance::made& c, timepoint now) {
  if (!is_open(s) || is_made(s))
    return answer(s);
  invariant(std::ranges::equal(c.credentials, s.plan, {}, &made_credential::credential_id,
                               &planned_credential::credential_id),
            "what was made is what was planned");
  return answer(s, {ev::made{now, {}, c.credentials}});
}

outcome decide_one(const state& s, const issuance::making_failed& c, timepoint now) {
  if (!is_open(s) || is_made(s))
    return answer(s);
  if (!c.transient)
    return answer(s, {ev::ended{now, {}, {{cause_side::local, c.cause}}, true}});
  if (s.failure == c.cause)
    return answer(s);
  return answer(s, {ev::attempt_failed{now, {}, c.cause}});
}

outcome decide_one(const state& s, const issuance::delivered&, timepoint now) {
  if (s.telling)
    return answer(s, {ev::told{now, {}, {}, false}});
  if (!is_open(s) || !is_made(s))
    return answer(s);
  return answer(s, {ev::delivered{now, {}}});
}

outcome decide_one(const state& s, const issuance::delivery_failed& c, timepoint now) {
  const bool sending = is_open(s) && is_made(s);
  if (!sending && !s.telling)
    return answer(s);
  if (c.how == issuance::trouble::transient) {
    if (s.failure == c.cause)
      return answer(s);
    return answer(s, {ev::attempt_failed{now, {}, c.cause}});
  }
  if (s.telling)
    return answer(s, {ev::told{now, {}, c.cause, c.said_by_peer}});
  if (c.how == issuance::trouble::refusal && s.refusals + 1 < limits::delivery_refusals_max)
    return answer(s, {ev::refused{now, {}, c.cause, now + limits::delivery_again_after_ms}});
  return answer(s, {ev::ended{now, {}, {{c.said_by_peer ? cause_side::peer : cause_side::local, c.cause}}, false}});
}

outcome decide_one(const state& s, const issuance::mark& c, timepoint now) {
  const auto found = std::ranges::find(s.credentials, c.credential_id, &made_credential::credential_id);
  if (found == s.credentials.end())
    return refuse(issuance_errc::not_found, "This issuance made no such credential.");
  // What is revoked stays revoked, whatever its suspension says.
  if (found->status == c.status || found->status == credential_state::revoked)
    return answer(s);
  return answer(s, {ev::marked{now, {}, c.credential_id, c.status}});
}

outcome decide_one(const state& s, const issuance::time_passed&, timepoint now) {
  if (now < s.window_until)
    return answer(s);
  if (s.telling)
    return answer(s, {ev::told{now, {}, "The holder could not be told in time.", false}});
  if (!is_open(s))
    return answer(s);
  auto text = "The credentials could not be " + std::string(is_made(s) ? "delivered" : "made") + " within " +
              control_plane::in_words(s.window_until - s.created_at) + ".";
  return answer(s, {ev::ended{now, {}, {{cause_side::local, std::move(text)}}, false}});
}

template <class E> void begin(state& s, const E& e, issuance_state at) {
  s = state{};
  s.exists = true;
  s.at = at;
  s.id = e.id;
  s.participant_context = e.participant_context;
  s.holder_pid = e.holder_pid;
  s.holder_id = e.holder_id;
  s.holder_did = e.holder_did;
  s.traceparent = e.traceparent;
  s.created_at = e.at;
}

void apply(state& s, const ev::approved& e) {
  begin(s, e, issuance_state::approved);
  s.sealed_token = e.sealed_token;
  s.claims = e.claims;
  s.plan = e.plan;
  s.window_until = e.window_until;
  s.deliver_at = e.at;
}

void apply(state& s, const ev::rejected& e) {
  begin(s, e, issuance_state::rejected);
  s.definitions = e.definitions;
  s.causes = e.causes;
  if (!e.causes.empty())
    s.error_detail = e.causes.front().text;
}

void apply(state& s, const ev::made& e) {
  if (s.at != issuance_state::approved || is_made(s))
    return;
  s.failure.clear();
  s.credentials = e.credentials;
}

void apply(state& s, const ev::attempt_failed& e) {
  s.failure = e.text;
  add_cause(s.causes, {cause_side::local, e.text});
}

void apply(state& s, const ev::refused& e) {
  s.failure = e.text;
  ++s.refusals;
  s.deliver_at = e.again_at;
  add_cause(s.causes, {cause_side::peer, e.text});
}

/// What only the delivery needed is not kept any longer than it.
void forget_secrets(state& s) {
  s.sealed_token.clear();
  for (auto& c : s.credentials)
    c.sealed.clear();
}

void apply(state& s, const ev::delivered&) {
  if (s.at != issuance_state::approved)
    return;
  s.at = issuance_state::delivered;
  s.failure.clear();
  forget_secrets(s);
}

void apply(state& s, const ev::ended& e) {
  if (s.at != issuance_state::approved)
    return;
  s.at = issuance_state::errored;
  s.telling = e.telling;
  s.failure.clear();
  for (const auto& c : e.causes)
    add_cause(s.causes, c);
  if (!e.causes.empty())
    s.error_detail = e.causes.back().text;
  if (!s.telling)
    forget_secrets(s);
}

void apply(state& s, const ev::told& e) {
  s.telling = false;
  s.failure.clear();
  add_cause(s.causes, {e.said_by_peer ? cause_side::peer : cause_side::local, e.text});
  forget_secrets(s);
}

void apply(state& s, const ev::marked& e) {
  for (auto& c : s.credentials)
    if (c.credential_id == e.credential_id)
      c.status = e.status;
}

} // namespace

std::expected<actors::decision<issuance>, actors::refusal> issuance::decide(const state& s, const command& c,
                                                                            timepoint now) {
  return std::visit([&](const auto& one) { return decide_one(s, one, now); }, c);
}

issuance::state issuance::evolve(state s, const event& e) {
  std::visit([&s](const auto& one) { apply(s, one); }, e);
  s.updated_at = std::visit([](const auto& one) { return one.at; }, e);
  return s;
}

std::vector<actors::owed_effect<issuance::effect>> issuance::owed(const state& s) {
  std::vector<actors::owed_effect<effect>> out;
  if (!is_open(s) && !s.telling)
    return out;
  effect body;
  body.id = s.id;
  body.holder_pid = s.holder_pid;
  body.holder_did = s.holder_did;
  body.sealed_token = s.sealed_token;
  body.traceparent = s.traceparent;
  if (s.telling) {
    body.what = effect::act::reject;
    body.reason = s.error_detail;
    out.push_back({"reject", s.created_at, std::move(body)});
  } else if (!is_made(s)) {
    body.what = effect::act::make;
    body.plan = s.plan;
    out.push_back({"make", s.created_at, std::move(body)});
  } else {
    body.what = effect::act::deliver;
    body.credentials = s.credentials;
    out.push_back({"deliver/" + std::to_string(s.refusals), s.deliver_at, std::move(body)});
  }
  return out;
}

std::optional<timepoint> issuance::wake_at(const state& s) {
  if (!is_open(s) && !s.telling)
    return std::nullopt;
  return std::min(std::max(s.updated_at, s.deliver_at), s.window_until);
}

std::optional<issuance::command> issuance::tick(const state& s, timepoint now) {
  if ((is_open(s) || s.telling) && now >= s.window_until)
    return time_passed{};
  return std::nullopt;
}

std::string issuance::status(const state& s) { return std::string(name_of(s.at)); }

std::string waiting_on(const issuance::state& s) {
  const auto tried = s.failure.empty() ? std::string() : "; it is tried again; last failure: " + s.failure;
  if (s.telling)
    return "the holder " + s.holder_did + " to be told that it gets nothing" + tried;
  if (!is_open(s))
    return {};
  return is_made(s) ? "the holder " + s.holder_did + " to take the credentials" + tried
                    : "the credentials to be signed" + tried;
}

bool is_transient(const issuance::command& outcome) {
  if (const auto* failed = std::get_if<issuance::making_failed>(&outcome))
    return failed->transient;
  const auto* failed = std::get_if<issuance::delivery_failed>(&outcome);
  return failed && failed->how == issuance::trouble::transient;
}

} // namespace fondaco::issuer_service

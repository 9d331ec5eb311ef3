#include <algorithm>

#include "cells/control_plane/negotiation.hpp"
#include "protocols/base/ids.hpp"
#include "protocols/json/json.hpp"
#include "protocols/odrl/policy.hpp"

namespace fondaco::control_plane {

namespace ev = negotiation_events;
using dsp::negotiation_message;
using dsp::negotiation_state;

namespace {

using state = negotiation::state;
using outcome = std::expected<actors::decision<negotiation>, actors::refusal>;

std::unexpected<actors::refusal> refuse(negotiation_errc code, std::string detail) {
  return std::unexpected(actors::refusal{{std::string(name_of(code)), std::move(detail), cure::fix_input}, false});
}

std::unexpected<actors::refusal> hold() {
  return std::unexpected(
      actors::refusal{{std::string(name_of(negotiation_errc::illegal_transition)),
                       "The message came before the answer to our own; send it again after a moment.", cure::retry},
                      true});
}

std::unexpected<actors::refusal> not_found() {
  return refuse(negotiation_errc::not_found, "There is no such negotiation.");
}

bool is_ended(const state& s) { return s.dsp_state && dsp::is_final(*s.dsp_state); }

/// True if our message may have reached the peer without our knowing.
bool may_be_taken(const state& s, timepoint now) {
  return s.outbox && (now >= s.outbox->not_before || !s.outbox->failure.empty() || s.outbox->refusals > 0);
}

std::string state_name(const state& s) { return s.dsp_state ? std::string(dsp::name_of(*s.dsp_state)) : "INITIAL"; }

/// The agreement's document, as the management API and the transfers read it.
persistence::document_write agreement_document(const state& s) {
  const auto signed_at = parse_rfc3339(json::string_at(s.agreement, "timestamp").value_or("")).value_or(s.updated_at);
  const bool provides = s.self == dsp::role::provider;
  json::object o;
  o.emplace("agreementId", s.agreement_id);
  o.emplace("negotiationId", s.id);
  o.emplace("assetId", s.asset_id);
  o.emplace("providerId", provides ? s.participant_id : s.counterparty_id);
  o.emplace("consumerId", provides ? s.counterparty_id : s.participant_id);
  o.emplace("contractSigningDate", to_epoch_ms(signed_at) / 1000);
  o.emplace("policy", s.agreement);
  o.emplace("claims", s.claims);
  o.emplace("counterPartyId", s.counterparty_id);
  o.emplace("counterPartyAddress", s.counterparty_address);
  o.emplace("profile", s.profile);
  o.emplace("role", dsp::name_of(s.self));
  o.emplace("state", state_name(s));
  // A transfer of the agreement goes on in the trace that the agreement was made in.
  if (!s.traceparent.empty())
    o.emplace("traceparent", s.traceparent);
  return {"contract_agreement", s.agreement_id, json::write(o)};
}

/// Collects events and the state after them.
class steps {
public:
  explicit steps(const state& before) : before_(before), after_(before) {}
  void add(negotiation::event e) {
    after_ = negotiation::evolve(std::move(after_), e);
    events_.push_back(std::move(e));
  }
  const state& now() const { return after_; }
  outcome finish(bool created = false, std::vector<persistence::seen_mark> marks = {}) {
    actors::decision<negotiation> d;
    d.reply = {after_.id, dsp_view(after_), created};
    d.seen = std::move(marks);
    if (!after_.agreement_id.empty() && after_.dsp_state != before_.dsp_state) {
      d.documents.push_back(agreement_document(after_));
      // A peer chooses its agreements' ids: the claim keeps it from overwriting another's agreement.
      if (before_.agreement_id.empty())
        d.names.push_back({"contract_agreement", after_.participant_id + " " + after_.agreement_id});
    }
    d.events = std::move(events_);
    return d;
  }

private:
  const state& before_;
  state after_;
  std::vector<negotiation::event> events_;
};

negotiation_outgoing make_outgoing(const state& s, negotiation_message type, timepoint not_before) {
  negotiation_outgoing out;
  out.type = type;
  out.message_id = derive_message_id(s.id, s.messages + 1);
  out.not_before = not_before;
  out.window_until = not_before + s.settings.send_window_ms;
  return out;
}

/// The agreement that a provider sends: its id and moment are chosen here, before the first send.
json::object make_agreement(const state& s, timepoint now) {
  static constexpr std::string_view own[] = {"@id", "@type", "@context", "target", "timestamp", "assigner", "assignee"};
  json::object o;
  o.emplace("@id", derive_part_id(s.id, "agreement"));
  o.emplace("@type", "Agreement");
  o.emplace("target", s.asset_id);
  o.emplace("timestamp", to_rfc3339(std::chrono::floor<std::chrono::seconds>(now)));
  o.emplace("assigner", s.participant_id);
  o.emplace("assignee", s.counterparty_id);
  for (const auto& [name, value] : s.terms.empty() ? s.offer : s.terms)
    if (std::ranges::find(own, std::string_view(name.data(), name.size())) == std::end(own))
      o.emplace(name, value);
  return o;
}

/// What we send by ourselves in this state (DSP reference, section 7.5), if anything.
std::optional<ev::sending> reaction(const state& s, timepoint now, const std::string& cause) {
  if (!s.settings.automatic || s.outbox || !s.dsp_state)
    return std::nullopt;
  const bool provides = s.self == dsp::role::provider;
  std::optional<negotiation_message> type;
  if (provides && (*s.dsp_state == negotiation_state::requested || *s.dsp_state == negotiation_state::accepted))
    type = negotiation_message::agreement;
  else if (provides && *s.dsp_state == negotiation_state::verified)
    type = negotiation_message::finalized;
  else if (!provides && *s.dsp_state == negotiation_state::agreed)
    type = negotiation_message::verification;
  if (!type)
    return std::nullopt;
  auto out = make_outgoing(s, *type, now + s.settings.reaction_delay_ms);
  if (*type == negotiation_message::agreement)
    out.policy = make_agreement(s, now);
  return ev::sending{now, cause, std::move(out), {}, {}};
}

/// Ends the negotiation on our side, and tells the peer if it can be told.
ev::ended make_end(const state& s, timepoint now, std::vector<process_cause> causes, std::string cause,
                   bool best_effort = false, std::string code = {}) {
  ev::ended e{now, std::move(cause), std::move(causes), std::nullopt};
  if (s.peer_pid.empty())
    return e;
  e.notice = make_outgoing(s, negotiation_message::termination, now);
  e.notice->best_effort = best_effort;
  e.notice->code = std::move(code);
  for (const auto& c : e.causes)
    if (c.side == cause_side::local)
      e.notice->reasons.push_back(c.text);
  return e;
}

bool legal(const state& s, std::optional<negotiation_state> from, negotiation_message m) {
  if (from && dsp::is_final(*from))
    return false;
  return m == negotiation_message::termination || dsp::next_state(from, m, other(s.self)).has_value();
}

/// A repeat: an id that was accepted, or, where the peer gives no ids, the last message once more.
bool is_repeat(const state& s, const dsp::negotiation_envelope& m) {
  if (!m.message_id.empty())
    return std::ranges::find(s.accepted_message_ids, m.message_id) != s.accepted_message_ids.end();
  if (s.last_received != m.type || s.dsp_state != target_of(m.type))
    return false;
  if (m.type == negotiation_message::request || m.type == negotiation_message::offer)
    return m.policy == s.offer;
  return m.type != negotiation_message::agreement || m.policy == s.agreement;
}

outcome decide_one(const state& s, const negotiation::initiate& c, timepoint now) {
  steps b(s);
  if (s.exists) {
    if (c.request_id.empty() || c.request_id != s.request_id)
      return refuse(negotiation_errc::already_exists, "A negotiation with this id exists.");
    if (c.request_digest != s.request_digest)
      return refuse(negotiation_errc::idempotency_key_reused,
                    "The idempotency key was used with another request; choose a new key.");
    return b.finish();
  }
  if (c.id.empty() || c.counterparty_id.empty() || c.counterparty_address.empty() || c.participant_id.empty())
    return refuse(negotiation_errc::bad_message,
                  "A negotiation needs an id, a counterparty with its address, and our own participant id.");
  if (!json::string_at(c.offer, "@id"))
    return refuse(negotiation_errc::bad_message, "The offer needs an '@id'.");
  ev::opened e;
  e.at = now;
  e.cause = c.request_id;
  e.self = c.self;
  e.id = c.id;
  e.counterparty_id = c.counterparty_id;
  e.counterparty_address = c.counterparty_address;
  e.callback_address = c.callback_address;
  e.participant_id = c.participant_id;
  e.profile = c.profile;
  e.asset_id = c.asset_id;
  e.offer = c.offer;
  e.terms = c.terms;
  e.callback_addresses = c.callback_addresses;
  e.request_id = c.request_id;
  e.request_digest = c.request_digest;
  e.settings = c.settings;
  e.traceparent = c.traceparent;
  state fresh;
  fresh.id = c.id;
  fresh.settings = c.settings;
  e.first = make_outgoing(
      fresh, c.self == dsp::role::consumer ? negotiation_message::request : negotiation_message::offer, now);
  e.first->policy = c.offer;
  b.add(std::move(e));
  return b.finish(true);
}

std::string joined(const std::vector<std::string>& sentences) {
  std::string out;
  for (const auto& one : sentences)
    out += (out.empty() ? "" : " ") + one;
  return out;
}

outcome decide_one(const state& s, const negotiation::receive_initial& c, timepoint now) {
  const auto& m = c.envelope;
  const bool provides = m.type == negotiation_message::request;
  if (!provides && m.type != negotiation_message::offer)
    return refuse(negotiation_errc::illegal_transition, "A negotiation begins with a request or an offer.");
  const auto& peer_pid = provides ? m.consumer_pid : m.provider_pid;
  steps b(s);
  if (s.exists) {
    const bool same = !s.removed && s.counterparty_id == c.counterparty_id && s.peer_pid == peer_pid;
    return same ? b.finish() : outcome(not_found());
  }
  if (peer_pid.empty())
    return refuse(negotiation_errc::bad_message, provides ? "consumerPid is missing." : "providerPid is missing.");
  if (m.callback_address.empty())
    return refuse(negotiation_errc::bad_message, "callbackAddress is missing: a first message has to name it.");
  if (m.policy.empty())
    return refuse(negotiation_errc::bad_message, "offer is missing.");
  if (provides && !c.verdict.allowed)
    return refuse(negotiation_errc::offer_refused, joined(c.verdict.reasons));
  ev::opened e;
  e.at = now;
  e.cause = m.message_id;
  e.self = provides ? dsp::role::provider : dsp::role::consumer;
  e.id = c.id;
  e.peer_pid = peer_pid;
  e.counterparty_id = c.counterparty_id;
  e.counterparty_address = m.callback_address;
  e.callback_address = c.callback_address;
  e.participant_id = c.participant_id;
  e.profile = c.profile;
  e.asset_id = provides ? c.verdict.asset_id : std::string(json::string_at(m.policy, "target").value_or(""));
  e.offer = m.policy;
  e.terms = provides ? c.verdict.terms : json::object{};
  e.claims = c.claims;
  e.settings = c.settings;
  e.traceparent = c.traceparent;
  b.add(std::move(e));
  if (auto next = reaction(b.now(), now, m.message_id))
    b.add(std::move(*next));
  return b.finish(true, c.marks);
}

/// What is wrong with an agreement, in the eyes of the consumer (DSP reference, section 10.6); empty if nothing.
std::string agreement_fault(const state& s, const json::object& agreement) {
  const auto member = [&agreement](std::string_view name) { return json::string_at(agreement, name).value_or(""); };
  const auto id = member("@id");
  if (id.empty() || id.size() > fondaco::limits::id_bytes_max)
    return "agreement.@id is missing or longer than " + std::to_string(fondaco::limits::id_bytes_max) + " bytes.";
  const auto must_be = [&](std::string_view name, const std::string& wanted) {
    return member(name) == wanted ? std::string()
                                  : "agreement." + std::string(name) + " is '" + std::string(member(name)) +
                                        "', but the offer was for '" + wanted + "'.";
  };
  for (auto wrong :
       {must_be("target", s.asset_id), must_be("assigner", s.counterparty_id), must_be("assignee", s.participant_id)})
    if (!wrong.empty())
      return wrong;
  const auto offered = odrl::read_policy(s.offer);
  if (!offered)
    return "our own offer cannot be read: " + offered.error().detail;
  const auto agreed = odrl::read_policy(agreement);
  if (!agreed)
    return "agreement: " + agreed.error().detail;
  if (!odrl::same_rules(*offered, *agreed))
    return "agreement has other rules than the last offer.";
  return {};
}

std::optional<actors::refusal> content_refusal(const state& s, const negotiation::receive_message& c) {
  const auto& m = c.envelope;
  const auto wrong = [](negotiation_errc code, std::string detail) { return refuse(code, std::move(detail)).error(); };
  const bool offers = m.type == negotiation_message::request || m.type == negotiation_message::offer;
  if (offers && !json::string_at(m.policy, "@id"))
    return wrong(negotiation_errc::bad_message, "offer.@id is missing.");
  if (m.type == negotiation_message::request && !c.verdict.allowed)
    return wrong(negotiation_errc::offer_refused, joined(c.verdict.reasons));
  if (m.type == negotiation_message::agreement)
    if (auto detail = agreement_fault(s, m.policy); !detail.empty())
      return wrong(negotiation_errc::agreement_differs, std::move(detail));
  return std::nullopt;
}

ev::received make_received(const state& s, const negotiation::receive_message& c, timepoint now) {
  const auto& m = c.envelope;
  ev::received e;
  e.at = now;
  e.cause = m.message_id;
  e.type = m.type;
  if (s.peer_pid.empty())
    e.peer_pid = s.self == dsp::role::consumer ? m.provider_pid : m.consumer_pid;
  e.policy = m.policy;
  // A counterparty presents the same with every message: what has not changed is not written again.
  if (c.claims != s.claims)
    e.claims = c.claims;
  if (m.type == negotiation_message::request) {
    e.asset_id = c.verdict.asset_id;
    e.terms = c.verdict.terms;
  } else if (m.type == negotiation_message::offer) {
    e.asset_id = json::string_at(m.policy, "target").value_or("");
  } else if (m.type == negotiation_message::termination) {
    e.reason = termination_text(m.code, m.reasons);
  }
  return e;
}

outcome decide_one(const state& s, const negotiation::receive_message& c, timepoint now) {
  const auto& m = c.envelope;
  if (!s.exists || s.removed || s.counterparty_id != c.counterparty_id)
    return not_found();
  const bool consumes = s.self == dsp::role::consumer;
  const auto& own = consumes ? m.consumer_pid : m.provider_pid;
  const auto& theirs = consumes ? m.provider_pid : m.consumer_pid;
  if (own != s.id || theirs.empty() || (!s.peer_pid.empty() && theirs != s.peer_pid))
    return refuse(negotiation_errc::pid_mismatch, "consumerPid and providerPid are not those of this negotiation.");
  steps b(s);
  if (is_repeat(s, m))
    return b.finish();
  if (!legal(s, s.dsp_state, m.type)) {
    const bool early = s.outbox && !is_ended(s) && legal(s, target_of(s.outbox->type), m.type);
    if (!early || !may_be_taken(s, now))
      return refuse(negotiation_errc::illegal_transition,
                    "Cannot process " + std::string(dsp::name_of(m.type)) + " in state " + state_name(s) + ".");
    // While the first try runs its answer is awaited; after a failure the message itself shows that ours was taken.
    if (s.outbox->failure.empty() && s.outbox->refusals == 0)
      return hold();
    b.add(ev::acknowledged{now, s.outbox->message_id, s.outbox->type, theirs});
  } else if (m.type != negotiation_message::termination && may_be_taken(s, now)) {
    return hold();
  }
  if (auto refusal = content_refusal(b.now(), c))
    return std::unexpected(std::move(*refusal));
  b.add(make_received(b.now(), c, now));
  if (auto next = reaction(b.now(), now, m.message_id))
    b.add(std::move(*next));
  return b.finish(false, c.marks);
}

outcome decide_one(const state& s, const negotiation::send& c, timepoint now) {
  if (!s.exists || s.removed)
    return not_found();
  if (may_be_taken(s, now))
    return refuse(negotiation_errc::busy, "A message of ours is on its way; try again when it was answered.");
  if (c.type == negotiation_message::termination || !s.dsp_state || is_ended(s) ||
      !dsp::next_state(s.dsp_state, c.type, s.self))
    return refuse(negotiation_errc::illegal_transition,
                  "Cannot send " + std::string(dsp::name_of(c.type)) + " in state " + state_name(s) + ".");
  const bool offers = c.type == negotiation_message::request || c.type == negotiation_message::offer;
  if (offers && !json::string_at(c.offer, "@id"))
    return refuse(negotiation_errc::bad_message, "The offer needs an '@id'.");
  auto out = make_outgoing(s, c.type, now);
  if (offers)
    out.policy = c.offer;
  if (c.type == negotiation_message::agreement) {
    auto with_terms = s;
    if (!c.terms.empty())
      with_terms.terms = c.terms;
    out.policy = make_agreement(with_terms, now);
  }
  steps b(s);
  b.add(ev::sending{now, {}, std::move(out), c.terms, {}});
  return b.finish();
}

outcome decide_one(const state& s, const negotiation::terminate& c, timepoint now) {
  if (!s.exists || s.removed)
    return not_found();
  steps b(s);
  if (s.dsp_state == negotiation_state::terminated)
    return b.finish();
  if (is_ended(s))
    return refuse(negotiation_errc::illegal_transition, "Cannot terminate a negotiation in state FINALIZED.");
  // The peer may have taken it, and then nothing ends the negotiation any more.
  if (s.outbox && s.outbox->type == negotiation_message::finalized && may_be_taken(s, now))
    return refuse(negotiation_errc::busy, "Our finalization is on its way; try again when it was answered.");
  auto why = c.reason.empty() ? std::string("Terminated by the operator.") : c.reason;
  b.add(make_end(s, now, {{cause_side::local, std::move(why)}}, {}, false, c.code));
  return b.finish();
}

outcome decide_one(const state& s, const negotiation::remove&, timepoint now) {
  if (!s.exists || s.removed)
    return not_found();
  if (s.dsp_state != negotiation_state::terminated)
    return refuse(negotiation_errc::not_removable,
                  "Cannot delete negotiation in state " + negotiation::status(s) + ".");
  if (!s.agreement_id.empty())
    return refuse(negotiation_errc::not_removable,
                  "Cannot delete negotiation " + s.id + ": a contract agreement was already created.");
  steps b(s);
  b.add(ev::removed{now, {}});
  return b.finish();
}

outcome decide_one(const state& s, const negotiation::delivered& c, timepoint now) {
  steps b(s);
  if (s.outbox && s.outbox->message_id == c.message_id) {
    b.add(ev::acknowledged{now, c.message_id, s.outbox->type, s.peer_pid.empty() ? c.peer_pid : std::string()});
  } else if (s.exists && !s.removed && s.peer_pid.empty() && !c.peer_pid.empty() &&
             s.dsp_state == negotiation_state::terminated && c.message_id == derive_message_id(s.id, 1)) {
    // We ended the negotiation while our first message was on its way: now the peer can be told.
    auto out = make_outgoing(s, negotiation_message::termination, now);
    if (!s.error_detail.empty())
      out.reasons.push_back(s.error_detail);
    b.add(ev::sending{now, c.message_id, std::move(out), {}, c.peer_pid});
  }
  return b.finish();
}

/// The end of our patience with an outgoing message.
negotiation::event give_up(const state& s, timepoint now, std::string why, bool reachable) {
  const auto& box = *s.outbox;
  if (is_ended(s))
    return ev::notice_dropped{now, box.message_id, std::move(why)};
  return make_end(s, now, {{cause_side::local, std::move(why)}}, box.message_id, !reachable);
}

std::string window_text(const state& s) {
  auto text = "Our " + std::string(dsp::name_of(s.outbox->type)) + " was not acknowledged within " +
              in_words(s.settings.send_window_ms) + ".";
  if (!s.outbox->failure.empty())
    text += " Last failure: " + s.outbox->failure;
  return text;
}

outcome decide_one(const state& s, const negotiation::not_delivered& c, timepoint now) {
  steps b(s);
  if (!s.outbox || s.outbox->message_id != c.message_id || s.outbox->probing)
    return b.finish();
  const auto& box = *s.outbox;
  if (!c.transient) {
    if (box.type == negotiation_message::termination) {
      b.add(ev::notice_dropped{now, box.message_id, "The counterparty refused our termination: " + c.cause});
      return b.finish();
    }
    b.add(ev::send_failed{now, box.message_id, c.cause, true});
    // Without the peer's process id there is no state to ask for, so its word is final.
    if (s.peer_pid.empty())
      b.add(make_end(b.now(), now, {{cause_side::peer, c.cause}}, box.message_id));
    return b.finish();
  }
  if (box.best_effort) {
    b.add(ev::notice_dropped{now, box.message_id, c.cause});
    return b.finish();
  }
  if (c.cause != box.failure)
    b.add(ev::send_failed{now, box.message_id, c.cause, false});
  if (now >= box.window_until)
    b.add(give_up(b.now(), now, window_text(b.now()), false));
  return b.finish();
}

/// True if a peer in this state has taken our message.
bool shows_taken(negotiation_message sent, negotiation_state peer) {
  const auto target = target_of(sent);
  if (peer == target)
    return true;
  const auto first_of_line = std::max(target, negotiation_state::accepted);
  return peer >= first_of_line && peer <= negotiation_state::finalized && sent != negotiation_message::termination;
}

outcome decide_one(const state& s, const negotiation::probe_result& c, timepoint now) {
  steps b(s);
  if (!s.outbox || s.outbox->message_id != c.message_id || !s.outbox->probing || is_ended(s))
    return b.finish();
  const auto& box = *s.outbox;
  const auto peer = c.peer_state ? dsp::parse_negotiation_state(*c.peer_state) : std::nullopt;
  if (peer && shows_taken(box.type, *peer)) {
    b.add(ev::acknowledged{now, box.message_id, box.type, {}});
  } else if (peer == negotiation_state::terminated) {
    ev::ended e{now, box.message_id, {{cause_side::peer, "The counterparty's negotiation is TERMINATED."}}, {}};
    b.add(std::move(e));
  } else if (now >= box.window_until) {
    b.add(give_up(s, now, window_text(s), false));
  } else if (!c.peer_state && c.transient) {
    return b.finish();
  } else if (box.refusals + 1 < s.settings.refusals_max) {
    const auto wait = s.settings.refusal_delay_ms * (int64_t{1} << std::min<int64_t>(box.refusals, 16));
    b.add(ev::resumed{now, box.message_id, c.peer_state.value_or(""), now + wait});
  } else {
    b.add(give_up(s, now,
                  "The counterparty refused our " + std::string(dsp::name_of(box.type)) + " " +
                      std::to_string(box.refusals + 1) + " times: " + box.failure,
                  true));
  }
  return b.finish();
}

outcome decide_one(const state& s, const negotiation::time_passed&, timepoint now) {
  steps b(s);
  if (!negotiation::tick(s, now))
    return b.finish();
  if (s.outbox)
    b.add(give_up(s, now, window_text(s), false));
  else
    b.add(make_end(s, now,
                   {{cause_side::local, "The counterparty was silent for " + in_words(s.settings.idle_max_ms) +
                                            " in state " + state_name(s) + "."}},
                   {}, true));
  return b.finish();
}

} // namespace

std::expected<actors::decision<negotiation>, actors::refusal> negotiation::decide(const state& s, const command& c,
                                                                                  timepoint now) {
  return std::visit([&](const auto& one) { return decide_one(s, one, now); }, c);
}

bool is_transient(const negotiation::command& outcome) {
  if (const auto* failed = std::get_if<negotiation::not_delivered>(&outcome))
    return failed->transient;
  const auto* probed = std::get_if<negotiation::probe_result>(&outcome);
  return probed && !probed->peer_state && probed->transient;
}

} // namespace fondaco::control_plane

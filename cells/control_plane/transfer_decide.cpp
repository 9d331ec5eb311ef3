#include <algorithm>

#include "cells/control_plane/transfer_process.hpp"

namespace fondaco::control_plane {

namespace ev = transfer_events;
using dps::flow_signal;
using dsp::transfer_message;
using dsp::transfer_state;

namespace {

using state = transfer_process::state;
using outcome = std::expected<actors::decision<transfer_process>, actors::refusal>;

std::unexpected<actors::refusal> refuse(transfer_errc code, std::string detail) {
  return std::unexpected(actors::refusal{{std::string(name_of(code)), std::move(detail), cure::fix_input}, false});
}

std::unexpected<actors::refusal> hold() {
  return std::unexpected(
      actors::refusal{{std::string(name_of(transfer_errc::illegal_transition)),
                       "The message came before the answer to our own; send it again after a moment.", cure::retry},
                      true});
}

std::unexpected<actors::refusal> not_found() { return refuse(transfer_errc::not_found, "There is no such transfer."); }

bool is_ended(const state& s) { return s.dsp_state && dsp::is_final(*s.dsp_state); }

std::string state_name(const state& s) { return s.dsp_state ? std::string(dsp::name_of(*s.dsp_state)) : "INITIAL"; }

/// Collects events and the state after them.
class steps {
public:
  explicit steps(const state& before) : after_(before) {}
  void add(transfer_process::event e) {
    after_ = transfer_process::evolve(std::move(after_), e);
    events_.push_back(std::move(e));
  }
  const state& now() const { return after_; }
  outcome finish(bool created = false, std::vector<persistence::seen_mark> marks = {}) {
    actors::decision<transfer_process> d;
    d.events = std::move(events_);
    d.reply = {after_.terms.id, dsp_view(after_), created};
    d.seen = std::move(marks);
    return d;
  }

private:
  state after_;
  std::vector<transfer_process::event> events_;
};

/// The queue after a change, built step by step.
class queue_draft {
public:
  queue_draft(const transfer_terms& terms, transfer_queue q, timepoint now)
      : terms_(terms), queue_(std::move(q)), now_(now) {}

  transfer_step& signal(flow_signal what) {
    auto& step = fresh();
    step.signal = what;
    return step;
  }
  transfer_step& message(transfer_message what, milliseconds delay = {}) {
    auto& step = fresh();
    step.message = what;
    step.not_before = now_ + delay;
    return step;
  }
  /// For the transfers that have a data plane: a signal to it.
  void signal_plane(flow_signal what, bool with_address = false) {
    if (terms_.plane)
      signal(what).with_address = with_address;
  }
  void pop() { queue_.steps.erase(queue_.steps.begin()); }
  void drop_messages() {
    std::erase_if(queue_.steps, [](const auto& one) { return one.message.has_value(); });
  }
  /// Keeps nothing but a signal that may be on its way: what follows it must not overtake it.
  void drop_all_but_flying() {
    auto& q = queue_.steps;
    const bool flying = !q.empty() && q.front().signal && now_ >= q.front().not_before;
    q.resize(flying ? 1 : 0);
    if (flying)
      q.front().best_effort = true;
  }
  /// True if the last step is this signal: both sides may wish the same at once.
  bool ends_with(flow_signal what) const { return !queue_.steps.empty() && queue_.steps.back().signal == what; }
  transfer_queue& raw() { return queue_; }
  /// The queue; the window of a step that has just become the first begins now.
  transfer_queue done(const transfer_queue& before) {
    auto& q = queue_.steps;
    if (!q.empty() && (before.steps.empty() || before.steps.front().id != q.front().id))
      q.front().window_until = std::max(now_, q.front().not_before) + terms_.settings.send_window_ms;
    return std::move(queue_);
  }

private:
  transfer_step& fresh() {
    auto& step = queue_.steps.emplace_back();
    step.id = derive_message_id(terms_.id, ++queue_.ids);
    step.not_before = now_;
    return step;
  }
  const transfer_terms& terms_;
  transfer_queue queue_;
  timepoint now_;
};

transfer_queue after_first(const state& s, timepoint now) {
  queue_draft q(s.terms, s.queue, now);
  q.pop();
  return q.done(s.queue);
}

/// True if a step may have reached its receiver without our knowing.
bool may_be_taken(const transfer_step& step, timepoint now) {
  return now >= step.not_before || !step.failure.empty() || step.refusals > 0;
}

/// The message of ours that is on its way, if one is.
const transfer_step* flying_message(const state& s, timepoint now) {
  if (s.queue.steps.empty() || s.awaited_flow)
    return nullptr;
  const auto& first = s.queue.steps.front();
  return first.message && may_be_taken(first, now) ? &first : nullptr;
}

/// The state that the messages in the queue lead to.
std::optional<transfer_state> prospect(const state& s) {
  auto at = s.dsp_state;
  for (const auto& step : s.queue.steps)
    if (step.message && !step.only_with_address)
      at = target_of(*step.message);
  return at;
}

/// True if an acknowledged start of ours asks the peer for its new address (DPS reference, section 10.3).
bool asks_for_address(const state& s, const transfer_step& step) {
  return step.message == transfer_message::start && !owns_address(s.terms) && s.dsp_state == transfer_state::suspended;
}

/// Ends the transfer on our side: the data plane first, then the peer (DPS reference, section 10.4).
ev::ended make_end(const state& s, timepoint now, std::vector<process_cause> causes, std::string cause,
                   bool tell_peer = true, bool best_effort = false, std::string code = {}) {
  queue_draft q(s.terms, s.queue, now);
  q.drop_all_but_flying();
  q.signal_plane(flow_signal::terminate);
  if (tell_peer && !s.peer_pid.empty()) {
    auto& notice = q.message(transfer_message::termination);
    notice.best_effort = best_effort;
    notice.code = std::move(code);
    for (const auto& c : causes)
      if (c.side == cause_side::local)
        notice.reasons.push_back(c.text);
  }
  return {now, std::move(cause), std::move(causes), q.done(s.queue)};
}

bool legal(const state& s, std::optional<transfer_state> from, bool awaits_address, transfer_message m) {
  if (from && dsp::is_final(*from))
    return false;
  if (m == transfer_message::termination)
    return true;
  if (m == transfer_message::start && awaits_address)
    return true;
  return dsp::next_state(from, m, other(s.terms.self)).has_value();
}

bool is_repeat(const state& s, const dsp::transfer_envelope& m) {
  if (!m.message_id.empty())
    return std::ranges::find(s.accepted_message_ids, m.message_id) != s.accepted_message_ids.end();
  return !s.awaits_address && s.last_received == m.type && s.dsp_state == target_of(m.type);
}

outcome decide_one(const state& s, const transfer_process::initiate& c, timepoint now) {
  steps b(s);
  const auto& t = c.terms;
  if (s.exists) {
    if (t.request_id.empty() || t.request_id != s.terms.request_id)
      return refuse(transfer_errc::already_exists, "A transfer with this id exists.");
    if (t.request_digest != s.terms.request_digest)
      return refuse(transfer_errc::idempotency_key_reused,
                    "The idempotency key was used with another request; choose a new key.");
    return b.finish();
  }
  if (t.id.empty() || t.counterparty_id.empty() || t.counterparty_address.empty() || t.agreement_id.empty() ||
      t.format.empty())
    return refuse(transfer_errc::bad_message,
                  "A transfer needs an id, a counterparty with its address, an agreement and a transfer type.");
  ev::opened e;
  e.at = now;
  e.cause = t.request_id;
  e.terms = t;
  e.terms.self = dsp::role::consumer;
  if (owns_address(e.terms) && !t.plane)
    return refuse(transfer_errc::no_data_plane,
                  "Transfer type '" + t.format + "' is a push: it needs a data plane of our own that receives it.");
  queue_draft q(e.terms, {}, now);
  q.signal_plane(flow_signal::prepare);
  q.message(transfer_message::request).with_address = owns_address(e.terms);
  e.queue = q.done({});
  b.add(std::move(e));
  return b.finish(true);
}

outcome decide_one(const state& s, const transfer_process::receive_request& c, timepoint now) {
  const auto& m = c.envelope;
  steps b(s);
  if (s.exists) {
    const bool same = s.terms.counterparty_id == c.terms.counterparty_id && s.peer_pid == m.consumer_pid;
    return same ? b.finish() : outcome(not_found());
  }
  for (const auto& [name, value] : {std::pair{"consumerPid", &m.consumer_pid},
                                    {"agreementId", &m.agreement_id},
                                    {"format", &m.format},
                                    {"callbackAddress", &m.callback_address}})
    if (value->empty())
      return refuse(transfer_errc::bad_message, std::string(name) + " is missing.");
  if (!c.allowed) {
    std::string why;
    for (const auto& one : c.reasons)
      why += (why.empty() ? "" : " ") + one;
    return refuse(transfer_errc::agreement_refused, std::move(why));
  }
  ev::opened e;
  e.at = now;
  e.cause = m.message_id;
  e.terms = c.terms;
  e.terms.self = dsp::role::provider;
  e.terms.format = m.format;
  e.terms.agreement_id = m.agreement_id;
  e.terms.counterparty_address = m.callback_address;
  e.peer_pid = m.consumer_pid;
  e.sealed_address = c.sealed_address;
  const bool owner = owns_address(e.terms);
  if (owner == !c.sealed_address.empty())
    return refuse(transfer_errc::bad_message, owner ? "dataAddress is not allowed: the format is not a push."
                                                    : "dataAddress is missing: the format is a push.");
  if (!c.terms.plane)
    return refuse(transfer_errc::no_data_plane, "No data plane serves transfer type '" + m.format + "'.");
  if (e.terms.settings.automatic) {
    queue_draft q(e.terms, {}, now);
    q.signal_plane(flow_signal::start, !owner);
    q.message(transfer_message::start, e.terms.settings.reaction_delay_ms).with_address = owner;
    e.queue = q.done({});
  }
  b.add(std::move(e));
  return b.finish(true, c.marks);
}

/// What a peer's accepted message makes us owe.
transfer_queue queue_after(const state& s, transfer_message type, timepoint now) {
  queue_draft q(s.terms, s.queue, now);
  const bool owner = owns_address(s.terms);
  switch (type) {
  case transfer_message::termination:
    q.drop_all_but_flying();
    q.signal_plane(flow_signal::terminate);
    break;
  case transfer_message::suspension:
    q.drop_messages();
    q.signal_plane(flow_signal::suspend);
    break;
  case transfer_message::completion:
    q.drop_messages();
    q.signal_plane(flow_signal::completed);
    break;
  case transfer_message::start:
    q.drop_messages();
    if (s.dsp_state == transfer_state::requested) {
      q.signal_plane(flow_signal::started, !owner);
    } else if (!owner) {
      q.signal_plane(flow_signal::resume, true);
    } else if (s.terms.plane) {
      if (!q.ends_with(flow_signal::resume))
        q.signal(flow_signal::resume);
      auto& answer = q.message(transfer_message::start, s.terms.settings.reaction_delay_ms);
      answer.with_address = answer.only_with_address = true;
    }
    break;
  case transfer_message::request: break;
  }
  return q.done(s.queue);
}

outcome decide_one(const state& s, const transfer_process::receive_message& c, timepoint now) {
  const auto& m = c.envelope;
  if (!s.exists || s.terms.counterparty_id != c.counterparty_id)
    return not_found();
  const bool consumes = s.terms.self == dsp::role::consumer;
  const auto& own = consumes ? m.consumer_pid : m.provider_pid;
  const auto& theirs = consumes ? m.provider_pid : m.consumer_pid;
  if (own != s.terms.id || theirs.empty() || (!s.peer_pid.empty() && theirs != s.peer_pid))
    return refuse(transfer_errc::pid_mismatch, "consumerPid and providerPid are not those of this transfer.");
  steps b(s);
  if (is_repeat(s, m))
    return b.finish();
  const auto* ours = flying_message(s, now);
  if (!legal(s, s.dsp_state, s.awaits_address, m.type)) {
    const bool early = ours && !is_ended(s) && legal(s, target_of(*ours->message), asks_for_address(s, *ours), m.type);
    if (!early)
      return refuse(transfer_errc::illegal_transition,
                    "Cannot process " + std::string(dsp::name_of(m.type)) + " in state " + state_name(s) + ".");
    // While the first try runs its answer is awaited; after a failure the message itself shows that ours was taken.
    if (ours->failure.empty() && ours->refusals == 0)
      return hold();
    b.add(ev::acknowledged{now, ours->id, *ours->message, theirs, asks_for_address(s, *ours), after_first(s, now)});
  } else if (ours && m.type != transfer_message::termination && m.type != transfer_message::completion &&
             target_of(m.type) != target_of(*ours->message)) {
    // Two messages cross: an end overtakes, the same wish is met, anything else waits for the answer to ours.
    return hold();
  }
  if (m.type == transfer_message::start && b.now().awaits_address && c.sealed_address.empty())
    return refuse(transfer_errc::bad_message, "dataAddress is missing: our start asked for the new address.");
  ev::received e;
  e.at = now;
  e.cause = m.message_id;
  e.type = m.type;
  if (s.peer_pid.empty())
    e.peer_pid = theirs;
  e.sealed_address = m.type == transfer_message::start ? c.sealed_address : std::string();
  if (m.type == transfer_message::termination)
    e.reason = termination_text(m.code, m.reasons);
  e.queue = queue_after(b.now(), m.type, now);
  b.add(std::move(e));
  return b.finish(false, c.marks);
}

/// An order, if the state that the queue leads to allows its message.
outcome order(const state& s, transfer_message type, std::string reason, timepoint now,
              void (*fill)(queue_draft&, const state&, const std::string&)) {
  if (!s.exists)
    return not_found();
  steps b(s);
  const auto from = prospect(s);
  const bool held = type != transfer_message::start || (!s.awaited_flow && s.queue.steps.empty());
  if (!from || dsp::is_final(*from) || !held || !dsp::next_state(from, type, s.terms.self))
    return refuse(transfer_errc::illegal_transition, "Cannot send " + std::string(dsp::name_of(type)) +
                                                         ": the transfer is " + transfer_process::status(s) + ".");
  queue_draft q(s.terms, s.queue, now);
  fill(q, s, reason);
  b.add(ev::ordered{now, {}, type, std::move(reason), {}, q.done(s.queue)});
  return b.finish();
}

outcome decide_one(const state& s, const transfer_process::start&, timepoint now) {
  return order(s, transfer_message::start, {}, now, [](queue_draft& q, const state& at, const std::string&) {
    const bool owner = owns_address(at.terms);
    if (at.dsp_state == transfer_state::requested)
      q.signal_plane(flow_signal::start, !owner);
    else if (owner)
      q.signal_plane(flow_signal::resume);
    q.message(transfer_message::start).with_address = owner;
  });
}

outcome decide_one(const state& s, const transfer_process::suspend& c, timepoint now) {
  return order(s, transfer_message::suspension, c.reason, now,
               [](queue_draft& q, const state& at, const std::string& reason) {
                 if (at.terms.plane && !reason.empty())
                   q.signal(flow_signal::suspend).reasons = {reason};
                 else
                   q.signal_plane(flow_signal::suspend);
                 auto& m = q.message(transfer_message::suspension);
                 if (!reason.empty())
                   m.reasons = {reason};
               });
}

outcome decide_one(const state& s, const transfer_process::complete&, timepoint now) {
  return order(s, transfer_message::completion, {}, now, [](queue_draft& q, const state&, const std::string&) {
    q.signal_plane(flow_signal::completed);
    q.message(transfer_message::completion);
  });
}

outcome decide_one(const state& s, const transfer_process::terminate& c, timepoint now) {
  if (!s.exists)
    return not_found();
  steps b(s);
  if (s.dsp_state == transfer_state::terminated)
    return b.finish();
  if (is_ended(s))
    return refuse(transfer_errc::illegal_transition, "Cannot terminate a transfer in state COMPLETED.");
  // The peer may have taken it, and then nothing ends the transfer any more.
  if (const auto* ours = flying_message(s, now); ours && ours->message == transfer_message::completion)
    return refuse(transfer_errc::illegal_transition, "Cannot terminate: our completion of the transfer is on its way.");
  auto why = c.reason.empty() ? std::string("Terminated by the operator.") : c.reason;
  b.add(make_end(s, now, {{cause_side::local, std::move(why)}}, {}, true, false, c.code));
  return b.finish();
}

/// The first step, if it is the message or signal with this id.
const transfer_step* first_step(const state& s, const std::string& id, bool is_signal) {
  if (s.queue.steps.empty() || s.awaited_flow)
    return nullptr;
  const auto& first = s.queue.steps.front();
  return first.id == id && first.signal.has_value() == is_signal ? &first : nullptr;
}

/// True for the id of our request, which follows at most a prepare.
bool is_first_message(const state& s, const std::string& id) {
  return id == derive_message_id(s.terms.id, s.terms.plane ? 2 : 1);
}

outcome decide_one(const state& s, const transfer_process::delivered& c, timepoint now) {
  steps b(s);
  if (const auto* step = first_step(s, c.message_id, false)) {
    b.add(ev::acknowledged{now, step->id, *step->message, s.peer_pid.empty() ? c.peer_pid : std::string(),
                           asks_for_address(s, *step), after_first(s, now)});
  } else if (s.exists && s.peer_pid.empty() && !c.peer_pid.empty() && s.dsp_state == transfer_state::terminated &&
             is_first_message(s, c.message_id)) {
    // We ended the transfer while our request was on its way: now the peer can be told.
    queue_draft q(s.terms, s.queue, now);
    auto& notice = q.message(transfer_message::termination);
    if (!s.error_detail.empty())
      notice.reasons = {s.error_detail};
    b.add(ev::ordered{now, c.message_id, transfer_message::termination, {}, c.peer_pid, q.done(s.queue)});
  }
  return b.finish();
}

/// The end of our patience with the first step: the transfer ends, or, where nothing hangs on the step, goes on. A step
/// that was answered is over; one that was not may be on its way.
transfer_process::event give_up(const state& s, timepoint now, process_cause why, bool reachable, bool answered) {
  const auto& step = s.queue.steps.front();
  const bool vital = step.message || step.signal == flow_signal::prepare || step.signal == flow_signal::start ||
                     step.signal == flow_signal::resume;
  if (is_ended(s) || step.best_effort || !vital)
    return ev::step_dropped{now, step.id, std::move(why), after_first(s, now)};
  auto id = step.id;
  auto at = s;
  if (answered)
    at.queue.steps.erase(at.queue.steps.begin());
  return make_end(at, now, {std::move(why)}, std::move(id), true, !reachable);
}

std::string window_text(const state& s) {
  const auto& step = s.queue.steps.front();
  auto text = step.message ? "Our " + std::string(dsp::name_of(*step.message))
                           : "The signal '" + std::string(dps::name_of(*step.signal)) + "' to the data plane";
  text += " was not acknowledged within " + in_words(s.terms.settings.send_window_ms) + ".";
  return step.failure.empty() ? text : text + " Last failure: " + step.failure;
}

/// A failure that may pass.
outcome failed_for_now(const state& s, process_cause why, timepoint now) {
  steps b(s);
  const auto& step = s.queue.steps.front();
  if (step.best_effort) {
    b.add(ev::step_dropped{now, step.id, std::move(why), after_first(s, now)});
    return b.finish();
  }
  if (why.text != step.failure)
    b.add(ev::step_failed{now, step.id, why, false});
  if (now >= step.window_until)
    b.add(give_up(b.now(), now, {cause_side::local, window_text(b.now())}, step.signal.has_value(), true));
  return b.finish();
}

outcome decide_one(const state& s, const transfer_process::not_delivered& c, timepoint now) {
  steps b(s);
  const auto* step = first_step(s, c.message_id, false);
  if (!step || step->probing)
    return b.finish();
  if (c.transient)
    return failed_for_now(s, {cause_side::local, c.cause}, now);
  if (step->message == transfer_message::termination) {
    b.add(ev::step_dropped{now,
                           step->id,
                           {cause_side::peer, "The counterparty refused our termination: " + c.cause},
                           after_first(s, now)});
    return b.finish();
  }
  b.add(ev::step_failed{now, step->id, {cause_side::peer, c.cause}, true});
  // Without the peer's process id there is no state to ask for, so its word is final.
  if (s.peer_pid.empty())
    b.add(make_end(b.now(), now, {{cause_side::peer, c.cause}}, step->id));
  return b.finish();
}

outcome decide_one(const state& s, const transfer_process::probe_result& c, timepoint now) {
  steps b(s);
  const auto* step = first_step(s, c.message_id, false);
  if (!step || !step->probing || is_ended(s))
    return b.finish();
  const auto peer = c.peer_state ? dsp::parse_transfer_state(*c.peer_state) : std::nullopt;
  const auto target = target_of(*step->message);
  const bool passed = peer == transfer_state::completed && target == transfer_state::started;
  if (peer == target || passed) {
    b.add(ev::acknowledged{now, step->id, *step->message, {}, asks_for_address(s, *step), after_first(s, now)});
  } else if (peer == transfer_state::terminated) {
    b.add(make_end(s, now, {{cause_side::peer, "The counterparty's transfer is TERMINATED."}}, step->id, false));
  } else if (now >= step->window_until) {
    b.add(give_up(s, now, {cause_side::local, window_text(s)}, false, true));
  } else if (!c.peer_state && c.transient) {
    return b.finish();
  } else if (step->refusals + 1 < s.terms.settings.refusals_max) {
    const auto wait = s.terms.settings.refusal_delay_ms * (int64_t{1} << std::min<int64_t>(step->refusals, 16));
    b.add(ev::resumed{now, step->id, c.peer_state.value_or(""), now + wait});
  } else {
    b.add(give_up(s, now,
                  {cause_side::local, "The counterparty refused our " + std::string(dsp::name_of(*step->message)) +
                                          " " + std::to_string(step->refusals + 1) + " times: " + step->failure},
                  true, true));
  }
  return b.finish();
}

/// The queue after an answer of the data plane: an answer to the peer's start is left out if there is no new address.
transfer_queue after_signal(const state& s, bool has_address, timepoint now) {
  queue_draft q(s.terms, s.queue, now);
  q.pop();
  if (!has_address)
    std::erase_if(q.raw().steps, [](const auto& one) { return one.only_with_address; });
  return q.done(s.queue);
}

outcome decide_one(const state& s, const transfer_process::signal_taken& c, timepoint now) {
  steps b(s);
  const auto* step = first_step(s, c.message_id, true);
  if (!step)
    return b.finish();
  const bool may_wait = step->signal == flow_signal::prepare || step->signal == flow_signal::start;
  const bool keeps = owns_address(s.terms);
  b.add(ev::signalled{now, step->id, *step->signal, c.pending && may_wait, c.flow_id,
                      keeps ? c.sealed_address : std::string(), after_signal(s, !c.sealed_address.empty(), now)});
  return b.finish();
}

outcome decide_one(const state& s, const transfer_process::signal_failed& c, timepoint now) {
  steps b(s);
  const auto* step = first_step(s, c.message_id, true);
  if (!step)
    return b.finish();
  if (c.transient)
    return failed_for_now(s, {cause_side::data_plane, c.cause}, now);
  b.add(give_up(
      s, now,
      {cause_side::data_plane, "The data plane refused '" + std::string(dps::name_of(*step->signal)) + "': " + c.cause},
      true, true));
  return b.finish();
}

/// True while a signal that makes a flow may be on its way: its answer comes before any callback counts.
bool making_flow(const state& s) {
  return !s.awaited_flow && !s.queue.steps.empty() &&
         (s.queue.steps.front().signal == flow_signal::prepare || s.queue.steps.front().signal == flow_signal::start);
}

outcome decide_one(const state& s, const transfer_process::flow_report& c, timepoint now) {
  if (!s.exists || !s.terms.plane || s.terms.plane->id != c.dataplane_id)
    return not_found();
  steps b(s);
  ev::reported e{now, {}, c.signal, {}, c.text, s.queue};
  switch (c.signal) {
  case flow_signal::prepared:
  case flow_signal::started: {
    if (is_ended(s))
      return b.finish();
    if (making_flow(s))
      return hold();
    const auto ends = c.signal == flow_signal::prepared ? flow_signal::prepare : flow_signal::start;
    if (s.awaited_flow != ends)
      return b.finish();
    if (owns_address(s.terms))
      e.sealed_address = c.sealed_address;
    queue_draft q(s.terms, s.queue, now);
    e.queue = q.done({});
    b.add(std::move(e));
    return b.finish();
  }
  case flow_signal::completed: {
    const auto at = prospect(s);
    if (at == transfer_state::completed)
      return b.finish();
    if (making_flow(s) && !is_ended(s))
      return hold();
    if (at != transfer_state::started || is_ended(s) || s.awaited_flow)
      return refuse(transfer_errc::illegal_transition,
                    "The data flow cannot complete: the transfer is " + transfer_process::status(s) + ".");
    queue_draft q(s.terms, s.queue, now);
    q.message(transfer_message::completion, s.terms.settings.reaction_delay_ms);
    e.queue = q.done(s.queue);
    b.add(std::move(e));
    return b.finish();
  }
  case flow_signal::errored:
    // Neither a change of state nor the counterparty's business (DPS reference, section 4).
    if (!is_ended(s) && (s.causes.empty() || s.causes.back() != process_cause{cause_side::data_plane, c.text}))
      b.add(std::move(e));
    return b.finish();
  default:
    return refuse(transfer_errc::bad_message,
                  "'" + std::string(dps::name_of(c.signal)) + "' is not a callback of a data plane.");
  }
}

outcome decide_one(const state& s, const transfer_process::time_passed&, timepoint now) {
  steps b(s);
  if (!transfer_process::tick(s, now))
    return b.finish();
  const auto patience = in_words(s.terms.settings.idle_max_ms);
  if (!s.queue.steps.empty() && !s.awaited_flow) {
    b.add(give_up(s, now, {cause_side::local, window_text(s)}, s.queue.steps.front().signal.has_value(), false));
  } else if (s.awaited_flow) {
    b.add(make_end(s, now,
                   {{cause_side::local, "The data plane did not report the end of '" +
                                            std::string(dps::name_of(*s.awaited_flow)) + "' for " + patience + "."}},
                   {}));
  } else if (s.awaits_address || !s.dsp_state || *s.dsp_state == transfer_state::requested) {
    b.add(make_end(
        s, now,
        {{cause_side::local, "The counterparty was silent for " + patience + " in state " + state_name(s) + "."}}, {},
        true, true));
  } else {
    b.add(ev::reviewed{now, {}});
  }
  return b.finish();
}

} // namespace

std::expected<actors::decision<transfer_process>, actors::refusal>
transfer_process::decide(const state& s, const command& c, timepoint now) {
  return std::visit([&](const auto& one) { return decide_one(s, one, now); }, c);
}

bool is_transient(const transfer_process::command& outcome) {
  if (const auto* failed = std::get_if<transfer_process::not_delivered>(&outcome))
    return failed->transient;
  if (const auto* failed = std::get_if<transfer_process::signal_failed>(&outcome))
    return failed->transient;
  const auto* probed = std::get_if<transfer_process::probe_result>(&outcome);
  return probed && !probed->peer_state && probed->transient;
}

} // namespace fondaco::control_plane

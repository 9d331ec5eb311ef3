#include "sim/ledger.hpp"

#include <algorithm>

namespace fondaco::sim {

using control_plane::negotiation;
using control_plane::transfer_process;

const std::string& shadow::peer_pid() const {
  return std::visit([](const auto& s) -> const std::string& { return s.peer_pid; }, state);
}

const std::string& shadow::counterparty_id() const {
  if (const auto* n = std::get_if<negotiation::state>(&state))
    return n->counterparty_id;
  return std::get<transfer_process::state>(state).terms.counterparty_id;
}

dsp::role shadow::role() const {
  if (const auto* n = std::get_if<negotiation::state>(&state))
    return n->self;
  return std::get<transfer_process::state>(state).terms.self;
}

std::string shadow::dsp_state() const {
  return std::visit([](const auto& s) { return s.dsp_state ? std::string(dsp::name_of(*s.dsp_state)) : std::string(); },
                    state);
}

bool shadow::ended() const {
  return std::visit([](const auto& s) { return s.dsp_state && dsp::is_final(*s.dsp_state); }, state);
}

bool shadow::completes() const {
  const auto& t = std::get<transfer_process::state>(state);
  const auto is_end = [](const auto& step) { return step.message == dsp::transfer_message::completion; };
  return t.dsp_state == dsp::transfer_state::completed || std::ranges::any_of(t.queue.steps, is_end);
}

// Not by `owed`, which a promise is about.
bool shadow::owes() const {
  if (const auto* n = std::get_if<negotiation::state>(&state))
    return n->outbox.has_value();
  return !std::get<transfer_process::state>(state).queue.steps.empty();
}

bool errand::ended() const {
  return state.at == cfm::orchestration::phase::completed || state.at == cfm::orchestration::phase::errored;
}

void ledger::took(const std::string& group, const std::string& process, std::span<const persistence::lease> leases) {
  for (const auto& l : leases) {
    auto& o = owners_[{group, l.shard}];
    const bool again = o.process == process && o.epoch == l.epoch;
    if (!again && l.epoch <= o.epoch)
      notes_.blame(time_.now(), process + " got shard " + std::to_string(l.shard) + " in epoch " +
                                    std::to_string(l.epoch) + ", which " + o.process + " had");
    o = {l.epoch, process};
  }
}

template <class D, class F>
bool ledger::fold(typename D::state& into, std::span<const persistence::stored_event> events, F after_each) {
  for (const auto& e : events) {
    auto event = D::decode(e.event);
    if (!event) {
      notes_.blame(time_.now(), "an event of " + e.key.id + " cannot be read back: " + e.event.type);
      return false;
    }
    into = D::evolve(std::move(into), *event);
    after_each(into);
  }
  return true;
}

void ledger::became_durable(const std::string& group, const std::string& process, const persistence::entity_append& a,
                            std::span<const persistence::stored_event> events, const persistence::entity_row& row) {
  const auto& o = owners_[{group, a.shard}];
  if (o.epoch != a.epoch || o.process != process)
    notes_.blame(time_.now(), process + " wrote to " + a.key.id + " in epoch " + std::to_string(a.epoch) +
                                  ", but its shard is " + o.process + "'s in epoch " + std::to_string(o.epoch));
  seen_[{group, a.key}] = row.seq;
  for (const auto& e : events)
    notes_.note(time_.now(), group, "durable " + a.key.id + " " + std::to_string(e.seq) + " " + e.event.type);
  if (a.key.kind == negotiation::kind || a.key.kind == transfer_process::kind)
    keep_shadow(group, a.key, events, row);
  else if (a.key.kind == cfm::orchestration::kind)
    keep_errand(group, a.key, events, row);
}

template <class D> void ledger::keep_events(shadow& s, std::span<const persistence::stored_event> events) {
  auto& state = std::get<typename D::state>(s.state);
  fold<D>(state, events, [&s](const auto& now) {
    for (const auto& id : now.accepted_message_ids)
      s.taken.insert(id);
  });
  for (const auto& owed : D::owed(state))
    s.owed.insert(owed.body.message_id);
}

void ledger::keep_shadow(const std::string& group, const persistence::entity_key& key,
                         std::span<const persistence::stored_event> events, const persistence::entity_row& row) {
  auto& s = shadows_.try_emplace(key, shadow{group, key, {}, 0, {}, {}}).first->second;
  by_id_.emplace(std::pair(group, key.id), key);
  s.seq = row.seq;
  if (key.kind == negotiation::kind) {
    keep_events<negotiation>(s, events);
  } else {
    if (s.is_negotiation())
      s.state.emplace<transfer_process::state>();
    keep_events<transfer_process>(s, events);
  }
  check_wake(key, s.rests(), row);
}

void ledger::keep_errand(const std::string& group, const persistence::entity_key& key,
                         std::span<const persistence::stored_event> events, const persistence::entity_row& row) {
  auto& e = errands_.try_emplace(key, errand{group, key, {}, 0, {}}).first->second;
  e.seq = row.seq;
  fold<cfm::orchestration>(e.state, events, [](const auto&) {});
  for (const auto& owed : cfm::orchestration::owed(e.state))
    e.owed.insert(owed.body.id);
  check_wake(key, e.rests(), row);
}

void ledger::check_wake(const persistence::entity_key& key, bool rests, const persistence::entity_row& row) {
  if (!rests && !row.wake)
    notes_.blame(time_.now(), key.id + " has not come to its end (" + row.status + "), and nothing will wake it");
}

int64_t ledger::seen(const std::string& group, const persistence::entity_key& key) const {
  const auto found = seen_.find({group, key});
  return found == seen_.end() ? 0 : found->second;
}

const shadow* ledger::find(const std::string& group, const std::string& id) const {
  const auto key = by_id_.find({group, id});
  return key == by_id_.end() ? nullptr : &shadows_.at(key->second);
}

const shadow* ledger::other_side(const shadow& s) const {
  for (const auto& [key, other] : shadows_)
    if (key.kind == s.key.kind && other.role() != s.role() &&
        (other.peer_pid() == s.key.id || other.key.id == s.peer_pid()))
      return &other;
  return nullptr;
}

void ledger::left(const std::string& group, const std::string& message_id, const std::vector<std::string>& own_ids) {
  for (const auto& id : own_ids)
    if (const auto* s = find(group, id); s && s->owed.contains(message_id))
      return;
  notes_.blame(time_.now(), group + " sent message " + message_id + " before the event that owes it was durable");
}

void ledger::acknowledged(const std::string& group, const std::string& message_id,
                          const std::vector<std::string>& own_ids) {
  for (const auto& id : own_ids)
    if (const auto* s = find(group, id); s && s->taken.contains(message_id))
      return;
  notes_.blame(time_.now(), group + " acknowledged message " + message_id + ", but no durable event took it");
}

void ledger::heard(const std::string& group, const std::string& flow, const std::string& signal) {
  const auto* s = find(group, flow);
  const bool started = s && std::get<transfer_process::state>(s->state).awaited_flow != dps::flow_signal::start;
  if (!s || !(s->ended() || (signal == "completed" ? s->completes() : started)))
    notes_.blame(time_.now(),
                 group + " acknowledged that flow " + flow + " has " + signal + ", but no durable event did");
}

const errand* ledger::find_errand(const std::string& group, const std::string& id) const {
  for (const auto& [key, e] : errands_)
    if (e.group == group && key.id == id)
      return &e;
  return nullptr;
}

void ledger::published(const std::string& group, const std::string& message_id) {
  for (const auto& [key, e] : errands_)
    if (e.group == group && e.owed.contains(message_id))
      return;
  notes_.blame(time_.now(), group + " published message " + message_id + " before the event that owes it was durable");
}

void ledger::acted_on(const std::string& group, const actors::broker_message& m) {
  const auto result = cfm::read_activity_result(m.payload);
  if (m.subject == cfm::subjects::manifest) {
    const auto manifest = cfm::read_manifest(m.payload);
    if (!manifest || !find_errand(group, manifest->id))
      notes_.blame(time_.now(), group + " is done with manifest " + m.id + ", but no durable event began it");
  } else if (result && result->outcome == cfm::activity_outcome::complete) {
    const auto* e = find_errand(group, result->orchestration_id);
    for (const auto& p : e ? e->state.activities : std::vector<cfm::orchestration::progress>())
      if (p.id == result->activity_id &&
          (p.at == cfm::activity_phase::done || p.at == cfm::activity_phase::failed || e->ended()))
        return;
    notes_.blame(time_.now(), group + " is done with result " + m.id + ", but no durable event took it");
  }
}

} // namespace fondaco::sim

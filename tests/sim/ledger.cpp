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
  return std::visit(
      [](const auto& s) { return s.dsp_state ? std::string(dsp::name_of(*s.dsp_state)) : std::string(); }, state);
}

bool shadow::ended() const {
  return std::visit([](const auto& s) { return s.dsp_state && dsp::is_final(*s.dsp_state); }, state);
}

// Not by `owed`, which a promise is about.
bool shadow::owes() const {
  if (const auto* n = std::get_if<negotiation::state>(&state))
    return n->outbox.has_value();
  return !std::get<transfer_process::state>(state).queue.steps.empty();
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

template <class D> void ledger::fold(shadow& into, std::span<const persistence::stored_event> events) {
  auto& state = std::get<typename D::state>(into.state);
  for (const auto& e : events) {
    auto event = D::decode(e.event);
    if (!event)
      return notes_.blame(time_.now(), "an event of " + into.key.id + " cannot be read back: " + e.event.type);
    state = D::evolve(std::move(state), *event);
    into.seq = e.seq;
    for (const auto& id : state.accepted_message_ids)
      into.taken.insert(id);
  }
  for (const auto& owed : D::owed(state))
    into.owed.insert(owed.body.message_id);
}

void ledger::became_durable(const std::string& group, const std::string& process, const persistence::entity_append& a,
                            std::span<const persistence::stored_event> events, const persistence::entity_row& row) {
  const auto& o = owners_[{group, a.shard}];
  if (o.epoch != a.epoch || o.process != process)
    notes_.blame(time_.now(), process + " wrote to " + a.key.id + " in epoch " + std::to_string(a.epoch) +
                                  ", but its shard is " + o.process + "'s in epoch " + std::to_string(o.epoch));
  seen_[a.key] = row.seq;
  for (const auto& e : events)
    notes_.note(time_.now(), group, "durable " + a.key.id + " " + std::to_string(e.seq) + " " + e.event.type);
  const bool negotiates = a.key.kind == negotiation::kind;
  if (!negotiates && a.key.kind != transfer_process::kind)
    return;
  auto& s = shadows_.try_emplace(a.key, shadow{group, a.key, {}, 0, {}, {}}).first->second;
  by_id_.emplace(std::pair(group, a.key.id), a.key);
  if (negotiates) {
    fold<negotiation>(s, events);
  } else {
    if (s.is_negotiation())
      s.state.emplace<transfer_process::state>();
    fold<transfer_process>(s, events);
  }
  check_wake(s, row);
}

void ledger::check_wake(const shadow& s, const persistence::entity_row& row) {
  if (!s.rests() && !row.wake)
    notes_.blame(time_.now(), s.key.id + " has not come to its end (" + row.status + "), and nothing will wake it");
}

int64_t ledger::seen(const persistence::entity_key& key) const {
  const auto found = seen_.find(key);
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

} // namespace fondaco::sim

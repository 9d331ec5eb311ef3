#include "actors/detail/entity_actor.hpp"

#include <algorithm>
#include <utility>

namespace fondaco::actors::detail {

namespace {

constexpr auto timer_horizon = std::chrono::minutes(1);

// Reads an entity back; runs in the reader pool.
recovered_message read_back(node_context& c, const entity_kind& kind, const persistence::entity_key& key) {
  recovered_message out;
  auto state = kind.make(key);
  auto snapshot = c.parts.journal.load_snapshot(key);
  if (!snapshot) {
    out.error = snapshot.error();
    return out;
  }
  if (*snapshot && state->restore(**snapshot))
    out.seq = out.snapshot_seq = (*snapshot)->seq;
  for (;;) {
    auto page = c.parts.journal.read_events(key, out.seq, persistence::limits::read_rows_max);
    if (!page) {
      out.error = page.error();
      return out;
    }
    for (const auto& e : *page) {
      invariant(e.seq == out.seq + 1, "an entity's events are read back without a gap");
      if (!state->replay(e.event)) {
        out.unreadable = true;
        return out;
      }
      out.seq = e.seq;
    }
    if (page->size() < persistence::limits::read_rows_max)
      break;
  }
  out.state = std::make_shared<std::unique_ptr<entity_state>>(std::move(state));
  return out;
}

const entity_kind& kind_of(const node_context& c, const std::string& name) {
  auto found = c.kinds.find(name);
  invariant(found != c.kinds.end(), "the runtime knows the kind of every entity it spawns");
  return found->second;
}

} // namespace

entity_actor::entity_actor(caf::actor_config& config, context_ptr context, caf::actor parent,
                           persistence::entity_key key, shard_number shard, int64_t epoch)
    : base_actor(config, std::move(context)), parent_(std::move(parent)), key_(std::move(key)), shard_(shard),
      epoch_(epoch), kind_(kind_of(*context_, key_.kind)) {}

caf::behavior entity_actor::make_behavior() {
  last_used_ = now();
  recover();
  return {
      [this](command_message& m) {
        if (m.done)
          last_used_ = now();
        if (m.done)
          take({std::move(m.command), std::move(m.done)});
        else if (m.at_once)
          hurry();
        else if (phase_ == phase::idle)
          run_owed();
      },
      [this](recovered_message& m) { on_recovered(m); },
      [this](append_answer& a) { on_appended(a); },
      [this](effect_done_message& m) { on_effect_done(m); },
      [this](const tick_message& m) { on_tick(m); },
      [this](retire_message) { on_retire(); },
      [this](stop_message) {
        stopping_ = true; // an append's answer comes first
        if (phase_ != phase::appending)
          quit();
      },
  };
}

void entity_actor::on_exit() {
  context_->live.erase(path());
  answer_all(ask_errc::unavailable, "stopped", "The entity stopped; ask again.");
  parent_ = nullptr;
}

std::string entity_actor::path() const {
  return context_->parts.node + "/shard-" + std::to_string(shard_) + "/" + key_.owner.id() + "/" + key_.kind + "/" +
         key_.id;
}

void entity_actor::recover() {
  phase_ = phase::recovering;
  state_.reset();
  effects_.clear();
  context_->counters.recoveries.fetch_add(1);
  auto self = caf::actor_cast<caf::actor>(this);
  auto context = context_;
  auto job = [context, self, key = key_, kind = &kind_] {
    recovered_message found;
    try {
      found = read_back(*context, *kind, key);
    } catch (const std::exception& e) {
      write_log({severity::error,
                 "actors",
                 log_category::application,
                 "an entity cannot be read back",
                 {{"entity_id", key.id}, {"kind", key.kind}, {"tenant", key.owner.id()}, {"what", e.what()}}});
      found.unreadable = true;
    }
    caf::anon_send(self, std::move(found));
  };
  if (!context_->pool->post(key_.owner, std::move(job)))
    give_up("too many recoveries wait", caf::make_error(store_is_silent));
}

void entity_actor::on_recovered(recovered_message& m) {
  if (m.error)
    return give_up("the journal does not answer", caf::make_error(store_is_silent));
  if (m.unreadable || !m.state)
    return give_up("an event cannot be read", caf::make_error(caf::sec::runtime_error));
  state_ = std::move(*m.state);
  seq_ = m.seq;
  snapshot_seq_ = m.snapshot_seq;
  phase_ = phase::idle;
  const auto owed = state_->owed();
  for (const auto& e : owed)
    effects_[e.key].from_journal = seq_ > 0;
  context_->letters.keep_only(key_, owed);
  settle();
}

void entity_actor::take(work w) {
  if (phase_ == phase::idle)
    return process(std::move(w));
  if (stash_.size() >= context_->parts.limits.entity_stash_max) {
    context_->counters.overloaded.fetch_add(1);
    context_->counters.stash_full.fetch_add(1);
    if (w.done)
      w.done->fail(ask_errc::overloaded, "stash_full", "Too many commands wait for this entity; ask again later.");
    return;
  }
  stash_.push_back(std::move(w));
}

void entity_actor::process(work w) {
  if (w.done && w.done->finished())
    return; // its deadline passed while it waited: nobody asks any more
  std::expected<erased_decision, refusal> decided = std::unexpected(refusal{});
  try {
    decided = state_->decide(*w.command, now());
  } catch (const broken_invariant&) {
    throw; // an assumption of ours is broken: this entity stops, its neighbours go on
  } catch (const std::exception& e) {
    write_log({severity::error,
               "actors",
               log_category::application,
               "a command was refused because deciding on it failed",
               {{"entity_id", key_.id}, {"kind", key_.kind}, {"tenant", key_.owner.id()}, {"what", e.what()}}});
    decided = std::unexpected(refusal{{"poison", "The command cannot be decided.", cure::fix_input}, false});
  }
  if (decided) {
    if (decided->records.empty()) {
      if (w.done)
        w.done->finish(std::move(decided->reply));
      return;
    }
    return begin_append(std::move(w), std::move(*decided));
  }
  bool in_flight = std::any_of(effects_.begin(), effects_.end(), [](const auto& e) { return e.second.running; });
  if (decided.error().hold && in_flight && held_.size() < context_->parts.limits.entity_stash_max) {
    if (w.done)
      w.done->end_turn();
    held_.push_back(std::move(w));
    return;
  }
  context_->counters.refusals.fetch_add(1);
  if (w.done)
    w.done->finish(std::unexpected(ask_error{ask_errc::refused, std::move(decided.error().why)}));
}

void entity_actor::begin_append(work w, erased_decision d) {
  phase_ = phase::appending;
  auto append = std::make_shared<persistence::entity_append>(
      persistence::entity_append{key_, shard_, epoch_, seq_, std::move(d.records), d.status, d.view, d.wake,
                                 std::move(d.seen), std::move(d.names), std::move(d.documents), now()});
  current_ = std::move(w);
  decided_ = std::move(d);
  context_->counters.journal_queue.fetch_add(1);
  send(context_->writer, append_message{std::move(append), caf::actor_cast<caf::actor>(this)});
}

void entity_actor::on_appended(append_answer& a) {
  using persistence::journal_errc;
  auto w = std::move(*std::exchange(current_, std::nullopt));
  auto d = std::move(*std::exchange(decided_, std::nullopt));
  phase_ = phase::idle;
  if (a.result) {
    invariant(a.result->seq > seq_, "an acknowledged append moves the sequence on");
    seq_ = a.result->seq;
    const auto before = state_->status();
    state_->adopt(std::move(d.next));
    if (auto* observer = context_->parts.observer; observer && state_->status() != before)
      observer->reached(key_.kind, state_->status());
    if (w.done)
      w.done->finish(std::move(d.reply));
    keep_snapshot();
    return settle();
  }
  switch (a.result.error()) {
  case journal_errc::fenced:
    context_->counters.fenced.fetch_add(1);
    if (w.done)
      w.done->fail(ask_errc::not_owner, "fenced", "Another node owns this entity; ask it.");
    send(parent_, fenced_message{shard_});
    return quit();
  case journal_errc::outcome_unknown:
    if (w.done)
      w.done->fail(ask_errc::unavailable, "outcome_unknown", "The store did not confirm the change; read the state.");
    return stopping_ ? quit() : recover();
  case journal_errc::unavailable:
    if (w.done)
      w.done->fail(ask_errc::unavailable, "unavailable", "The store does not answer; ask again later.");
    break;
  case journal_errc::duplicate:
    if (w.done)
      w.done->fail(ask_errc::duplicate, "duplicate", "The message or token was used before.");
    break;
  case journal_errc::name_taken:
  case journal_errc::rejected:
    if (w.done)
      w.done->fail(ask_errc::refused, std::string(persistence::name_of(a.result.error())),
                   "The store refused the change; nothing was written.");
    break;
  }
  settle();
}

// After every change: what was held may be due now, what is owed runs, what waited goes on.
void entity_actor::settle() {
  if (stopping_)
    return quit();
  run_owed();
  while (!held_.empty()) {
    stash_.push_front(std::move(held_.back()));
    held_.pop_back();
  }
  auto turns = stash_.size();
  while (phase_ == phase::idle && !stash_.empty() && turns-- > 0) {
    auto w = std::move(stash_.front());
    stash_.pop_front();
    process(std::move(w));
  }
  publish();
}

void entity_actor::run_owed() {
  if (phase_ != phase::idle)
    return;
  auto owed = state_->owed();
  for (auto it = effects_.begin(); it != effects_.end();) {
    bool still = std::any_of(owed.begin(), owed.end(), [&](const auto& e) { return e.key == it->first; });
    if (still || it->second.running) {
      ++it;
      continue;
    }
    context_->letters.done(key_, it->first);
    it = effects_.erase(it);
  }
  auto t = now();
  auto next = state_->wake_at();
  for (const auto& e : owed) {
    auto& slot = effects_[e.key];
    if (slot.running)
      continue;
    if (slot.next_try > t + 2 * context_->parts.limits.retry_cap_ms)
      slot.next_try = t; // the clock was set back meanwhile
    auto due = std::max(e.not_before, slot.next_try);
    if (due <= t)
      run(e, slot);
    else
      next = next ? std::min(*next, due) : due;
  }
  if (next)
    arm(*next <= t ? t + std::chrono::seconds(1) : *next);
}

// An operator knows better: what failed need not wait for its next try.
void entity_actor::hurry() {
  for (auto& [key, slot] : effects_)
    slot.next_try = {};
  if (phase_ == phase::idle)
    settle();
}

void entity_actor::run(const erased_effect& e, effect_slot& slot) {
  slot.running = true;
  ++slot.attempt;
  context_->counters.effects.fetch_add(1);
  context_->effects_running.fetch_add(1);
  effect_run job{key_, shard_, e.body, slot.attempt, slot.from_journal || slot.attempt > 1};
  auto address = caf::actor_cast<caf::actor_addr>(caf::actor_cast<caf::actor>(this));
  auto context = std::weak_ptr<node_context>(context_);
  auto outside = context_->outside;
  kind_.run_effect(std::move(job), [address, context, outside, key = e.key](std::any outcome) {
    std::shared_lock lock(outside->mutex);
    if (!outside->open)
      return;
    if (auto c = context.lock())
      c->effects_running.fetch_sub(1);
    if (auto self = caf::actor_cast<caf::actor>(address))
      caf::anon_send(self, effect_done_message{key, std::make_shared<std::any>(std::move(outcome))});
  });
}

void entity_actor::on_effect_done(effect_done_message& m) {
  last_used_ = now();
  auto found = effects_.find(m.key);
  if (found != effects_.end()) {
    auto& slot = found->second;
    slot.running = false;
    bool failed = kind_.is_transient && kind_.is_transient(*m.outcome);
    if (failed)
      context_->counters.effect_failures.fetch_add(1);
    if (auto* observer = context_->parts.observer)
      observer->effect_ended(key_.kind, failed);
    const auto& limits = context_->parts.limits;
    auto delay = limits.retry_first_ms * (1u << std::min(slot.attempt - 1, 20u));
    delay = std::min(delay, limits.retry_cap_ms);
    auto jitter = milliseconds(context_->parts.random.next() % static_cast<uint64_t>(delay.count() / 4 + 1));
    slot.next_try = now() + delay + jitter;
    note_outcome(m, failed ? std::optional(slot.next_try) : std::nullopt);
    if (failed) // the row says it too, so that what fails does not stand in the way of what is due
      move_wake(slot.next_try);
  }
  // An outcome goes before the commands that wait: they may be waiting for it.
  if (phase_ == phase::idle) {
    process({std::move(m.outcome), nullptr});
    if (phase_ == phase::idle)
      settle();
  } else {
    stash_.push_front({std::move(m.outcome), nullptr});
  }
}

void entity_actor::note_outcome(const effect_done_message& m, std::optional<timepoint> next_try) {
  if (!next_try || context_->gone.holds(key_))
    return context_->letters.done(key_, m.key);
  auto cause = kind_.cause_of ? kind_.cause_of(*m.outcome) : std::string();
  if (cause.empty())
    cause = "It failed without a word; the log says more.";
  context_->letters.failed(key_, shard_, m.key, std::move(cause), now(), next_try);
}

void entity_actor::on_tick(const tick_message& m) {
  if (m.generation != generation_)
    return;
  armed_for_ = {};
  if (phase_ != phase::idle)
    return;
  auto wake = state_->wake_at();
  if (wake && *wake <= now()) {
    if (auto command = state_->tick(now()))
      process({std::make_shared<std::any>(std::move(*command)), nullptr});
  }
  if (phase_ == phase::idle)
    settle();
}

// Far wake-ups are rows, near ones are timers: a timer pins the actor until it fires.
void entity_actor::arm(timepoint due) {
  auto t = now();
  if (due > t + timer_horizon || (armed_for_ != timepoint{} && armed_for_ <= due && armed_for_ > t))
    return;
  armed_for_ = due;
  delayed_send(this, std::max(milliseconds(1), milliseconds(due - t)), tick_message{++generation_});
}

void entity_actor::on_retire() {
  auto t = now();
  auto slot = key_.kind + "/" + key_.id;
  bool in_flight = std::any_of(effects_.begin(), effects_.end(), [](const auto& e) { return e.second.running; });
  // One that was only asked about and does not exist leaves at once.
  const auto idle_at = last_used_ + context_->parts.limits.passivate_after_ms;
  bool recent = seq_ > 0 && t < idle_at;
  if (phase_ != phase::idle || in_flight || recent || !stash_.empty() || !held_.empty())
    return send(parent_, busy_message{std::move(slot), recent ? idle_at : t});
  auto next = state_->wake_at();
  for (const auto& e : state_->owed()) {
    auto due = std::max(e.not_before, effects_[e.key].next_try);
    next = next ? std::max(*next, due) : due;
  }
  if (next && *next < t + 2 * timer_horizon)
    return send(parent_, busy_message{std::move(slot), std::max(*next, t)});
  if (next && next != state_->wake_at())
    move_wake(*next);
  context_->counters.passivations.fetch_add(1);
  quit();
}

void entity_actor::move_wake(timepoint to) {
  send(context_->writer, write_message{[key = key_, shard = shard_, epoch = epoch_, to](persistence::journal& j) {
         (void)j.move_wake(key, shard, epoch, to); // lost: the entity is woken earlier than it had to be
       }});
}

void entity_actor::keep_snapshot() {
  if (seq_ - snapshot_seq_ < context_->parts.limits.snapshot_every_events)
    return;
  auto payload = state_->freeze();
  snapshot_seq_ = seq_;
  if (!payload)
    return;
  persistence::snapshot s{key_, seq_, 1, std::move(*payload)};
  send(context_->writer, write_message{[s = std::move(s)](persistence::journal& j) {
         (void)j.save_snapshot(s); // lost: recovery reads more events
       }});
}

void entity_actor::answer_all(ask_errc code, const char* name, const char* detail) {
  for (auto* queue : {&stash_, &held_}) {
    for (auto& w : *queue)
      if (w.done)
        w.done->fail(code, name, detail);
    queue->clear();
  }
  if (current_ && current_->done)
    current_->done->fail(code, name, detail);
}

void entity_actor::give_up(const char* why, caf::error reason) {
  write_log({severity::error,
             "actors",
             log_category::application,
             std::string("an entity cannot start: ") + why,
             {{"entity_id", key_.id}, {"kind", key_.kind}, {"tenant", key_.owner.id()}}});
  answer_all(ask_errc::unavailable, "not_recovered", "The entity cannot be read back now; ask again later.");
  quit(std::move(reason));
}

void entity_actor::publish() {
  live_entity e{key_, shard_, state_->status(), seq_, state_->wake_at(), "a command"};
  if (phase_ == phase::appending)
    e.waiting_on = "the journal";
  for (const auto& [key, slot] : effects_)
    if (slot.running)
      e.waiting_on = "an answer to " + key;
    else if (slot.next_try > now())
      e.waiting_on = "the next try of " + key;
  context_->live.put(path(), std::move(e), stash_.size() + held_.size());
}

} // namespace fondaco::actors::detail

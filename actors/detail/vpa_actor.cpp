#include "actors/detail/vpa_actor.hpp"

#include <algorithm>
#include <utility>

#include "actors/detail/entity_actor.hpp"

namespace fondaco::actors::detail {

namespace {

constexpr auto silent_store_pause = std::chrono::seconds(5);
constexpr unsigned start_doublings_max = 20;

std::string slot_name(const persistence::entity_key& key) { return key.kind + "/" + key.id; }

} // namespace

vpa_actor::vpa_actor(caf::actor_config& config, context_ptr context, caf::actor parent, tenant owner,
                     shard_number shard, int64_t epoch)
    : base_actor(config, std::move(context)), parent_(std::move(parent)), owner_(std::move(owner)), shard_(shard),
      epoch_(epoch) {
  set_down_handler([this](caf::down_msg& d) { on_down(d); });
}

caf::behavior vpa_actor::make_behavior() {
  publish();
  return {
      [this](command_message& m) {
        ++received_;
        admit(m);
      },
      [this](revive_message& m) {
        --revivals_;
        if (!stopping_)
          pass_on(command_message{std::move(m.key), shard_, nullptr, nullptr});
      },
      [this](const busy_message& m) {
        auto found = slots_.find(m.slot);
        if (found == slots_.end())
          return;
        found->second.leaving = false;
        found->second.ask_at = m.until;
        for (auto& held : std::exchange(found->second.held, {}))
          send(found->second.ref, std::move(held));
      },
      [this](const forget_message& m) {
        ++received_;
        forget(m);
      },
      [this](fenced_message m) { send(parent_, m); },
      [this](sweep_message) { look_at_the_idle(); },
      [this](let_go_message) {
        let_go_ = true;
        quit();
      },
      [this](stop_message) {
        stopping_ = true;
        if (slots_.empty())
          return quit();
        for (auto& [name, s] : slots_)
          send(s.ref, stop_message{});
      },
  };
}

void vpa_actor::on_exit() {
  if (!let_go_) // else there may be a successor already
    context_->live.erase(context_->parts.node + "/shard-" + std::to_string(shard_) + "/" + owner_.id());
  slots_.clear();
  by_address_.clear();
  parent_ = nullptr;
}

void vpa_actor::admit(command_message& m) {
  invariant(m.key.owner == owner_, "a command reaches its own tenant's agent");
  if (stopping_)
    return; // the dropped completion tells the caller
  if (m.at_once && failures_.erase(slot_name(m.key)) > 0)
    context_->live.erase(context_->parts.node + "/shard-" + std::to_string(shard_) + "/" + owner_.id() + "/" +
                         slot_name(m.key));
  if (m.done) {
    auto failed = failures_.find(slot_name(m.key));
    if (failed != failures_.end() && failed->second >= context_->parts.limits.activation_failures_max)
      return m.done->fail(ask_errc::quarantined, "quarantined",
                          "The entity failed each time it was started on this node; an operator has to look at it.");
  }
  pass_on(std::move(m));
}

// What an entity has with the journal comes to its end before it goes: its slot waits for that.
void vpa_actor::forget(const forget_message& m) {
  const auto& kinds = m.who->kinds;
  auto meant = [&](const std::string& name) {
    auto end = name.find('/');
    return std::find(kinds.begin(), kinds.end(), name.substr(0, end)) != kinds.end() &&
           (!m.who->id || *m.who->id == name.substr(end + 1));
  };
  for (auto& [name, s] : slots_) {
    if (!meant(name))
      continue;
    s.held.clear(); // answered by being dropped
    s.forgets.push_back(m.who);
    send(s.ref, stop_message{});
  }
  for (auto it = failures_.begin(); it != failures_.end();) {
    if (!meant(it->first)) {
      ++it;
      continue;
    }
    context_->live.erase(context_->parts.node + "/shard-" + std::to_string(shard_) + "/" + owner_.id() + "/" +
                         it->first);
    it = failures_.erase(it);
  }
}

void vpa_actor::pass_on(command_message m) {
  if (context_->gone.holds(m.key)) {
    if (m.done)
      m.done->finish(std::unexpected(
          ask_error{ask_errc::refused, {"not_found", "It was removed with all that it had.", cure::fix_input}}));
    return;
  }
  auto& s = slot_for(m.key);
  if (s.leaving)
    s.held.push_back(std::move(m)); // goes on when the entity has left or says that it is busy
  else
    send(s.ref, std::move(m));
}

vpa_actor::slot& vpa_actor::slot_for(const persistence::entity_key& key) {
  auto& s = slots_[slot_name(key)];
  if (!s.ref) {
    s.ref = spawn<entity_actor>(context_, caf::actor_cast<caf::actor>(this), key, shard_, epoch_);
    monitor(s.ref);
    by_address_.emplace(s.ref.address(), key);
  }
  return s;
}

void vpa_actor::on_down(const caf::down_msg& d) {
  auto found = by_address_.find(d.source);
  if (found == by_address_.end())
    return;
  auto key = found->second;
  by_address_.erase(found);
  auto name = slot_name(key);
  auto held = std::move(slots_[name].held);
  auto forgets = std::move(slots_[name].forgets);
  slots_.erase(name);
  bool crashed = d.reason && d.reason != caf::exit_reason::normal;
  if (stopping_) {
    if (slots_.empty())
      quit();
    return;
  }
  if (!forgets.empty())
    return;
  if (d.reason == store_is_silent) // the store may be back soon; what was held is answered by being dropped
    return revive_later(key, silent_store_pause);
  if (crashed)
    return on_crash(key, std::move(held));
  failures_.erase(name);
  for (auto& m : held)
    pass_on(std::move(m));
}

// A crashed entity comes back by itself, since it may owe the world something; one that crashes each time is put aside.
void vpa_actor::on_crash(const persistence::entity_key& key, std::vector<command_message> held) {
  ++restarts_;
  auto count = ++failures_[slot_name(key)];
  const auto now = context_->parts.clock.now();
  const auto delay = context_->parts.limits.retry_first_ms * (1u << std::min(count, start_doublings_max));
  const bool put_aside = count >= context_->parts.limits.activation_failures_max;
  if (!context_->gone.holds(key))
    context_->letters.failed(key, shard_, "", "The entity stops with an error each time it starts; the log says which.",
                             now, put_aside ? std::nullopt : std::optional(now + delay));
  publish();
  if (put_aside) {
    // Its wake-up does not stand before those of others.
    const auto later = now + context_->parts.limits.retry_cap_ms;
    send(context_->writer, write_message{[key, shard = shard_, epoch = epoch_, later](persistence::journal& j) {
           (void)j.move_wake(key, shard, epoch, later); // lost: it is looked at sooner
         }});
    context_->counters.quarantined.fetch_add(1);
    context_->live.note_actor(
        {context_->parts.node + "/shard-" + std::to_string(shard_) + "/" + owner_.id() + "/" + slot_name(key), 0, count,
         true});
    write_log({severity::error,
               "actors",
               log_category::application,
               "an entity is quarantined on this node",
               {{"entity_id", key.id}, {"kind", key.kind}, {"tenant", key.owner.id()}}});
    return; // what was held is answered by being dropped
  }
  for (auto& m : held)
    pass_on(std::move(m));
  revive_later(key, delay);
}

void vpa_actor::revive_later(const persistence::entity_key& key, milliseconds delay) {
  ++revivals_;
  delayed_send(this, delay, revive_message{key});
}

// With the last entity the agent goes too, unless it knows something that the journal does not.
void vpa_actor::look_at_the_idle() {
  if (slots_.empty() && revivals_ == 0 && failures_.empty())
    return send(parent_, vacant_message{owner_.id(), received_});
  const auto now = context_->parts.clock.now();
  for (auto& [name, s] : slots_)
    if (s.ask_at <= now && !std::exchange(s.leaving, true))
      send(s.ref, retire_message{});
}

void vpa_actor::publish() {
  context_->live.note_actor(
      {context_->parts.node + "/shard-" + std::to_string(shard_) + "/" + owner_.id(), 0, restarts_, false});
}

} // namespace fondaco::actors::detail

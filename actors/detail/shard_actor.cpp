#include "actors/detail/shard_actor.hpp"

#include <utility>

#include "actors/detail/vpa_actor.hpp"

namespace fondaco::actors::detail {

namespace {

constexpr auto look_every = std::chrono::seconds(30);
constexpr auto look_ahead = std::chrono::seconds(5);
constexpr size_t wakes_per_look_max = 100;

} // namespace

shard_actor::shard_actor(caf::actor_config& config, context_ptr context, shard_number shard, int64_t epoch)
    : base_actor(config, std::move(context)), shard_(shard), epoch_(epoch) {
  set_down_handler([this](caf::down_msg& d) { on_down(d); });
}

caf::behavior shard_actor::make_behavior() {
  context_->live.note_actor({context_->parts.node + "/shard-" + std::to_string(shard_), 0, 0, false});
  look_for_due();
  return {
      [this](command_message& m) { route(m); },
      [this](sweep_message) {
        const auto now = context_->parts.clock.now();
        const bool set_back = next_look_ > now + look_every;
        if (!looking_ && (now >= next_look_ || set_back))
          look_for_due();
        for (auto& [owner, a] : agents_)
          send(a.ref, sweep_message{});
      },
      [this](due_message& m) {
        looking_ = false;
        auto pause = m.more ? context_->parts.limits.sweep_every_ms : milliseconds(look_every);
        next_look_ = context_->parts.clock.now() + pause;
        for (auto& row : *m.rows) {
          command_message wake{std::move(row.key), shard_, nullptr, nullptr};
          route(wake);
        }
      },
      [this](const forget_message& m) {
        auto found = agents_.find(m.who->owner);
        if (found == agents_.end())
          return;
        ++found->second.sent;
        send(found->second.ref, m);
      },
      [this](const vacant_message& m) { let_go(m); },
      [this](fenced_message m) {
        // Somebody else writes this shard: this node is no longer what its operator thinks it is.
        if (!context_->lost.exchange(true))
          write_log({severity::error,
                     "actors",
                     log_category::application,
                     "another node took over a shard of this node; this node stops serving",
                     {{"shard", std::to_string(m.shard)}}});
      },
      [this](stop_message) {
        stopping_ = true;
        if (agents_.empty())
          return quit();
        for (auto& [owner, a] : agents_)
          send(a.ref, stop_message{});
      },
  };
}

void shard_actor::on_exit() {
  context_->live.erase(context_->parts.node + "/shard-" + std::to_string(shard_));
  agents_.clear();
  by_address_.clear();
}

void shard_actor::route(command_message& m) {
  if (context_->lost.load() && m.done)
    return m.done->fail(ask_errc::not_owner, "not_owner", "This node lost its shards to another node; ask that one.");
  if (stopping_)
    return;
  auto& to = agents_[m.key.owner.id()];
  if (!to.ref) {
    to.ref = spawn<vpa_actor>(context_, caf::actor_cast<caf::actor>(this), m.key.owner, shard_, epoch_);
    monitor(to.ref);
    by_address_.emplace(to.ref.address(), m.key.owner.id());
  }
  ++to.sent;
  send(to.ref, std::move(m));
}

// What the agent has not received yet brings it to life: then it stays.
void shard_actor::let_go(const vacant_message& m) {
  auto found = agents_.find(m.owner);
  // The answer of an agent that was let go already says nothing of its successor.
  if (stopping_ || found == agents_.end() || found->second.ref != current_sender() || found->second.sent != m.received)
    return;
  context_->live.erase(context_->parts.node + "/shard-" + std::to_string(shard_) + "/" + m.owner);
  send(found->second.ref, let_go_message{});
  by_address_.erase(found->second.ref.address());
  agents_.erase(found);
}

void shard_actor::look_for_due() {
  looking_ = true;
  auto self = caf::actor_cast<caf::actor>(this);
  auto context = context_;
  auto until = context_->parts.clock.now() + look_every + look_ahead;
  auto job = [self, context, shard = shard_, until] {
    due_message found{std::make_shared<std::vector<persistence::entity_row>>(), false};
    auto rows = context->parts.journal.read_due(shard, until, wakes_per_look_max);
    if (rows) {
      found.more = rows->size() == wakes_per_look_max;
      *found.rows = std::move(*rows);
    }
    caf::anon_send(self, std::move(found));
  };
  if (!context_->pool->post_first(std::move(job)))
    looking_ = false; // the pool is full: the next sweep looks again
}

void shard_actor::on_down(const caf::down_msg& d) {
  auto found = by_address_.find(d.source);
  if (found == by_address_.end())
    return;
  agents_.erase(found->second);
  by_address_.erase(found);
  if (stopping_ && agents_.empty())
    quit();
}

} // namespace fondaco::actors::detail

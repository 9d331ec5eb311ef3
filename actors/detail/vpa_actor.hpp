#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/detail/base_actor.hpp"

namespace fondaco::actors::detail {

/// The parent of one tenant's entities in a shard: admits commands (bounded in flight, so that a flood ends at its own
/// door), spawns entities on demand, re-spawns what a crash left owing, and passivates with the last of them.
class vpa_actor final : public base_actor {
public:
  vpa_actor(caf::actor_config& config, context_ptr context, caf::actor parent, tenant owner, shard_number shard,
            int64_t epoch);
  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "vpa"; }

private:
  struct slot {
    caf::actor ref;
    bool leaving = false;
    /// When it may be asked next whether it leaves: to ask everybody each time would keep the node busy with the idle.
    timepoint ask_at{};
    std::vector<command_message> held;
    /// Who waits for the end of this entity; it does not come back.
    std::vector<std::shared_ptr<const forgetting>> forgets;
  };

  void admit(command_message& m);
  void pass_on(command_message m);
  void forget(const forget_message& m);
  slot& slot_for(const persistence::entity_key& key);
  void on_down(const caf::down_msg& d);
  void on_crash(const persistence::entity_key& key, std::vector<command_message> held);
  void revive_later(const persistence::entity_key& key, milliseconds delay);
  void look_at_the_idle();
  void publish();

  caf::actor parent_;
  tenant owner_;
  shard_number shard_;
  int64_t epoch_;
  std::map<std::string, slot> slots_;
  std::unordered_map<caf::actor_addr, persistence::entity_key> by_address_;
  std::map<std::string, unsigned> failures_;
  unsigned restarts_ = 0;
  /// Entities that are started again in a while.
  size_t revivals_ = 0;
  /// The shard's commands and requests to forget, so that none is on its way when it lets the agent go.
  uint64_t received_ = 0;
  bool let_go_ = false;
  bool stopping_ = false;
};

} // namespace fondaco::actors::detail

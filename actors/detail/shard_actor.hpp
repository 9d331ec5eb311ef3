#pragma once

#include <unordered_map>

#include "actors/detail/base_actor.hpp"

namespace fondaco::actors::detail {

/// One shard that this node owns: the parent of its tenants' agents. Finds what is due in the journal and wakes it,
/// rate-limited; asks the idle to retire.
class shard_actor final : public base_actor {
public:
  shard_actor(caf::actor_config& config, context_ptr context, shard_number shard, int64_t epoch);
  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "shard"; }

private:
  struct agent {
    caf::actor ref;
    /// The commands and requests to forget that it was sent.
    uint64_t sent = 0;
  };

  void route(command_message& m);
  void let_go(const vacant_message& m);
  void look_for_due();
  void on_down(const caf::down_msg& d);

  shard_number shard_;
  int64_t epoch_;
  std::unordered_map<std::string, agent> agents_;
  std::unordered_map<caf::actor_addr, std::string> by_address_;
  timepoint next_look_{};
  bool looking_ = false;
  bool stopping_ = false;
};

} // namespace fondaco::actors::detail

#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "actors/detail/base_actor.hpp"

namespace fondaco::actors::detail {

/// The shell of one entity: recover, take a command, decide, append, and on the acknowledgement evolve, answer the
/// caller, run what is owed. Commands that come while an append is in flight wait in a bounded stash.
class entity_actor final : public base_actor {
public:
  entity_actor(caf::actor_config& config, context_ptr context, caf::actor parent, persistence::entity_key key,
               shard_number shard, int64_t epoch);
  caf::behavior make_behavior() override;
  void on_exit() override;
  const char* name() const override { return "entity"; }

private:
  enum class phase { recovering, idle, appending };

  struct work {
    std::shared_ptr<std::any> command;
    completion_ptr done;
  };

  struct effect_slot {
    bool running = false;
    unsigned attempt = 0;
    timepoint next_try{};
    bool from_journal = false;
  };

  void recover();
  void on_recovered(recovered_message& m);
  void take(work w);
  void process(work w);
  void begin_append(work w, erased_decision d);
  void on_appended(append_answer& a);
  void settle();
  void run_owed();
  void hurry();
  void run(const erased_effect& e, effect_slot& slot);
  void on_effect_done(effect_done_message& m);
  void note_outcome(const effect_done_message& m, std::optional<timepoint> next_try);
  void on_tick(const tick_message& m);
  void on_retire();
  void arm(timepoint due);
  void move_wake(timepoint to);
  void keep_snapshot();
  void answer_all(ask_errc code, const char* name, const char* detail);
  void give_up(const char* why, caf::error reason);
  void publish();
  timepoint now() const { return context_->parts.clock.now(); }
  std::string path() const;

  caf::actor parent_;
  persistence::entity_key key_;
  shard_number shard_;
  int64_t epoch_;
  const entity_kind& kind_;
  phase phase_ = phase::recovering;
  std::unique_ptr<entity_state> state_;
  int64_t seq_ = 0;
  int64_t snapshot_seq_ = 0;
  std::deque<work> stash_;
  std::deque<work> held_;
  std::optional<work> current_;
  std::optional<erased_decision> decided_;
  std::map<std::string, effect_slot> effects_;
  timepoint last_used_{};
  timepoint armed_for_{};
  uint64_t generation_ = 0;
  bool stopping_ = false;
};

} // namespace fondaco::actors::detail

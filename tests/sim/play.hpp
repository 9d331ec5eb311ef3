#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/world.hpp"

namespace fondaco::sim {

/// What the participants' operators want in a run: negotiations, transfers of what was agreed, orders that come in
/// between, and orchestrations. An operator asks until it is answered.
class play {
public:
  explicit play(world& w) : world_(w), luck_(w.luck().next()) {}

  /// Chooses what will be wanted, and when, within this time.
  void plan(milliseconds within);
  /// From now on transfers are brought to their ends.
  void wind_up();
  /// True once every wish was answered.
  bool answered() const { return open_ == 0; }
  /// The orchestrations that a group's broker took: group and id.
  const std::set<std::pair<std::string, std::string>>& handed_in() const { return handed_in_; }

private:
  void negotiate(participant& consumer, participant& provider);
  void follow(participant& consumer, participant& provider, const std::string& id, bool transfers);
  void transfer(participant& consumer, participant& provider, const std::string& agreement_id);
  void build(group& at);
  void hand_in(group& at, const actors::broker_message& m);
  void meddle(const std::string& consumer_id);
  void finish();
  template <class D>
  void ask(const persistence::entity_key& key, group& at, typename D::command c, const std::string& what);
  const shadow* shadow_of(const persistence::entity_key& key) const;

  world& world_;
  chance luck_;
  size_t open_ = 0;
  bool winding_up_ = false;
  std::set<std::pair<std::string, std::string>> handed_in_;
  timepoint wound_up_at_{};
};

} // namespace fondaco::sim

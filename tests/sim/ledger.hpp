#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "actors/ports/broker.hpp"
#include "cells/control_plane/negotiation.hpp"
#include "cells/control_plane/transfer_process.hpp"
#include "cfm/provision_manager/orchestration.hpp"
#include "persistence/journal.hpp"
#include "sim/record.hpp"
#include "sim/timeline.hpp"

namespace fondaco::sim {

/// A negotiation or a transfer as its durable events tell it.
struct shadow {
  std::string group;
  persistence::entity_key key;
  std::variant<control_plane::negotiation::state, control_plane::transfer_process::state> state;
  int64_t seq = 0;
  /// The messages and signals that it has ever owed, and the peer's that it has taken.
  std::set<std::string> owed, taken;

  bool is_negotiation() const { return state.index() == 0; }
  const std::string& peer_pid() const;
  const std::string& counterparty_id() const;
  dsp::role role() const;
  /// FINALIZED and so on; empty before the first answer.
  std::string dsp_state() const;
  /// True if the state is one that nothing leaves.
  bool ended() const;
  /// True if the transfer has completed, or will once the peer knows.
  bool completes() const;
  /// True if anything is owed now.
  bool owes() const;
  /// Ended, and nothing is owed.
  bool rests() const { return ended() && !owes(); }
};

/// An orchestration as its durable events tell it.
struct errand {
  std::string group;
  persistence::entity_key key;
  cfm::orchestration::state state;
  int64_t seq = 0;
  /// The messages that it has ever owed the broker.
  std::set<std::string> owed;

  bool ended() const;
  /// Ended, and nothing is owed.
  bool rests() const { return ended() && !state.response_owed && !state.compensation_owed; }
};

/// What is durable, seen from outside, and the promises about it that hold at every step. Kept from the journals' rows
/// alone: what a process believes does not come here.
class ledger {
public:
  ledger(timeline& time, record& notes) : time_(time), notes_(notes) {}

  /// A process took shards of its group.
  void took(const std::string& group, const std::string& process, std::span<const persistence::lease> leases);
  /// Events of a process's append became durable; `row` is the entity's after it.
  void became_durable(const std::string& group, const std::string& process, const persistence::entity_append& a,
                      std::span<const persistence::stored_event> events, const persistence::entity_row& row);
  /// The sequence up to which the events of a group's entity were seen.
  int64_t seen(const std::string& group, const persistence::entity_key& key) const;

  /// A message with this id left a group for one of its processes; it has to be owed durably.
  void left(const std::string& group, const std::string& message_id, const std::vector<std::string>& own_ids);
  /// A group said that it took a message; that has to be durable.
  void acknowledged(const std::string& group, const std::string& message_id, const std::vector<std::string>& own_ids);

  /// A group answered its data plane's callback with success; that has to be durable.
  void heard(const std::string& group, const std::string& flow, const std::string& signal);
  /// A group published a message; it has to be owed durably.
  void published(const std::string& group, const std::string& message_id);
  /// A group told the broker that it acted on a message; that has to be durable.
  void acted_on(const std::string& group, const actors::broker_message& m);

  const std::map<persistence::entity_key, shadow>& shadows() const { return shadows_; }
  const std::map<persistence::entity_key, errand>& errands() const { return errands_; }
  /// A group's orchestration with this id; null if there is none.
  const errand* find_errand(const std::string& group, const std::string& id) const;
  /// A group's negotiation or transfer with this id; null if there is none.
  const shadow* find(const std::string& group, const std::string& id) const;
  /// The other side of a process; null if there is none (yet).
  const shadow* other_side(const shadow& s) const;

private:
  struct owner {
    int64_t epoch = 0;
    std::string process;
  };
  /// Adds events to a state; false if one cannot be read back.
  template <class D, class F>
  bool fold(typename D::state& into, std::span<const persistence::stored_event> events, F after_each);
  void keep_shadow(const std::string& group, const persistence::entity_key& key,
                   std::span<const persistence::stored_event> events, const persistence::entity_row& row);
  template <class D> void keep_events(shadow& s, std::span<const persistence::stored_event> events);
  void keep_errand(const std::string& group, const persistence::entity_key& key,
                   std::span<const persistence::stored_event> events, const persistence::entity_row& row);
  void check_wake(const persistence::entity_key& key, bool rests, const persistence::entity_row& row);

  timeline& time_;
  record& notes_;
  std::map<std::pair<std::string, shard_number>, owner> owners_;
  std::map<std::pair<std::string, persistence::entity_key>, int64_t> seen_;
  std::map<persistence::entity_key, shadow> shadows_;
  std::map<persistence::entity_key, errand> errands_;
  std::map<std::pair<std::string, std::string>, persistence::entity_key> by_id_;
};

} // namespace fondaco::sim

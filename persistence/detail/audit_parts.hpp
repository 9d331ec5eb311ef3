#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "persistence/audit.hpp"

namespace fondaco::persistence::detail {

/// What the parts of an audit hand on to each other.
struct audit_notes {
  /// The last event of a tenant in a shard, and how many positions of the shard were missing until then.
  struct tail {
    std::string chain;
    int64_t missing = 0;
    std::optional<entity_key> key;
    int64_t seq = 0;
  };

  audit_report report;
  /// By tenant and shard.
  std::map<std::pair<std::string, int64_t>, tail> tails;
  /// By shard: the last event's position, and how many were missing in all.
  std::map<int64_t, int64_t> last_positions;
  std::map<int64_t, int64_t> missing;
  void add(audit_finding f);
};

/// The chain of each tenant in each shard, and the positions.
std::expected<void, fault> audit_chains(store_reader& store, audit_notes& notes);
/// Who was disposed of has tombstones and nothing else.
std::expected<void, fault> audit_tombstones(store_reader& store, const audit_rules& rules, audit_notes& notes);
/// What belongs to an entity that is not there.
std::expected<void, fault> audit_orphans(store_reader& store, audit_notes& notes);
/// Each entity's sequence, and that its events give its row and its snapshot.
std::expected<void, fault> audit_histories(store_reader& store, const fold_maker& fold, audit_notes& notes);

} // namespace fondaco::persistence::detail

#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/copy.hpp"

namespace fondaco::persistence {

namespace limits {
/// The most findings that one audit of a store lists; it counts the rest.
inline constexpr size_t audit_findings_max = 1000;
} // namespace limits

/// Something in a store that cannot be, with what an operator can do.
struct audit_finding {
  /// The entity, if it is about one.
  std::optional<entity_key> key;
  /// The event that it is about, 0 for none.
  int64_t seq = 0;
  /// A sentence.
  std::string what;
  /// A sentence.
  std::string cure;
};

/// What an audit looked at and found.
struct audit_report {
  int64_t entities = 0;
  int64_t events = 0;
  int64_t snapshots = 0;
  /// Links of the audit chain that follow from the one before them, and those before which something was erased.
  int64_t links = 0;
  int64_t links_after_erasures = 0;
  /// Tenants of which tombstones are left and nothing else.
  int64_t tombstones = 0;
  /// What was found, at most `limits::audit_findings_max`, and how much there is in all.
  std::vector<audit_finding> findings;
  int64_t findings_total = 0;
};

/// One entity's state, folded from its events with today's code.
class history_fold {
public:
  virtual ~history_fold() = default;
  /// Applies an event; false if this program cannot read it.
  virtual bool replay(const event_record& e) = 0;
  /// Takes over a snapshot; false if this program cannot read it.
  virtual bool restore(const snapshot& s) = 0;
  /// The state as a snapshot's payload would have it.
  virtual std::string state() const = 0;
  /// The entity's state in one word, as its row says it.
  virtual std::string status() const = 0;
};

/// Begins an entity's fold; null for a kind that this program does not know.
using fold_maker = std::function<std::unique_ptr<history_fold>(const entity_key&)>;

/// What the layers above know of a store's contents.
struct audit_rules {
  fold_maker fold;
  /// The kind and state of the entities that stay of a tenant that was disposed of.
  std::string tombstone_kind;
  std::string tombstone_status;
};

/// Checks a whole store: the audit chain link by link, the positions of each shard, each entity's sequence, that the
/// events give the rows and snapshots, that nothing is left of who was disposed of. Changes nothing.
std::expected<audit_report, fault> audit(store_reader& store, const audit_rules& rules);

} // namespace fondaco::persistence

#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/fault.hpp"
#include "protocols/base/ids.hpp"
#include "protocols/base/time.hpp"

namespace fondaco::persistence {

/// What became of an append or a read.
enum class journal_errc : uint8_t {
  /// Another owner holds the shard or appended first. The caller must stop: it is no longer the owner.
  fenced = 1,
  /// The store refused the events and nothing was written. The caller may correct them and try again.
  rejected,
  /// A message id or token id of this append was seen before. Nothing was written; the caller answers as it did then.
  duplicate,
  /// A public name of this append belongs to something else. Nothing was written.
  name_taken,
  /// The outcome is unknown: the write may or may not be durable. The caller must replay before acting.
  outcome_unknown,
  /// The store cannot be reached. Nothing was written; the caller may try again.
  unavailable,
};

/// What the caller of a journal can do about an error.
constexpr cure cure_of(journal_errc e) noexcept {
  switch (e) {
  case journal_errc::fenced: return cure::stop;
  case journal_errc::rejected:
  case journal_errc::duplicate:
  case journal_errc::name_taken: return cure::fix_input;
  case journal_errc::outcome_unknown: return cure::replay;
  case journal_errc::unavailable: return cure::retry;
  }
  return cure::stop;
}

/// The enumerator's name in snake_case.
std::string_view name_of(journal_errc e) noexcept;

namespace limits {
/// The most events of one entity in one append.
inline constexpr size_t append_events_max = 64;
/// The most entities in one batch of the group commit.
inline constexpr size_t batch_entities_max = 512;
/// The longest event payload in bytes.
inline constexpr size_t payload_bytes_max = 1u << 20;
/// The most rows that one read of a list returns.
inline constexpr size_t read_rows_max = 1000;
/// The most entities, documents or marks that one step of an erasure takes, so that appends get their turn between.
inline constexpr size_t erase_rows_max = 200;
/// The most marks of one claim.
inline constexpr size_t claim_marks_max = 64;
} // namespace limits

/// The key of an entity or document: tenant first.
struct entity_key {
  tenant owner;
  /// The kind in snake_case, as `negotiation` or `asset`.
  std::string kind;
  /// A UUID's text where we chose the id, any text of at most `id_bytes_max` where a user did.
  std::string id;
  auto operator<=>(const entity_key&) const = default;
};

/// One event as the journal keeps it.
struct event_record {
  /// The event's type, as `negotiation.requested`.
  std::string type;
  /// The version of the payload's shape.
  uint16_t version = 1;
  /// The payload's encoding: 'j' is JSON.
  char format = 'j';
  /// The payload; secrets in it are sealed by the vault.
  std::string payload;
  /// The id of the command, message or request that caused it; empty if nothing outside did.
  std::string cause;
};

/// A mark that a message id or token id was acted on.
struct seen_mark {
  std::string id;
  /// When the mark may be forgotten.
  timepoint until;
};

/// A public name (a client id, an EDR path, an agreement id) that resolves to its entity.
struct name_claim {
  /// The namespace of the name, as `client_id`.
  std::string space;
  std::string name;
};

/// A document written with the events that say why; `body` empty means that it is removed.
struct document_write {
  std::string kind;
  std::string id;
  /// JSON text; `std::nullopt` removes the document.
  std::optional<std::string> body;
};

/// What one entity wants to be durable, all of it or nothing.
struct entity_append {
  entity_key key;
  shard_number shard = 0;
  /// The epoch in which the caller owns the shard.
  int64_t epoch = 0;
  /// The sequence number of the entity's last event, 0 for none.
  int64_t expected_seq = 0;
  /// The new events, numbered from `expected_seq + 1`; at least one.
  std::vector<event_record> events;
  /// The entity's state in one word, as lists show it.
  std::string status;
  /// The few fields that lists show and queries filter by: a JSON object.
  std::string view;
  /// When the entity has to be woken; written only if it differs from the stored one.
  std::optional<timepoint> wake;
  std::vector<seen_mark> seen;
  std::vector<name_claim> names;
  std::vector<document_write> documents;
  /// The time of the append.
  timepoint at;
};

/// What the journal acknowledged.
struct appended {
  /// The sequence number of the last new event.
  int64_t seq = 0;
  /// The position of the last new event in its shard.
  int64_t position = 0;
};

/// The outcome of one entity's part of a batch.
using append_result = std::expected<appended, journal_errc>;

/// One event read back.
struct stored_event {
  entity_key key;
  int64_t seq = 0;
  shard_number shard = 0;
  int64_t position = 0;
  event_record event;
  timepoint at;
  /// SHA-256 (32 bytes) over the tenant's previous link in this shard and this event: see `chain_link`.
  std::string chain;
};

/// An entity's row as lists show it.
struct entity_row {
  entity_key key;
  shard_number shard = 0;
  int64_t seq = 0;
  std::string status;
  std::string view;
  timepoint created_at;
  timepoint updated_at;
  std::optional<timepoint> wake;
};

/// A snapshot of an entity's state after event `seq`.
struct snapshot {
  entity_key key;
  int64_t seq = 0;
  uint16_t version = 1;
  std::string payload;
};

/// The lease of a shard as its row says.
struct lease {
  shard_number shard = 0;
  int64_t epoch = 0;
};

/// The link of the audit chain that follows `previous` (empty for a tenant's first event in a shard).
std::string chain_link(std::string_view previous, const entity_key& key, int64_t seq, const event_record& e,
                       timepoint at);

/// The durable truth: an ordered, fenced, gapless log per shard, with the rows that are written by the same statement.
/// Every call blocks: it belongs into the journal writer or the reader pool. Appends come from one thread at a time,
/// reads from any.
class journal {
public:
  virtual ~journal() = default;

  /// Makes a batch durable in one transaction; each entity stands or falls alone, in the order given.
  virtual std::vector<append_result> append(std::span<const entity_append> batch) = 0;

  /// Moves an entity's wake-up without an event (a retry was put off); ignored if the shard is not ours any more.
  virtual std::expected<void, journal_errc> move_wake(const entity_key& key, shard_number shard, int64_t epoch,
                                                      std::optional<timepoint> wake) = 0;

  /// Keeps a snapshot if it is newer than the stored one.
  virtual std::expected<void, journal_errc> save_snapshot(const snapshot& s) = 0;

  /// The entity's snapshot, or nothing.
  virtual std::expected<std::optional<snapshot>, journal_errc> load_snapshot(const entity_key& key) = 0;

  /// An entity's events after `after_seq`, in order, at most `rows_max`.
  virtual std::expected<std::vector<stored_event>, journal_errc> read_events(const entity_key& key, int64_t after_seq,
                                                                             size_t rows_max) = 0;

  /// The events of a shard after a position, in order, at most `rows_max`. Positions have no gap but where what was
  /// written has been erased: a reader goes on after the last position that it got.
  virtual std::expected<std::vector<stored_event>, journal_errc> read_shard(shard_number shard, int64_t after_position,
                                                                            size_t rows_max) = 0;

  /// The entity's row, or nothing.
  virtual std::expected<std::optional<entity_row>, journal_errc> read_row(const entity_key& key) = 0;

  /// The entities of a shard that are due at `now`, the longest due first, at most `rows_max`.
  virtual std::expected<std::vector<entity_row>, journal_errc> read_due(shard_number shard, timepoint now,
                                                                        size_t rows_max) = 0;

  /// The key that a public name stands for, or nothing.
  virtual std::expected<std::optional<entity_key>, journal_errc> resolve_name(std::string_view space,
                                                                              std::string_view name) = 0;

  /// True if the tenant has acted on this message id or token id.
  virtual std::expected<bool, journal_errc> was_seen(const tenant& owner, std::string_view id) = 0;

  /// Marks ids as seen by the tenant, all of them or none: false if one was seen before (and its time is not over at
  /// `now`) or is named twice, and then nothing is written. For tokens of requests that append nothing; atomic on every
  /// node of the group. After `outcome_unknown` the marks may stand: the caller refuses the token.
  virtual std::expected<bool, journal_errc> claim_seen(const tenant& owner, std::span<const seen_mark> marks,
                                                       timepoint now) = 0;

  /// Destroys what a tenant had of these kinds: events, rows, snapshots, wake-ups, public names and documents; with
  /// `last`, its seen marks too. Positions of a shard that it used stay used: a reader takes the gap for an erased
  /// tenant. Nobody may append for these kinds meanwhile (the runtime forgot them first). Again is no error; after an
  /// error a part may be gone, and the caller asks again.
  virtual std::expected<void, journal_errc> erase(const tenant& owner, std::span<const std::string> erased_kinds,
                                                  bool last) = 0;

  /// Destroys one entity as `erase` does: what it has, and the document with its key.
  virtual std::expected<void, journal_errc> erase_entity(const entity_key& key) = 0;

  /// Forgets marks whose time is over, at most `rows_max`; gives their count.
  virtual std::expected<size_t, journal_errc> forget_seen(timepoint now, size_t rows_max) = 0;

  /// Takes (or keeps) the shards of a group for a node until `now + ttl`: a shard that another node's living lease
  /// holds is left out, one that is taken over gets the next epoch.
  virtual std::expected<std::vector<lease>, journal_errc> take_shards(std::string_view group, std::string_view node,
                                                                      std::span<const shard_number> shards,
                                                                      milliseconds ttl) = 0;

  /// Renews a node's heartbeat, and with it all its leases, until `now + ttl` of the store's own clock.
  virtual std::expected<void, journal_errc> heartbeat(std::string_view group, std::string_view node,
                                                      milliseconds ttl) = 0;

  /// Gives up a node's shards at once, so that another may take them without waiting for the lease's end.
  virtual std::expected<void, journal_errc> release_shards(std::string_view group, std::string_view node) = 0;

  /// A consumer's position in a shard, 0 if it never kept one.
  virtual std::expected<int64_t, journal_errc> read_checkpoint(std::string_view consumer, shard_number shard) = 0;

  /// Keeps a consumer's position in a shard; a smaller one than the stored one changes nothing.
  virtual std::expected<void, journal_errc> write_checkpoint(std::string_view consumer, shard_number shard,
                                                             int64_t position) = 0;
};

} // namespace fondaco::persistence

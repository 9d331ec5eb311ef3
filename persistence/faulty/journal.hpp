#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "persistence/journal.hpp"

namespace fondaco::persistence {

/// What a fault can hit; an append counts each entity's part by itself.
enum class journal_op : uint8_t { append, move_wake, snapshot, read, lease, checkpoint, claim, erase };

/// What a fault does.
enum class journal_fault : uint8_t {
  /// Not done; the caller gets `rejected`.
  refused = 1,
  /// Not done; the caller gets `unavailable`.
  unavailable,
  /// Not done; the caller gets `fenced`.
  fenced,
  /// Not done; the caller gets `outcome_unknown`.
  lost,
  /// Done; the caller gets `outcome_unknown` all the same.
  done_but_reported_lost,
};

/// Which calls of an operation a fault hits, counted from 1 for each operation.
struct fault_when {
  size_t first = 1;
  size_t last = SIZE_MAX;
  /// Only this tenant's, if it is set; the count then counts this tenant's calls.
  std::optional<tenant> owner;
};

/// The n-th call.
fault_when nth(size_t n);
/// The first n calls.
fault_when first_calls(size_t n);
/// Every call.
fault_when always();
/// Every call for this tenant.
fault_when always_for(tenant owner);

/// A plan of faults; the first that matches a call hits it.
class faults {
public:
  /// Adds a fault.
  faults& on(journal_op op, fault_when when, journal_fault what);

private:
  friend class faulty_journal;
  struct rule {
    journal_op op;
    fault_when when;
    journal_fault what;
    size_t calls = 0;
  };
  std::vector<rule> rules_;
};

/// A journal that does to another one's calls what a plan says; safe where the other one is.
class faulty_journal final : public journal {
public:
  /// Wraps a journal that outlives this one.
  explicit faulty_journal(journal& inner, faults plan = {}) : inner_(inner), plan_(std::move(plan)) {}

  /// Replaces the plan; counts begin again.
  void set(faults plan);

  std::vector<append_result> append(std::span<const entity_append> batch) override;
  std::expected<void, journal_errc> move_wake(const entity_key& key, shard_number shard, int64_t epoch,
                                              std::optional<timepoint> wake) override;
  std::expected<void, journal_errc> save_snapshot(const snapshot& s) override;
  std::expected<std::optional<snapshot>, journal_errc> load_snapshot(const entity_key& key) override;
  std::expected<std::vector<stored_event>, journal_errc> read_events(const entity_key& key, int64_t after_seq,
                                                                     size_t rows_max) override;
  std::expected<std::vector<stored_event>, journal_errc> read_shard(shard_number shard, int64_t after_position,
                                                                    size_t rows_max) override;
  std::expected<std::optional<entity_row>, journal_errc> read_row(const entity_key& key) override;
  std::expected<std::vector<entity_row>, journal_errc> read_due(shard_number shard, timepoint now,
                                                                size_t rows_max) override;
  std::expected<std::optional<entity_key>, journal_errc> resolve_name(std::string_view space,
                                                                      std::string_view name) override;
  std::expected<bool, journal_errc> was_seen(const tenant& owner, std::string_view id) override;
  std::expected<bool, journal_errc> claim_seen(const tenant& owner, std::span<const seen_mark> marks,
                                               timepoint now) override;
  std::expected<void, journal_errc> erase(const tenant& owner, std::span<const std::string> erased_kinds,
                                          bool last) override;
  std::expected<void, journal_errc> erase_entity(const entity_key& key) override;
  std::expected<size_t, journal_errc> forget_seen(timepoint now, size_t rows_max) override;
  std::expected<std::vector<lease>, journal_errc> take_shards(std::string_view group, std::string_view node,
                                                              std::span<const shard_number> shards,
                                                              milliseconds ttl) override;
  std::expected<void, journal_errc> heartbeat(std::string_view group, std::string_view node, milliseconds ttl) override;
  std::expected<void, journal_errc> release_shards(std::string_view group, std::string_view node) override;
  std::expected<int64_t, journal_errc> read_checkpoint(std::string_view consumer, shard_number shard) override;
  std::expected<void, journal_errc> write_checkpoint(std::string_view consumer, shard_number shard,
                                                     int64_t position) override;

private:
  std::optional<journal_fault> hit(journal_op op, const tenant* owner);
  template <class T>
  std::expected<T, journal_errc> through(journal_op op, const tenant* owner,
                                         const std::function<std::expected<T, journal_errc>()>& call);

  journal& inner_;
  std::mutex mutex_;
  faults plan_;
};

} // namespace fondaco::persistence

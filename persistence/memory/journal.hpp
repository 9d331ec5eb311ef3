#pragma once

#include <functional>
#include <memory>

#include "persistence/journal.hpp"

namespace fondaco::persistence {

/// What a memory journal keeps. Journals that share it behave like processes that share a database.
struct memory_tables;

/// An empty set of tables.
std::shared_ptr<memory_tables> make_memory_tables();

/// The journal of unit tests and of the simulator: all promises but durability.
class memory_journal final : public journal {
public:
  /// The store's own clock.
  using clock = std::function<timepoint()>;

  /// A journal of this group over its own or shared tables; without a clock it takes a steady one.
  explicit memory_journal(std::string group = "default", std::shared_ptr<memory_tables> tables = make_memory_tables(),
                          clock now = {});
  ~memory_journal() override;

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

  /// The body of a document that an append wrote, or nothing. (Queries over documents are SQL's.)
  std::optional<std::string> document_body(const entity_key& key) const;

private:
  append_result append_one(const entity_append& a);

  std::string group_;
  std::string incarnation_;
  std::shared_ptr<memory_tables> tables_;
  clock now_;
};

} // namespace fondaco::persistence

#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "persistence/sqlite/connection.hpp"
#include "persistence/store.hpp"

namespace fondaco::persistence {

/// The journal of the embedded default: one file, one node. One connection writes, a pool reads.
class sqlite_journal final : public journal {
public:
  /// Opens the database of these options and brings its schema up to date.
  static std::expected<std::unique_ptr<sqlite_journal>, fault> open(const store_options& options);
  /// A journal of this group over a database whose schema is up to date.
  sqlite_journal(std::string group, sqlite::connection writer, sqlite::connection_pool::opener open_reader,
                 size_t readers);

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
  /// One transaction of an erasure; gives how many rows went, 0 at the end.
  using erasing_step = std::function<sqlite::outcome<size_t>(sqlite::connection&)>;
  std::expected<void, journal_errc> in_steps(const erasing_step& step);
  std::expected<void, journal_errc> begin_erasure();
  std::expected<void, journal_errc> erase_kind(const tenant& owner, std::string_view kind, const std::string* id);
  std::expected<void, journal_errc> end_erasure(const tenant& owner);

  std::string group_;
  std::string incarnation_;
  std::mutex writing_;
  sqlite::connection writer_;
  sqlite::connection_pool readers_;
};

} // namespace fondaco::persistence

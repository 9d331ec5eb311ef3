#pragma once

#include <memory>
#include <mutex>

#include "persistence/postgres/append.hpp"
#include "persistence/postgres/connection.hpp"
#include "persistence/store.hpp"

namespace fondaco::persistence {

/// The journal of production: one connection appends, a pool does the rest. A batch is one statement in one implicit
/// transaction; if a row of it is bad, the batch is halved until the culprit stands alone.
class postgres_journal final : public journal {
public:
  /// Opens the database of these options and brings its schema up to date.
  static std::expected<std::unique_ptr<postgres_journal>, fault> open(const store_options& options);
  /// A journal of this group over a database whose schema is up to date.
  postgres_journal(std::string group, postgres::connection writer, postgres::connection_pool::opener open_other,
                   size_t others);

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
  std::expected<postgres::result, journal_errc> query(const std::string& sql, const postgres::parameters& p);
  std::expected<void, journal_errc> command(const std::string& sql, const postgres::parameters& p);
  std::expected<void, journal_errc> erase_all(const std::string& sql, const postgres::parameters& p);
  std::expected<void, journal_errc> erase_entities(const std::string& which, const postgres::parameters& p);
  std::expected<void, journal_errc> end_chains(const tenant& owner);

  std::string group_;
  std::string incarnation_;
  std::mutex writing_;
  postgres::append_writer writer_;
  postgres::connection_pool others_;
};

} // namespace fondaco::persistence

#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "persistence/faulty/journal.hpp"
#include "persistence/memory/journal.hpp"
#include "persistence/store.hpp"
#include "sim/chance.hpp"
#include "sim/ledger.hpp"
#include "sim/weather.hpp"

namespace fondaco::sim {

/// The database of a group: the memory journal's tables, and beside them, for queries over documents and rows, SQLite
/// in memory, which is told what has become durable.
class group_store {
public:
  group_store(std::string group, timeline& time, record& notes, ledger& book);

  /// What a process appended, whatever it was told of it: what of it is durable goes to the ledger and to SQLite.
  void appended(const std::string& process, const persistence::entity_append& a,
                const persistence::append_result& told);
  /// The journal that a fresh process opens.
  std::unique_ptr<persistence::memory_journal> open();
  /// Reads without faults.
  persistence::journal& truth() { return truth_; }
  persistence::document_store& documents() { return *queries_.documents; }
  const std::string& group() const { return group_; }
  ledger& book() { return book_; }

private:
  std::string group_;
  timeline& time_;
  record& notes_;
  ledger& book_;
  std::shared_ptr<persistence::memory_tables> tables_ = persistence::make_memory_tables();
  persistence::memory_journal truth_;
  persistence::store queries_;
  int64_t query_epoch_ = 0;
};

/// How a process sees its group's database: with the faults of the weather, and not at all once the process is dead.
class process_store final : public persistence::journal, public persistence::document_store {
public:
  process_store(group_store& group, std::string process, const weather& w, chance& luck);

  /// From now on nothing comes through.
  void sever() { severed_ = true; }
  /// With or without the faults of the weather.
  void trouble(bool on) { trouble_ = on; }

  std::vector<persistence::append_result> append(std::span<const persistence::entity_append> batch) override;
  std::expected<void, persistence::journal_errc> move_wake(const persistence::entity_key& key, shard_number shard,
                                                           int64_t epoch, std::optional<timepoint> wake) override;
  std::expected<void, persistence::journal_errc> save_snapshot(const persistence::snapshot& s) override;
  std::expected<std::optional<persistence::snapshot>, persistence::journal_errc>
  load_snapshot(const persistence::entity_key& key) override;
  std::expected<std::vector<persistence::stored_event>, persistence::journal_errc>
  read_events(const persistence::entity_key& key, int64_t after_seq, size_t rows_max) override;
  std::expected<std::vector<persistence::stored_event>, persistence::journal_errc>
  read_shard(shard_number shard, int64_t after_position, size_t rows_max) override;
  std::expected<std::optional<persistence::entity_row>, persistence::journal_errc>
  read_row(const persistence::entity_key& key) override;
  std::expected<std::vector<persistence::entity_row>, persistence::journal_errc>
  read_due(shard_number shard, timepoint now, size_t rows_max) override;
  std::expected<std::optional<persistence::entity_key>, persistence::journal_errc>
  resolve_name(std::string_view space, std::string_view name) override;
  std::expected<bool, persistence::journal_errc> was_seen(const tenant& owner, std::string_view id) override;
  std::expected<bool, persistence::journal_errc>
  claim_seen(const tenant& owner, std::span<const persistence::seen_mark> marks, timepoint now) override;
  std::expected<void, persistence::journal_errc> erase(const tenant& owner, std::span<const std::string> erased_kinds,
                                                       bool last) override;
  std::expected<void, persistence::journal_errc> erase_entity(const persistence::entity_key& key) override;
  std::expected<size_t, persistence::journal_errc> forget_seen(timepoint now, size_t rows_max) override;
  std::expected<std::vector<persistence::lease>, persistence::journal_errc>
  take_shards(std::string_view group, std::string_view node, std::span<const shard_number> shards,
              milliseconds ttl) override;
  std::expected<void, persistence::journal_errc> heartbeat(std::string_view group, std::string_view node,
                                                           milliseconds ttl) override;
  std::expected<void, persistence::journal_errc> release_shards(std::string_view group, std::string_view node) override;
  std::expected<int64_t, persistence::journal_errc> read_checkpoint(std::string_view consumer,
                                                                    shard_number shard) override;
  std::expected<void, persistence::journal_errc> write_checkpoint(std::string_view consumer, shard_number shard,
                                                                  int64_t position) override;

  std::expected<std::optional<persistence::document>, persistence::query_error>
  get(const persistence::entity_key& key) override;
  std::expected<std::vector<persistence::document>, persistence::query_error>
  query(const tenant& owner, std::string_view kind, const persistence::query_spec& spec) override;
  std::expected<std::vector<persistence::entity_row>, persistence::query_error>
  query_entities(const tenant& owner, std::string_view kind, const persistence::query_spec& spec) override;
  std::expected<std::vector<persistence::entity_row>, persistence::query_error>
  list_entities(std::string_view kind, size_t offset, size_t limit) override;
  std::expected<std::vector<persistence::entity_row>, persistence::query_error>
  find_entities(std::string_view id) override;

private:
  std::optional<persistence::journal_fault> fate(bool writes);
  persistence::journal& through(persistence::journal_op op, bool writes);
  bool silent() { return fate(false).has_value(); }

  group_store& group_;
  std::string process_;
  const weather& weather_;
  chance& luck_;
  std::unique_ptr<persistence::memory_journal> mine_;
  persistence::faulty_journal faulty_;
  bool severed_ = false;
  bool trouble_ = false;
};

} // namespace fondaco::sim

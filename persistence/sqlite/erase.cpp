#include <array>

#include "persistence/detail/append_check.hpp"
#include "persistence/sqlite/journal.hpp"

// What is erased goes in steps of a bounded size, each a transaction of its own under the writer's lock, so that
// appends get their turn between: names and documents first, so that nobody finds what is about to go, and an entity's
// row with everything that hangs on it.

namespace fondaco::persistence {

using sqlite::outcome;

namespace {

/// The most events that one step destroys; one entity's go together.
constexpr int64_t step_events_max = 2000;

outcome<bool> claim(sqlite::connection& c, const tenant& owner, std::span<const seen_mark> marks, timepoint now,
                    bool& at_commit) {
  auto work = sqlite::transaction::begin(c);
  if (!work)
    return std::unexpected(std::move(work.error()));
  for (const auto& m : marks) {
    auto row = c.prepare("insert into seen(tenant, id, until) values (?, ?, ?) on conflict (tenant, id) do update "
                         "set until = excluded.until where seen.until <= ?");
    const auto written = row.bind(owner.id()).bind(m.id).bind(to_epoch_ms(m.until)).bind(to_epoch_ms(now)).run();
    if (!written)
      return std::unexpected(written.error());
    if (*written == 0)
      return false;
  }
  at_commit = true;
  if (auto ended = work->commit(); !ended)
    return std::unexpected(std::move(ended.error()));
  return true;
}

// What a step is about: a tenant's kind, or one entity of it.
struct erased {
  const tenant& owner;
  std::string_view kind;
  const std::string* id;

  std::string where() const { return id ? "tenant = ? and kind = ? and id = ?" : "tenant = ? and kind = ?"; }
  void bind_to(sqlite::statement& row) const {
    row.bind(owner.id()).bind(kind);
    if (id)
      row.bind(*id);
  }
};

outcome<size_t> rows_step(sqlite::connection& c, const std::string& table, const std::string& columns,
                          const erased& what) {
  auto row = c.prepare("delete from " + table + " where (" + columns + ") in (select " + columns + " from " + table +
                       " where " + what.where() + " limit ?)");
  what.bind_to(row);
  const auto gone = row.bind(static_cast<int64_t>(limits::erase_rows_max)).run();
  if (!gone)
    return std::unexpected(gone.error());
  return static_cast<size_t>(*gone);
}

outcome<std::vector<int64_t>> keys_of(sqlite::connection& c, const erased& what) {
  std::vector<int64_t> keys;
  int64_t events = 0;
  auto row = c.prepare("select key, seq from entity where " + what.where() + " limit ?");
  what.bind_to(row);
  row.bind(static_cast<int64_t>(limits::erase_rows_max));
  for (;;) {
    const auto there = row.step();
    if (!there)
      return std::unexpected(there.error());
    if (!*there || events >= step_events_max)
      return keys;
    keys.push_back(row.integer(0));
    events += row.integer(1);
  }
}

outcome<size_t> entities_step(sqlite::connection& c, const erased& what) {
  auto work = sqlite::transaction::begin(c);
  if (!work)
    return std::unexpected(std::move(work.error()));
  const auto keys = keys_of(c, what);
  if (!keys)
    return std::unexpected(keys.error());
  for (const int64_t key : *keys)
    for (const char* sql : {"delete from journal where entity = ?", "delete from snapshot where entity = ?",
                            "delete from wake where entity = ?", "delete from entity where key = ?"})
      if (auto gone = c.prepare(sql).bind(key).run(); !gone)
        return std::unexpected(std::move(gone.error()));
  if (auto ended = work->commit(); !ended)
    return std::unexpected(std::move(ended.error()));
  return keys->size();
}

outcome<size_t> marks_step(sqlite::connection& c, const tenant& owner) {
  auto row = c.prepare("delete from seen where (tenant, id) in (select tenant, id from seen where tenant = ? limit ?)");
  const auto gone = row.bind(owner.id()).bind(static_cast<int64_t>(limits::erase_rows_max)).run();
  if (!gone)
    return std::unexpected(gone.error());
  return static_cast<size_t>(*gone);
}

outcome<size_t> chains_step(sqlite::connection& c, const tenant& owner) {
  auto row = c.prepare("delete from tenant_chain where tenant = ?1 and not exists "
                       "(select 1 from entity e where e.tenant = ?1 and e.shard = tenant_chain.shard)");
  if (auto gone = row.bind(owner.id()).run(); !gone)
    return std::unexpected(std::move(gone.error()));
  return 0;
}

} // namespace

std::expected<bool, journal_errc> sqlite_journal::claim_seen(const tenant& owner, std::span<const seen_mark> marks,
                                                             timepoint now) {
  if (!detail::is_storable_claim(owner, marks))
    return std::unexpected(journal_errc::rejected);
  if (marks.empty() || detail::names_twice(marks))
    return marks.empty();
  std::lock_guard lock(writing_);
  bool at_commit = false;
  const auto claimed = claim(writer_, owner, marks, now, at_commit);
  if (!claimed)
    return std::unexpected(at_commit ? journal_errc::outcome_unknown : sqlite::errc_of(claimed.error()));
  return *claimed;
}

std::expected<void, journal_errc> sqlite_journal::in_steps(const erasing_step& step) {
  for (;;) {
    std::lock_guard lock(writing_);
    const auto gone = step(writer_);
    if (!gone)
      return std::unexpected(sqlite::errc_of(gone.error()));
    if (*gone == 0)
      return {};
  }
}

std::expected<void, journal_errc> sqlite_journal::erase_kind(const tenant& owner, std::string_view kind,
                                                             const std::string* id) {
  const erased what{owner, kind, id};
  const erasing_step steps[] = {
      [&](sqlite::connection& c) { return rows_step(c, "name", "space, name", what); },
      [&](sqlite::connection& c) { return rows_step(c, "document", "tenant, kind, id", what); },
      [&](sqlite::connection& c) { return entities_step(c, what); },
  };
  for (const auto& step : steps)
    if (auto gone = in_steps(step); !gone)
      return gone;
  return {};
}

// Erased bytes are overwritten, in the file and, if nobody reads right now, in the write-ahead log.
std::expected<void, journal_errc> sqlite_journal::end_erasure(const tenant& owner) {
  if (auto ended = in_steps([&](sqlite::connection& c) { return chains_step(c, owner); }); !ended)
    return ended;
  std::lock_guard lock(writing_);
  (void)writer_.run("pragma busy_timeout = 0; pragma wal_checkpoint(truncate); pragma busy_timeout = " +
                    std::to_string(limits::sqlite_busy_timeout.count()));
  return {};
}

std::expected<void, journal_errc> sqlite_journal::begin_erasure() {
  std::lock_guard lock(writing_);
  if (auto set = writer_.run("pragma secure_delete = on"); !set)
    return std::unexpected(sqlite::errc_of(set.error()));
  return {};
}

std::expected<void, journal_errc> sqlite_journal::erase(const tenant& owner, std::span<const std::string> erased_kinds,
                                                        bool last) {
  if (!detail::is_storable_scope(owner, erased_kinds))
    return std::unexpected(journal_errc::rejected);
  if (auto begun = begin_erasure(); !begun)
    return begun;
  for (const auto& kind : erased_kinds)
    if (auto gone = erase_kind(owner, kind, nullptr); !gone)
      return gone;
  if (last)
    if (auto gone = in_steps([&](sqlite::connection& c) { return marks_step(c, owner); }); !gone)
      return gone;
  return end_erasure(owner);
}

std::expected<void, journal_errc> sqlite_journal::erase_entity(const entity_key& key) {
  if (!detail::is_storable_scope(key.owner, std::array{key.kind, key.id}))
    return std::unexpected(journal_errc::rejected);
  if (auto begun = begin_erasure(); !begun)
    return begun;
  if (auto gone = erase_kind(key.owner, key.kind, &key.id); !gone)
    return gone;
  return end_erasure(key.owner);
}

} // namespace fondaco::persistence

#include "persistence/sqlite/journal.hpp"

#include <algorithm>
#include <set>

#include "persistence/detail/append_check.hpp"
#include "persistence/sqlite/batch_writer.hpp"
#include "persistence/sqlite/migrate.hpp"

namespace fondaco::persistence {

using sqlite::outcome;
using sqlite::statement;

namespace {

int64_t bounded(size_t rows_max) { return static_cast<int64_t>(std::min(rows_max, limits::read_rows_max)); }

entity_key key_at(const statement& row, int column) {
  return {tenant(std::string(row.text(column))), std::string(row.text(column + 1)), std::string(row.text(column + 2))};
}

entity_row entity_at(const statement& row) {
  const auto wake = row.is_null(8) ? std::nullopt : std::optional(from_epoch_ms(row.integer(8)));
  return {key_at(row, 0),
          static_cast<shard_number>(row.integer(3)),
          row.integer(4),
          std::string(row.text(5)),
          std::string(row.text(6)),
          from_epoch_ms(row.integer(7)),
          from_epoch_ms(row.integer(9)),
          wake};
}

stored_event event_at(const statement& row) {
  event_record event{std::string(row.text(6)), static_cast<uint16_t>(row.integer(7)), row.text(8).front(),
                     std::string(row.blob(9)), std::string(row.text(11))};
  return {key_at(row, 0),           row.integer(3),   static_cast<shard_number>(row.integer(4)),
          row.integer(5),           std::move(event), from_epoch_ms(row.integer(10)),
          std::string(row.blob(12))};
}

template <class Row> std::expected<std::vector<Row>, journal_errc> all(statement& rows, Row (*read)(const statement&)) {
  std::vector<Row> found;
  for (;;) {
    const auto there = rows.step();
    if (!there)
      return std::unexpected(sqlite::errc_of(there.error()));
    if (!*there)
      return found;
    found.push_back(read(rows));
  }
}

template <class Row>
std::expected<std::optional<Row>, journal_errc> first(statement& rows, Row (*read)(const statement&)) {
  const auto there = rows.step();
  if (!there)
    return std::unexpected(sqlite::errc_of(there.error()));
  if (!*there)
    return std::nullopt;
  return read(rows);
}

std::expected<void, journal_errc> done(const outcome<int64_t>& changed) {
  if (!changed)
    return std::unexpected(sqlite::errc_of(changed.error()));
  return {};
}

constexpr std::string_view event_columns = "select e.tenant, e.kind, e.id, j.seq, j.shard, j.position, j.type, "
                                           "j.version, j.format, j.payload, j.at, j.cause, j.chain ";
constexpr std::string_view entity_columns = "select e.tenant, e.kind, e.id, e.shard, e.seq, e.status, e.view, "
                                            "e.created_at, w.due, e.updated_at ";

std::string with(std::string_view columns, std::string_view rest) { return std::string(columns).append(rest); }

constexpr std::string_view upsert_node =
    R"(insert into node("group", node, heartbeat, expires_at) values (?, ?, ?, ?) on conflict ("group", node)
       do update set heartbeat = excluded.heartbeat, expires_at = excluded.expires_at)";

outcome<int64_t> now_ms(sqlite::connection& c) {
  auto row = c.prepare("select cast((julianday('now') - 2440587.5) * 86400000 as integer)");
  if (auto there = row.step(); !there)
    return std::unexpected(std::move(there.error()));
  return row.integer(0);
}

outcome<int64_t> keep_node(sqlite::connection& c, std::string_view group, std::string_view node, milliseconds ttl) {
  auto now = now_ms(c);
  if (!now)
    return now;
  auto kept = c.prepare(upsert_node).bind(group).bind(node).bind(*now).bind(*now + ttl.count()).run();
  if (!kept)
    return kept;
  return now;
}

} // namespace

sqlite_journal::sqlite_journal(std::string group, sqlite::connection writer,
                               sqlite::connection_pool::opener open_reader, size_t readers)
    : group_(std::move(group)), incarnation_(detail::make_incarnation()), writer_(std::move(writer)),
      readers_(std::move(open_reader), readers) {}

std::expected<std::unique_ptr<sqlite_journal>, fault> sqlite_journal::open(const store_options& options) {
  auto writer = sqlite::connection::open(options.url);
  if (!writer)
    return std::unexpected(sqlite::fault_of(writer.error()));
  if (auto ready = sqlite::migrate(*writer); !ready)
    return std::unexpected(ready.error());
  auto open_reader = [url = options.url] { return sqlite::connection::open(url); };
  return std::make_unique<sqlite_journal>(options.group, std::move(*writer), std::move(open_reader), options.readers);
}

std::vector<append_result> sqlite_journal::append(std::span<const entity_append> batch) {
  std::lock_guard lock(writing_);
  return sqlite::batch_writer(writer_, group_).write(batch);
}

std::expected<void, journal_errc> sqlite_journal::move_wake(const entity_key& key, shard_number shard, int64_t epoch,
                                                            std::optional<timepoint> wake) {
  std::lock_guard lock(writing_);
  const std::string ours = R"(e.tenant = ? and e.kind = ? and e.id = ?
      and exists (select 1 from shard where "group" = ? and shard = ? and epoch = ?))";
  auto row =
      wake ? writer_.prepare("insert into wake(entity, shard, due) select e.key, e.shard, ? from entity e where " +
                             ours + " on conflict (entity) do update set due = excluded.due")
           : writer_.prepare("delete from wake where entity = (select e.key from entity e where " + ours + ")");
  if (wake)
    row.bind(to_epoch_ms(*wake));
  row.bind(key.owner.id()).bind(key.kind).bind(key.id).bind(group_).bind(int64_t{shard}).bind(epoch);
  return done(row.run());
}

std::expected<void, journal_errc> sqlite_journal::save_snapshot(const snapshot& s) {
  std::lock_guard lock(writing_);
  auto row = writer_.prepare("insert into snapshot(entity, seq, version, payload) select key, ?, ?, ? from entity "
                             "where tenant = ? and kind = ? and id = ? on conflict (entity) do update set "
                             "seq = excluded.seq, version = excluded.version, payload = excluded.payload "
                             "where excluded.seq > snapshot.seq");
  row.bind(s.seq).bind(int64_t{s.version}).bind_blob(s.payload);
  return done(row.bind(s.key.owner.id()).bind(s.key.kind).bind(s.key.id).run());
}

std::expected<std::optional<snapshot>, journal_errc> sqlite_journal::load_snapshot(const entity_key& key) {
  auto reader = readers_.acquire();
  if (!reader)
    return std::unexpected(journal_errc::unavailable);
  auto row = (*reader)->prepare("select e.tenant, e.kind, e.id, s.seq, s.version, s.payload from entity e "
                                "join snapshot s on s.entity = e.key where e.tenant = ? and e.kind = ? and e.id = ?");
  row.bind(key.owner.id()).bind(key.kind).bind(key.id);
  return first<snapshot>(row, [](const statement& r) {
    return snapshot{key_at(r, 0), r.integer(3), static_cast<uint16_t>(r.integer(4)), std::string(r.blob(5))};
  });
}

std::expected<std::vector<stored_event>, journal_errc> sqlite_journal::read_events(const entity_key& key,
                                                                                   int64_t after_seq, size_t rows_max) {
  auto reader = readers_.acquire();
  if (!reader)
    return std::unexpected(journal_errc::unavailable);
  auto rows = (*reader)->prepare(with(event_columns, "from entity e join journal j on j.entity = e.key where "
                                                     "e.tenant = ? and e.kind = ? and e.id = ? and j.seq > ? "
                                                     "order by j.seq limit ?"));
  rows.bind(key.owner.id()).bind(key.kind).bind(key.id).bind(after_seq).bind(bounded(rows_max));
  return all<stored_event>(rows, event_at);
}

std::expected<std::vector<stored_event>, journal_errc>
sqlite_journal::read_shard(shard_number shard, int64_t after_position, size_t rows_max) {
  auto reader = readers_.acquire();
  if (!reader)
    return std::unexpected(journal_errc::unavailable);
  auto rows = (*reader)->prepare(with(event_columns, "from journal j join entity e on e.key = j.entity where "
                                                     "j.shard = ? and j.position > ? order by j.position limit ?"));
  rows.bind(int64_t{shard}).bind(after_position).bind(bounded(rows_max));
  return all<stored_event>(rows, event_at);
}

std::expected<std::optional<entity_row>, journal_errc> sqlite_journal::read_row(const entity_key& key) {
  auto reader = readers_.acquire();
  if (!reader)
    return std::unexpected(journal_errc::unavailable);
  auto row = (*reader)->prepare(with(entity_columns, "from entity e left join wake w on w.entity = e.key "
                                                     "where e.tenant = ? and e.kind = ? and e.id = ?"));
  row.bind(key.owner.id()).bind(key.kind).bind(key.id);
  return first<entity_row>(row, entity_at);
}

std::expected<std::vector<entity_row>, journal_errc> sqlite_journal::read_due(shard_number shard, timepoint now,
                                                                              size_t rows_max) {
  auto reader = readers_.acquire();
  if (!reader)
    return std::unexpected(journal_errc::unavailable);
  auto rows = (*reader)->prepare(with(entity_columns, "from wake w join entity e on e.key = w.entity "
                                                      "where w.shard = ? and w.due <= ? order by w.due limit ?"));
  rows.bind(int64_t{shard}).bind(to_epoch_ms(now)).bind(bounded(rows_max));
  return all<entity_row>(rows, entity_at);
}

std::expected<std::optional<entity_key>, journal_errc> sqlite_journal::resolve_name(std::string_view space,
                                                                                    std::string_view name) {
  auto reader = readers_.acquire();
  if (!reader)
    return std::unexpected(journal_errc::unavailable);
  auto row = (*reader)->prepare("select tenant, kind, id from name where space = ? and name = ?");
  row.bind(space).bind(name);
  return first<entity_key>(row, [](const statement& r) { return key_at(r, 0); });
}

std::expected<bool, journal_errc> sqlite_journal::was_seen(const tenant& owner, std::string_view id) {
  auto reader = readers_.acquire();
  if (!reader)
    return std::unexpected(journal_errc::unavailable);
  auto row = (*reader)->prepare("select 1 from seen where tenant = ? and id = ?");
  const auto there = row.bind(owner.id()).bind(id).step();
  if (!there)
    return std::unexpected(sqlite::errc_of(there.error()));
  return *there;
}

std::expected<size_t, journal_errc> sqlite_journal::forget_seen(timepoint now, size_t rows_max) {
  std::lock_guard lock(writing_);
  auto row = writer_.prepare("delete from seen where (tenant, id) in "
                             "(select tenant, id from seen where until <= ? order by until limit ?)");
  const auto changed = row.bind(to_epoch_ms(now)).bind(bounded(rows_max)).run();
  if (!changed)
    return std::unexpected(sqlite::errc_of(changed.error()));
  return static_cast<size_t>(*changed);
}

namespace {

outcome<std::vector<lease>> take(sqlite::connection& c, std::string_view group, std::string_view node,
                                 const std::string& me, const std::set<shard_number>& shards, milliseconds ttl) {
  auto work = sqlite::transaction::begin(c);
  if (!work)
    return std::unexpected(std::move(work.error()));
  const auto now = keep_node(c, group, node, ttl);
  if (!now)
    return std::unexpected(now.error());
  std::vector<lease> taken;
  for (const auto number : shards) {
    auto made = c.prepare(R"(insert or ignore into shard("group", shard) values (?, ?))");
    if (auto ok = made.bind(group).bind(int64_t{number}).run(); !ok)
      return std::unexpected(std::move(ok.error()));
    auto moved = c.prepare(R"(update shard set owner = ?1, epoch = epoch + 1
        where "group" = ?2 and shard = ?3 and owner is not ?1
          and (owner is null or substr(owner, 1, length(owner) - ?4) = ?5
               or not exists (select 1 from node n where n."group" = ?2 and n.expires_at > ?6
                              and n.node = substr(shard.owner, 1, length(shard.owner) - ?4))))");
    moved.bind(me).bind(group).bind(int64_t{number}).bind(int64_t{detail::incarnation_suffix_bytes});
    if (auto ok = moved.bind(node).bind(*now).run(); !ok)
      return std::unexpected(std::move(ok.error()));
    auto row = c.prepare(R"(select epoch from shard where "group" = ? and shard = ? and owner = ?)");
    auto mine = row.bind(group).bind(int64_t{number}).bind(me).step();
    if (!mine)
      return std::unexpected(std::move(mine.error()));
    if (*mine)
      taken.push_back({number, row.integer(0)});
  }
  if (auto ended = work->commit(); !ended)
    return std::unexpected(std::move(ended.error()));
  return taken;
}

} // namespace

std::expected<std::vector<lease>, journal_errc> sqlite_journal::take_shards(std::string_view group,
                                                                            std::string_view node,
                                                                            std::span<const shard_number> shards,
                                                                            milliseconds ttl) {
  std::lock_guard lock(writing_);
  auto taken = take(writer_, group, node, detail::owner_name(node, incarnation_),
                    std::set<shard_number>(shards.begin(), shards.end()), ttl);
  if (!taken)
    return std::unexpected(sqlite::errc_of(taken.error()));
  return std::move(*taken);
}

std::expected<void, journal_errc> sqlite_journal::heartbeat(std::string_view group, std::string_view node,
                                                            milliseconds ttl) {
  std::lock_guard lock(writing_);
  return done(keep_node(writer_, group, node, ttl));
}

std::expected<void, journal_errc> sqlite_journal::release_shards(std::string_view group, std::string_view node) {
  std::lock_guard lock(writing_);
  auto row = writer_.prepare(R"(update shard set owner = null where "group" = ? and owner = ?)");
  return done(row.bind(group).bind(detail::owner_name(node, incarnation_)).run());
}

std::expected<int64_t, journal_errc> sqlite_journal::read_checkpoint(std::string_view consumer, shard_number shard) {
  auto reader = readers_.acquire();
  if (!reader)
    return std::unexpected(journal_errc::unavailable);
  auto row = (*reader)->prepare("select position from checkpoint where consumer = ? and shard = ?");
  const auto there = row.bind(consumer).bind(int64_t{shard}).step();
  if (!there)
    return std::unexpected(sqlite::errc_of(there.error()));
  return *there ? row.integer(0) : 0;
}

std::expected<void, journal_errc> sqlite_journal::write_checkpoint(std::string_view consumer, shard_number shard,
                                                                   int64_t position) {
  std::lock_guard lock(writing_);
  auto row = writer_.prepare("insert into checkpoint(consumer, shard, position) values (?, ?, ?) "
                             "on conflict (consumer, shard) do update set position = excluded.position "
                             "where excluded.position > checkpoint.position");
  return done(row.bind(consumer).bind(int64_t{shard}).bind(position).run());
}

} // namespace fondaco::persistence

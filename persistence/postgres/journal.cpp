#include "persistence/postgres/journal.hpp"

#include <algorithm>

#include "persistence/detail/append_check.hpp"
#include "persistence/postgres/migrate.hpp"

namespace fondaco::persistence {

using postgres::parameters;
using postgres::result;

namespace {

int64_t bounded(size_t rows_max) { return static_cast<int64_t>(std::min(rows_max, limits::read_rows_max)); }

entity_key key_at(const result& rows, int row) {
  return {tenant(std::string(rows.text(row, 0))), std::string(rows.text(row, 1)), std::string(rows.text(row, 2))};
}

entity_row entity_at(const result& rows, int row) {
  const auto wake = rows.is_null(row, 9) ? std::nullopt : std::optional(from_epoch_ms(rows.integer(row, 9)));
  return {key_at(rows, row),
          static_cast<shard_number>(rows.integer(row, 3)),
          rows.integer(row, 4),
          std::string(rows.text(row, 5)),
          std::string(rows.text(row, 6)),
          from_epoch_ms(rows.integer(row, 7)),
          from_epoch_ms(rows.integer(row, 8)),
          wake};
}

stored_event event_at(const result& rows, int row) {
  event_record event{std::string(rows.text(row, 6)), static_cast<uint16_t>(rows.integer(row, 7)),
                     rows.text(row, 8).front(), std::string(rows.text(row, 9)), std::string(rows.text(row, 11))};
  return {key_at(rows, row),
          rows.integer(row, 3),
          static_cast<shard_number>(rows.integer(row, 4)),
          rows.integer(row, 5),
          std::move(event),
          from_epoch_ms(rows.integer(row, 10)),
          std::string(rows.text(row, 12))};
}

template <class Row>
std::expected<std::vector<Row>, journal_errc> all(const std::expected<result, journal_errc>& rows,
                                                  Row (*read)(const result&, int)) {
  if (!rows)
    return std::unexpected(rows.error());
  std::vector<Row> found;
  found.reserve(static_cast<size_t>(rows->rows()));
  for (int r = 0; r < rows->rows(); ++r)
    found.push_back(read(*rows, r));
  return found;
}

template <class Row>
std::expected<std::optional<Row>, journal_errc> first(const std::expected<result, journal_errc>& rows,
                                                      Row (*read)(const result&, int)) {
  if (!rows)
    return std::unexpected(rows.error());
  if (rows->rows() == 0)
    return std::nullopt;
  return read(*rows, 0);
}

#define FONDACO_EVENT_COLUMNS                                                                                          \
  "select e.tenant, e.kind, e.id, j.seq, j.shard, j.position, j.type, j.version, j.format, j.payload, j.at, j.cause, " \
  "j.chain "
#define FONDACO_ENTITY_COLUMNS                                                                                         \
  "select e.tenant, e.kind, e.id, e.shard, e.seq, e.status, e.view, e.created_at, e.updated_at, w.due "

parameters of_key(const entity_key& key) {
  parameters p;
  p.add(key.owner.id()).add(key.kind).add(key.id);
  return p;
}

} // namespace

postgres_journal::postgres_journal(std::string group, postgres::connection writer,
                                   postgres::connection_pool::opener open_other, size_t others)
    : group_(std::move(group)), incarnation_(detail::make_incarnation()), writer_(std::move(writer), group_),
      others_(std::move(open_other), others) {}

std::expected<std::unique_ptr<postgres_journal>, fault> postgres_journal::open(const store_options& options) {
  postgres::connection_settings settings{options.url, options.statement_timeout_ms, true};
  auto writer = postgres::connection::open(settings);
  if (!writer)
    return std::unexpected(postgres::fault_of(writer.error()));
  if (auto ready = postgres::migrate(*writer); !ready)
    return std::unexpected(ready.error());
  auto open_other = [settings] { return postgres::connection::open(settings); };
  return std::make_unique<postgres_journal>(options.group, std::move(*writer), std::move(open_other), options.readers);
}

std::expected<result, journal_errc> postgres_journal::query(const std::string& sql, const parameters& p) {
  auto c = others_.acquire();
  if (!c)
    return std::unexpected(journal_errc::unavailable);
  auto rows = (*c)->read(sql, p);
  if (!rows)
    return std::unexpected(postgres::errc_of(rows.error()));
  return std::move(*rows);
}

std::expected<void, journal_errc> postgres_journal::command(const std::string& sql, const parameters& p) {
  const auto done = query(sql, p);
  if (!done)
    return std::unexpected(done.error());
  return {};
}

std::vector<append_result> postgres_journal::append(std::span<const entity_append> batch) {
  std::lock_guard lock(writing_);
  return writer_.write(batch);
}

std::expected<void, journal_errc> postgres_journal::move_wake(const entity_key& key, shard_number shard, int64_t epoch,
                                                              std::optional<timepoint> wake) {
  std::lock_guard lock(writing_);
  return writer_.move_wake(key, shard, epoch, wake);
}

std::expected<void, journal_errc> postgres_journal::save_snapshot(const snapshot& s) {
  auto p = of_key(s.key);
  p.add(s.seq).add_int2(static_cast<int16_t>(s.version)).add_bytes(s.payload);
  return command("insert into snapshot(entity, seq, version, payload) select key, $4, $5, $6 from entity "
                 "where tenant = $1 and kind = $2 and id = $3 on conflict (entity) do update set "
                 "seq = excluded.seq, version = excluded.version, payload = excluded.payload "
                 "where excluded.seq > snapshot.seq",
                 p);
}

std::expected<std::optional<snapshot>, journal_errc> postgres_journal::load_snapshot(const entity_key& key) {
  const auto rows = query("select e.tenant, e.kind, e.id, s.seq, s.version, s.payload from entity e "
                          "join snapshot s on s.entity = e.key where e.tenant = $1 and e.kind = $2 and e.id = $3",
                          of_key(key));
  return first<snapshot>(rows, [](const result& r, int row) {
    return snapshot{key_at(r, row), r.integer(row, 3), static_cast<uint16_t>(r.integer(row, 4)),
                    std::string(r.text(row, 5))};
  });
}

std::expected<std::vector<stored_event>, journal_errc>
postgres_journal::read_events(const entity_key& key, int64_t after_seq, size_t rows_max) {
  auto p = of_key(key);
  p.add(after_seq).add(bounded(rows_max));
  return all<stored_event>(query(FONDACO_EVENT_COLUMNS
                                 "from entity e join journal j on j.entity = e.key where e.tenant = $1 and e.kind = $2 "
                                 "and e.id = $3 and j.seq > $4 order by j.seq limit $5",
                                 p),
                           event_at);
}

std::expected<std::vector<stored_event>, journal_errc>
postgres_journal::read_shard(shard_number shard, int64_t after_position, size_t rows_max) {
  parameters p;
  p.add_int4(shard).add(after_position).add(bounded(rows_max));
  return all<stored_event>(query(FONDACO_EVENT_COLUMNS "from journal j join entity e on e.key = j.entity where "
                                                       "j.shard = $1 and j.position > $2 order by j.position limit $3",
                                 p),
                           event_at);
}

std::expected<std::optional<entity_row>, journal_errc> postgres_journal::read_row(const entity_key& key) {
  return first<entity_row>(query(FONDACO_ENTITY_COLUMNS "from entity e left join wake w on w.entity = e.key "
                                                        "where e.tenant = $1 and e.kind = $2 and e.id = $3",
                                 of_key(key)),
                           entity_at);
}

std::expected<std::vector<entity_row>, journal_errc> postgres_journal::read_due(shard_number shard, timepoint now,
                                                                                size_t rows_max) {
  parameters p;
  p.add_int4(shard).add(to_epoch_ms(now)).add(bounded(rows_max));
  return all<entity_row>(query(FONDACO_ENTITY_COLUMNS "from wake w join entity e on e.key = w.entity "
                                                      "where w.shard = $1 and w.due <= $2 order by w.due limit $3",
                               p),
                         entity_at);
}

std::expected<std::optional<entity_key>, journal_errc> postgres_journal::resolve_name(std::string_view space,
                                                                                      std::string_view name) {
  parameters p;
  p.add(space).add(name);
  return first<entity_key>(query("select tenant, kind, id from name where space = $1 and name = $2", p), key_at);
}

std::expected<bool, journal_errc> postgres_journal::was_seen(const tenant& owner, std::string_view id) {
  parameters p;
  p.add(owner.id()).add(id);
  const auto rows = query("select 1 from seen where tenant = $1 and id = $2", p);
  if (!rows)
    return std::unexpected(rows.error());
  return rows->rows() > 0;
}

std::expected<size_t, journal_errc> postgres_journal::forget_seen(timepoint now, size_t rows_max) {
  parameters p;
  p.add(to_epoch_ms(now)).add(bounded(rows_max));
  const auto rows = query("delete from seen where (tenant, id) in (select tenant, id from seen where until <= $1 "
                          "order by until limit $2 for update skip locked)",
                          p);
  if (!rows)
    return std::unexpected(rows.error());
  return static_cast<size_t>(rows->affected());
}

std::expected<int64_t, journal_errc> postgres_journal::read_checkpoint(std::string_view consumer, shard_number shard) {
  parameters p;
  p.add(consumer).add_int4(shard);
  const auto rows = query("select position from checkpoint where consumer = $1 and shard = $2", p);
  if (!rows)
    return std::unexpected(rows.error());
  return rows->rows() == 0 ? 0 : rows->integer(0, 0);
}

std::expected<void, journal_errc> postgres_journal::write_checkpoint(std::string_view consumer, shard_number shard,
                                                                     int64_t position) {
  parameters p;
  p.add(consumer).add_int4(shard).add(position);
  return command("insert into checkpoint(consumer, shard, position) values ($1, $2, $3) on conflict (consumer, shard) "
                 "do update set position = excluded.position where excluded.position > checkpoint.position",
                 p);
}

} // namespace fondaco::persistence

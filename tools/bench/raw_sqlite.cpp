#include <map>
#include <optional>

#include <sqlite3.h>

#include "tools/bench/raw_journal.hpp"

namespace fondaco::bench {

namespace {

constexpr const char* schema = R"sql(
pragma journal_mode = wal;
pragma synchronous = full;
create table shard(shard integer primary key, epoch integer not null, last_position integer not null);
create table journal(
  shard integer not null, position integer not null, entity integer not null, seq integer not null,
  type text not null, version integer not null, format text not null, payload blob not null,
  at integer not null, cause text not null, chain blob not null,
  primary key (shard, position),
  unique (entity, seq));
)sql";

struct closer {
  void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
  void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
};
using database = std::unique_ptr<sqlite3, closer>;
using statement = std::unique_ptr<sqlite3_stmt, closer>;

class raw_sqlite final : public raw_journal {
public:
  explicit raw_sqlite(database db) : db_(std::move(db)) {}

  measured<void> prepare(uint32_t shards) {
    if (sqlite3_exec(db_.get(), schema, nullptr, nullptr, nullptr) != SQLITE_OK)
      return std::unexpected(words());
    for (uint32_t s = 0; s < shards; ++s) {
      const auto row = "insert into shard values (" + std::to_string(s) + ", 1, 0)";
      if (sqlite3_exec(db_.get(), row.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return std::unexpected(words());
    }
    begin_ = make("begin immediate");
    commit_ = make("commit");
    head_ = make("update shard set last_position = last_position + ? where shard = ? and epoch = 1 "
                 "returning last_position");
    insert_ =
        make("insert into journal(shard, position, entity, seq, type, version, format, payload, at, cause, chain) "
             "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    if (!begin_ || !commit_ || !head_ || !insert_)
      return std::unexpected(words());
    return {};
  }

  measured<void> commit(std::span<const raw_row> rows) override {
    std::map<shard_number, int64_t> positions;
    for (const auto& r : rows)
      ++positions[r.shard];
    if (!run(begin_))
      return std::unexpected(words());
    for (auto& [shard, n] : positions) {
      const auto last = move_head(shard, n);
      if (!last)
        return std::unexpected(words());
      n = *last - n;
    }
    for (const auto& r : rows)
      if (!insert(r, ++positions[r.shard]))
        return std::unexpected(words());
    if (!run(commit_))
      return std::unexpected(words());
    return {};
  }

private:
  std::string words() const { return std::string("SQLite says: ") + sqlite3_errmsg(db_.get()); }

  statement make(const char* sql) {
    sqlite3_stmt* made = nullptr;
    sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    return statement(made);
  }

  bool run(const statement& s) {
    const int code = sqlite3_step(s.get());
    sqlite3_reset(s.get());
    return code == SQLITE_DONE;
  }

  std::optional<int64_t> move_head(shard_number shard, int64_t rows) {
    auto* s = head_.get();
    sqlite3_bind_int64(s, 1, rows);
    sqlite3_bind_int64(s, 2, shard);
    std::optional<int64_t> last;
    if (sqlite3_step(s) == SQLITE_ROW)
      last = sqlite3_column_int64(s, 0);
    if (sqlite3_step(s) != SQLITE_DONE)
      last.reset();
    sqlite3_reset(s);
    return last;
  }

  bool insert(const raw_row& r, int64_t position) {
    auto* s = insert_.get();
    const auto text = [s](int at, std::string_view v) {
      sqlite3_bind_text(s, at, v.data(), static_cast<int>(v.size()), SQLITE_STATIC);
    };
    const auto blob = [s](int at, std::string_view v) {
      sqlite3_bind_blob(s, at, v.data(), static_cast<int>(v.size()), SQLITE_STATIC);
    };
    sqlite3_bind_int64(s, 1, r.shard);
    sqlite3_bind_int64(s, 2, position);
    sqlite3_bind_int64(s, 3, r.entity);
    sqlite3_bind_int64(s, 4, r.seq);
    text(5, r.event->type);
    sqlite3_bind_int64(s, 6, r.event->version);
    text(7, std::string_view(&r.event->format, 1));
    blob(8, r.event->payload);
    sqlite3_bind_int64(s, 9, r.at);
    text(10, r.event->cause);
    blob(11, raw_chain);
    return run(insert_);
  }

  database db_;
  statement begin_, commit_, head_, insert_;
};

} // namespace

measured<std::unique_ptr<raw_journal>> open_raw_sqlite(const std::string& file, uint32_t shards) {
  sqlite3* opened = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(file.c_str(), &opened, flags, nullptr);
  database db(opened);
  if (code != SQLITE_OK)
    return std::unexpected("SQLite cannot open '" + file + "': " + sqlite3_errstr(code));
  auto raw = std::make_unique<raw_sqlite>(std::move(db));
  if (auto ready = raw->prepare(shards); !ready)
    return std::unexpected(ready.error());
  return raw;
}

} // namespace fondaco::bench

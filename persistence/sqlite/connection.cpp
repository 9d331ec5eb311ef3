#include "persistence/sqlite/connection.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <unordered_map>
#include <utility>

#include <sqlite3.h>

namespace fondaco::persistence::sqlite {

failure failure::exhausted() { return {SQLITE_BUSY, "all connections to the database are busy"}; }

journal_errc errc_of(const failure& f) noexcept {
  switch (f.code & 0xff) {
  case SQLITE_CONSTRAINT:
  case SQLITE_TOOBIG:
  case SQLITE_MISMATCH:
  case SQLITE_RANGE:
  case SQLITE_ERROR: return journal_errc::rejected;
  default: return journal_errc::unavailable;
  }
}

struct statement::slot {
  sqlite3_stmt* handle = nullptr;
  bool lent = false;
  slot() = default;
  slot(const slot&) = delete;
  slot& operator=(const slot&) = delete;
  ~slot() { sqlite3_finalize(handle); }
};

statement::statement(sqlite3* db, std::shared_ptr<slot> s, int code) : db_(db), slot_(std::move(s)), bad_(code) {}

statement::statement(statement&& other) noexcept
    : db_(other.db_), slot_(std::move(other.slot_)), next_(other.next_), bad_(other.bad_) {}

statement::~statement() {
  if (!slot_)
    return;
  if (slot_->handle) {
    sqlite3_reset(slot_->handle);
    sqlite3_clear_bindings(slot_->handle);
  }
  slot_->lent = false;
}

void statement::note(int code) {
  ++next_;
  if (code != SQLITE_OK && bad_ == SQLITE_OK)
    bad_ = code;
}

statement& statement::bind(int64_t v) {
  note(sqlite3_bind_int64(slot_->handle, next_, v));
  return *this;
}

statement& statement::bind(std::string_view v) {
  note(sqlite3_bind_text64(slot_->handle, next_, v.data() ? v.data() : "", v.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

statement& statement::bind_real(double v) {
  note(sqlite3_bind_double(slot_->handle, next_, v));
  return *this;
}

statement& statement::bind_blob(std::string_view v) {
  note(sqlite3_bind_blob64(slot_->handle, next_, v.data() ? v.data() : "", v.size(), SQLITE_TRANSIENT));
  return *this;
}

statement& statement::bind_null() {
  note(sqlite3_bind_null(slot_->handle, next_));
  return *this;
}

statement& statement::bind_optional(std::optional<int64_t> v) { return v ? bind(*v) : bind_null(); }

failure statement::why() const {
  std::string detail = sqlite3_errmsg(db_);
  if (const char* sql = slot_->handle ? sqlite3_sql(slot_->handle) : nullptr)
    detail.append(" in: ").append(std::string_view(sql).substr(0, 80));
  return {bad_, std::move(detail)};
}

outcome<bool> statement::step() {
  if (bad_ != SQLITE_OK)
    return std::unexpected(why());
  const int code = sqlite3_step(slot_->handle);
  if (code == SQLITE_ROW)
    return true;
  if (code == SQLITE_DONE)
    return false;
  bad_ = sqlite3_extended_errcode(db_);
  return std::unexpected(why());
}

outcome<int64_t> statement::run() {
  for (;;) {
    auto row = step();
    if (!row)
      return std::unexpected(std::move(row.error()));
    if (!*row)
      return sqlite3_changes64(db_);
  }
}

statement& statement::reset() {
  sqlite3_reset(slot_->handle);
  next_ = 1;
  return *this;
}

bool statement::is_null(int column) const { return sqlite3_column_type(slot_->handle, column) == SQLITE_NULL; }

int64_t statement::integer(int column) const { return sqlite3_column_int64(slot_->handle, column); }

std::string_view statement::text(int column) const {
  const auto* p = reinterpret_cast<const char*>(sqlite3_column_text(slot_->handle, column));
  return p ? std::string_view(p, static_cast<size_t>(sqlite3_column_bytes(slot_->handle, column))) : std::string_view{};
}

std::string_view statement::blob(int column) const {
  const auto* p = static_cast<const char*>(sqlite3_column_blob(slot_->handle, column));
  return p ? std::string_view(p, static_cast<size_t>(sqlite3_column_bytes(slot_->handle, column))) : std::string_view{};
}

namespace {
struct text_hash {
  using is_transparent = void;
  size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
};
} // namespace

struct connection::state {
  sqlite3* db = nullptr;
  std::chrono::steady_clock::time_point deadline;
  std::unordered_map<std::string, std::shared_ptr<statement::slot>, text_hash, std::equal_to<>> cache;
  state() = default;
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() {
    cache.clear();
    sqlite3_close_v2(db);
  }
};

connection::connection(std::unique_ptr<state> s) : state_(std::move(s)) {}
connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&&) noexcept = default;
connection::~connection() = default;

outcome<connection> connection::open(const std::string& url, open_mode mode) {
  auto s = std::make_unique<state>();
  const int access = mode == open_mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(url.c_str(), &s->db, access | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK)
    return std::unexpected(failure{code, std::string("cannot open the database: ") + sqlite3_errstr(code)});
  sqlite3_extended_result_codes(s->db, 1);
  sqlite3_busy_timeout(s->db, static_cast<int>(limits::sqlite_busy_timeout.count()));
  connection c(std::move(s));
  const std::string wal = mode == open_mode::read_only ? "" : "pragma journal_mode = wal;";
  if (auto ok = c.run(wal + "pragma synchronous = full; pragma foreign_keys = off; pragma temp_store = memory;"); !ok)
    return std::unexpected(std::move(ok.error()));
  return c;
}

statement connection::prepare(std::string_view sql) {
  auto& cache = state_->cache;
  if (auto found = cache.find(sql); found != cache.end() && !found->second->lent) {
    found->second->lent = true;
    return {state_->db, found->second, SQLITE_OK};
  }
  auto s = std::make_shared<statement::slot>();
  s->lent = true;
  const int code = sqlite3_prepare_v3(state_->db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &s->handle, nullptr);
  if (code == SQLITE_OK) {
    if (cache.size() >= limits::sqlite_statements_max)
      std::erase_if(cache, [](const auto& entry) { return !entry.second->lent; });
    cache.try_emplace(std::string(sql), s);
  }
  return {state_->db, std::move(s), code};
}

outcome<void> connection::run(const std::string& script) {
  const int code = sqlite3_exec(state_->db, script.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK)
    return std::unexpected(failure{sqlite3_extended_errcode(state_->db), sqlite3_errmsg(state_->db)});
  return {};
}

void connection::limit_time(milliseconds from_now) {
  constexpr int instructions_between_looks = 10'000;
  state_->deadline = std::chrono::steady_clock::now() + from_now;
  sqlite3_progress_handler(
      state_->db, instructions_between_looks,
      [](void* s) { return std::chrono::steady_clock::now() > static_cast<state*>(s)->deadline ? 1 : 0; },
      state_.get());
}

outcome<transaction> transaction::begin(connection& c) {
  if (auto begun = c.prepare("begin immediate").run(); !begun)
    return std::unexpected(std::move(begun.error()));
  return transaction(c);
}

transaction::~transaction() {
  if (connection_)
    (void)connection_->prepare("rollback").run();
}

outcome<void> transaction::commit() {
  if (auto done = connection_->prepare("commit").run(); !done)
    return std::unexpected(std::move(done.error()));
  connection_ = nullptr;
  return {};
}

std::string shared_url(const std::string& url) {
  static std::atomic<uint64_t> serial{0};
  if (url != ":memory:")
    return url;
  return "file:/fondaco-" + std::to_string(++serial) + "?vfs=memdb";
}

} // namespace fondaco::persistence::sqlite

#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/journal.hpp"
#include "persistence/pool.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace fondaco::persistence {

namespace limits {
/// How long a SQLite connection waits for another's write lock.
inline constexpr milliseconds sqlite_busy_timeout{5000};
/// The most prepared statements that one SQLite connection keeps.
inline constexpr size_t sqlite_statements_max = 128;
} // namespace limits

namespace sqlite {

/// Why SQLite did not do it.
struct failure {
  /// The extended result code (https://www.sqlite.org/rescode.html).
  int code = 0;
  /// SQLite's own words and the statement's beginning; never holds a bound value.
  std::string detail;
  /// What a caller of a pool gets when all connections are busy for too long.
  static failure exhausted();
};

/// A value, or why there is none.
template <class T> using outcome = std::expected<T, failure>;

/// What a failure means to a journal's caller when it came before the commit: constraints and data are `rejected`, the
/// rest is `unavailable`.
journal_errc errc_of(const failure& f) noexcept;

class connection;

/// A prepared statement, borrowed from its connection's cache. Bind in order, step, read columns by index from 0.
/// A mistake in preparing or binding is kept and comes out of `step`. Views of columns live until the next step.
class statement {
public:
  statement(statement&& other) noexcept;
  statement& operator=(statement&&) = delete;
  /// Resets the statement, clears its bindings and gives it back.
  ~statement();

  /// Binds the next parameter to an integer.
  statement& bind(int64_t v);
  /// Binds the next parameter to a text (copied).
  statement& bind(std::string_view v);
  /// Binds the next parameter to a double.
  statement& bind_real(double v);
  /// Binds the next parameter to bytes (copied).
  statement& bind_blob(std::string_view v);
  /// Binds the next parameter to null.
  statement& bind_null();
  /// Binds the next parameter to an integer or null.
  statement& bind_optional(std::optional<int64_t> v);

  /// True if there is a row to read, false at the end.
  outcome<bool> step();
  /// Steps to the end; gives the count of rows that were changed.
  outcome<int64_t> run();
  /// Makes it ready to be bound and stepped again.
  statement& reset();

  /// True if the column is null.
  bool is_null(int column) const;
  /// The column as an integer, 0 for null.
  int64_t integer(int column) const;
  /// The column as text, empty for null.
  std::string_view text(int column) const;
  /// The column's bytes, empty for null.
  std::string_view blob(int column) const;

private:
  friend class connection;
  struct slot;
  statement(sqlite3* db, std::shared_ptr<slot> s, int code);
  void note(int code);
  failure why() const;

  sqlite3* db_;
  std::shared_ptr<slot> slot_;
  int next_ = 1;
  int bad_ = 0;
};

/// Whether a connection may write, and whether it may make the file.
enum class open_mode : uint8_t { read_write_create, read_only };

/// A connection for one thread at a time: WAL, synchronous FULL, foreign keys off, a statement cache.
class connection {
public:
  /// Opens a file's path or a `file:` URI.
  static outcome<connection> open(const std::string& url, open_mode mode = open_mode::read_write_create);
  connection(connection&&) noexcept;
  connection& operator=(connection&&) noexcept;
  ~connection();

  /// The statement for this SQL, from the cache if it is there.
  statement prepare(std::string_view sql);
  /// Runs a script of statements without parameters.
  outcome<void> run(const std::string& script);
  /// From now on, a statement that is still at work after this time is interrupted (SQLITE_INTERRUPT).
  void limit_time(milliseconds from_now);

private:
  struct state;
  explicit connection(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

/// A write transaction (`begin immediate`) that rolls back unless it was committed.
class transaction {
public:
  /// Takes the write lock, waiting at most `limits::sqlite_busy_timeout`.
  static outcome<transaction> begin(connection& c);
  transaction(transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  transaction& operator=(transaction&&) = delete;
  ~transaction();
  /// Makes it durable. After a failure nobody knows whether it is.
  outcome<void> commit();

private:
  explicit transaction(connection& c) : connection_(&c) {}
  connection* connection_;
};

/// A bounded pool of connections.
using connection_pool = bounded_pool<connection, failure>;

/// A URL that several connections of one process can share: `:memory:` becomes a named database in memory that lives as
/// long as one of its connections, any other URL stays as it is.
std::string shared_url(const std::string& url);

} // namespace sqlite
} // namespace fondaco::persistence

#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "persistence/journal.hpp"
#include "persistence/pool.hpp"

namespace fondaco::persistence {

namespace limits {
/// How many times a broken PostgreSQL connection is opened again before the caller gets `unavailable`.
inline constexpr int postgres_connects_max = 2;
/// How long one attempt to connect may take; libpq counts in whole seconds.
inline constexpr milliseconds postgres_connect_timeout{3000};
/// How long a statement may wait for a lock; shorter than any lease, so that a take-over is not held up.
inline constexpr milliseconds postgres_lock_timeout{2000};
/// How long a transaction may sit idle; shorter than any lease.
inline constexpr milliseconds postgres_idle_in_transaction_timeout{2000};
/// How much longer than its own timeout a statement may go unanswered before the connection counts as dead.
inline constexpr milliseconds postgres_answer_grace{2000};
/// How long nobody tries a database again that did not answer: callers are told at once meanwhile.
inline constexpr milliseconds postgres_rest{1000};
/// The most prepared statements that one PostgreSQL connection keeps.
inline constexpr size_t postgres_statements_max = 128;
} // namespace limits

namespace postgres {

/// Why PostgreSQL did not do it.
struct failure {
  /// The SQLSTATE, empty if the server did not answer.
  std::string sqlstate;
  /// The name of the violated constraint, if one was.
  std::string constraint;
  /// The server's primary message; its detail is left out because it holds values.
  std::string detail;
  /// True if the statement may have been done all the same.
  bool unknown = false;
  /// What a caller of a pool gets when all connections are busy for too long.
  static failure exhausted();
  /// What a caller gets while a database that did not answer is left alone.
  static failure resting();
};

/// A value, or why there is none.
template <class T> using outcome = std::expected<T, failure>;

/// What a failure means to a journal's caller: data and constraints (classes 21, 22, 23 and 42) are `rejected`, a lost
/// connection during a statement is `outcome_unknown`, the rest (class 40, 53, 55, 57, no connection) `unavailable`.
journal_errc errc_of(const failure& f) noexcept;

/// The types that parameters and arrays have (their object ids are fixed in PostgreSQL's catalog).
enum class type : uint32_t { bytea = 17, character = 18, int8 = 20, int2 = 21, int4 = 23, text = 25 };

/// A one-dimensional array in binary form.
class array {
public:
  /// An empty array of this element type.
  explicit array(type element);
  /// Appends an integer in the width of the element type (`character` takes its code).
  void add(int64_t v);
  /// Appends a text or bytes.
  void add(std::string_view v);
  /// Appends null.
  void add_null();
  /// The count of elements.
  size_t size() const noexcept { return size_; }

private:
  friend class parameters;
  std::string finish() &&;
  type element_;
  uint32_t size_ = 0;
  std::string bytes_;
};

/// The parameters of a statement, in order, all binary.
class parameters {
public:
  /// An `int8`.
  parameters& add(int64_t v);
  /// An `int4`.
  parameters& add_int4(int32_t v);
  /// An `int2`.
  parameters& add_int2(int16_t v);
  /// A `text`.
  parameters& add(std::string_view v);
  /// A `bytea`.
  parameters& add_bytes(std::string_view v);
  /// A null of this type.
  parameters& add_null(type t);
  /// An array of the element's type.
  parameters& add(array a);

private:
  friend class connection;
  void push(uint32_t oid, std::optional<std::string> value);
  std::vector<uint32_t> oids_;
  std::vector<std::optional<std::string>> values_;
};

/// The rows of a statement in binary form. Select json as text. Views live as long as the result.
class result {
public:
  /// Takes a `PGresult`.
  explicit result(void* handle) : handle_(handle) {}
  result(result&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  result& operator=(result&& other) noexcept;
  ~result();
  /// The count of rows.
  int rows() const noexcept;
  /// The count of rows that an insert, update or delete touched.
  int64_t affected() const noexcept;
  /// True if the value is null.
  bool is_null(int row, int column) const noexcept;
  /// An int2, int4, int8 or boolean value.
  int64_t integer(int row, int column) const noexcept;
  /// A text, bytea or "char" value.
  std::string_view text(int row, int column) const noexcept;

private:
  void* handle_ = nullptr;
};

/// How a connection is set up.
struct connection_settings {
  /// A connection string that starts with `postgresql://`.
  std::string url;
  /// How long a statement may take.
  milliseconds statement_timeout{5000};
  /// True to plan every prepared statement once and by index: for statements of one shape by key, as the append. A plan
  /// that was made while a table was small must not read it whole when it has grown.
  bool generic_plans = false;
};

/// A connection for one thread at a time. Every wait for the server has a deadline; a broken connection is opened again
/// before the next statement, `limits::postgres_connects_max` times, unless a transaction is open. After a failure to
/// connect or a statement without an answer it is left alone for `limits::postgres_rest`.
class connection {
public:
  /// Connects and sets the timeouts.
  static outcome<connection> open(connection_settings settings);
  connection(connection&&) noexcept;
  connection& operator=(connection&&) noexcept;
  ~connection();

  /// Runs a statement that is prepared at its first use; not repeated when the connection breaks on the way.
  outcome<result> execute(const std::string& sql, const parameters& p);
  /// As `execute`, and once more if the connection broke: for statements that change nothing or may be done twice.
  outcome<result> read(const std::string& sql, const parameters& p);
  /// Runs a script of statements without parameters, as one transaction unless it says otherwise.
  outcome<void> run(const std::string& script);
  /// True while the database does not answer: the last attempt to connect failed, or a statement got no answer in time.
  bool is_silent() const noexcept;
  /// How long a statement may take.
  milliseconds statement_timeout() const noexcept;
  /// Changes how long a statement may take, also for a new connection.
  outcome<void> set_statement_timeout(milliseconds t);

private:
  friend class transaction;
  struct state;
  explicit connection(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

/// A transaction that rolls back unless it was committed.
class transaction {
public:
  /// Begins it.
  static outcome<transaction> begin(connection& c);
  transaction(transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  transaction& operator=(transaction&&) = delete;
  ~transaction();
  /// Makes it durable; `failure::unknown` is set if nobody can tell whether it is.
  outcome<void> commit();

private:
  explicit transaction(connection& c) : connection_(&c) {}
  connection* connection_;
};

/// A bounded pool of connections.
using connection_pool = bounded_pool<connection, failure>;

} // namespace postgres
} // namespace fondaco::persistence

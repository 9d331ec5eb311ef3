#include "persistence/postgres/connection.hpp"

#include <chrono>
#include <unordered_map>

#include <poll.h>
#include <postgresql/libpq-fe.h>

namespace fondaco::persistence::postgres {

using steady = std::chrono::steady_clock;

failure failure::exhausted() { return {"", "", "all connections to the database are busy", false}; }

failure failure::resting() { return {"", "", "the database did not answer a moment ago", false}; }

journal_errc errc_of(const failure& f) noexcept {
  if (f.unknown)
    return journal_errc::outcome_unknown;
  const auto kind = std::string_view(f.sqlstate).substr(0, 2);
  return kind == "21" || kind == "22" || kind == "23" || kind == "42" ? journal_errc::rejected
                                                                      : journal_errc::unavailable;
}

result& result::operator=(result&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

namespace {

PGresult* raw(void* handle) noexcept { return static_cast<PGresult*>(handle); }

struct clear_result {
  void operator()(PGresult* r) const noexcept { PQclear(r); }
};
using result_ptr = std::unique_ptr<PGresult, clear_result>;

struct finish_connection {
  void operator()(PGconn* c) const noexcept { PQfinish(c); }
};

std::string trimmed(const char* message) {
  std::string s = message ? message : "";
  while (!s.empty() && (s.back() == '\n' || s.back() == ' '))
    s.pop_back();
  return s;
}

failure failure_of(const PGresult* r) {
  const auto field = [r](int code) {
    return std::string(PQresultErrorField(r, code) ? PQresultErrorField(r, code) : "");
  };
  failure f{field(PG_DIAG_SQLSTATE), field(PG_DIAG_CONSTRAINT_NAME), field(PG_DIAG_MESSAGE_PRIMARY), false};
  // The server ends the session in the middle of the statement: it may have come through just before.
  f.unknown = f.sqlstate.empty() || f.sqlstate.starts_with("57P") || f.sqlstate.starts_with("08");
  return f;
}

} // namespace

result::~result() { PQclear(raw(handle_)); }
int result::rows() const noexcept { return PQntuples(raw(handle_)); }
bool result::is_null(int row, int column) const noexcept { return PQgetisnull(raw(handle_), row, column) == 1; }

int64_t result::affected() const noexcept {
  int64_t n = 0;
  for (const char* p = PQcmdTuples(raw(handle_)); *p; ++p)
    n = n * 10 + (*p - '0');
  return n;
}

int64_t result::integer(int row, int column) const noexcept {
  const auto bytes = text(row, column);
  if (bytes.empty())
    return 0;
  uint64_t v = static_cast<unsigned char>(bytes[0]) & 0x80 ? ~uint64_t{0} : 0;
  if (bytes.size() == 1)
    return static_cast<unsigned char>(bytes[0]);
  for (const char c : bytes)
    v = v << 8 | static_cast<unsigned char>(c);
  return static_cast<int64_t>(v);
}

std::string_view result::text(int row, int column) const noexcept {
  return {PQgetvalue(raw(handle_), row, column), static_cast<size_t>(PQgetlength(raw(handle_), row, column))};
}

struct connection::state {
  connection_settings settings;
  std::unique_ptr<PGconn, finish_connection> handle;
  std::unordered_map<std::string, std::string> prepared;
  bool in_transaction = false;
  bool silent = false;
  steady::time_point rest_until;

  outcome<void> connect();
  outcome<void> ensure();
  void drop() {
    handle.reset();
    prepared.clear();
  }
  void fall_silent() {
    silent = true;
    rest_until = steady::now() + limits::postgres_rest;
  }
  outcome<result_ptr> await(bool sent);
  outcome<result_ptr> execute(const std::string& sql, const parameters& p);
  outcome<std::string> prepare(const std::string& sql, const std::vector<uint32_t>& oids);
  outcome<void> command(const char* sql);
};

connection::connection(std::unique_ptr<state> s) : state_(std::move(s)) {}
connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&&) noexcept = default;
connection::~connection() = default;

outcome<void> connection::state::connect() {
  drop();
  const auto seconds = std::to_string(limits::postgres_connect_timeout.count() / 1000);
  const auto user_timeout = std::to_string((settings.statement_timeout + limits::postgres_answer_grace).count());
  const char* keys[] = {"dbname",
                        "connect_timeout",
                        "tcp_user_timeout",
                        "keepalives_idle",
                        "keepalives_interval",
                        "keepalives_count",
                        "fallback_application_name",
                        "client_encoding",
                        nullptr};
  const char* values[] = {
      settings.url.c_str(), seconds.c_str(), user_timeout.c_str(), "10", "5", "2", "fondaco", "UTF8", nullptr};
  handle.reset(PQconnectdbParams(keys, values, 1));
  if (PQstatus(handle.get()) != CONNECTION_OK) {
    // libpq's message names host and user but never the password.
    failure f{"", "", "cannot connect to the database: " + trimmed(PQerrorMessage(handle.get())), false};
    drop();
    return std::unexpected(std::move(f));
  }
  PQsetnonblocking(handle.get(), 1);
  PQsetNoticeProcessor(handle.get(), [](void*, const char*) {}, nullptr);
  const auto ms = [](milliseconds t) { return std::to_string(t.count()); };
  const std::string setup =
      "set statement_timeout = " + ms(settings.statement_timeout) +
      "; set lock_timeout = " + ms(limits::postgres_lock_timeout) +
      "; set idle_in_transaction_session_timeout = " + ms(limits::postgres_idle_in_transaction_timeout) +
      "; set default_transaction_isolation = 'read committed'" +
      (settings.generic_plans ? "; set plan_cache_mode = force_generic_plan; set enable_seqscan = off" : "");
  auto done = command(setup.c_str());
  if (!done) {
    drop();
    done.error().unknown = false;
  }
  return done;
}

outcome<void> connection::state::ensure() {
  // An idle connection has nothing to read unless the server said good-bye: first its reason, then the end.
  for (int reads = 0; handle && PQstatus(handle.get()) == CONNECTION_OK && reads < 4; ++reads) {
    pollfd waiting{PQsocket(handle.get()), POLLIN, 0};
    if (::poll(&waiting, 1, 0) == 0)
      return {};
    if (PQconsumeInput(handle.get()) == 0)
      break;
  }
  if (in_transaction)
    return std::unexpected(failure{"", "", "the connection to the database broke in a transaction", false});
  const auto begin = steady::now();
  if (silent && begin < rest_until)
    return std::unexpected(failure::resting());
  outcome<void> connected;
  for (int attempt = 0; attempt < limits::postgres_connects_max; ++attempt) {
    if ((connected = connect())) {
      silent = false;
      return connected;
    }
    if (steady::now() - begin > limits::postgres_rest)
      break; // it is not refused but not heard: the next try would wait as long
  }
  fall_silent();
  return connected;
}

outcome<result_ptr> connection::state::await(bool sent) {
  const auto lost = [this](std::string detail) {
    drop();
    return std::unexpected(failure{"", "", std::move(detail), true});
  };
  if (!sent)
    return lost("the connection to the database is lost: " + trimmed(PQerrorMessage(handle.get())));
  const auto deadline = steady::now() + settings.statement_timeout + limits::postgres_answer_grace;
  result_ptr last;
  for (;;) {
    const int unsent = PQflush(handle.get());
    if (unsent < 0)
      return lost("the connection to the database is lost: " + trimmed(PQerrorMessage(handle.get())));
    if (unsent == 0 && !PQisBusy(handle.get())) {
      result_ptr next(PQgetResult(handle.get()));
      if (!next)
        break;
      if (!last || PQresultStatus(last.get()) != PGRES_FATAL_ERROR)
        last = std::move(next);
      continue;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady::now()).count();
    pollfd waiting{PQsocket(handle.get()), static_cast<short>(unsent ? POLLIN | POLLOUT : POLLIN), 0};
    if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) == 0) {
      fall_silent();
      return lost("the database did not answer in time");
    }
    if (!PQconsumeInput(handle.get()))
      return lost("the connection to the database is lost: " + trimmed(PQerrorMessage(handle.get())));
  }
  if (!last)
    return lost("the database gave no answer");
  const auto status = PQresultStatus(last.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
    return last;
  auto f = failure_of(last.get());
  if (PQstatus(handle.get()) != CONNECTION_OK)
    drop();
  return std::unexpected(std::move(f));
}

outcome<void> connection::state::command(const char* sql) {
  auto r = await(PQsendQuery(handle.get(), sql) == 1);
  if (!r)
    return std::unexpected(std::move(r.error()));
  return {};
}

outcome<std::string> connection::state::prepare(const std::string& sql, const std::vector<uint32_t>& oids) {
  if (const auto found = prepared.find(sql); found != prepared.end())
    return found->second;
  if (prepared.size() >= limits::postgres_statements_max) {
    if (auto freed = command("deallocate all"); !freed)
      return std::unexpected(std::move(freed.error()));
    prepared.clear();
  }
  const auto name = "s" + std::to_string(prepared.size());
  const bool sent =
      PQsendPrepare(handle.get(), name.c_str(), sql.c_str(), static_cast<int>(oids.size()), oids.data()) == 1;
  if (auto made = await(sent); !made) {
    made.error().unknown = false;
    return std::unexpected(std::move(made.error()));
  }
  prepared.emplace(sql, name);
  return name;
}

outcome<result_ptr> connection::state::execute(const std::string& sql, const parameters& p) {
  if (auto ready = ensure(); !ready)
    return std::unexpected(std::move(ready.error()));
  auto name = prepare(sql, p.oids_);
  if (!name)
    return std::unexpected(std::move(name.error()));
  const size_t n = p.values_.size();
  std::vector<const char*> values(n);
  std::vector<int> lengths(n), formats(n, 1);
  for (size_t i = 0; i < n; ++i) {
    values[i] = p.values_[i] ? p.values_[i]->data() : nullptr;
    lengths[i] = p.values_[i] ? static_cast<int>(p.values_[i]->size()) : 0;
  }
  return await(PQsendQueryPrepared(handle.get(), name->c_str(), static_cast<int>(n), values.data(), lengths.data(),
                                   formats.data(), 1) == 1);
}

outcome<connection> connection::open(connection_settings settings) {
  auto s = std::make_unique<state>();
  s->settings = std::move(settings);
  if (auto ok = s->ensure(); !ok)
    return std::unexpected(std::move(ok.error()));
  return connection(std::move(s));
}

outcome<result> connection::execute(const std::string& sql, const parameters& p) {
  auto r = state_->execute(sql, p);
  if (!r)
    return std::unexpected(std::move(r.error()));
  return result(r->release());
}

outcome<result> connection::read(const std::string& sql, const parameters& p) {
  if (auto ready = state_->ensure(); !ready)
    return std::unexpected(std::move(ready.error()));
  auto r = execute(sql, p);
  if (!r && !state_->in_transaction && !state_->handle && !state_->silent)
    r = execute(sql, p);
  if (!r)
    r.error().unknown = false;
  return r;
}

outcome<void> connection::run(const std::string& script) {
  if (auto ready = state_->ensure(); !ready)
    return ready;
  return state_->command(script.c_str());
}

bool connection::is_silent() const noexcept { return state_->silent; }

milliseconds connection::statement_timeout() const noexcept { return state_->settings.statement_timeout; }

outcome<void> connection::set_statement_timeout(milliseconds t) {
  state_->settings.statement_timeout = t;
  return run("set statement_timeout = " + std::to_string(t.count()));
}

outcome<transaction> transaction::begin(connection& c) {
  if (auto begun = c.run("begin"); !begun)
    return std::unexpected(std::move(begun.error()));
  c.state_->in_transaction = true;
  return transaction(c);
}

transaction::~transaction() {
  if (!connection_)
    return;
  (void)connection_->run("rollback");
  connection_->state_->in_transaction = false;
}

outcome<void> transaction::commit() {
  auto& s = *connection_->state_;
  const auto ready = s.ensure();
  s.in_transaction = false;
  connection_ = nullptr;
  if (!ready)
    return ready;
  const auto ended = s.await(PQsendQuery(s.handle.get(), "commit") == 1);
  if (!ended)
    return std::unexpected(ended.error());
  // A transaction that failed before answers a commit with "ROLLBACK" and no error.
  if (std::string_view(PQcmdStatus(ended->get())) != "COMMIT")
    return std::unexpected(failure{"25P02", "", "the transaction had failed and was rolled back", false});
  return {};
}

} // namespace fondaco::persistence::postgres

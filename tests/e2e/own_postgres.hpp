#pragma once

#include <string>
#include <vector>

#include "conformance/http_wire.hpp"
#include "e2e/process.hpp"

namespace fondaco::e2e {

/// A PostgreSQL server of the test's own, that may be stopped, frozen and killed: a folder and a loopback port that
/// stay the same through all its lives. Ended with the object.
class own_postgres {
public:
  own_postgres();
  ~own_postgres();
  own_postgres(const own_postgres&) = delete;

  /// `postgresql://...` of a database.
  std::string url(const std::string& database = "postgres") const;
  /// Makes a database that nobody used before; gives its name.
  std::string fresh_database();
  /// Starts it and waits until it takes connections; `settings` as `max_connections=20`.
  void start(const std::vector<std::string>& settings = {});
  /// An orderly stop that does not wait for its clients.
  void stop();
  /// SIGKILL of it and all its processes.
  void kill();
  /// SIGSTOP of it and all its processes, until `thaw`.
  void freeze();
  void thaw();
  bool running() const { return server_.running(); }
  pid_t pid() const { return server_.pid(); }
  int port() const { return port_; }
  /// Its data folder.
  std::string data() const { return folder_ + "/data"; }
  /// It and all its processes.
  std::vector<pid_t> processes() const;
  /// The files of a database's tables and indexes.
  std::vector<std::string> files(const std::string& database) const;
  /// Runs SQL; gives what it says.
  std::string sql(const std::string& text, const std::string& database = "postgres") const;

private:
  std::vector<std::string> as_owner(std::vector<std::string> words) const;
  void signal_all(int signal) const;

  std::string folder_;
  int port_;
  size_t databases_ = 0;
  bool frozen_ = false;
  child server_;
};

/// Connections to a server by hand, without libpq, that take up its places.
class hogged_connections {
public:
  explicit hogged_connections(const own_postgres& server) : server_(server) {}
  /// Opens connections until the server refuses one; gives how many it holds now.
  size_t take_all();
  /// Ends the sessions of everybody else and takes their places too.
  void evict_others();

private:
  const own_postgres& server_;
  std::vector<conformance::http::descriptor> held_;
};

} // namespace fondaco::e2e

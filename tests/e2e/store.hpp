#pragma once

#include <memory>
#include <string>

namespace fondaco::e2e {

/// A node's database: a SQLite file in its folder, or a fresh PostgreSQL database that is dropped in the end.
class store {
public:
  virtual ~store() = default;
  /// The `store.url` of the configuration.
  virtual std::string url() const = 0;
  /// All that it holds, as bytes; bytes of PostgreSQL as hexadecimal. Other processes may write meanwhile.
  virtual std::string contents() const = 0;
  /// Runs SQL behind the node's back; the node is not running.
  virtual void run(const std::string& sql) const = 0;
};

/// Which database the nodes stand on.
enum class store_kind : bool { sqlite, postgres };

/// A fresh one; PostgreSQL on the server of the environment variable FONDACO_TEST_POSTGRES, by `psql`.
std::unique_ptr<store> make_store(store_kind kind, const std::string& folder);

} // namespace fondaco::e2e

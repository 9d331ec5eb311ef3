#pragma once

#include <memory>
#include <span>
#include <string>

#include "persistence/journal.hpp"
#include "tools/bench/report.hpp"

namespace fondaco::bench {

/// A row of the journal and nothing beside it.
struct raw_row {
  shard_number shard = 0;
  int64_t entity = 0;
  int64_t seq = 0;
  const persistence::event_record* event = nullptr;
  int64_t at = 0;
};

/// The reference of the append: what the same database gives to whoever writes the journal's rows alone, with the
/// product's columns, keys and durability. One group commit moves the shards' heads, which fence and give the
/// positions, and inserts the rows.
class raw_journal {
public:
  virtual ~raw_journal() = default;
  /// Commits the rows.
  virtual measured<void> commit(std::span<const raw_row> rows) = 0;
};

/// What stands in a row for the audit chain's link: a digest's bytes, not computed here.
inline constexpr std::string_view raw_chain = "0123456789abcdef0123456789abcdef";

/// A raw journal in a new SQLite file: WAL, synchronous FULL, prepared inserts.
measured<std::unique_ptr<raw_journal>> open_raw_sqlite(const std::string& file, uint32_t shards);

/// A raw journal in a PostgreSQL database without one: a single prepared statement with binary arrays.
measured<std::unique_ptr<raw_journal>> open_raw_postgres(const std::string& url, uint32_t shards);

/// A database of one's own on a PostgreSQL server, dropped at the end.
class scratch_database {
public:
  /// Makes it on the server of this URL, in place of an older one of this name.
  static measured<std::unique_ptr<scratch_database>> make(const std::string& server_url, const std::string& name);
  /// Names a database that `make` has made.
  scratch_database(std::string server_url, std::string name);
  ~scratch_database();
  scratch_database(const scratch_database&) = delete;
  scratch_database& operator=(const scratch_database&) = delete;
  /// Its URL.
  const std::string& url() const { return url_; }

private:
  std::string server_url_;
  std::string name_;
  std::string url_;
};

} // namespace fondaco::bench

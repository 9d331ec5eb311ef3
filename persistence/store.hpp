#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "persistence/documents.hpp"
#include "persistence/journal.hpp"
#include "persistence/vault.hpp"
#include "protocols/base/time.hpp"

namespace fondaco::persistence {

/// Where and how a node keeps its data.
struct store_options {
  /// A file's path for SQLite (":memory:" for tests), or a libpq connection string that starts with `postgresql://`.
  std::string url;
  /// How many connections read at the same time.
  size_t readers = 4;
  /// How long a statement may take on PostgreSQL.
  milliseconds statement_timeout_ms{5000};
  /// The group whose shards the journal appends to.
  std::string group = "default";
};

/// One database with all its sides; they share it and end together.
struct store {
  std::unique_ptr<persistence::journal> journal;
  std::unique_ptr<document_store> documents;
};

/// Opens the database and brings its schema up to date under a lock; a schema newer than this program is refused.
std::expected<store, fault> open_store(const store_options& options);

/// What a migration would do to the database, a line a step; changes nothing.
std::expected<std::string, fault> plan_migration(const store_options& options);

/// What the database's clock says; nothing for SQLite, which has none of its own.
std::expected<std::optional<timepoint>, fault> store_time(const store_options& options);

/// The version of the schema that this program works with.
int64_t schema_version() noexcept;

/// The 32 bytes of a key-encryption key from a file (64 hex digits; refused if group or others can read it).
std::expected<std::string, fault> load_key_file(const std::string& path);

/// The 32 bytes of a key-encryption key from an environment variable's 64 hex digits.
std::expected<std::string, fault> load_key_environment(const std::string& variable);

/// The embedded vault over the same database.
std::expected<std::unique_ptr<vault>, fault> open_vault(const store_options& options, std::string key_encryption_key);

} // namespace fondaco::persistence

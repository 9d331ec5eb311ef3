#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/store.hpp"
#include "persistence/vault.hpp"

namespace fondaco::persistence::detail {

/// The rows of `secret`: sealed texts by tenant and name, whose meaning only the vault knows. Every failure is that the
/// store cannot be reached. Calls block and may come from any thread.
class secret_table {
public:
  virtual ~secret_table() = default;

  /// The sealed text, or nothing.
  virtual std::expected<std::optional<std::string>, vault_errc> find(std::string_view owner, std::string_view name) = 0;

  /// Keeps a sealed text unless there is one already.
  virtual std::expected<void, vault_errc> insert_if_absent(std::string_view owner, std::string_view name,
                                                           std::string_view sealed) = 0;

  /// Keeps a sealed text, replacing an older one.
  virtual std::expected<void, vault_errc> put(std::string_view owner, std::string_view name,
                                              std::string_view sealed) = 0;

  /// Removes one row.
  virtual std::expected<void, vault_errc> remove(std::string_view owner, std::string_view name) = 0;

  /// Removes all rows of a tenant.
  virtual std::expected<void, vault_errc> remove_all(std::string_view owner) = 0;
};

/// The table in a SQLite file; brings the schema up to date.
std::expected<std::unique_ptr<secret_table>, fault> make_sqlite_secrets(const store_options& options);

/// The table in a PostgreSQL database; brings the schema up to date.
std::expected<std::unique_ptr<secret_table>, fault> make_postgres_secrets(const store_options& options);

} // namespace fondaco::persistence::detail

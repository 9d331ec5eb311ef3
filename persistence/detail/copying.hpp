#pragma once

#include <memory>
#include <string>

#include "persistence/copy.hpp"

namespace fondaco::persistence {

/// The two databases' ways of `open_reader` and `open_filler`.
std::expected<std::unique_ptr<store_reader>, fault> open_sqlite_reader(const store_options& options);
std::expected<std::unique_ptr<store_reader>, fault> open_postgres_reader(const store_options& options);
std::expected<std::unique_ptr<store_filler>, fault> open_sqlite_filler(const store_options& options);
std::expected<std::unique_ptr<store_filler>, fault> open_postgres_filler(const store_options& options);

namespace detail {

/// The columns of a table, quoted, separated by commas.
std::string column_list(const copied_table& t);
/// A row as it is put into a restored store.
std::vector<cell> restored_row(const copied_table& t, std::span<const cell> row);
/// The tables that have to be empty before a store is filled.
std::string occupied_query();
fault not_empty();
fault wrong_schema(int64_t version);

} // namespace detail
} // namespace fondaco::persistence

#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "persistence/store.hpp"

namespace fondaco::persistence {

namespace limits {
/// How long one step of reading or filling a whole store may take.
inline constexpr milliseconds copy_step_timeout{600'000};
/// How much a restored store's epochs are raised: more than any node that still lives can have been given since.
inline constexpr int64_t restored_epochs = 1'000'000;
/// How many rows one question for a whole table gets at once.
inline constexpr int copy_rows_per_step = 500;
} // namespace limits

/// What a column holds, whatever the database.
enum class column_type : uint8_t { integer, text, bytes };

/// A column of a table.
struct column {
  std::string_view name;
  column_type type = column_type::text;
};

/// A table that a copy of a store has; leases and what they hang on are not copied.
struct copied_table {
  std::string_view name;
  std::vector<column> columns;
  /// The columns that order its rows, so that two copies of the same rows are the same.
  std::string_view order;
};

/// A value of a row; nothing for null.
using cell = std::variant<std::monostate, int64_t, std::string>;

/// Takes a row; a fault ends the reading.
using row_taker = std::function<std::expected<void, fault>(std::span<const cell>)>;

/// The tables of a copy, in the order in which they are filled.
std::span<const copied_table> copied_tables();

/// The same look at everything that a store holds, whatever is written to it meanwhile. For one thread.
class store_reader {
public:
  virtual ~store_reader() = default;
  /// Gives the rows of a statement whose columns have these types, in its order. Both databases know it.
  virtual std::expected<void, fault> read(const std::string& sql, std::span<const column_type> types,
                                          const row_taker& take) = 0;
  /// Gives all rows of a table, in its order.
  std::expected<void, fault> read(const copied_table& t, const row_taker& take);
};

/// An empty store that gets the rows of a copy, all in one transaction. For one thread.
class store_filler {
public:
  virtual ~store_filler() = default;
  /// Adds a row; a shard's owner is left out, and its epoch raised by `limits::restored_epochs`.
  virtual std::expected<void, fault> add(const copied_table& t, std::span<const cell> row) = 0;
  /// Makes all of it durable.
  virtual std::expected<void, fault> finish() = 0;
};

/// Opens a store for reading it whole; the store may be in use, and must have the schema of this program.
std::expected<std::unique_ptr<store_reader>, fault> open_reader(const store_options& options);

/// Makes the schema, and opens a store for filling it; a store that holds anything is refused (`store_not_empty`).
std::expected<std::unique_ptr<store_filler>, fault> open_filler(const store_options& options);

/// Gives the rows of all entities that have a wake-up.
std::expected<void, fault> read_waiting(store_reader& store, const std::function<void(entity_row)>& take);

} // namespace fondaco::persistence

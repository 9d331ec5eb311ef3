#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "persistence/documents.hpp"
#include "persistence/schema.hpp"

/// One meaning of a query on every database. A path reaches values as JSON allows: names joined by '.', and an array on
/// the way, or at the end, stands for its elements (one level). A criterion holds if any value that the path reaches
/// satisfies it; `!=` and `not in` hold if at least one value is there and none is equal. A missing property, a null
/// and an empty array reach nothing, so that no operator matches them. `contains` holds if the path reaches an array
/// that has an equal element. Strings are equal byte by byte and ordered by their UTF-8 bytes; numbers are compared as
/// doubles, and against a number a string of a JSON number (at most 64 characters, exponent at most three digits)
/// counts as one. `like` knows `%` and `_` and no escape character; `ilike` folds the ASCII letters only.
namespace fondaco::persistence {

namespace limits {
/// The longest path of a criterion or a sort field in bytes.
inline constexpr size_t path_bytes_max = 512;
/// The most names in a path.
inline constexpr size_t path_segments_max = 8;
/// The most criteria in a query.
inline constexpr size_t criteria_max = 32;
/// The most values in the array of `in` and `not in`.
inline constexpr size_t operand_values_max = 256;
/// The longest string operand in bytes.
inline constexpr size_t operand_bytes_max = 4096;
/// The longest pattern of `like` and `ilike` in bytes.
inline constexpr size_t pattern_bytes_max = 512;
} // namespace limits

/// The SQL that a statement is written in.
using sql_dialect = schema::dialect;

/// What a query reads: `document` rows with their `body`, or `entity` rows with their `view`.
enum class query_source : uint8_t { documents, entities };

/// A value that goes beside a statement's text, never into it.
using sql_parameter = std::variant<std::string, int64_t>;

/// A statement with the values of its numbered placeholders (`?1` on SQLite, `$1` on PostgreSQL), in their order.
struct sql_statement {
  std::string text;
  std::vector<sql_parameter> parameters;
};

/// The names of a path: bare ones start with a letter, `_` or `@` and hold no quote, backslash or blank; one in single
/// quotes may hold anything but quotes, backslashes and control characters. Errors: `bad_path`.
std::expected<std::vector<std::string>, query_error> parse_path(std::string_view path);

/// The statement that answers a query. For documents, `id` and `@id` mean the id, `createdAt` and `updatedAt` the
/// columns; for entities, `state` also means the status and `stateTimestamp` the time of the last change. Rows without
/// a value in the sort field come last, numbers before strings; equal ones, and all without a sort field, keep the
/// order of creation and then of the id (reversed when descending). A limit above `read_rows_max` is taken as
/// `read_rows_max`. The columns: tenant, kind, id, then version, body, created_at, updated_at (documents) or shard,
/// seq, status, view, created_at, updated_at, due (entities).
std::expected<sql_statement, query_error> compile_query(sql_dialect dialect, query_source source, const tenant& owner,
                                                        std::string_view kind, const query_spec& spec);

/// The statement that reads one document; columns as in `compile_query`.
sql_statement document_statement(sql_dialect dialect, const entity_key& key);

/// The statement that lists all tenants' entities, newest change first; an empty kind means every kind, a limit above
/// `read_rows_max` is taken as `read_rows_max`; columns as in `compile_query`.
sql_statement list_statement(sql_dialect dialect, std::string_view kind, size_t offset, size_t limit);

/// The statement that finds every tenant's entities with an id; columns as in `compile_query`.
sql_statement find_statement(sql_dialect dialect, std::string_view id);

} // namespace fondaco::persistence

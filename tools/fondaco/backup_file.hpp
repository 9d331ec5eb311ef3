#pragma once

#include <expected>
#include <functional>
#include <map>
#include <string>

#include "persistence/copy.hpp"
#include "protocols/base/fault.hpp"
#include "protocols/base/time.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::tools {

/// The format of a backup: a JSON line with `format`, `version`, `schema`, `at`; for each table a line with its name
/// and columns and a line for each row, an array of values in which bytes are base64; at the end a line with the counts
/// and the SHA-256 of all before it.
inline constexpr const char* backup_format = "fondaco-backup";
inline constexpr int64_t backup_version = 1;

/// What a backup file holds, as its end says and its rows confirm.
struct backup_contents {
  int64_t schema = 0;
  std::string at;
  std::map<std::string, int64_t> rows;
};

/// Takes a row of a table.
using backup_row_taker =
    std::function<std::expected<void, fault>(const persistence::copied_table&, std::span<const persistence::cell>)>;

/// Writes a store to a new file; gives what it wrote.
std::expected<backup_contents, fault> write_backup(persistence::store_reader& store, timepoint now,
                                                   const std::string& file);

/// Reads a file from its beginning to its end and checks all of it; rows go to `take` if there is one, before the end
/// is known to be right.
std::expected<backup_contents, fault> read_backup(const std::string& file, const backup_row_taker& take);

} // namespace fondaco::tools

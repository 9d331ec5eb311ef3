#pragma once

#include <string>

namespace fondaco::tools {

/// Exit codes of the verbs that look at a store or a file (`journal verify`, `replay`, `verify`).
enum store_exit : int {
  /// Nothing is wrong.
  store_sound = 0,
  /// Something is: a line for each on standard output.
  store_unsound = 1,
  /// The store or file cannot be read or written.
  store_unreadable = 3,
};

/// Checks the store of a configuration, whether its node runs or not: audit chain, gaps, tombstones, and that the
/// events give the rows and snapshots with today's code. A line for each finding, with its cure.
int run_journal_verify(const std::string& config_file, bool as_json);

} // namespace fondaco::tools

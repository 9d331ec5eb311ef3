#pragma once

#include <expected>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fondaco::conformance::dsp {

/// Prints one line as the kit's console does: `[2026-01-01T10:00:00.123456789] text`.
void print_line(const std::string& text);

/// How a case ended.
struct outcome {
  std::string id, name;
  bool passed = false;
  /// Why it failed; empty if it passed.
  std::string reason;
  std::vector<std::string> transcript, notes;
};

/// Prints the end of a case: SUCCESSFUL or FAILED with its reason and what it did, then what goes beyond the kit.
void print_outcome(const outcome& o);
/// Prints the kit's summary: numbers, failures, `Test run complete`, and `N of 65`.
void print_summary(const std::vector<outcome>& all, size_t cases_total);

/// The case ids of a floor file: one a line, `#` begins a comment. The error names the file or an unknown id.
std::expected<std::set<std::string>, std::string> read_floor(const std::string& path,
                                                             const std::set<std::string>& known_ids);
/// Compares with the floor: prints what fell below it and what may be added. True if the floor holds for all cases that
/// ran.
bool hold_floor(const std::vector<outcome>& all, const std::set<std::string>& floor);

} // namespace fondaco::conformance::dsp

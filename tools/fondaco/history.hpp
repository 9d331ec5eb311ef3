#pragma once

#include <expected>
#include <string>
#include <vector>

#include "protocols/base/fault.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::tools {

/// The format of a file of histories: `{"format", "version", "program", "histories": [...]}`. A history has `tenant`,
/// `kind`, `id`, `status`, `sequence`, maybe a `snapshot`, and `events`, each with `sequence`, `at`, `type`, `version`,
/// `format`, `cause`, `payload` (JSON), and what the program that wrote the file made of it: `status` and `state`.
inline constexpr const char* history_format = "fondaco-history";
inline constexpr int64_t history_version = 1;

/// A file of histories around these, as the operator API gives them, with what this program makes of each event.
json::object history_file(const json::array& histories);

/// The histories of a file's text; a fault if it is no file of this format.
std::expected<json::array, fault> read_histories(const std::string& text);

/// An event folded with this program's code.
struct folded {
  int64_t sequence = 0;
  std::string type;
  /// False if this program cannot read it; nothing after it is folded.
  bool readable = true;
  std::string status;
  json::value state;
  /// Where that differs from what is recorded, a sentence each.
  std::vector<std::string> differences;
};

/// Folds a history with this program's code and compares; a fault if its kind is unknown.
std::expected<std::vector<folded>, fault> fold(const json::object& history);

/// Prints the histories of a file as this program folds them, and where they differ from what is recorded; gives a
/// `store_exit`.
int run_replay(const std::string& file, bool as_json);

} // namespace fondaco::tools

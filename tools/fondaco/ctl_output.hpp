#pragma once

#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "protocols/json/json.hpp"
#include "tools/fondaco/operator_client.hpp"

namespace fondaco::tools {

/// A table's lines, the titles first.
using table_rows = std::vector<std::vector<std::string>>;

/// A member as text: `-` for none, null or the empty string.
std::string text_of(const json::object& o, const char* name);

/// Prints lines in columns.
void print_table(const table_rows& table);

/// A line for each object, by title and member.
table_rows table_of(const json::array& list, const std::vector<std::pair<const char*, const char*>>& columns);

/// A text as one segment of a path.
std::string percent_encode(const std::string& text);

/// How `fondaco ctl` ends after this status.
int exit_code_of(int status);

/// What an answer holds, or the exit code after the reason was told on standard error.
std::expected<json::array, int> array_of(std::expected<operator_answer, std::string> answer);

} // namespace fondaco::tools

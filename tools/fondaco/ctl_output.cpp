#include "tools/fondaco/ctl_output.hpp"

#include <algorithm>
#include <iostream>

namespace fondaco::tools {

std::string text_of(const json::object& o, const char* name) {
  const auto* v = o.if_contains(name);
  if (!v || v->is_null())
    return "-";
  if (v->is_string())
    return v->get_string().empty() ? "-" : std::string(v->get_string());
  return json::write(*v);
}

void print_table(const table_rows& table) {
  std::vector<size_t> widths;
  for (const auto& row : table)
    for (size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i)
        widths.push_back(0);
      widths[i] = std::max(widths[i], row[i].size());
    }
  for (const auto& row : table) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i)
      line += row[i] + (i + 1 < row.size() ? std::string(widths[i] - row[i].size() + 2, ' ') : "");
    std::cout << line << "\n";
  }
}

table_rows table_of(const json::array& list, const std::vector<std::pair<const char*, const char*>>& columns) {
  table_rows table(1);
  for (const auto& [title, name] : columns)
    table[0].push_back(title);
  for (const auto& item : list) {
    if (!item.is_object())
      continue;
    std::vector<std::string> row;
    for (const auto& [title, name] : columns)
      row.push_back(text_of(item.get_object(), name));
    table.push_back(std::move(row));
  }
  return table;
}

std::string percent_encode(const std::string& text) {
  constexpr const char* digits = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += digits[c >> 4];
      out += digits[c & 15];
    }
  }
  return out;
}

int exit_code_of(int status) {
  if (status == 200)
    return ctl_ok;
  if (status == 404)
    return ctl_not_found;
  return status == 401 || status == 403 ? ctl_refused : ctl_unreachable;
}

std::expected<json::array, int> array_of(std::expected<operator_answer, std::string> answer) {
  if (!answer) {
    std::cerr << "fondaco ctl: " << answer.error() << "\n";
    return std::unexpected(int{ctl_unreachable});
  }
  if (answer->status != 200) {
    std::cerr << "fondaco ctl: the node answered " << answer->status << ": " << answer->body << "\n";
    return std::unexpected(exit_code_of(answer->status));
  }
  auto parsed = json::parse(answer->body);
  if (!parsed || !parsed->is_array()) {
    std::cerr << "fondaco ctl: the node's answer is no JSON array\n";
    return std::unexpected(int{ctl_unreachable});
  }
  return std::move(parsed->get_array());
}

} // namespace fondaco::tools

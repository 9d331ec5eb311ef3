#include "tools/fondaco/ctl.hpp"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <map>

#include <poll.h>

#include "protocols/json/json.hpp"
#include "tools/fondaco/operator_client.hpp"

namespace fondaco::tools {

namespace {

using rows = std::vector<std::vector<std::string>>;

constexpr size_t rows_max = 1000;

std::string text_of(const json::object& o, const char* name) {
  const auto* v = o.if_contains(name);
  if (!v || v->is_null())
    return "-";
  if (v->is_string())
    return v->get_string().empty() ? "-" : std::string(v->get_string());
  return json::write(*v);
}

void print_table(const rows& table) {
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

rows table_of(const json::array& list, const std::vector<std::pair<const char*, const char*>>& columns) {
  rows table(1);
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

void print_ps(const json::array& list) {
  print_table(table_of(list, {{"KIND", "kind"},
                              {"TENANT", "tenant"},
                              {"ID", "id"},
                              {"STATE", "state"},
                              {"RESIDENT", "owner"},
                              {"SEQ", "sequence"},
                              {"NEXT WAKE-UP", "next_wake_up"},
                              {"WAITING ON", "waiting_on"}}));
}

void print_tree(const json::array& list) {
  print_table(table_of(
      list, {{"ACTOR", "path"}, {"MAILBOX", "mailbox"}, {"RESTARTS", "restarts"}, {"QUARANTINED", "quarantined"}}));
}

void print_routes(const json::array& list) {
  print_table(table_of(list, {{"LISTENER", "listener"}, {"METHOD", "method"}, {"PATH", "path"}}));
}

void print_show(const json::array& list) {
  for (const auto& item : list)
    for (const auto& member : item.as_object())
      print_table({{std::string(member.key()), text_of(item.as_object(), std::string(member.key()).c_str())}});
}

void print_history(const json::array& list) {
  for (const auto& item : list) {
    const auto& o = item.as_object();
    std::cout << text_of(o, "kind") << " of " << text_of(o, "tenant") << "\n";
    if (const auto* events = json::array_at(o, "events"))
      print_table(table_of(*events, {{"SEQ", "sequence"}, {"AT", "at"}, {"EVENT", "type"}, {"CAUSE", "cause"}}));
  }
}

void print_why(const json::array& list) {
  for (const auto& item : list)
    if (const auto* sentences = json::array_at(item.as_object(), "why"))
      for (const auto& s : *sentences)
        std::cout << std::string_view(s.as_string()) << "\n";
}

struct verb {
  bool needs_id;
  const char* path;
  const char* suffix;
  void (*print)(const json::array&);
};

const std::map<std::string, verb>& verbs() {
  static const std::map<std::string, verb> table{
      {"ps", {false, "/operator/entities?limit=1000", "", print_ps}},
      {"tree", {false, "/operator/tree", "", print_tree}},
      {"routes", {false, "/operator/routes", "", print_routes}},
      {"show", {true, "/operator/entities/", "", print_show}},
      {"history", {true, "/operator/entities/", "/history", print_history}},
      {"why", {true, "/operator/entities/", "/why", print_why}},
  };
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

// Prints what changed since the last look, until the reader goes away or the user ends it.
int watch(operator_client& node, bool as_json) {
  std::map<std::string, std::string> known;
  for (;;) {
    auto answer = node.get(verbs().at("ps").path);
    if (!answer) {
      std::cerr << "fondaco ctl: " << answer.error() << "\n";
      return ctl_unreachable;
    }
    if (answer->status != 200)
      return exit_code_of(answer->status);
    auto parsed = json::parse(answer->body);
    if (!parsed || !parsed->is_array())
      return ctl_unreachable;
    for (const auto& item : parsed->get_array()) {
      const auto& o = item.as_object();
      auto key = text_of(o, "tenant") + " " + text_of(o, "kind") + " " + text_of(o, "id");
      auto now = text_of(o, "state") + " " + text_of(o, "sequence");
      auto [place, fresh] = known.emplace(key, now);
      if (!fresh && place->second == now)
        continue;
      place->second = now;
      std::cout << (as_json ? json::write(item)
                            : text_of(o, "updated_at") + "  " + key + "  " + text_of(o, "state") + "  " +
                                  text_of(o, "waiting_on"))
                << std::endl;
    }
    if (!std::cout || ::poll(nullptr, 0, 1000) < 0)
      return ctl_ok;
  }
}

} // namespace

int run_ctl(const ctl_options& options, const std::string& name, const std::vector<std::string>& arguments) {
  auto node = make_operator_client(options);
  if (!node) {
    std::cerr << "fondaco ctl: " << node.error() << "\n";
    return ctl_usage;
  }
  if (name == "watch")
    return watch(**node, options.json);
  auto found = verbs().find(name);
  if (found == verbs().end() || arguments.size() != (found->second.needs_id ? 1u : 0u)) {
    std::cerr << "fondaco ctl: '" << name << "' is no verb with " << arguments.size() << " arguments; see --help\n";
    return ctl_usage;
  }
  const auto& v = found->second;
  auto path = v.path + (v.needs_id ? percent_encode(arguments[0]) + v.suffix : std::string());
  auto answer = (*node)->get(path);
  if (!answer) {
    std::cerr << "fondaco ctl: " << answer.error() << "\n";
    return ctl_unreachable;
  }
  if (answer->status != 200) {
    std::cerr << "fondaco ctl: the node answered " << answer->status << ": " << answer->body << "\n";
    return exit_code_of(answer->status);
  }
  auto parsed = json::parse(answer->body);
  if (!parsed || !parsed->is_array()) {
    std::cerr << "fondaco ctl: the node's answer is no JSON array\n";
    return ctl_unreachable;
  }
  if (name == "ps" && parsed->get_array().size() == rows_max)
    std::cerr << "fondaco ctl: the first " << rows_max << " entities are shown; there are more\n";
  if (options.json)
    std::cout << answer->body << "\n";
  else
    v.print(parsed->get_array());
  return ctl_ok;
}

} // namespace fondaco::tools

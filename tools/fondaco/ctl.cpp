#include "tools/fondaco/ctl.hpp"

#include <csignal>
#include <iostream>
#include <map>

#include <poll.h>

#include "protocols/json/json.hpp"
#include "tools/fondaco/ctl_output.hpp"
#include "tools/fondaco/history.hpp"
#include "tools/fondaco/operator_client.hpp"
#include "tools/fondaco/private_file.hpp"
#include "tools/fondaco/top.hpp"

namespace fondaco::tools {

namespace {

constexpr size_t rows_max = 1000;

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

void print_letters(const json::array& list) {
  print_table(table_of(list, {{"KIND", "kind"},
                              {"TENANT", "tenant"},
                              {"ID", "id"},
                              {"EFFECT", "effect"},
                              {"ATTEMPTS", "attempts"},
                              {"SINCE", "first_failed_at"},
                              {"NEXT TRY", "next_try"},
                              {"LAST ERROR", "error"}}));
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
      {"dead-letters", {false, "/operator/dead-letters", "", print_letters}},
      {"show", {true, "/operator/entities/", "", print_show}},
      {"history", {true, "/operator/entities/", "/history", print_history}},
      {"why", {true, "/operator/entities/", "/why", print_why}},
  };
  return table;
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

int print_answer(std::expected<operator_answer, std::string> answer, bool as_json, void (*print)(const json::array&)) {
  auto list = array_of(std::move(answer));
  if (!list)
    return list.error();
  if (as_json)
    std::cout << json::write(*list) << "\n";
  else
    print(*list);
  if (print == print_ps && list->size() == rows_max)
    std::cerr << "fondaco ctl: the first " << rows_max << " entities are shown; there are more\n";
  return ctl_ok;
}

// One id, or --all: never everything by mistake.
int redrive(operator_client& node, const ctl_options& options, const std::vector<std::string>& arguments) {
  if (arguments.size() != (options.all ? 0u : 1u)) {
    std::cerr << "fondaco ctl: 'redrive' takes the ID of a dead letter's entity, or --all\n";
    return ctl_usage;
  }
  const auto what = options.all ? std::string() : percent_encode(arguments[0]) + "/";
  return print_answer(node.post("/operator/dead-letters/" + what + "redrive"), options.json, print_letters);
}

// The events with their payloads, and what this program makes of them, for `fondaco replay`.
int export_history(operator_client& node, const ctl_options& options, const std::vector<std::string>& arguments) {
  if (arguments.size() != 1) {
    std::cerr << "fondaco ctl: 'history --export FILE' takes the ID of an entity\n";
    return ctl_usage;
  }
  auto list = array_of(node.get_all("/operator/entities/" + percent_encode(arguments[0]) + "/export"));
  if (!list)
    return list.error();
  auto written = write_private_file(options.export_file, json::write(history_file(*list)) + "\n");
  if (!written) {
    std::cerr << "fondaco ctl: " << written.error().detail << "\n";
    return ctl_usage;
  }
  std::cerr << "fondaco ctl: " << list->size() << " histories are in " << options.export_file
            << "; they hold business data, and no secrets\n";
  return ctl_ok;
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
  if (name == "top" && arguments.empty())
    return run_top(**node, options);
  if (name == "history" && !options.export_file.empty())
    return export_history(**node, options, arguments);
  if (name == "redrive")
    return redrive(**node, options, arguments);
  auto found = verbs().find(name);
  if (found == verbs().end() || options.all || !options.export_file.empty() ||
      arguments.size() != (found->second.needs_id ? 1u : 0u)) {
    std::cerr << "fondaco ctl: '" << name << "' is no verb with " << arguments.size() << " arguments; see --help\n";
    return ctl_usage;
  }
  const auto& v = found->second;
  auto path = v.path + (v.needs_id ? percent_encode(arguments[0]) + v.suffix : std::string());
  return print_answer((*node)->get(path), options.json, v.print);
}

} // namespace fondaco::tools

#include "tools/fondaco/top.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <iostream>
#include <optional>
#include <sstream>
#include <vector>

#include <poll.h>
#include <unistd.h>

#include "actors/ports/clock.hpp"
#include "tools/fondaco/ctl_output.hpp"

namespace fondaco::tools {

namespace {

constexpr size_t slowest_max = 10;
constexpr double ms_per_second = 1000;

/// What a line of rates is called and which counters it is the sum of.
const std::pair<const char*, const char*> rates[] = {
    {"commands", "fondaco_actor_commands_total"},    {"refusals", "fondaco_actor_refusals_total"},
    {"appends", "fondaco_actor_appends_total"},      {"events", "fondaco_actor_events_total"},
    {"effects", "fondaco_actor_effects_total"},      {"effect failures", "fondaco_actor_effect_failures_total"},
    {"HTTP in", "fondaco_http_requests_total"},      {"HTTP out", "fondaco_outbound_http_total"},
    {"overloaded", "fondaco_actor_overloaded_total"}};

bool is_of(const std::string& sample, std::string_view name) {
  return sample.starts_with(name) && (sample.size() == name.size() || sample[name.size()] == '{');
}

double sum(const metric_samples& all, std::string_view name) {
  double out = 0;
  for (auto it = all.lower_bound(std::string(name)); it != all.end() && it->first.starts_with(name); ++it)
    if (is_of(it->first, name))
      out += it->second;
  return out;
}

std::string label_of(const std::string& sample, const std::string& label) {
  const auto begin = sample.find(label + "=\"");
  if (begin == std::string::npos)
    return {};
  const auto from = begin + label.size() + 2;
  return sample.substr(from, sample.find('"', from) - from);
}

double rounded(double v) { return std::round(v * 10) / 10; }

/// The upper bound of the bucket in which this share of the new observations ends, in milliseconds; null for none.
json::value quantile_ms(const metric_samples& before, const metric_samples& after, const std::string& name,
                        double share) {
  std::vector<std::pair<double, double>> buckets;
  const auto prefix = name + "_bucket";
  for (auto it = after.lower_bound(prefix); it != after.end() && it->first.starts_with(prefix); ++it) {
    const auto edge = label_of(it->first, "le");
    const auto old = before.find(it->first);
    buckets.emplace_back(edge == "+Inf" ? INFINITY : std::strtod(edge.c_str(), nullptr),
                         it->second - (old == before.end() ? 0 : old->second));
  }
  std::ranges::sort(buckets);
  if (buckets.empty() || buckets.back().second <= 0)
    return nullptr;
  for (const auto& [edge, count] : buckets)
    if (count >= share * buckets.back().second)
      return std::isinf(edge) ? json::value(nullptr) : json::value(rounded(edge * ms_per_second));
  return nullptr;
}

json::object queues_of(const metric_samples& after) {
  json::object out;
  for (const auto& [sample, value] : after)
    if (is_of(sample, "fondaco_queue_waiting") && value > 0)
      out[label_of(sample, "queue")] = value;
  if (const auto waiting = sum(after, "fondaco_actor_journal_queue"); waiting > 0)
    out["journal"] = waiting;
  return out;
}

json::array slowest_of(const json::array& entities, timepoint now) {
  std::vector<std::pair<int64_t, json::object>> waiting;
  for (const auto& e : entities) {
    if (!e.is_object())
      continue;
    const auto& o = e.get_object();
    const auto since = parse_rfc3339(json::string_at(o, "updated_at").value_or(""));
    if (!since || json::string_at(o, "waiting_on").value_or("").empty())
      continue;
    json::object shown;
    for (const char* name : {"tenant", "kind", "id", "state", "waiting_on"})
      shown[name] = json::string_at(o, name).value_or("");
    const auto seconds = std::max<int64_t>(0, (now - *since).count() / 1000);
    shown["seconds"] = seconds;
    waiting.emplace_back(seconds, std::move(shown));
  }
  std::ranges::stable_sort(waiting, std::ranges::greater(), [](const auto& w) { return w.first; });
  json::array out;
  for (size_t i = 0; i < std::min(waiting.size(), slowest_max); ++i)
    out.push_back(std::move(waiting[i].second));
  return out;
}

void print(const json::object& view) {
  table_rows lines{{"A SECOND", ""}};
  for (const auto& r : view.at("rates").as_object())
    lines.push_back({std::string(r.key()), json::write(r.value())});
  const auto& append = view.at("append_ms").as_object();
  lines.push_back({"append p50 / p99 ms", text_of(append, "p50") + " / " + text_of(append, "p99")});
  lines.push_back({"entities in memory", text_of(view, "entities_live")});
  lines.push_back({"dead letters", text_of(view, "letters_waiting")});
  for (const auto& q : view.at("queues").as_object())
    lines.push_back({"waiting in " + std::string(q.key()), json::write(q.value())});
  print_table(lines);
  std::cout << "\n";
  print_table(table_of(view.at("slowest").as_array(), {{"SECONDS", "seconds"},
                                                       {"KIND", "kind"},
                                                       {"TENANT", "tenant"},
                                                       {"ID", "id"},
                                                       {"STATE", "state"},
                                                       {"WAITING ON", "waiting_on"}}));
  std::cout << std::flush;
}

/// A page of metrics, or the exit code after the reason was told.
std::expected<metric_samples, int> look(operator_client& node) {
  auto page = node.get("/operator/metrics");
  if (page && page->status == 200)
    return read_metrics(page->body);
  std::cerr << "fondaco ctl: "
            << (page ? "the node answered " + std::to_string(page->status) + ": " + page->body : page.error()) << "\n";
  return std::unexpected(page ? exit_code_of(page->status) : int{ctl_unreachable});
}

} // namespace

metric_samples read_metrics(const std::string& page) {
  metric_samples out;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.rfind(' ');
    if (line.empty() || line.front() == '#' || space == std::string::npos)
      continue;
    double value = 0;
    const auto [end, error] = std::from_chars(line.data() + space + 1, line.data() + line.size(), value);
    if (error == std::errc{})
      out[line.substr(0, space)] = value;
  }
  return out;
}

json::object top_view(const metric_samples& before, const metric_samples& after, double seconds,
                      const json::array& entities, timepoint now) {
  json::object per_second;
  for (const auto& [title, name] : rates)
    per_second[title] = rounded(std::max(0.0, sum(after, name) - sum(before, name)) / seconds);
  constexpr const char* append = "fondaco_journal_append_duration_seconds";
  return {{"rates", std::move(per_second)},
          {"append_ms", json::object{{"p50", quantile_ms(before, after, append, 0.5)},
                                     {"p99", quantile_ms(before, after, append, 0.99)}}},
          {"queues", queues_of(after)},
          {"entities_live", sum(after, "fondaco_actor_entities_live")},
          {"letters_waiting", sum(after, "fondaco_actor_letters_waiting")},
          {"slowest", slowest_of(entities, now)}};
}

int run_top(operator_client& node, const ctl_options& options) {
  const bool draws = !options.once && !options.json && ::isatty(STDOUT_FILENO) == 1;
  auto before = look(node);
  auto at = std::chrono::steady_clock::now();
  while (before) {
    if (::poll(nullptr, 0, static_cast<int>(options.every_seconds * ms_per_second)) < 0)
      return ctl_ok;
    auto after = look(node);
    if (!after)
      return after.error();
    const auto now = std::chrono::steady_clock::now();
    const auto entities = array_of(node.get("/operator/entities?limit=1000"));
    if (!entities)
      return entities.error();
    const auto view = top_view(*before, *after, std::chrono::duration<double>(now - at).count(), *entities,
                               actors::system_clock().now());
    if (draws)
      std::cout << "\x1b[H\x1b[2J";
    if (options.json)
      std::cout << json::write(view) << std::endl;
    else
      print(view);
    if (options.once || !std::cout)
      return ctl_ok;
    before = std::move(after);
    at = now;
  }
  return before.error();
}

} // namespace fondaco::tools

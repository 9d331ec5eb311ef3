#include "conformance/dsp/report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <mutex>

namespace fondaco::conformance::dsp {

namespace {

std::string method_of(std::string id) {
  std::ranges::transform(id, id.begin(), [](char c) {
    return c == ':' || c == '-' ? '_' : (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
  });
  return id;
}

} // namespace

void print_line(const std::string& text) {
  static std::mutex guard;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm local{};
  ::localtime_r(&now.tv_sec, &local);
  std::array<char, 48> stamp{};
  auto n = std::strftime(stamp.data(), stamp.size(), "%Y-%m-%dT%H:%M:%S", &local);
  std::snprintf(stamp.data() + n, stamp.size() - n, ".%09ld", now.tv_nsec);
  std::lock_guard lock(guard);
  std::cout << '[' << stamp.data() << "] " << text << std::endl;
}

void print_outcome(const outcome& o) {
  print_line((o.passed ? "SUCCESSFUL: " : "FAILED: ") + o.id);
  if (!o.passed) {
    print_line("Reason: " + o.id + ": " + o.reason);
    for (const auto& line : o.transcript) {
      print_line("    " + line);
    }
  }
  for (const auto& note : o.notes) {
    print_line("Beyond the kit: " + o.id + ": " + note);
  }
}

void print_summary(const std::vector<outcome>& all, size_t cases_total) {
  auto passed = std::ranges::count_if(all, &outcome::passed);
  print_line("Passed tests: " + std::to_string(passed));
  print_line("Failed tests: " + std::to_string(static_cast<long>(all.size()) - passed));
  print_line(static_cast<size_t>(passed) == all.size() ? "All tests passed" : "Failures:");
  for (const auto& o : all) {
    if (!o.passed) {
      print_line("\n   \u25a0 dsp_conformance." + method_of(o.id) + "\n");
      print_line("     [" + o.id + ": " + o.name + "]");
      print_line("     " + o.reason + "\n");
    }
  }
  print_line("Test run complete");
  if (all.size() < cases_total) {
    print_line(std::to_string(all.size()) + " cases were chosen");
  }
  print_line(std::to_string(passed) + " of " + std::to_string(cases_total));
}

std::expected<std::set<std::string>, std::string> read_floor(const std::string& path,
                                                             const std::set<std::string>& known_ids) {
  std::ifstream in(path);
  if (!in) {
    return std::unexpected("cannot read the floor file '" + path + "'");
  }
  std::set<std::string> floor;
  for (std::string line; std::getline(in, line);) {
    line.erase(std::min(line.size(), line.find('#')));
    auto from = line.find_first_not_of(" \t\r");
    if (from == std::string::npos) {
      continue;
    }
    auto id = line.substr(from, line.find_last_not_of(" \t\r") - from + 1);
    if (!known_ids.contains(id)) {
      return std::unexpected("the floor file '" + path + "' names '" + id + "', which is no case (see --list)");
    }
    floor.insert(id);
  }
  return floor;
}

bool hold_floor(const std::vector<outcome>& all, const std::set<std::string>& floor) {
  bool held = true;
  for (const auto& o : all) {
    if (floor.contains(o.id) && !o.passed) {
      print_line("Below the floor: " + o.id);
      held = false;
    } else if (!floor.contains(o.id) && o.passed) {
      print_line(o.id + " may be added to the floor");
    }
  }
  print_line("Floor: " + std::to_string(floor.size()) + " cases, " + (held ? "held" : "broken"));
  return held;
}

} // namespace fondaco::conformance::dsp

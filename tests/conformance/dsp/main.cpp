#include <csignal>
#include <iostream>
#include <optional>
#include <regex>
#include <set>
#include <span>

#include "conformance/dsp/cases.hpp"
#include "conformance/dsp/report.hpp"
#include "conformance/dsp/self_check.hpp"

namespace {

using namespace fondaco::conformance;
using namespace fondaco::conformance::dsp;

/// Exit codes: all well (or the floor held), cases failed (or fell below the floor), bad usage or no start.
enum exit_code : int { well = 0, cases_failed = 1, unusable = 2 };

struct options {
  std::string config, floor, only;
  bool list = false, self = false, strict = false;
};

constexpr const char* usage = "usage: dsp_conformance -config FILE [--only REGEX] [--floor FILE] [--strict]\n"
                              "       dsp_conformance --list | --self-check\n"
                              "  -config FILE   properties under the keys of the published kit (--config too)\n"
                              "  --only REGEX   run the cases whose 'ID: name' contains a match\n"
                              "  --floor FILE   ids that must pass; the exit code is about these only\n"
                              "  --strict       findings that go beyond the published kit fail a case too\n";

std::optional<options> parse_arguments(std::span<char*> arguments) {
  options o;
  for (size_t i = 1; i < arguments.size(); ++i) {
    std::string_view a = arguments[i];
    std::string* value = a == "-config" || a == "--config" ? &o.config
                         : a == "--floor"                  ? &o.floor
                         : a == "--only"                   ? &o.only
                                                           : nullptr;
    bool* flag = a == "--list" ? &o.list : a == "--self-check" ? &o.self : a == "--strict" ? &o.strict : nullptr;
    if (flag != nullptr) {
      *flag = true;
    } else if (value != nullptr && i + 1 < arguments.size()) {
      *value = arguments[++i];
    } else {
      std::cerr << "dsp_conformance: '" << a << "' is not an option, or its value is missing\n" << usage;
      return std::nullopt;
    }
  }
  if (!o.list && !o.self && o.config.empty()) {
    std::cerr << usage;
    return std::nullopt;
  }
  return o;
}

std::string key_prefix_of(std::string id) {
  std::ranges::replace(id, ':', '_');
  std::ranges::replace(id, '-', '_');
  return id;
}

/// Runs cases one after the other against one callback server.
class suite {
public:
  explicit suite(const settings& config) : config_(config) {}

  std::expected<void, std::string> listen() {
    auto started = http::server::start(config_.host, config_.port, [this](const http::message& request) {
      auto log = current();
      return log ? callbacks_.dispatch(request, *log) : http::reply{404, "No case is running", {}, false};
    });
    if (!started) {
      return std::unexpected(started.error());
    }
    server_ = std::move(*started);
    return {};
  }

  outcome run(const conformance_case& c, bool strict) {
    auto log = std::make_shared<transcript>(config_.debug);
    current(log);
    environment env{config_, client_, callbacks_, *log, key_prefix_of(c.id)};
    outcome o{c.id, c.name, true, {}, {}, {}};
    try {
      c.run(env);
    } catch (const std::exception& e) {
      o.passed = false;
      o.reason = e.what();
    }
    current(nullptr);
    o.transcript = log->lines();
    o.notes = log->notes();
    if (strict && o.passed && !o.notes.empty()) {
      o.passed = false;
      o.reason = "beyond the kit: " + o.notes.front();
    }
    return o;
  }

private:
  std::shared_ptr<transcript> current() {
    std::lock_guard lock(mutex_);
    return current_;
  }
  void current(std::shared_ptr<transcript> log) {
    std::lock_guard lock(mutex_);
    current_ = std::move(log);
  }

  const settings& config_;
  http::client client_;
  callback_endpoint callbacks_;
  std::mutex mutex_;
  std::shared_ptr<transcript> current_;
  std::unique_ptr<http::server> server_;
};

int run_suite(const options& o, const settings& config, const std::vector<conformance_case>& cases,
              const std::set<std::string>& floor) {
  std::regex wanted(o.only);
  suite s(config);
  if (auto listening = s.listen(); !listening) {
    std::cerr << "dsp_conformance: " << listening.error() << "\n";
    return unusable;
  }
  print_line("Running DSP conformance cases, native");
  std::vector<outcome> all;
  for (const auto& c : cases) {
    auto display = c.id + ": " + c.name;
    if (!std::regex_search(display, wanted)) {
      continue;
    }
    print_line("Started: " + display);
    all.push_back(s.run(c, o.strict));
    print_outcome(all.back());
  }
  print_summary(all, cases.size());
  if (all.empty()) {
    std::cerr << "dsp_conformance: no case matches --only\n";
    return unusable;
  }
  bool held = o.floor.empty() ? std::ranges::all_of(all, &outcome::passed) : hold_floor(all, floor);
  return held ? well : cases_failed;
}

int run(const options& o) {
  if (o.self) {
    return self_check() == 0 ? well : cases_failed;
  }
  auto cases = all_cases();
  if (o.list) {
    for (const auto& c : cases) {
      std::cout << c.id << ": " << c.name << "\n";
    }
    return well;
  }
  std::set<std::string> ids, floor;
  for (const auto& c : cases) {
    ids.insert(c.id);
  }
  if (!o.floor.empty()) {
    auto read = read_floor(o.floor, ids);
    if (!read) {
      std::cerr << "dsp_conformance: " << read.error() << "\n";
      return unusable;
    }
    floor = std::move(*read);
  }
  auto config = settings::load(o.config);
  if (!config) {
    std::cerr << "dsp_conformance: " << config.error() << "\n";
    return unusable;
  }
  return run_suite(o, *config, cases, floor);
}

} // namespace

int main(int count, char** values) {
  std::signal(SIGPIPE, SIG_IGN);
  auto o = parse_arguments(std::span(values, static_cast<size_t>(count)));
  if (!o) {
    return unusable;
  }
  try {
    return run(*o);
  } catch (const std::regex_error& e) {
    std::cerr << "dsp_conformance: --only is not a regular expression: " << e.what() << "\n";
  } catch (const std::exception& e) {
    std::cerr << "dsp_conformance: " << e.what() << "\n";
  }
  return unusable;
}

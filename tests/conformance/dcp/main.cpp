#include <algorithm>
#include <csignal>
#include <iostream>
#include <optional>
#include <regex>
#include <set>
#include <span>

#include "conformance/dcp/cases.hpp"
#include "conformance/dcp/kit_files.hpp"
#include "conformance/dsp/report.hpp"

namespace {

using namespace fondaco::conformance;
using namespace fondaco::conformance::dcp;

/// Exit codes: all well (or the floor held), cases failed (or fell below the floor), bad usage or no start.
enum exit_code : int { well = 0, cases_failed = 1, unusable = 2 };

constexpr const char* usage =
    "usage: dcp_conformance -config FILE [--prepare] [--only REGEX] [--floor FILE]\n"
    "       dcp_conformance -config FILE --prepare-kit FOLDER\n"
    "       dcp_conformance --list\n"
    "  -config FILE   properties under the keys of the published kit (--config too)\n"
    "  --prepare      first make a Fondaco node ready for the roles to test (fondaco.* keys of FILE)\n"
    "  --prepare-kit FOLDER\n"
    "                 make the node ready as --prepare does, write the published kit's properties for each role into\n"
    "                 FOLDER, and end: the kit takes this program's place on its port\n"
    "  --only REGEX   run the cases whose 'package.method' contains a match\n"
    "  --floor FILE   methods that must pass; the exit code is about these only\n";

struct options {
  std::string config, floor, only, kit_folder;
  bool list = false, prepare = false;
};

std::optional<options> parse_arguments(std::span<char*> arguments) {
  options o;
  for (size_t i = 1; i < arguments.size(); ++i) {
    std::string_view a = arguments[i];
    std::string* value = a == "-config" || a == "--config" ? &o.config
                         : a == "--floor"                  ? &o.floor
                         : a == "--only"                   ? &o.only
                         : a == "--prepare-kit"            ? &o.kit_folder
                                                           : nullptr;
    bool* flag = a == "--list" ? &o.list : a == "--prepare" ? &o.prepare : nullptr;
    if (flag != nullptr) {
      *flag = true;
    } else if (value != nullptr && i + 1 < arguments.size()) {
      *value = arguments[++i];
    } else {
      std::cerr << "dcp_conformance: '" << a << "' is not an option, or its value is missing\n" << usage;
      return std::nullopt;
    }
  }
  if (!o.list && o.config.empty()) {
    std::cerr << usage;
    return std::nullopt;
  }
  return o;
}

std::vector<conformance_case> all_cases() {
  std::vector<conformance_case> out;
  for (const auto& part : {credential_service_issuance_cases(), credential_service_presentation_cases(), issuer_cases(),
                           verifier_cases()}) {
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

const std::string& did_under_test(const settings& config, const conformance_case& c) {
  return c.package == packages::issuance_issuer         ? config.did_issuer
         : c.package == packages::presentation_verifier ? config.did_verifier
                                                        : config.did_holder;
}

bool is_chosen(const settings& config, const conformance_case& c) {
  return config.wants(c.package) && !did_under_test(config, c).empty();
}

dsp::outcome run_case(world& w, const conformance_case& c) {
  dsp::outcome o{c.method, c.package, true, {}, {}, {}};
  w.take_notes();
  try {
    c.run(w);
  } catch (const std::exception& e) {
    o.passed = false;
    o.reason = e.what();
  }
  w.forget();
  o.transcript = w.take_notes();
  return o;
}

void print_role(const char* role, const std::vector<conformance_case>& cases, const std::vector<dsp::outcome>& all,
                const std::set<std::string>& of_packages) {
  auto in_role = [&](const std::string& package) { return of_packages.contains(package); };
  auto total = std::ranges::count_if(cases, [&](const auto& c) { return in_role(c.package); });
  auto passed = std::ranges::count_if(all, [&](const auto& o) { return o.passed && in_role(o.name); });
  std::cout << role << ": " << passed << " of " << total << std::endl;
}

/// Prints the last lines; true if nothing that must pass failed.
bool summarize(const std::vector<conformance_case>& cases, const std::vector<dsp::outcome>& all,
               const std::set<std::string>* floor) {
  bool held = floor != nullptr ? dsp::hold_floor(all, *floor) : std::ranges::all_of(all, &dsp::outcome::passed);
  dsp::print_line("Test run complete");
  print_role("credential service", cases, all, {packages::issuance_cs, packages::presentation_cs});
  print_role("issuer", cases, all, {packages::issuance_issuer});
  print_role("verifier", cases, all, {packages::presentation_verifier});
  auto counts = [&](const dsp::outcome& o) { return floor == nullptr || floor->contains(o.id); };
  auto passed = std::ranges::count_if(all, [&](const auto& o) { return o.passed && counts(o); });
  auto failed = std::ranges::count_if(all, [&](const auto& o) { return !o.passed && counts(o); });
  std::cout << passed << " passed, " << failed << " failed" << std::endl;
  return held;
}

/// True if the node is ready for the roles to test.
bool prepare_node(world& w, settings& config) {
  try {
    prepare(w, config);
    return true;
  } catch (const failure& f) {
    std::cerr << "dcp_conformance: " << f.what() << "\n";
    for (const auto& line : w.take_notes()) {
      std::cerr << "    " << line << "\n";
    }
  }
  return false;
}

int prepare_kit(const options& o, settings& config) {
  world w(config);
  if (auto listening = w.listen(); !listening) {
    std::cerr << "dcp_conformance: " << listening.error() << "\n";
    return unusable;
  }
  if (!prepare_node(w, config)) {
    return unusable;
  }
  if (auto written = write_kit_files(config, o.kit_folder); !written) {
    std::cerr << "dcp_conformance: " << written.error() << "\n";
    return unusable;
  }
  return well;
}

int run_suite(const options& o, settings& config, const std::vector<conformance_case>& cases,
              const std::set<std::string>* floor) {
  std::regex wanted(o.only);
  world w(config);
  if (auto listening = w.listen(); !listening) {
    std::cerr << "dcp_conformance: " << listening.error() << "\n";
    return unusable;
  }
  if (o.prepare && !prepare_node(w, config)) {
    return unusable;
  }
  dsp::print_line("Running DCP conformance cases, native");
  std::vector<dsp::outcome> all;
  for (const auto& c : cases) {
    if (!is_chosen(config, c) || !std::regex_search(c.package + "." + c.method, wanted)) {
      continue;
    }
    dsp::print_line("Started: " + c.method);
    all.push_back(run_case(w, c));
    dsp::print_outcome(all.back());
  }
  if (all.empty()) {
    std::cerr << "dcp_conformance: no case was chosen (--only, dataspacetck.test.package, dataspacetck.did.*)\n";
    return unusable;
  }
  return summarize(cases, all, floor) ? well : cases_failed;
}

int run(const options& o) {
  auto cases = all_cases();
  if (o.list) {
    for (const auto& c : cases) {
      std::cout << c.package << "." << c.method << "\n";
    }
    return well;
  }
  std::set<std::string> ids, floor;
  for (const auto& c : cases) {
    ids.insert(c.method);
  }
  if (!o.floor.empty()) {
    auto read = dsp::read_floor(o.floor, ids);
    if (!read) {
      std::cerr << "dcp_conformance: " << read.error() << "\n";
      return unusable;
    }
    floor = std::move(*read);
  }
  auto config = settings::load(o.config, o.prepare || !o.kit_folder.empty());
  if (!config) {
    std::cerr << "dcp_conformance: " << config.error() << "\n";
    return unusable;
  }
  if (!o.kit_folder.empty()) {
    return prepare_kit(o, *config);
  }
  return run_suite(o, *config, cases, o.floor.empty() ? nullptr : &floor);
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
    std::cerr << "dcp_conformance: --only is not a regular expression: " << e.what() << "\n";
  } catch (const std::exception& e) {
    std::cerr << "dcp_conformance: " << e.what() << "\n";
  }
  return unusable;
}

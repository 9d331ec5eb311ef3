#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <regex>

#include <unistd.h>

#include "e2e/cases.hpp"

namespace {

using namespace fondaco::e2e;

constexpr const char* usage = "e2e --store sqlite|postgres [--only REGEX] [--list] [--keep]\n"
                              "  Drives the binary that FONDACO_BINARY names (build/release/bin/fondaco). PostgreSQL:\n"
                              "  on the server that FONDACO_TEST_POSTGRES names. --only: cases whose promise matches;\n"
                              "  --keep: leave the nodes' folders.\n";

struct options {
  store_kind kind = store_kind::sqlite;
  std::string only = ".*";
  bool list = false;
  bool keep = false;
};

std::optional<options> read_options(int argc, char** argv) {
  options o;
  bool has_store = false;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    bool more = i + 1 < argc;
    if (word == "--store" && more) {
      std::string kind = argv[++i];
      has_store = kind == "sqlite" || kind == "postgres";
      o.kind = kind == "postgres" ? store_kind::postgres : store_kind::sqlite;
    } else if (word == "--only" && more) {
      o.only = argv[++i];
    } else if (word == "--list") {
      o.list = true;
    } else if (word == "--keep") {
      o.keep = true;
    } else {
      return std::nullopt;
    }
  }
  return has_store || o.list ? std::optional(o) : std::nullopt;
}

cases all_cases(store_kind kind) {
  cases all;
  for (auto topic : {demo_cases,
                     flow_cases,
                     refusal_cases,
                     message_cases,
                     tenant_cases,
                     body_cases,
                     token_cases,
                     peer_cases,
                     idempotency_cases,
                     canary_cases,
                     restart_cases,
                     operator_cases,
                     ctl_cases,
                     store_verb_cases,
                     role_cases,
                     tenant_matrix_cases,
                     credential_matrix_cases,
                     route_cases,
                     fault_cases,
                     onboarding_cases,
                     trace_cases,
                     guide_cases,
                     flood_cases})
    for (auto& one : topic())
      all.push_back(std::move(one));
  for (auto& one : store_fault_cases(kind))
    all.push_back(std::move(one));
  return all;
}

std::string indented(const std::string& text) {
  std::string out = "    ";
  for (char c : text)
    out += c == '\n' ? std::string("\n    ") : std::string(1, c);
  return out;
}

// True if the case held.
bool run(const test_case& one, bed& on) {
  std::string why;
  try {
    one.run(on);
    std::cout << "ok  " << one.promise << std::endl;
    return true;
  } catch (const std::exception& e) {
    why = e.what();
  }
  std::cout << "FAILED " << one.promise << ": " << why << "\n";
  for (const auto* n : node::all())
    std::cout << indented(n->report()) << "\n";
  std::cout << std::flush;
  return false;
}

std::string make_scratch() {
  const char* base = std::getenv("TMPDIR");
  std::string path = std::string(base ? base : "/tmp") + "/fondaco-e2e-XXXXXX";
  check(::mkdtemp(path.data()) != nullptr, "no scratch folder can be made");
  return path;
}

int run_all(const options& o) {
  auto folder = make_scratch();
  size_t passed = 0, failures = 0;
  {
    bed on(o.kind, folder);
    std::regex only(o.only);
    for (const auto& one : all_cases(o.kind)) {
      if (!std::regex_search(one.promise, only))
        continue;
      (run(one, on) ? passed : failures) += 1;
      // A case that leaves a node of the shared world dead must not fail the ones after it.
      for (const auto* n : node::all())
        if (!n->running()) {
          on.forget_shared();
          break;
        }
    }
  }
  if (o.keep)
    std::cout << "folders: " << folder << "\n";
  else
    std::filesystem::remove_all(folder);
  std::cout << passed << " passed, " << failures << " failed" << std::endl;
  return failures == 0 && passed > 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  auto o = read_options(argc, argv);
  if (!o) {
    std::cerr << usage;
    return 2;
  }
  if (o->list) {
    for (const auto& one : all_cases(o->kind))
      std::cout << one.promise << "\n";
    return 0;
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run_all(*o);
  } catch (const std::exception& e) {
    std::cerr << "e2e: " << e.what() << "\n";
    return 1;
  }
}

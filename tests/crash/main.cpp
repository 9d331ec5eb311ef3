// The crash matrix: what Fondaco is for, played on real nodes once for every commit of each of them, which is killed
// with SIGKILL right before or right after that commit is durable, and started again.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>

#include <unistd.h>

#include "crash/matrix.hpp"

namespace {

using namespace fondaco;
using crash::side;
using e2e::store_kind;

constexpr const char* usage =
    "crash --store sqlite|postgres [--part N] [--seed S] [--scene transfer|tenancy] [--node NAME]\n"
    "      [--at N] [--side before|after] [--folder F]\n"
    "  One play for every commit of each node of the binary that FONDACO_BINARY names, the node killed right before "
    "and\n"
    "  right after it: --part 10 takes a tenth of them, by the seed; --at N the n-th commit alone.\n";

std::optional<crash::extent> read_extent(int argc, char** argv) {
  crash::extent e;
  e.seed = std::random_device{}();
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string word = argv[i], value = argv[i + 1];
    if (word == "--store" && (value == "sqlite" || value == "postgres"))
      e.kind = value == "postgres" ? store_kind::postgres : store_kind::sqlite;
    else if (word == "--part")
      e.part = std::max<uint64_t>(1, std::strtoull(value.c_str(), nullptr, 10));
    else if (word == "--seed")
      e.seed = std::strtoull(value.c_str(), nullptr, 10);
    else if (word == "--scene")
      e.scene = value;
    else if (word == "--node")
      e.node = value;
    else if (word == "--side" && (value == "before" || value == "after"))
      e.when = value == "before" ? side::before : side::after;
    else if (word == "--at")
      e.at = std::strtoull(value.c_str(), nullptr, 10);
    else if (word == "--folder")
      e.folder = value;
    else
      return std::nullopt;
  }
  return argc % 2 == 1 ? std::optional(e) : std::nullopt;
}

int trace(int argc, char** argv) {
  const std::vector<std::string> words(argv + 5, argv + argc);
  return crash::run_and_kill(std::strtoull(argv[2], nullptr, 10),
                             std::string_view(argv[3]) == "before" ? side::before : side::after, argv[4], words);
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 5 && std::string_view(argv[1]) == "trace")
    return trace(argc, argv);
  auto e = read_extent(argc, argv);
  if (!e) {
    std::cerr << usage;
    return 2;
  }
  const bool own = e->folder.empty();
  if (own)
    e->folder = std::filesystem::temp_directory_path() / ("fondaco-crash-" + std::to_string(::getpid()));
  std::filesystem::create_directories(e->folder);
  std::cout << "crash matrix on " << crash::name_of(e->kind) << ", 1 of " << e->part << ", seed " << e->seed
            << std::endl;
  bool all = false;
  try {
    all = crash::matrix(*e).run();
  } catch (const std::exception& f) {
    std::cout << "FAILED " << f.what() << "\n";
  }
  if (own && all)
    std::filesystem::remove_all(e->folder);
  return all ? 0 : 1;
}

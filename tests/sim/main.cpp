// The product's deciders, shells, senders and routes in a world whose time, chance, network and databases are one
// seed's: see README.md.

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include "sim/world.hpp"

namespace {

using namespace fondaco;

constexpr const char* usage =
    "sim [--seeds N] [--from S]        play N seeds, from S on\n"
    "sim --seed S [--trace]            play one seed, and print what happens\n";

struct options {
  uint64_t from = 1;
  uint64_t seeds = 1000;
  bool trace = false;
};

std::optional<options> read_options(int argc, char** argv) {
  options o;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--trace") {
      o.trace = true;
      continue;
    }
    if (i + 1 == argc)
      return std::nullopt;
    const auto value = std::strtoull(argv[++i], nullptr, 10);
    if (word == "--seeds") {
      o.seeds = value;
    } else if (word == "--from") {
      o.from = value;
    } else if (word == "--seed") {
      o.from = value;
      o.seeds = 1;
    } else {
      return std::nullopt;
    }
  }
  return o;
}

/// Plays one seed; the hash of what happened, or nothing if a promise was broken.
std::optional<uint64_t> play(uint64_t seed, bool trace) {
  sim::world w(seed, trace);
  w.run();
  const auto& broken = w.notes().broken();
  if (broken.empty())
    return w.notes().hash();
  std::cout << "seed " << seed << " breaks a promise:\n";
  for (const auto& what : broken)
    std::cout << "  " << what << "\n";
  std::cout << "again, with all that happens: ./dev sim --seed " << seed << " --trace\n";
  return std::nullopt;
}

} // namespace

int main(int argc, char** argv) {
  const auto given = read_options(argc, argv);
  if (!given) {
    std::cerr << usage;
    return 2;
  }
  const auto& o = *given;
  const auto begin = std::chrono::steady_clock::now();
  for (auto seed = o.from; seed < o.from + o.seeds; ++seed)
    if (!play(seed, o.trace))
      return 1;
  // The same seed is the same history.
  for (auto seed = o.from; seed < o.from + std::min<uint64_t>(o.seeds, 10); ++seed)
    if (play(seed, false) != play(seed, false)) {
      std::cout << "seed " << seed << " gives another history each time\n";
      return 1;
    }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  std::cout << o.seeds << " seeds from " << o.from << " hold, in " << spent.count() << " s\n";
  return 0;
}

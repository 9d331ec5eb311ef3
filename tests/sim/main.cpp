// The product's deciders, shells, senders and routes in a world whose time, chance, network, broker and databases are
// one seed's: see README.md.

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include "sim/world.hpp"

namespace {

using namespace fondaco;

constexpr const char* usage =
    "sim [--seeds N] [--seed S] [--hash]    play N seeds (1000, or one if S is given) from S on\n"
    "sim --seed S --trace                   play one seed, and print what happens\n"
    "  --hash prints the hash of each seed's history\n";

struct options {
  uint64_t from = 1;
  uint64_t seeds = 1000;
  bool trace = false;
  bool hash = false;
};

std::optional<options> read_options(int argc, char** argv) {
  options o;
  std::optional<uint64_t> from, seeds;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--trace" || word == "--hash") {
      (word == "--trace" ? o.trace : o.hash) = true;
      continue;
    }
    if ((word != "--seeds" && word != "--seed") || i + 1 == argc)
      return std::nullopt;
    const std::string number = argv[++i];
    if (number.empty() || number.find_first_not_of("0123456789") != std::string::npos || number.size() > 18)
      return std::nullopt;
    (word == "--seeds" ? seeds : from) = std::stoull(number);
  }
  o.from = from.value_or(1);
  o.seeds = seeds.value_or(from ? 1 : 1000);
  return o;
}

/// Plays one seed; false if a promise was broken.
bool play(uint64_t seed, const options& o) {
  sim::world w(seed, o.trace);
  w.run();
  if (o.hash)
    std::cout << "seed " << seed << ": " << w.notes().lines() << " lines, hash " << w.notes().hash() << "\n";
  const auto& broken = w.notes().broken();
  if (broken.empty())
    return true;
  std::cout << "seed " << seed << " breaks a promise, after " << seed - o.from << " that hold:\n";
  for (const auto& what : broken)
    std::cout << "  " << what << "\n";
  std::cout << "again, with all that happens: ./dev sim --seed " << seed << " --trace\n";
  return false;
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
    if (!play(seed, o))
      return 1;
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  if (!o.hash)
    std::cout << o.seeds << " seeds from " << o.from << " hold, in " << static_cast<int>(spent.count() + 0.5) << " s\n";
  return 0;
}

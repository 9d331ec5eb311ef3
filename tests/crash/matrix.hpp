#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "crash/scene.hpp"

namespace fondaco::crash {

/// Which of all kills are done.
struct extent {
  e2e::store_kind kind = e2e::store_kind::sqlite;
  /// One of so many, chosen by the seed.
  uint64_t part = 1;
  uint64_t seed = 0;
  /// Empty: every sort of scene, every node.
  std::string scene;
  std::string node;
  /// 0: every commit.
  uint64_t at = 0;
  std::optional<side> when;
  /// Where the nodes have their files.
  std::string folder;
};

const char* name_of(side s);
const char* name_of(e2e::store_kind k);

/// Every scene, every node of it, every commit n of that node from its start to the end of a play, both sides: one play
/// each, with the node killed there and started again, held against a play without a kill.
class matrix {
public:
  explicit matrix(const extent& e) : extent_(e), random_(e.seed) {}

  /// Prints a line for each kill and `N passed, M failed`; true if all was well.
  bool run();

private:
  void run_node(const sort_of_scene& sort, const char* node);
  bool chosen(uint64_t n, side when);
  /// False if the scene cannot go on.
  bool kill_once(scene& s, const std::string& where, uint64_t n, side when, const traces& undisturbed);

  const extent& extent_;
  std::mt19937_64 random_;
  uint64_t plays_ = 0;
  uint64_t runs_ = 0;
  uint64_t failures_ = 0;
  uint64_t possible_ = 0;
};

} // namespace fondaco::crash

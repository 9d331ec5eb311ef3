#pragma once

#include <cstdint>
#include <iostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/time.hpp"

namespace fondaco::sim {

/// What happened in a run, in order, and which promises were broken.
class record {
public:
  /// With `print`, each line goes to standard output as it comes.
  explicit record(bool print) : print_(print) {}

  void note(timepoint at, std::string_view who, std::string_view what) {
    auto line = std::to_string(to_epoch_ms(at) - begin_ms) + " " + std::string(who) + ": " + std::string(what);
    for (const char c : line)
      hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    ++lines_;
    if (print_)
      std::cout << line << "\n";
  }
  void blame(timepoint at, std::string what) {
    note(at, "BROKEN", what);
    broken_.push_back(std::move(what));
  }
  const std::vector<std::string>& broken() const { return broken_; }
  uint64_t hash() const { return hash_; }
  size_t lines() const { return lines_; }

  static constexpr int64_t begin_ms = 1'750'000'000'000;

private:
  bool print_;
  uint64_t hash_ = 0xcbf29ce484222325u;
  size_t lines_ = 0;
  std::vector<std::string> broken_;
};

} // namespace fondaco::sim

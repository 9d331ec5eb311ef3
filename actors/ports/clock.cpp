#include "actors/ports/clock.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <utility>

#include <sys/random.h>

namespace fondaco::actors {

namespace {

/// Words read ahead per thread: one system call for every 32 numbers, and no lock.
constexpr size_t words_buffered = 32;

struct reservoir {
  std::array<uint64_t, words_buffered> words{};
  size_t left = 0;

  void fill() {
    auto* at = reinterpret_cast<char*>(words.data());
    size_t missing = sizeof words;
    while (missing > 0) {
      const auto got = ::getrandom(at, missing, 0);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        throw std::system_error(errno, std::generic_category(), "getrandom");
      at += got;
      missing -= static_cast<size_t>(got);
    }
    left = words.size();
  }
};

} // namespace

timepoint system_clock::now() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

uint64_t system_random::next() {
  thread_local reservoir ahead;
  if (ahead.left == 0)
    ahead.fill();
  // A number that was given out may become a secret: it does not stay behind in this buffer.
  return std::exchange(ahead.words[--ahead.left], 0);
}

} // namespace fondaco::actors

#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <poll.h>

namespace fondaco::e2e {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

/// How long a test waits for what a node does on its own.
inline constexpr milliseconds wait_within{30'000};
/// The pause between two looks at a node that does not tell by itself.
inline constexpr int look_again_ms = 20;

/// A promise that does not hold: the case ends with this sentence.
struct failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Fails with this sentence unless it holds.
inline void check(bool holds, const std::string& why) {
  if (!holds)
    throw failed(why);
}

/// Fails unless both are equal; `what` names the first.
template <class A, class B> void check_equal(const std::string& what, const A& got, const B& expected) {
  if (got == expected)
    return;
  std::ostringstream text;
  text << what << " is '" << got << "', but has to be '" << expected << "'";
  throw failed(text.str());
}

/// Looks again and again until there is a value; `look` may write what it saw into its argument, which the failure
/// then shows.
template <class Look>
auto wait_for(const std::string& what, Look look, milliseconds within = wait_within) ->
    typename decltype(look(std::declval<std::string&>()))::value_type {
  const auto end = steady::now() + within;
  std::string saw;
  for (;;) {
    if (auto found = look(saw))
      return std::move(*found);
    if (steady::now() >= end)
      throw failed("waited " + std::to_string(within.count()) + " ms in vain for " + what +
                   (saw.empty() ? "" : "; last seen: " + saw));
    ::poll(nullptr, 0, look_again_ms);
  }
}

class bed;

/// One case: a promise in a plain sentence, and what shows that it holds.
struct test_case {
  std::string promise;
  std::function<void(bed&)> run;
};

using cases = std::vector<test_case>;

} // namespace fondaco::e2e

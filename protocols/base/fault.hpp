#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fondaco {

/// What the caller of a failed operation can do about it.
enum class cure : uint8_t {
  /// Try the same again later.
  retry,
  /// Correct the input, then try again.
  fix_input,
  /// Read the truth back before acting.
  replay,
  /// Stop: this actor is not entitled to go on.
  stop,
};

/// An error as a value that a person can act on: a stable code, a sentence, and the cure.
struct fault {
  /// The name of the enumerator that classifies it, in snake_case.
  std::string code;
  /// One sentence that says what was wrong, where, and what is allowed. Never holds a secret.
  std::string detail;
  /// What the caller can do.
  cure remedy = cure::fix_input;
};

/// Thrown by `invariant` when an assumption of our own is broken; stops the entity, never its neighbours.
class broken_invariant : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

/// Asserts an assumption of our own, in production too; input from outside is validated instead.
inline void invariant(bool holds, const char* what) {
  if (!holds) [[unlikely]]
    throw broken_invariant(what);
}

} // namespace fondaco

#pragma once

#include <expected>
#include <memory>
#include <string_view>

#include "protocols/base/fault.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::cfm {

namespace limits {
/// The longest predicate that is read, in bytes, and how deep its groups may nest.
inline constexpr size_t predicate_bytes_max = 8u << 10;
inline constexpr unsigned predicate_depth_max = 32;
} // namespace limits

/// A predicate of CFM's query language over JSON objects (CFM reference, section 6): `path op value` joined by AND or
/// OR, groups in parentheses, `true`. Where the original is loose this is strict: AND and OR in one list need
/// parentheses; an apostrophe in a string is written twice; LIKE knows `%` and `_`.
class predicate {
public:
  /// Reads a predicate; the fault says where it is wrong.
  static std::expected<predicate, fault> parse(std::string_view text);
  ~predicate();
  predicate(predicate&&) noexcept;
  predicate& operator=(predicate&&) noexcept;

  /// True if it holds for the object. Names are compared without case; a list holds if one of its elements does.
  bool holds(const json::object& o) const;

private:
  struct node;
  explicit predicate(std::unique_ptr<node> root);
  std::unique_ptr<node> root_;
};

} // namespace fondaco::cfm

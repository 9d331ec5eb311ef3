#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace fondaco::json {

using boost::json::array;
using boost::json::object;
using boost::json::value;

/// Why a text is not JSON that we take; every cure is to fix the input.
enum class json_errc : uint8_t {
  /// The text is not JSON (RFC 8259).
  malformed = 1,
  /// An object names the same member twice.
  duplicate_key,
  /// Arrays and objects nest deeper than the limit.
  too_deep,
  /// A string holds U+0000, which a PostgreSQL text cannot keep.
  nul_character,
  /// The text is longer than the limit.
  too_large,
};

/// A refused text: why, and a sentence for the sender.
struct parse_error {
  json_errc code;
  std::string detail;
};

/// The bounds that a text has to keep.
struct parse_limits {
  /// The deepest nesting of arrays and objects.
  size_t depth_max = 64;
  /// The longest text in bytes.
  size_t text_bytes_max = 8u << 20;
};

/// The tree of a JSON text: UTF-8, no duplicate members, no U+0000, within the limits.
std::expected<value, parse_error> parse(std::string_view text, const parse_limits& limits = {});

/// Compact JSON; doubles in their shortest form (`0.1`, never `1E-1`), members in their order.
std::string write(const value& v);

/// The string member with this name; nothing if it is missing or not a string.
std::optional<std::string_view> string_at(const object& o, std::string_view name);

/// The integer member with this name; nothing if it is missing or not an integer in range.
std::optional<int64_t> integer_at(const object& o, std::string_view name);

/// The boolean member with this name; nothing if it is missing or not a boolean.
std::optional<bool> boolean_at(const object& o, std::string_view name);

/// The object member with this name; null if it is missing or not an object.
const object* object_at(const object& o, std::string_view name);

/// The array member with this name; null if it is missing or not an array.
const array* array_at(const object& o, std::string_view name);

} // namespace fondaco::json

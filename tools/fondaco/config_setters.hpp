#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tools/fondaco/config_table.hpp"

/// How the table's values reach the configuration; for the sources that make up the table.
namespace fondaco::tools {

/// Why a value is refused, or nothing.
using refused = std::optional<std::string>;
/// Puts a value into its place.
using setter = std::function<refused(config&, size_t, const config_value&)>;

/// A text into a member.
template <class T> setter text(T member) {
  return [member](config& c, size_t, const config_value& v) -> refused {
    std::invoke(member, c) = std::get<std::string>(v);
    return std::nullopt;
  };
}

/// A boolean into a member.
template <class T> setter flag(T member) {
  return [member](config& c, size_t, const config_value& v) -> refused {
    std::invoke(member, c) = std::get<bool>(v);
    return std::nullopt;
  };
}

/// A list of texts into a member.
template <class T> setter list(T member) {
  return [member](config& c, size_t, const config_value& v) -> refused {
    std::invoke(member, c) = std::get<std::vector<std::string>>(v);
    return std::nullopt;
  };
}

/// A number within bounds into a member.
template <class T> setter number(T member, int64_t least, int64_t most) {
  return [member, least, most](config& c, size_t, const config_value& v) -> refused {
    auto n = std::get<int64_t>(v);
    if (n < least || n > most)
      return "must be from " + std::to_string(least) + " to " + std::to_string(most);
    auto& target = std::invoke(member, c);
    target = std::remove_reference_t<decltype(target)>(n);
    return std::nullopt;
  };
}

/// A member as a function of the configuration, for what lies deeper than one level.
#define AT(expression) [](config& c) -> auto& { return c.expression; }

/// An hour in milliseconds.
inline constexpr int64_t hour_ms = 3'600'000;

/// The entry of a list, which grows as needed.
template <class T> T& entry(std::vector<T>& of, size_t index) {
  if (of.size() <= index)
    of.resize(index + 1);
  return of[index];
}

/// Nothing if the value is one of these.
inline refused one_of(const std::string& value, std::vector<std::string> allowed) {
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end())
    return std::nullopt;
  std::string all;
  for (const auto& a : allowed)
    all += (all.empty() ? "" : ", ") + a;
  return "must be one of " + all;
}

/// The identities, credentials and trust of a node.
void add_identity_keys(std::vector<config_entry>& t);
/// The management plane: broker, agents.
void add_cfm_keys(std::vector<config_entry>& t);
/// Where traces go.
void add_telemetry_keys(std::vector<config_entry>& t);

} // namespace fondaco::tools

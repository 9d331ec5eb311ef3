#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fondaco {

/// A moment in UTC with millisecond precision: the only time type of the domain.
using timepoint = std::chrono::sys_time<std::chrono::milliseconds>;

/// A length of time in milliseconds.
using milliseconds = std::chrono::milliseconds;

/// The milliseconds since the Unix epoch.
constexpr int64_t to_epoch_ms(timepoint t) noexcept { return t.time_since_epoch().count(); }

/// The moment that lies this many milliseconds after the Unix epoch.
constexpr timepoint from_epoch_ms(int64_t ms) noexcept { return timepoint{milliseconds{ms}}; }

/// `2026-01-31T12:00:00.123Z`: RFC 3339 in UTC, milliseconds left out when they are zero. A moment outside the years
/// 0000 to 9999 is written as the nearest one inside.
std::string to_rfc3339(timepoint t);

/// The moment an RFC 3339 date-time names (offset required, fraction cut to milliseconds); nothing if it is not one.
std::optional<timepoint> parse_rfc3339(std::string_view text);

} // namespace fondaco

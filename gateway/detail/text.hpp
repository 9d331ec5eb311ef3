#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/http.hpp"

namespace fondaco::gateway::detail {

/// What a plus sign means: itself in a path, a space in a query.
enum class plus : bool { is_plus, is_space };

/// The text behind percent-encoding; nothing if an escape is cut or wrong, or if it hides U+0000.
std::optional<std::string> percent_decoded(std::string_view text, plus meaning = plus::is_plus);

/// The text with `A` to `Z` made small.
std::string lower(std::string_view text);

/// True if the two differ at most in the case of ASCII letters.
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// True for a method or a header name (RFC 9110, section 5.6.2).
bool is_token(std::string_view text) noexcept;

/// True for a header value that cannot end its line early: no control characters but the tab.
bool is_field_value(std::string_view text) noexcept;

/// A W3C traceparent that continues a valid one (same trace, our own parent id), else begins a new trace.
std::string continued_traceparent(std::string_view from_caller);

/// The 32 hex digits of a valid traceparent's trace id.
std::string_view trace_id_of(std::string_view traceparent) noexcept;

/// The caller's `X-Request-Id` if it is 1 to 128 printable ASCII characters, else the fallback.
std::string correlation_id_of(std::optional<std::string_view> from_caller, std::string_view fallback);

/// The path and the query of a request target in origin-form or absolute-form; nothing for any other form, a bad
/// escape, U+0000, a fragment, or a segment `.` or `..` (however it is written).
struct target_parts {
  std::string path;
  std::string query;
};
std::optional<target_parts> split_target(std::string_view target);

} // namespace fondaco::gateway::detail

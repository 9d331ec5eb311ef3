#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace fondaco::gateway {

namespace limits {
/// The most parameters of a form.
inline constexpr size_t form_parameters_max = 32;
} // namespace limits

/// A form's parameters by name.
using form = std::map<std::string, std::string, std::less<>>;

/// The text that `application/x-www-form-urlencoded` text stands for; nothing for a broken escape or U+0000.
std::optional<std::string> decode_form_text(std::string_view text);

/// The parameters of a form body; else a sentence that says what is wrong. A parameter may be there once only
/// (RFC 6749, section 3.2), and one without a value counts as left out.
std::expected<form, std::string> parse_form(std::string_view body);

} // namespace fondaco::gateway

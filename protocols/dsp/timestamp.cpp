#include "protocols/dsp/timestamp.hpp"

#include <algorithm>

namespace fondaco::dsp {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Takes as many characters as the shape has: `9` stands for a digit, anything else for itself.
bool take(std::string_view& text, std::string_view shape) noexcept {
  if (text.size() < shape.size())
    return false;
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == '9' ? !is_digit(text[i]) : text[i] != shape[i])
      return false;
  text.remove_prefix(shape.size());
  return true;
}

int two_digits(std::string_view text, size_t at) noexcept { return (text[at] - '0') * 10 + (text[at + 1] - '0'); }

bool in_range(std::string_view t) noexcept {
  int month = two_digits(t, 5), day = two_digits(t, 8), hour = two_digits(t, 11);
  bool end_of_day = hour == 24 && two_digits(t, 14) == 0 && two_digits(t, 17) == 0;
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && (hour < 24 || end_of_day) && two_digits(t, 14) < 60 &&
         two_digits(t, 17) < 60;
}

} // namespace

bool is_xsd_date_time(std::string_view text) noexcept {
  if (text.starts_with('-'))
    text.remove_prefix(1);
  auto whole = text;
  if (!take(text, "9999-99-99T99:99:99") || !in_range(whole))
    return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    auto digits = std::ranges::find_if_not(text, is_digit) - text.begin();
    if (digits == 0)
      return false;
    text.remove_prefix(static_cast<size_t>(digits));
  }
  if (text.empty() || text == "Z")
    return true;
  auto zone = text;
  bool shaped = take(text, "+99:99") || take(text, "-99:99");
  return shaped && text.empty() && two_digits(zone, 1) <= 14 && two_digits(zone, 4) < 60;
}

} // namespace fondaco::dsp

#include "gateway/detail/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "actors/ports/clock.hpp"

namespace fondaco::gateway::detail {

namespace {

/// The longest `X-Request-Id` that is taken from a caller, in characters.
constexpr size_t request_id_bytes_max = 128;

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string hex_of(uint64_t word) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out(16, '0');
  for (size_t i = 16; i-- > 0; word >>= 4)
    out[i] = digits[word & 0x0f];
  return out;
}

/// Hex of a random word that is not zero: the all-zero ids are invalid (Trace Context, sections 3.2.2.3 and 3.2.2.4).
std::string random_hex() {
  actors::system_random random;
  const auto word = random.next();
  return hex_of(word == 0 ? 1 : word);
}

bool is_lower_hex(std::string_view s) noexcept {
  return std::ranges::all_of(s, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool all_zero(std::string_view s) noexcept {
  return std::ranges::all_of(s, [](char c) { return c == '0'; });
}

/// `00-<32 hex>-<16 hex>-<2 hex>`; a later version may go on after another dash.
bool is_traceparent(std::string_view t) noexcept {
  constexpr size_t length = 55;
  if (t.size() < length || t[2] != '-' || t[35] != '-' || t[52] != '-')
    return false;
  const auto version = t.substr(0, 2);
  if (!is_lower_hex(version) || version == "ff" || (version == "00" && t.size() != length) ||
      (t.size() > length && t[length] != '-'))
    return false;
  const auto trace = t.substr(3, 32);
  const auto parent = t.substr(36, 16);
  return is_lower_hex(trace) && !all_zero(trace) && is_lower_hex(parent) && !all_zero(parent) &&
         is_lower_hex(t.substr(53, 2));
}

bool has_dot_segment(std::string_view decoded_path) {
  while (!decoded_path.empty()) {
    const auto segment = decoded_path.substr(0, decoded_path.find('/'));
    if (segment == "." || segment == "..")
      return true;
    decoded_path.remove_prefix(std::min(decoded_path.size(), segment.size() + 1));
  }
  return false;
}

} // namespace

std::optional<std::string> percent_decoded(std::string_view text, plus meaning) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && meaning == plus::is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (text.size() - i < 3)
        return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0 || (high == 0 && low == 0))
        return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool is_token(std::string_view text) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || marks.find(c) != marks.npos;
  });
}

bool is_field_value(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::string continued_traceparent(std::string_view from_caller) {
  if (!is_traceparent(from_caller))
    return "00-" + random_hex() + random_hex() + '-' + random_hex() + "-00";
  const bool sampled = (hex_value(from_caller[54]) & 1) != 0;
  return "00-" + std::string(from_caller.substr(3, 32)) + '-' + random_hex() + (sampled ? "-01" : "-00");
}

std::string_view trace_id_of(std::string_view traceparent) noexcept {
  return traceparent.size() < 35 ? std::string_view{} : traceparent.substr(3, 32);
}

std::string correlation_id_of(std::optional<std::string_view> from_caller, std::string_view fallback) {
  const bool usable = from_caller && !from_caller->empty() && from_caller->size() <= request_id_bytes_max &&
                      std::ranges::all_of(*from_caller, [](char c) { return c > 0x20 && c < 0x7f; });
  return std::string(usable ? *from_caller : fallback);
}

std::optional<target_parts> split_target(std::string_view target) {
  const auto scheme_end = target.find("://");
  if (!target.starts_with('/') && scheme_end != target.npos) {
    const auto scheme = target.substr(0, scheme_end);
    if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https"))
      return std::nullopt;
    target.remove_prefix(scheme_end + 3);
    target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
  }
  if (target.find('#') != target.npos)
    return std::nullopt;
  const auto question = std::min(target.find('?'), target.size());
  target_parts parts;
  parts.path = target.substr(0, question);
  if (question < target.size())
    parts.query = target.substr(question + 1);
  if (parts.path.empty() && scheme_end != target.npos)
    parts.path = "/";
  const auto decoded = percent_decoded(parts.path);
  if (!parts.path.starts_with('/') || !decoded || has_dot_segment(*decoded))
    return std::nullopt;
  return parts;
}

} // namespace fondaco::gateway::detail

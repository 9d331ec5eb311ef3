#include "gateway/form.hpp"

#include <charconv>

namespace fondaco::gateway {

std::optional<std::string> decode_form_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
      continue;
    }
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size())
      return std::nullopt;
    unsigned value = 0;
    const auto* begin = text.data() + i + 1;
    const auto parsed = std::from_chars(begin, begin + 2, value, 16);
    if (parsed.ec != std::errc() || parsed.ptr != begin + 2 || value == 0)
      return std::nullopt;
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  if (out.find('\0') != std::string::npos)
    return std::nullopt;
  return out;
}

std::expected<form, std::string> parse_form(std::string_view body) {
  form out;
  while (!body.empty()) {
    const auto end = body.find('&');
    const auto pair = body.substr(0, end);
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    if (pair.empty())
      continue;
    const auto equals = pair.find('=');
    auto name = decode_form_text(pair.substr(0, equals));
    auto value =
        equals == std::string_view::npos ? std::optional<std::string>("") : decode_form_text(pair.substr(equals + 1));
    if (!name || !value)
      return std::unexpected("the form holds a broken percent escape or U+0000");
    if (value->empty())
      continue;
    if (out.size() >= limits::form_parameters_max)
      return std::unexpected("the form has too many parameters");
    if (!out.emplace(*name, std::move(*value)).second)
      return std::unexpected("a parameter of the form is there more than once");
  }
  return out;
}

} // namespace fondaco::gateway

#include "protocols/base/base64.hpp"

#include <array>
#include <cstdint>

namespace fondaco {
namespace {

constexpr std::string_view standard_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr uint8_t foreign = 0xff;

constexpr std::array<uint8_t, 256> reverse_of(std::string_view alphabet) {
  std::array<uint8_t, 256> reverse{};
  reverse.fill(foreign);
  for (size_t i = 0; i < alphabet.size(); ++i)
    reverse[static_cast<uint8_t>(alphabet[i])] = static_cast<uint8_t>(i);
  return reverse;
}

constexpr auto standard_values = reverse_of(standard_alphabet);
constexpr auto url_values = reverse_of(url_alphabet);

std::string encode(std::string_view bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  uint32_t pending = 0;
  int bits = 0;
  for (const char c : bytes) {
    pending = (pending << 8 | static_cast<uint8_t>(c)) & 0xffffff;
    for (bits += 8; bits >= 6;) {
      bits -= 6;
      text += alphabet[pending >> bits & 0x3f];
    }
  }
  if (bits > 0)
    text += alphabet[pending << (6 - bits) & 0x3f];
  return text;
}

std::optional<std::string> decode(std::string_view text, const std::array<uint8_t, 256>& values) {
  if (text.size() % 4 == 1)
    return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  uint32_t pending = 0;
  int bits = 0;
  for (const char c : text) {
    const uint8_t sextet = values[static_cast<uint8_t>(c)];
    if (sextet == foreign)
      return std::nullopt;
    pending = (pending << 6 | sextet) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(pending >> bits & 0xff);
    }
  }
  if ((pending & ((1u << bits) - 1)) != 0)
    return std::nullopt;
  return bytes;
}

} // namespace

std::string base64url_encode(std::string_view bytes) { return encode(bytes, url_alphabet); }

std::optional<std::string> base64url_decode(std::string_view text) { return decode(text, url_values); }

std::string base64_encode(std::string_view bytes) {
  std::string text = encode(bytes, standard_alphabet);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0)
    return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i)
    text.remove_suffix(1);
  return decode(text, standard_values);
}

} // namespace fondaco

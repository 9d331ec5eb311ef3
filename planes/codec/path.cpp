#include "planes/codec/path.hpp"

namespace fondaco::planes {

std::string path_segment(std::string_view id) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : id) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || c == ':';
    if (plain) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 0x0f]);
    }
  }
  // A segment of dots only would be read as a step in the path.
  if (out == "." || out == "..")
    out = out.size() == 1 ? "%2E" : "%2E%2E";
  return out;
}

} // namespace fondaco::planes

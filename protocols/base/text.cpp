#include "protocols/base/text.hpp"

namespace fondaco {

std::string_view cut_utf8(std::string_view text, size_t bytes_max) noexcept {
  if (text.size() <= bytes_max)
    return text;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return text.substr(0, end);
}

} // namespace fondaco

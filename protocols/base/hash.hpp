#pragma once

#include <string>
#include <string_view>

namespace fondaco {

/// The 32 bytes of SHA-256 over these bytes.
std::string sha256(std::string_view bytes);

/// Two lower-case hexadecimal digits a byte.
std::string hex(std::string_view bytes);

/// True if both hold the same bytes; takes as long for a near miss as for a far one, so that a secret can be compared
/// with what a stranger sent. Their lengths are no secret.
bool constant_time_equal(std::string_view a, std::string_view b) noexcept;

} // namespace fondaco

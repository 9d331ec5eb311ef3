#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fondaco {

/// Base64url without padding (RFC 4648, section 5; RFC 7515, appendix C).
std::string base64url_encode(std::string_view bytes);

/// The bytes of a base64url text; nothing if it has padding, a foreign character, an impossible length or non-zero
/// trailing bits, so that no two texts name the same bytes.
std::optional<std::string> base64url_decode(std::string_view text);

/// Base64 with padding (RFC 4648, section 4).
std::string base64_encode(std::string_view bytes);

/// The bytes of a base64 text; nothing if its padding is missing or wrong, or for a foreign character (line ends too)
/// or non-zero trailing bits.
std::optional<std::string> base64_decode(std::string_view text);

} // namespace fondaco

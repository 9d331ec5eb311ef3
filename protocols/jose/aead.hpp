#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace fondaco::jose {

/// The bytes of an AES-256 key.
inline constexpr size_t aead_key_bytes = 32;
/// The bytes of the initialization vector (IV).
inline constexpr size_t aead_iv_bytes = 12;
/// The bytes of the authentication tag at the end of a sealed text.
inline constexpr size_t aead_tag_bytes = 16;

/// Why nothing was sealed or opened.
enum class aead_errc : uint8_t {
  /// The key has not 32 bytes or the IV not 12. The caller must correct it.
  bad_parameter = 1,
  /// The sealed text, its IV or its associated data were altered, or the key is another. The caller must not use it.
  not_authentic,
};

/// AES-256-GCM (NIST SP 800-38D): the encrypted text and its tag. `iv` must be random, and never the same twice under
/// a key; `associated` is authenticated with the text, but not part of the result.
std::expected<std::string, aead_errc> seal(std::string_view key, std::string_view iv, std::string_view associated,
                                           std::string_view text);

/// The text that was sealed under this key, IV and associated data.
std::expected<std::string, aead_errc> open(std::string_view key, std::string_view iv, std::string_view associated,
                                           std::string_view sealed);

} // namespace fondaco::jose

#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "persistence/vault.hpp"
#include "protocols/jose/aead.hpp"

namespace fondaco::persistence::detail {

/// The length of a data key and of the key-encryption key in bytes (AES-256).
inline constexpr size_t key_bytes = jose::aead_key_bytes;

/// Bytes that are wiped when they die.
class secret_bytes {
public:
  explicit secret_bytes(std::string bytes) noexcept : bytes_(std::move(bytes)) {}
  secret_bytes(secret_bytes&& other) noexcept;
  secret_bytes& operator=(secret_bytes&& other) noexcept;
  secret_bytes(const secret_bytes&) = delete;
  secret_bytes& operator=(const secret_bytes&) = delete;
  ~secret_bytes();
  /// The bytes; the view lives as long as this.
  std::string_view view() const noexcept { return bytes_; }

private:
  std::string bytes_;
};

/// 32 bytes of OpenSSL's random generator; nothing if it fails.
std::optional<secret_bytes> random_key();

/// The text under AES-256-GCM with a random 96-bit IV, as `v1.` and base64url of IV, ciphertext and tag (NIST SP
/// 800-38D); `context` is authenticated with it. Nothing if OpenSSL fails.
std::optional<std::string> seal_box(std::string_view key, std::string_view context, std::string_view text);

/// The text of a sealed box; nothing if it is malformed, altered, or was sealed under another key or context.
std::optional<std::string> open_box(std::string_view key, std::string_view context, std::string_view sealed);

/// A context that no other purpose or parts can make: each part goes with its length.
std::string box_context(std::string_view purpose, std::initializer_list<std::string_view> parts);

} // namespace fondaco::persistence::detail

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fondaco::e2e {

/// SHA-256 (FIPS 180-4) of a text that comes in pieces.
class sha256 {
public:
  void add(std::string_view piece);
  /// The 32 bytes; the object is spent afterwards.
  std::string finish();

private:
  void block(const unsigned char* bytes);

  std::array<uint32_t, 8> h_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::string rest_;
  uint64_t bytes_ = 0;
};

/// SHA-256 in hexadecimal.
std::string sha256_hex(std::string_view text);
/// SHA-256 of a file in hexadecimal; fails if it cannot be read.
std::string sha256_of_file(const std::string& path);
/// HMAC with SHA-256 (RFC 2104): 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view text);

std::string hex(std::string_view bytes);
std::string base64url(std::string_view bytes);
/// The decoded bytes; fails on what is not base64url without padding.
std::string base64url_decode(std::string_view text);

/// Random bytes, and what is made of them.
std::string random_bytes(size_t count);
std::string random_hex(size_t bytes);
std::string random_uuid();

/// The whole file; fails if it cannot be read.
std::string read_file(const std::string& path);
/// Writes a file that only its owner can read; fails if it cannot.
void write_private(const std::string& path, std::string_view text);
/// The last lines of a text.
std::string tail(const std::string& text, size_t lines);
/// Replaces every occurrence.
std::string replaced(std::string text, std::string_view what, std::string_view with);

} // namespace fondaco::e2e

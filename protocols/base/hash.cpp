#include "protocols/base/hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "protocols/base/fault.hpp"

namespace fondaco {

std::string sha256(std::string_view bytes) {
  // Fetched once: OpenSSL 3 looks an implicit algorithm up on every call.
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::string digest(32, '\0');
  unsigned length = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &length,
                              algorithm, nullptr);
  invariant(done == 1 && length == digest.size(), "SHA-256 is not available");
  return digest;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 0x0f];
  }
  return text;
}

bool constant_time_equal(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace fondaco

#include "protocols/jose/aead.hpp"

#include <climits>

#include "protocols/base/fault.hpp"
#include "protocols/jose/openssl.hpp"

namespace fondaco::jose {
namespace {

using namespace openssl;

enum class direction : int { open = 0, seal = 1 };

/// OpenSSL counts in `int`.
bool fits(std::string_view bytes) { return bytes.size() <= INT_MAX; }

cipher_context begin(direction way, std::string_view key, std::string_view iv, std::string_view associated) {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  cipher_context context(EVP_CIPHER_CTX_new());
  int length = 0;
  const bool ready =
      context && EVP_CipherInit_ex2(context.get(), cipher, in(key), in(iv), static_cast<int>(way), nullptr) == 1 &&
      (associated.empty() ||
       EVP_CipherUpdate(context.get(), nullptr, &length, in(associated), static_cast<int>(associated.size())) == 1);
  invariant(ready, "AES-256-GCM is not available");
  return context;
}

bool are_sized(std::string_view key, std::string_view iv) {
  return key.size() == aead_key_bytes && iv.size() == aead_iv_bytes;
}

} // namespace

std::expected<std::string, aead_errc> seal(std::string_view key, std::string_view iv, std::string_view associated,
                                           std::string_view text) {
  if (!are_sized(key, iv) || !fits(associated) || !fits(text))
    return std::unexpected(aead_errc::bad_parameter);
  const error_queue_guard guard;
  const auto context = begin(direction::seal, key, iv, associated);
  std::string sealed(text.size() + aead_tag_bytes, '\0');
  int length = 0;
  int rest = 0;
  const bool done =
      (text.empty() ||
       EVP_CipherUpdate(context.get(), out(sealed), &length, in(text), static_cast<int>(text.size())) == 1) &&
      EVP_CipherFinal_ex(context.get(), out(sealed) + length, &rest) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, aead_tag_bytes, out(sealed) + text.size()) == 1;
  invariant(done && static_cast<size_t>(length + rest) == text.size(), "AES-256-GCM seals every text");
  return sealed;
}

std::expected<std::string, aead_errc> open(std::string_view key, std::string_view iv, std::string_view associated,
                                           std::string_view sealed) {
  if (!are_sized(key, iv) || !fits(associated) || !fits(sealed))
    return std::unexpected(aead_errc::bad_parameter);
  if (sealed.size() < aead_tag_bytes)
    return std::unexpected(aead_errc::not_authentic);
  const error_queue_guard guard;
  const auto context = begin(direction::open, key, iv, associated);
  const auto encrypted = sealed.substr(0, sealed.size() - aead_tag_bytes);
  std::string tag(sealed.substr(encrypted.size()));
  std::string text(encrypted.size(), '\0');
  int length = 0;
  int rest = 0;
  const bool genuine = (encrypted.empty() || EVP_CipherUpdate(context.get(), out(text), &length, in(encrypted),
                                                              static_cast<int>(encrypted.size())) == 1) &&
                       EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, aead_tag_bytes, tag.data()) == 1 &&
                       EVP_CipherFinal_ex(context.get(), out(text) + length, &rest) == 1;
  if (!genuine) {
    // What was decrypted is not authenticated: nobody may see it, not even in a core file.
    OPENSSL_cleanse(text.data(), text.size());
    return std::unexpected(aead_errc::not_authentic);
  }
  return text;
}

} // namespace fondaco::jose

#include "persistence/detail/sealed_box.hpp"

#include <utility>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "protocols/base/base64.hpp"
#include "protocols/jose/aead.hpp"

namespace fondaco::persistence::detail {
namespace {

constexpr std::string_view version_mark = "v1.";

std::optional<std::string> random_bytes(size_t count, int (*generate)(unsigned char*, int)) {
  std::string out(count, '\0');
  if (generate(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) != 1)
    return std::nullopt;
  return out;
}

} // namespace

// Swaps, since a moved-from short string keeps its bytes.
secret_bytes::secret_bytes(secret_bytes&& other) noexcept { bytes_.swap(other.bytes_); }

secret_bytes& secret_bytes::operator=(secret_bytes&& other) noexcept {
  bytes_.swap(other.bytes_);
  return *this;
}

secret_bytes::~secret_bytes() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

std::optional<secret_bytes> random_key() {
  auto key = random_bytes(key_bytes, RAND_priv_bytes);
  if (!key)
    return std::nullopt;
  return secret_bytes{std::move(*key)};
}

std::optional<std::string> seal_box(std::string_view key, std::string_view context, std::string_view text) {
  invariant(key.size() == key_bytes, "a sealing key has 32 bytes");
  auto iv = random_bytes(jose::aead_iv_bytes, RAND_bytes);
  if (!iv)
    return std::nullopt;
  auto sealed = jose::seal(key, *iv, context, text);
  if (!sealed)
    return std::nullopt;
  return std::string{version_mark} + base64url_encode(*iv + *sealed);
}

std::optional<std::string> open_box(std::string_view key, std::string_view context, std::string_view sealed) {
  invariant(key.size() == key_bytes, "a sealing key has 32 bytes");
  if (!sealed.starts_with(version_mark))
    return std::nullopt;
  auto box = base64url_decode(sealed.substr(version_mark.size()));
  if (!box || box->size() < jose::aead_iv_bytes + jose::aead_tag_bytes)
    return std::nullopt;
  std::string_view bytes = *box;
  auto text = jose::open(key, bytes.substr(0, jose::aead_iv_bytes), context, bytes.substr(jose::aead_iv_bytes));
  if (!text)
    return std::nullopt;
  return std::move(*text);
}

std::string box_context(std::string_view purpose, std::initializer_list<std::string_view> parts) {
  std::string out{"fondaco/"};
  out += purpose;
  for (auto part : parts) {
    out += '\n' + std::to_string(part.size()) + ':';
    out += part;
  }
  return out;
}

} // namespace fondaco::persistence::detail

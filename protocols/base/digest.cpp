#include "protocols/base/digest.hpp"

#include <openssl/evp.h>

#include "protocols/base/fault.hpp"
#include "protocols/base/hash.hpp"

namespace fondaco {

struct digest::impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~impl() { EVP_MD_CTX_free(context); }
};

digest::digest() : impl_(std::make_unique<impl>()) {
  invariant(EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr) == 1, "SHA-256 is there");
}

digest::~digest() = default;

void digest::add(std::string_view piece) {
  invariant(EVP_DigestUpdate(impl_->context, piece.data(), piece.size()) == 1, "SHA-256 takes every piece");
}

std::string digest::finish() {
  unsigned char out[32];
  unsigned length = 0;
  invariant(EVP_DigestFinal_ex(impl_->context, out, &length) == 1 && length == 32, "SHA-256 has 32 bytes");
  return hex(std::string_view(reinterpret_cast<const char*>(out), length));
}

} // namespace fondaco

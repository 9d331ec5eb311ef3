#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

/// Owners for OpenSSL's handles; only the sources of this folder include it.
namespace fondaco::jose::openssl {

/// Frees with the function that OpenSSL names for the type.
template <auto Free> struct freeing {
  template <typename T> void operator()(T* handle) const { Free(handle); }
};

using big_number = std::unique_ptr<BIGNUM, freeing<BN_clear_free>>;
using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, freeing<EVP_CIPHER_CTX_free>>;
using digest_context = std::unique_ptr<EVP_MD_CTX, freeing<EVP_MD_CTX_free>>;
using ecdsa_signature = std::unique_ptr<ECDSA_SIG, freeing<ECDSA_SIG_free>>;
using key = std::unique_ptr<EVP_PKEY, freeing<EVP_PKEY_free>>;
using key_context = std::unique_ptr<EVP_PKEY_CTX, freeing<EVP_PKEY_CTX_free>>;
using parameter_builder = std::unique_ptr<OSSL_PARAM_BLD, freeing<OSSL_PARAM_BLD_free>>;
using parameters = std::unique_ptr<OSSL_PARAM, freeing<OSSL_PARAM_free>>;

/// Empties the thread's error queue when a scope ends: a leftover would be taken for the next TLS call's error.
struct error_queue_guard {
  error_queue_guard() = default;
  error_queue_guard(const error_queue_guard&) = delete;
  error_queue_guard& operator=(const error_queue_guard&) = delete;
  ~error_queue_guard() { ERR_clear_error(); }
};

/// The bytes as OpenSSL takes them.
inline const unsigned char* in(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

/// The room that OpenSSL writes to.
inline unsigned char* out(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

/// A secret that is wiped from memory when it goes out of scope.
struct secret {
  std::string bytes;
  explicit secret(std::string s) : bytes(std::move(s)) {}
  explicit secret(size_t size) : bytes(size, '\0') {}
  secret(const secret&) = delete;
  secret& operator=(const secret&) = delete;
  ~secret() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

} // namespace fondaco::jose::openssl

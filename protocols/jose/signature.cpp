#include <openssl/rsa.h>

#include "protocols/jose/jws.hpp"
#include "protocols/jose/openssl.hpp"

namespace fondaco::jose {
namespace {

using namespace openssl;

constexpr size_t p256_number_bytes = 32;

/// Ed25519 hashes by itself: EVP refuses any digest beside it.
const EVP_MD* digest_of(algorithm alg) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return alg == algorithm::eddsa ? nullptr : sha256;
}

std::string der_to_raw(std::string_view der) {
  const unsigned char* at = in(der);
  const ecdsa_signature parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  invariant(parsed != nullptr, "OpenSSL reads its own signature");
  std::string raw(2 * p256_number_bytes, '\0');
  const bool fits = BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out(raw), p256_number_bytes) > 0 &&
                    BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out(raw) + p256_number_bytes, p256_number_bytes) > 0;
  invariant(fits, "both numbers of a P-256 signature have 32 bytes");
  return raw;
}

std::string raw_to_der(std::string_view raw) {
  if (raw.size() != 2 * p256_number_bytes)
    return {};
  const ecdsa_signature built(ECDSA_SIG_new());
  big_number r(BN_bin2bn(in(raw), p256_number_bytes, nullptr));
  big_number s(BN_bin2bn(in(raw) + p256_number_bytes, p256_number_bytes, nullptr));
  if (!built || !r || !s || ECDSA_SIG_set0(built.get(), r.get(), s.get()) != 1)
    return {};
  r.release();
  s.release();
  const int length = i2d_ECDSA_SIG(built.get(), nullptr);
  if (length <= 0)
    return {};
  std::string der(static_cast<size_t>(length), '\0');
  unsigned char* at = out(der);
  i2d_ECDSA_SIG(built.get(), &at);
  return der;
}

/// RFC 7518, section 3.5: the salt is as long as the digest, and the mask uses the same digest.
bool use_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

} // namespace

std::string sign_bytes(const key_pair& key, std::string_view bytes) {
  const error_queue_guard guard;
  const algorithm alg = key.signs_with();
  const digest_context context(EVP_MD_CTX_new());
  size_t length = 0;
  const bool ready = context &&
                     EVP_DigestSignInit(context.get(), nullptr, digest_of(alg), nullptr, key.handle()) == 1 &&
                     EVP_DigestSign(context.get(), nullptr, &length, in(bytes), bytes.size()) == 1;
  invariant(ready, "a key pair signs");
  std::string signature(length, '\0');
  invariant(EVP_DigestSign(context.get(), out(signature), &length, in(bytes), bytes.size()) == 1, "a key pair signs");
  signature.resize(length);
  return alg == algorithm::es256 ? der_to_raw(signature) : signature;
}

bool verify_bytes(const public_key& key, algorithm alg, std::string_view bytes, std::string_view signature) {
  if (!key.allows(alg))
    return false;
  const error_queue_guard guard;
  std::string der;
  if (alg == algorithm::es256) {
    der = raw_to_der(signature);
    signature = der;
  } else if (signature.size() != static_cast<size_t>(EVP_PKEY_get_size(key.handle()))) {
    return false;
  }
  if (signature.empty())
    return false;
  const digest_context context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  if (!context || EVP_DigestVerifyInit(context.get(), &parameters, digest_of(alg), nullptr, key.handle()) != 1)
    return false;
  if (alg == algorithm::ps256 && !use_pss(parameters))
    return false;
  return EVP_DigestVerify(context.get(), in(signature), signature.size(), in(bytes), bytes.size()) == 1;
}

} // namespace fondaco::jose

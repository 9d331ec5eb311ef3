#include "protocols/jose/key_maker.hpp"

#include <algorithm>

#include <openssl/core_names.h>

#include "protocols/base/base64.hpp"
#include "protocols/base/hash.hpp"

namespace fondaco::jose {
namespace {

using namespace openssl;

/// The bytes of a coordinate, a seed and a private number of both our curves.
constexpr size_t curve_bytes = 32;
constexpr const char* p256_group = "prime256v1";

std::unexpected<jwk_error> refuse(jwk_errc code, std::string detail) {
  return std::unexpected(jwk_error{code, std::move(detail)});
}

std::expected<std::string, jwk_error> bytes_at(const json::object& jwk, std::string_view name) {
  const auto text = json::string_at(jwk, name);
  auto bytes = text ? base64url_decode(*text) : std::nullopt;
  if (!bytes || bytes->empty())
    return refuse(jwk_errc::malformed, "the key's '" + std::string(name) + "' is not base64url without padding");
  return std::move(*bytes);
}

std::expected<std::string, jwk_error> curve_bytes_at(const json::object& jwk, std::string_view name) {
  auto bytes = bytes_at(jwk, name);
  if (bytes && bytes->size() != curve_bytes)
    return refuse(jwk_errc::malformed, "the key's '" + std::string(name) + "' has not exactly 32 bytes");
  return bytes;
}

big_number number_of(std::string_view bytes) {
  big_number number(BN_bin2bn(in(bytes), static_cast<int>(bytes.size()), nullptr));
  invariant(number != nullptr, "no memory for a number");
  return number;
}

/// A key of the named OpenSSL type from built parameters; null if OpenSSL does not take them.
key key_from(const char* type, int selection, OSSL_PARAM_BLD* builder) {
  const parameters params(OSSL_PARAM_BLD_to_param(builder));
  const key_context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, selection, params.get()) != 1)
    return nullptr;
  return key(made);
}

/// The quick check leaves out the order of the point only, and P-256 has no points of another order.
bool is_consistent(EVP_PKEY* handle, bool with_private) {
  const key_context context(EVP_PKEY_CTX_new_from_pkey(nullptr, handle, nullptr));
  return context && EVP_PKEY_public_check_quick(context.get()) == 1 &&
         (!with_private || EVP_PKEY_pairwise_check(context.get()) == 1);
}

key p256_key(std::string_view x, std::string_view y, std::string_view d) {
  std::string point = "\x04";
  point.append(x).append(y);
  const parameter_builder builder(OSSL_PARAM_BLD_new());
  invariant(builder != nullptr, "no memory for a key");
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, p256_group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  const big_number number = d.empty() ? nullptr : number_of(d);
  if (number) {
    BN_set_flags(number.get(), BN_FLG_CONSTTIME);
    OSSL_PARAM_BLD_push_BN_pad(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get(), curve_bytes);
  }
  key made = key_from("EC", number ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, builder.get());
  return made && is_consistent(made.get(), number != nullptr) ? std::move(made) : nullptr;
}

json::object p256_members(std::string_view x, std::string_view y) {
  json::object members;
  members["crv"] = "P-256";
  members["kty"] = "EC";
  members["x"] = base64url_encode(x);
  members["y"] = base64url_encode(y);
  return members;
}

json::object ed25519_members(std::string_view x) {
  json::object members;
  members["crv"] = "Ed25519";
  members["kty"] = "OKP";
  members["x"] = base64url_encode(x);
  return members;
}

std::string ed25519_public_bytes(const EVP_PKEY* handle) {
  std::string x(curve_bytes, '\0');
  size_t length = x.size();
  invariant(EVP_PKEY_get_raw_public_key(handle, out(x), &length) == 1 && length == curve_bytes,
            "an Ed25519 key has 32 public bytes");
  return x;
}

std::string coordinate(const EVP_PKEY* handle, const char* name) {
  BIGNUM* raw = nullptr;
  invariant(EVP_PKEY_get_bn_param(handle, name, &raw) == 1, "a P-256 key has both coordinates");
  const big_number number(raw);
  std::string bytes(curve_bytes, '\0');
  invariant(BN_bn2binpad(raw, out(bytes), curve_bytes) == static_cast<int>(curve_bytes), "a coordinate has 32 bytes");
  return bytes;
}

/// True for moduli of the form that a broken generator of 2012 to 2017 made (ROCA, CVE-2017-15361): modulo each of
/// these primes they are powers of 65537. A sound modulus passes as one of them once in 2^27.
bool has_roca_fingerprint(const BIGNUM* modulus) {
  constexpr unsigned primes[] = {11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157};
  for (const unsigned prime : primes) {
    const auto residue = static_cast<unsigned>(BN_mod_word(modulus, prime));
    unsigned power = 1;
    do {
      power = power * 65537 % prime;
    } while (power != residue && power != 1);
    if (power != residue)
      return false;
  }
  return true;
}

std::expected<void, jwk_error> check_rsa_strength(const BIGNUM* modulus, const BIGNUM* exponent) {
  const int bits = BN_num_bits(modulus);
  if (bits < limits::rsa_modulus_bits_min || bits > limits::rsa_modulus_bits_max)
    return refuse(jwk_errc::weak, "the RSA modulus has " + std::to_string(bits) + " bits; allowed are " +
                                      std::to_string(limits::rsa_modulus_bits_min) + " to " +
                                      std::to_string(limits::rsa_modulus_bits_max));
  if (!BN_is_odd(exponent) || BN_is_one(exponent) || BN_num_bits(exponent) > 64)
    return refuse(jwk_errc::weak, "the RSA exponent is not an odd number from 3 to 64 bits");
  if (!BN_is_odd(modulus) || has_roca_fingerprint(modulus))
    return refuse(jwk_errc::weak, "the RSA modulus was made by a broken generator (CVE-2017-15361) or is even");
  return {};
}

std::string without_leading_zeros(std::string_view bytes) {
  return std::string(bytes.substr(std::min(bytes.find_first_not_of('\0'), bytes.size())));
}

struct numbers {
  key handle;
  json::object required;
};

std::expected<numbers, jwk_error> public_p256(const json::object& jwk) {
  const auto x = curve_bytes_at(jwk, "x");
  const auto y = curve_bytes_at(jwk, "y");
  if (!x || !y)
    return std::unexpected(x ? y.error() : x.error());
  key handle = p256_key(*x, *y, {});
  if (!handle)
    return refuse(jwk_errc::not_a_key, "the key's 'x' and 'y' are no point of P-256");
  return numbers{std::move(handle), p256_members(*x, *y)};
}

std::expected<numbers, jwk_error> public_ed25519(const json::object& jwk) {
  const auto x = curve_bytes_at(jwk, "x");
  if (!x)
    return std::unexpected(x.error());
  key handle(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, in(*x), x->size()));
  if (!handle)
    return refuse(jwk_errc::not_a_key, "the key's 'x' is no Ed25519 public key");
  return numbers{std::move(handle), ed25519_members(*x)};
}

std::expected<numbers, jwk_error> public_rsa(const json::object& jwk) {
  const auto n = bytes_at(jwk, "n");
  const auto e = bytes_at(jwk, "e");
  if (!n || !e)
    return std::unexpected(n ? e.error() : n.error());
  const big_number modulus = number_of(*n);
  const big_number exponent = number_of(*e);
  if (auto strong = check_rsa_strength(modulus.get(), exponent.get()); !strong)
    return std::unexpected(strong.error());
  const parameter_builder builder(OSSL_PARAM_BLD_new());
  invariant(builder != nullptr, "no memory for a key");
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  key handle = key_from("RSA", EVP_PKEY_PUBLIC_KEY, builder.get());
  if (!handle)
    return refuse(jwk_errc::not_a_key, "the key's 'n' and 'e' are no RSA public key");
  json::object required;
  required["e"] = base64url_encode(without_leading_zeros(*e));
  required["kty"] = "RSA";
  required["n"] = base64url_encode(without_leading_zeros(*n));
  return numbers{std::move(handle), std::move(required)};
}

} // namespace

public_key key_maker::wrap(key_type type, key handle, json::object required, key_labels labels) {
  std::string thumbprint = base64url_encode(sha256(json::write(required)));
  return public_key(std::make_shared<const public_key::data>(
      public_key::data{type, std::move(handle), std::move(required), std::move(thumbprint), std::move(labels)}));
}

std::expected<public_key, jwk_error> key_maker::make_public(key_type type, const json::object& jwk, key_labels labels) {
  const error_queue_guard guard;
  auto made = type == key_type::ec_p256   ? public_p256(jwk)
              : type == key_type::ed25519 ? public_ed25519(jwk)
                                          : public_rsa(jwk);
  if (!made)
    return std::unexpected(made.error());
  return wrap(type, std::move(made->handle), std::move(made->required), std::move(labels));
}

std::expected<key_pair, jwk_error> key_maker::make_pair(key_type type, const json::object& jwk, key_labels labels) {
  const error_queue_guard guard;
  const auto x = curve_bytes_at(jwk, "x");
  auto private_bytes = curve_bytes_at(jwk, "d");
  if (!x || !private_bytes)
    return std::unexpected(x ? private_bytes.error() : x.error());
  const secret d(std::move(*private_bytes));
  constexpr auto mismatch = "the key's 'd' does not belong to its public members";
  if (type == key_type::ec_p256) {
    const auto y = curve_bytes_at(jwk, "y");
    if (!y)
      return std::unexpected(y.error());
    key handle = p256_key(*x, *y, d.bytes);
    if (!handle)
      return refuse(jwk_errc::not_a_key, mismatch);
    return key_pair(wrap(type, std::move(handle), p256_members(*x, *y), std::move(labels)));
  }
  key handle(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, in(d.bytes), d.bytes.size()));
  if (!handle || ed25519_public_bytes(handle.get()) != *x)
    return refuse(jwk_errc::not_a_key, mismatch);
  return key_pair(wrap(type, std::move(handle), ed25519_members(*x), std::move(labels)));
}

key_pair key_maker::generate(key_type type, std::optional<std::string> kid) {
  invariant(type != key_type::rsa, "RSA keys are verified with, never made");
  const error_queue_guard guard;
  key handle(type == key_type::ec_p256 ? EVP_EC_gen(p256_group) : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  invariant(handle != nullptr, "OpenSSL made no key");
  json::object required = type == key_type::ec_p256 ? p256_members(coordinate(handle.get(), OSSL_PKEY_PARAM_EC_PUB_X),
                                                                   coordinate(handle.get(), OSSL_PKEY_PARAM_EC_PUB_Y))
                                                    : ed25519_members(ed25519_public_bytes(handle.get()));
  if (!kid)
    kid = base64url_encode(sha256(json::write(required)));
  key_labels labels{std::move(kid), type == key_type::ec_p256 ? algorithm::es256 : algorithm::eddsa};
  return key_pair(wrap(type, std::move(handle), std::move(required), std::move(labels)));
}

json::object key_maker::private_jwk(const key_pair& pair) {
  const error_queue_guard guard;
  secret d(curve_bytes);
  if (pair.public_.type() == key_type::ec_p256) {
    BIGNUM* raw = nullptr;
    invariant(EVP_PKEY_get_bn_param(pair.handle(), OSSL_PKEY_PARAM_PRIV_KEY, &raw) == 1,
              "a key pair has a private part");
    const big_number number(raw);
    invariant(BN_bn2binpad(raw, out(d.bytes), curve_bytes) == static_cast<int>(curve_bytes),
              "a private part has 32 bytes");
  } else {
    size_t length = curve_bytes;
    invariant(EVP_PKEY_get_raw_private_key(pair.handle(), out(d.bytes), &length) == 1 && length == curve_bytes,
              "a private part has 32 bytes");
  }
  json::object jwk = pair.public_.jwk();
  jwk["d"] = base64url_encode(d.bytes);
  return jwk;
}

} // namespace fondaco::jose

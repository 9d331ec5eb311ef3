#include "conformance/dcp/crypto.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>

#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/crc.hpp>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>

namespace fondaco::conformance::dcp {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr size_t number_bytes = 32;
constexpr size_t point_bytes = 1 + 2 * number_bytes;

void must(bool ok, const char* what) {
  if (!ok) {
    throw std::runtime_error(std::string("OpenSSL: ") + what);
  }
}

std::array<unsigned char, point_bytes> point_of(EVP_PKEY* key) {
  std::array<unsigned char, point_bytes> out{};
  size_t size = 0;
  must(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, out.data(), out.size(), &size) == 1 &&
           size == out.size() && out[0] == 4,
       "the public point");
  return out;
}

using bignum = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using ecdsa = std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)>;
using digest = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* bytes_of(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }

} // namespace

std::string base64url(std::string_view bytes) {
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) {
      out += alphabet[(bits >> (count - 6)) & 63];
    }
  }
  if (count > 0) {
    out += alphabet[(bits << (6 - count)) & 63];
  }
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (char c : text) {
    auto at = alphabet.find(c);
    if (at == std::string_view::npos) {
      return std::nullopt;
    }
    bits = (bits << 6) | static_cast<unsigned>(at);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 255);
    }
  }
  return out;
}

std::string random_uuid() {
  std::array<unsigned char, 16> b{};
  must(RAND_bytes(b.data(), b.size()) == 1, "random bytes");
  b[6] = static_cast<unsigned char>((b[6] & 0x0f) | 0x40);
  b[8] = static_cast<unsigned char>((b[8] & 0x3f) | 0x80);
  std::string out;
  for (size_t i = 0; i < b.size(); ++i) {
    std::array<char, 3> hex{};
    std::snprintf(hex.data(), hex.size(), "%02x", b[i]);
    out += (i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "") + std::string(hex.data());
  }
  return out;
}

ec_key ec_key::fresh() {
  ec_key out(EVP_EC_gen("P-256"));
  must(out.key_ != nullptr, "a fresh key");
  return out;
}

std::optional<ec_key> ec_key::from_jwk(const json::object& jwk) {
  auto x = from_base64url(text_at(jwk, "x"));
  auto y = from_base64url(text_at(jwk, "y"));
  if (text_at(jwk, "kty") != "EC" || text_at(jwk, "crv") != "P-256" || !x || !y || x->size() != number_bytes ||
      y->size() != number_bytes) {
    return std::nullopt;
  }
  auto point = "\x04" + *x + *y;
  std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> build(OSSL_PARAM_BLD_new(), &OSSL_PARAM_BLD_free);
  must(OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) == 1,
       "parameters");
  std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> params(OSSL_PARAM_BLD_to_param(build.get()),
                                                                 &OSSL_PARAM_free);
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), &EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return std::nullopt;
  }
  return ec_key(key);
}

json::object ec_key::public_jwk() const {
  auto point = point_of(key_.get());
  auto part = [&](size_t from) {
    return base64url({reinterpret_cast<const char*>(point.data()) + from, number_bytes});
  };
  return {{"kty", "EC"}, {"crv", "P-256"}, {"x", part(1)}, {"y", part(1 + number_bytes)}};
}

std::string ec_key::sign(std::string_view text) const {
  digest context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<unsigned char, 128> der{};
  size_t size = der.size();
  must(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
           EVP_DigestSign(context.get(), der.data(), &size, bytes_of(text), text.size()) == 1,
       "signing");
  const unsigned char* at = der.data();
  ecdsa parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), &ECDSA_SIG_free);
  must(parts != nullptr, "the signature's form");
  std::array<unsigned char, 2 * number_bytes> raw{};
  must(BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), raw.data(), number_bytes) == static_cast<int>(number_bytes) &&
           BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), raw.data() + number_bytes, number_bytes) ==
               static_cast<int>(number_bytes),
       "the signature's numbers");
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

bool ec_key::verifies(std::string_view text, std::string_view signature) const {
  if (signature.size() != 2 * number_bytes) {
    return false;
  }
  bignum r(BN_bin2bn(bytes_of(signature), number_bytes, nullptr), &BN_free);
  bignum s(BN_bin2bn(bytes_of(signature) + number_bytes, number_bytes, nullptr), &BN_free);
  ecdsa parts(ECDSA_SIG_new(), &ECDSA_SIG_free);
  must(ECDSA_SIG_set0(parts.get(), r.release(), s.release()) == 1, "the signature's numbers");
  unsigned char* der = nullptr;
  int size = i2d_ECDSA_SIG(parts.get(), &der);
  must(size > 0, "the signature's form");
  std::string encoded(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  digest context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  must(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1, "verifying");
  return EVP_DigestVerify(context.get(), bytes_of(encoded), encoded.size(), bytes_of(text), text.size()) == 1;
}

std::string sign_jwt(const ec_key& key, const std::string& kid, const json::object& claims) {
  const json::object header{{"alg", "ES256"}, {"typ", "JWT"}, {"kid", kid}};
  auto text = base64url(json::serialize(header)) + "." + base64url(json::serialize(claims));
  return text + "." + base64url(key.sign(text));
}

std::optional<jwt> read_jwt(std::string_view token) {
  auto first = token.find('.');
  auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) {
    return std::nullopt;
  }
  auto object_of = [](std::string_view part) -> std::optional<json::object> {
    auto bytes = from_base64url(part);
    boost::system::error_code ec;
    auto v = bytes ? json::parse(*bytes, ec) : json::value();
    return !ec && v.is_object() ? std::optional(v.as_object()) : std::nullopt;
  };
  auto header = object_of(token.substr(0, first));
  auto claims = object_of(token.substr(first + 1, second - first - 1));
  auto signature = from_base64url(token.substr(second + 1));
  if (!header || !claims || !signature) {
    return std::nullopt;
  }
  return jwt{std::move(*header), std::move(*claims), std::string(token.substr(0, second)), std::move(*signature)};
}

std::string text_at(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v != nullptr && v->is_string() ? std::string(v->as_string()) : std::string();
}

std::string encoded_list(size_t bits, size_t set_bit) {
  std::string plain(bits / 8, '\0');
  plain[set_bit / 8] = static_cast<char>(0x80U >> (set_bit % 8));
  boost::beast::zlib::deflate_stream deflate;
  std::string packed(plain.size() + 64, '\0');
  boost::beast::zlib::z_params p;
  p.next_in = plain.data();
  p.avail_in = plain.size();
  p.next_out = packed.data();
  p.avail_out = packed.size();
  boost::system::error_code ec;
  deflate.write(p, boost::beast::zlib::Flush::finish, ec);
  packed.resize(packed.size() - p.avail_out);
  boost::crc_32_type crc;
  crc.process_bytes(plain.data(), plain.size());
  auto number = [](std::uint32_t n) {
    return std::string{static_cast<char>(n), static_cast<char>(n >> 8), static_cast<char>(n >> 16),
                       static_cast<char>(n >> 24)};
  };
  const std::string head("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10);
  return "u" + base64url(head + packed + number(crc.checksum()) + number(static_cast<std::uint32_t>(plain.size())));
}

} // namespace fondaco::conformance::dcp

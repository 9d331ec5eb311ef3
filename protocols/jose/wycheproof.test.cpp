#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <optional>

#include "protocols/base/base64.hpp"
#include "protocols/jose/aead.hpp"
#include "protocols/jose/jws.hpp"

using namespace fondaco;
namespace jose = fondaco::jose;

namespace {

/// A vector's verdict by our code; nothing if it is about an algorithm that is not ours.
using verdict = std::optional<bool>;

std::optional<json::value> load(const std::string& file) {
  const char* root = std::getenv("FONDACO_CONFORMANCE_DATA");
  if (!root || !*root) {
    MESSAGE("Wycheproof " << file << " did not run: FONDACO_CONFORMANCE_DATA is not set");
    std::cerr << "Wycheproof " << file << " did not run: FONDACO_CONFORMANCE_DATA is not set\n";
    return std::nullopt;
  }
  std::ifstream in(std::string(root) + "/jose/" + file, std::ios::binary);
  REQUIRE(in);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto parsed = json::parse(text);
  REQUIRE(parsed);
  return std::move(*parsed);
}

/// Runs every vector of a file and holds it to its `result`; `acceptable` may go either way.
void run(const std::string& file, size_t ran_min,
         const std::function<verdict(const json::object& group, const json::object& test)>& judge) {
  const auto document = load(file);
  if (!document)
    return;
  size_t valid = 0, invalid = 0, acceptable = 0, not_ours = 0;
  for (const auto& group : document->at("testGroups").as_array())
    for (const auto& test : group.at("tests").as_array()) {
      const auto accepted = judge(group.as_object(), test.as_object());
      if (!accepted) {
        ++not_ours;
        continue;
      }
      const std::string_view result = test.at("result").as_string();
      CAPTURE(file);
      CAPTURE(test.at("tcId").as_int64());
      CAPTURE(std::string(test.at("comment").as_string().c_str()));
      if (result == "valid") {
        ++valid;
        CHECK(*accepted);
      } else if (result == "invalid") {
        ++invalid;
        CHECK_FALSE(*accepted);
      } else {
        ++acceptable;
      }
    }
  const size_t ran = valid + invalid + acceptable;
  CHECK(ran >= ran_min);
  std::cerr << "Wycheproof " << file << ": " << ran << " ran (" << valid << " valid, " << invalid << " invalid, "
            << acceptable << " acceptable), " << not_ours << " about algorithms that are not ours\n";
}

std::string bytes_at(const json::object& o, std::string_view name) {
  const std::string_view digits = o.at(name).as_string();
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return bytes;
}

json::object raw_key(const json::object& group) {
  const auto& key = group.at("publicKey").as_object();
  if (key.at("type") == "EDDSAPublicKey")
    return {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", base64url_encode(bytes_at(key, "pk"))}};
  const std::string point = bytes_at(key, "uncompressed");
  return {{"kty", "EC"},
          {"crv", "P-256"},
          {"x", base64url_encode(point.substr(1, 32))},
          {"y", base64url_encode(point.substr(33, 32))}};
}

verdict judge_signature(const json::object& group, const json::object& test, jose::algorithm alg) {
  const auto key = jose::import_public_jwk(raw_key(group));
  return key && jose::verify_bytes(*key, alg, bytes_at(test, "msg"), bytes_at(test, "sig"));
}

verdict judge_aead(const json::object& group, const json::object& test) {
  if (group.at("keySize") != 256 || group.at("tagSize") != 128)
    return std::nullopt;
  const auto key = bytes_at(test, "key"), iv = bytes_at(test, "iv"), aad = bytes_at(test, "aad");
  const auto text = bytes_at(test, "msg"), expected = bytes_at(test, "ct") + bytes_at(test, "tag");
  if (group.at("ivSize") != 96) {
    // Other IVs are valid GCM that the vault refuses by contract.
    CHECK(jose::open(key, iv, aad, expected).error() == jose::aead_errc::bad_parameter);
    return std::nullopt;
  }
  const bool opens = jose::open(key, iv, aad, expected) == text;
  const bool seals = jose::seal(key, iv, aad, text) == expected;
  CHECK((opens == seals || test.at("result") != "valid"));
  return opens;
}

bool is_symmetric(const json::object& jwk) {
  if (const auto* keys = json::array_at(jwk, "keys"))
    return std::all_of(keys->begin(), keys->end(), [](const auto& key) { return is_symmetric(key.as_object()); });
  return json::string_at(jwk, "kty") == "oct";
}

bool is_signed_with_ours(std::string_view compact) {
  const auto header = base64url_decode(compact.substr(0, compact.find('.')));
  const auto parsed = header ? json::parse(*header) : json::parse("");
  const auto alg = parsed ? json::string_at(parsed->as_object(), "alg") : std::nullopt;
  return alg && jose::algorithm_of(*alg);
}

verdict judge_jws(const json::object& group, const json::object& test) {
  const auto* jwk = json::object_at(group, "public");
  if (!jwk)
    jwk = json::object_at(group, "private");
  const auto* member = test.if_contains("jws");
  if (!member || is_symmetric(*jwk))
    return std::nullopt;
  const std::string compact = member->is_string() ? std::string(member->as_string()) : json::write(*member);
  if (test.at("result") == "valid" && !is_signed_with_ours(compact))
    return std::nullopt;
  const auto token = jose::parse_jws(compact);
  if (jwk->contains("keys")) {
    const auto keys = jose::import_jwks(*jwk);
    return keys && token && jose::verify_jws(*token, *keys);
  }
  const auto key = jose::import_public_jwk(*jwk);
  return key && token && jose::verify_jws(*token, *key);
}

} // namespace

TEST_CASE("Wycheproof: raw ECDSA signatures over P-256") {
  run("ecdsa_secp256r1_sha256_p1363_test.json", 250, [](const json::object& group, const json::object& test) {
    return judge_signature(group, test, jose::algorithm::es256);
  });
}

TEST_CASE("Wycheproof: Ed25519 signatures") {
  run("ed25519_test.json", 140, [](const json::object& group, const json::object& test) {
    return judge_signature(group, test, jose::algorithm::eddsa);
  });
}

TEST_CASE("Wycheproof: AES-256-GCM with 96-bit IVs and 128-bit tags") { run("aes_gcm_test.json", 60, judge_aead); }

TEST_CASE("Wycheproof: JSON web signatures") { run("json_web_signature_test.json", 300, judge_jws); }

TEST_CASE("Wycheproof: JSON web keys and sets") { run("json_web_key_test.json", 10, judge_jws); }

TEST_CASE("Wycheproof: the signatures among the JSON web crypto vectors") {
  run("json_web_crypto_test.json", 25, judge_jws);
}

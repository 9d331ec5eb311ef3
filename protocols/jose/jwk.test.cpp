#include "protocols/jose/jwk.hpp"

#include <doctest/doctest.h>

#include "protocols/base/base64.hpp"
#include "protocols/jose/jws.hpp"

using namespace fondaco;
using namespace fondaco::jose;

namespace {

json::object object_of(std::string_view text) {
  auto parsed = json::parse(text);
  REQUIRE(parsed);
  return std::move(parsed->as_object());
}

// RFC 7515, appendix A.3.1, and RFC 8037, appendix A.1.
constexpr auto p256_private = R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
  "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})";
constexpr auto ed25519_private = R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
// RFC 7638, section 3.1.
constexpr auto rsa_public = R"({"kty":"RSA","e":"AQAB","alg":"RS256","kid":"2011-04-29",
  "n":")"
                            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJE"
                            "CPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Q"
                            "vzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6"
                            "WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
                            R"("})";

json::object with(json::object jwk, std::string_view name, const auto& member) {
  jwk[name] = member;
  return jwk;
}

json::object without(json::object jwk, std::string_view name) {
  jwk.erase(name);
  return jwk;
}

json::object p256_public() { return without(object_of(p256_private), "d"); }
json::object ed25519_public() { return without(object_of(ed25519_private), "d"); }

jwk_errc refusal(const json::object& jwk) {
  const auto key = import_public_jwk(jwk);
  REQUIRE_FALSE(key);
  CHECK_FALSE(key.error().detail.empty());
  return key.error().code;
}

json::value set_of(std::initializer_list<json::object> keys) {
  json::array list;
  for (const auto& key : keys)
    list.push_back(key);
  json::object set;
  set["keys"] = std::move(list);
  return set;
}

} // namespace

TEST_CASE("thumbprints agree with RFC 7638 and RFC 8037") {
  CHECK(import_public_jwk(object_of(rsa_public))->thumbprint() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  CHECK(import_public_jwk(ed25519_public())->thumbprint() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST_CASE("the thumbprint does not depend on labels, member order or leading zeros") {
  auto spelled = object_of(rsa_public);
  spelled["n"] = base64url_encode('\0' + *base64url_decode(spelled["n"].as_string()));
  spelled["kid"] = "other";
  CHECK(import_public_jwk(spelled)->thumbprint() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST_CASE("a generated key signs, and its exported halves are the same key again") {
  for (const auto type : {key_type::ec_p256, key_type::ed25519}) {
    const auto pair = key_pair::generate(type);
    CHECK(pair.public_half().kid() == pair.public_half().thumbprint());
    const auto jwk = pair.public_half().jwk();
    CHECK_FALSE(jwk.contains("d"));
    const auto half = import_public_jwk(jwk);
    REQUIRE(half);
    CHECK(half->type() == type);
    CHECK(half->thumbprint() == pair.public_half().thumbprint());
    const auto whole = import_private_jwk(export_private_jwk(pair));
    REQUIRE(whole);
    const auto signature = sign_bytes(*whole, "message");
    CHECK(signature.size() == 64);
    CHECK(verify_bytes(*half, pair.signs_with(), "message", signature));
    CHECK_FALSE(verify_bytes(*half, pair.signs_with(), "massage", signature));
    CHECK(export_private_jwk(*whole) == export_private_jwk(pair));
  }
}

TEST_CASE("two generated keys differ, and a chosen kid is kept") {
  const auto one = key_pair::generate(key_type::ed25519, "did:web:example.org#key-1");
  const auto two = key_pair::generate(key_type::ed25519);
  CHECK(one.public_half().thumbprint() != two.public_half().thumbprint());
  CHECK(one.public_half().jwk()["kid"] == "did:web:example.org#key-1");
  CHECK_THROWS_AS(key_pair::generate(key_type::rsa), broken_invariant);
}

TEST_CASE("an algorithm is bound to the key's type and to its alg") {
  const auto rsa = import_public_jwk(object_of(rsa_public));
  CHECK(rsa->allows(algorithm::rs256));
  CHECK_FALSE(rsa->allows(algorithm::ps256));
  const auto any_rsa = import_public_jwk(without(object_of(rsa_public), "alg"));
  CHECK(any_rsa->allows(algorithm::rs256));
  CHECK(any_rsa->allows(algorithm::ps256));
  CHECK_FALSE(any_rsa->allows(algorithm::es256));
  const auto ec = import_public_jwk(p256_public());
  CHECK(ec->allows(algorithm::es256));
  CHECK_FALSE(ec->allows(algorithm::eddsa));
  CHECK(import_public_jwk(with(ed25519_public(), "alg", "Ed25519"))->allows(algorithm::eddsa));
  for (const char* name : {"none", "None", "HS256", "ES384", "RS512", "es256", ""})
    CHECK_FALSE(algorithm_of(name));
}

TEST_CASE("a public JWK that is not a sound signature key of ours is refused, with the reason") {
  const auto ec = p256_public();
  const auto rsa = object_of(rsa_public);
  struct row {
    const char* what;
    json::object jwk;
    jwk_errc code;
  };
  const row rows[] = {
      {"no kty", without(ec, "kty"), jwk_errc::malformed},
      {"no x", without(ec, "x"), jwk_errc::malformed},
      {"no y", without(ec, "y"), jwk_errc::malformed},
      {"padded x", with(ec, "x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU="), jwk_errc::malformed},
      {"short x", with(ec, "x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVA"), jwk_errc::malformed},
      {"x is a number", with(ec, "x", 7), jwk_errc::malformed},
      {"kid is a number", with(ec, "kid", 7), jwk_errc::malformed},
      {"off the curve", with(ec, "y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1"), jwk_errc::malformed},
      {"off the curve", with(ec, "y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5aw"), jwk_errc::not_a_key},
      {"the origin", with(with(ec, "x", std::string(43, 'A')), "y", std::string(43, 'A')), jwk_errc::not_a_key},
      {"another curve", with(ec, "crv", "P-384"), jwk_errc::unsupported},
      {"another type", with(ec, "kty", "oct"), jwk_errc::unsupported},
      {"alg of another type", with(ec, "alg", "RS256"), jwk_errc::unsupported},
      {"alg not ours", with(rsa, "alg", "RS512"), jwk_errc::unsupported},
      {"encryption key", with(rsa, "use", "enc"), jwk_errc::wrong_use},
      {"operations without verify", with(rsa, "key_ops", json::array{"encrypt"}), jwk_errc::wrong_use},
      {"operations not a list", with(rsa, "key_ops", "verify"), jwk_errc::wrong_use},
      {"exponent one", with(rsa, "e", "AQ"), jwk_errc::weak},
      {"even exponent", with(rsa, "e", "AQAA"), jwk_errc::weak},
      {"zero exponent", with(rsa, "e", "AA"), jwk_errc::weak},
      {"1024 bits", with(rsa, "n", base64url_encode(std::string(128, '\xff'))), jwk_errc::weak},
      {"16384 bits", with(rsa, "n", base64url_encode(std::string(2048, '\xff'))), jwk_errc::weak},
      {"private", object_of(p256_private), jwk_errc::exposes_secret},
      {"symmetric", object_of(R"({"kty":"oct","k":"AAAA"})"), jwk_errc::exposes_secret},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    CHECK(refusal(r.jwk) == r.code);
  }
  CHECK(import_public_jwk(with(rsa, "key_ops", json::array{"verify"})));
}

TEST_CASE("a private JWK whose parts do not belong together is refused") {
  const auto other_ec = export_private_jwk(key_pair::generate(key_type::ec_p256));
  const auto other_ed = export_private_jwk(key_pair::generate(key_type::ed25519));
  const auto ec = object_of(p256_private);
  const auto ed = object_of(ed25519_private);
  CHECK(import_private_jwk(ec));
  CHECK(import_private_jwk(ed));
  CHECK(import_private_jwk(with(ec, "d", other_ec.at("d"))).error().code == jwk_errc::not_a_key);
  CHECK(import_private_jwk(with(ed, "d", other_ed.at("d"))).error().code == jwk_errc::not_a_key);
  CHECK(import_private_jwk(with(ec, "d", std::string(43, 'A'))).error().code == jwk_errc::not_a_key);
  CHECK(import_private_jwk(without(ec, "d")).error().code == jwk_errc::malformed);
  CHECK(import_private_jwk(with(ec, "d", "AAAA")).error().code == jwk_errc::malformed);
  CHECK(import_private_jwk(with(ec, "key_ops", json::array{"verify"})).error().code == jwk_errc::wrong_use);
  CHECK(import_private_jwk(object_of(rsa_public)).error().code == jwk_errc::unsupported);
}

TEST_CASE("a refused key's sentence never repeats key material") {
  const auto ec = object_of(p256_private);
  const auto other = export_private_jwk(key_pair::generate(key_type::ec_p256));
  const auto error = import_private_jwk(with(ec, "d", other.at("d"))).error();
  CHECK(error.detail.find(other.at("d").as_string().c_str()) == std::string::npos);
}

TEST_CASE("a JWK set gives its usable keys and says what it passed over") {
  const auto set = import_jwks(
      set_of({with(p256_public(), "kid", "a"), with(object_of(rsa_public), "use", "enc"), object_of(R"({"kty":"LMS"})"),
              with(ed25519_public(), "kid", "b"), with(ed25519_public(), "x", "short")}));
  REQUIRE(set);
  REQUIRE(set->keys.size() == 2);
  CHECK(set->keys[0].kid() == "a");
  CHECK(set->keys[1].type() == key_type::ed25519);
  CHECK(set->ignored.size() == 3);
  CHECK(set->ignored[0] == "keys[1]: the key's 'use' is not \"sig\"");
  const auto again = import_jwks(export_jwks(set->keys));
  REQUIRE(again);
  CHECK(again->keys.size() == 2);
  CHECK(again->ignored.empty());
}

TEST_CASE("a JWK set that is none, exposes a secret or names two keys alike is refused") {
  CHECK(import_jwks(json::value(nullptr)).error().code == jwk_errc::malformed);
  CHECK(import_jwks(json::object{}).error().code == jwk_errc::malformed);
  CHECK(import_jwks(set_of({p256_public(), object_of(ed25519_private)})).error().code == jwk_errc::exposes_secret);
  CHECK(import_jwks(set_of({p256_public(), object_of(R"({"kty":"oct","k":"AAAA"})")})).error().code ==
        jwk_errc::exposes_secret);
  const auto other = key_pair::generate(key_type::ec_p256, "a").public_half().jwk();
  CHECK(import_jwks(set_of({with(p256_public(), "kid", "a"), other})).error().code == jwk_errc::duplicate_kid);
  // RFC 7517, section 4.5, lets keys of different types share a kid.
  CHECK(import_jwks(set_of({with(ed25519_public(), "kid", "a"), other})));
}

TEST_CASE("a set larger than the limit is cut, and says so") {
  json::array list;
  for (size_t i = 0; i < 66; ++i)
    list.push_back(with(ed25519_public(), "kid", "k" + std::to_string(i)));
  json::object document;
  document["keys"] = std::move(list);
  const auto set = import_jwks(document);
  REQUIRE(set);
  CHECK(set->keys.size() == fondaco::jose::limits::set_keys_max);
  CHECK(set->ignored.size() == 1);
}

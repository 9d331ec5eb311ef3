#include "protocols/jose/jws.hpp"

#include <doctest/doctest.h>

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "protocols/base/base64.hpp"
#include "protocols/jose/openssl.hpp"

using namespace fondaco;
using namespace fondaco::jose;

namespace {

json::object object_of(std::string_view text) {
  auto parsed = json::parse(text);
  REQUIRE(parsed);
  return std::move(parsed->as_object());
}

jwt_errc refusal(std::string_view compact) {
  const auto token = parse_jws(compact);
  REQUIRE_FALSE(token);
  CHECK_FALSE(token.error().detail.empty());
  return token.error().code;
}

std::string compact_of(std::string_view header, std::string_view payload = "{}", std::string_view signature = "s") {
  return base64url_encode(header) + '.' + base64url_encode(payload) + '.' + base64url_encode(signature);
}

/// An RSA signer, as an identity provider has one: the product only verifies RSA.
struct rsa_signer {
  openssl::key key{EVP_RSA_gen(2048)};

  std::string number(const char* name) const {
    BIGNUM* raw = nullptr;
    REQUIRE(EVP_PKEY_get_bn_param(key.get(), name, &raw) == 1);
    const openssl::big_number owned(raw);
    std::string bytes(BN_num_bytes(raw), '\0');
    BN_bn2bin(raw, openssl::out(bytes));
    return base64url_encode(bytes);
  }
  json::object jwk() const {
    return {{"kty", "RSA"}, {"n", number(OSSL_PKEY_PARAM_RSA_N)}, {"e", number(OSSL_PKEY_PARAM_RSA_E)}};
  }
  std::string sign(std::string_view bytes, bool pss, int salt = RSA_PSS_SALTLEN_DIGEST) const {
    const openssl::digest_context context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;
    REQUIRE(EVP_DigestSignInit(context.get(), &parameters, EVP_sha256(), nullptr, key.get()) == 1);
    if (pss) {
      EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt);
    }
    std::string signature(256, '\0');
    size_t length = signature.size();
    REQUIRE(EVP_DigestSign(context.get(), openssl::out(signature), &length, openssl::in(bytes), bytes.size()) == 1);
    return signature;
  }
};

} // namespace

TEST_CASE("the ES256 example of RFC 7515, appendix A.3, verifies") {
  const auto key = import_public_jwk(object_of(R"({"kty":"EC","crv":"P-256",
    "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})"));
  REQUIRE(key);
  const auto token =
      parse_jws("eyJhbGciOiJFUzI1NiJ9."
                "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
                "fQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
  REQUIRE(token);
  CHECK(token->payload == "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
  CHECK(verify_jws(*token, *key));
}

TEST_CASE("the EdDSA example of RFC 8037, appendix A.4, is signed to the letter") {
  const auto key = import_private_jwk(object_of(R"({"kty":"OKP","crv":"Ed25519",
    "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"));
  REQUIRE(key);
  const auto compact = sign_jws(*key, "Example of Ed25519 signing");
  CHECK(compact ==
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6d"
        "WbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  CHECK(verify_jws(*parse_jws(compact), key->public_half()));
}

TEST_CASE("a signed token verifies with its own key only") {
  for (const auto type : {key_type::ec_p256, key_type::ed25519}) {
    const auto key = key_pair::generate(type, "k1");
    const auto token = parse_jws(sign_jws(key, std::string("any\0bytes", 9), {{"typ", "vp+jwt"}}));
    REQUIRE(token);
    CHECK(token->kid == "k1");
    CHECK(token->header.at("typ") == "vp+jwt");
    CHECK(token->payload == std::string("any\0bytes", 9));
    CHECK(verify_jws(*token, key.public_half()));
    const auto other = key_pair::generate(type, "k1");
    CHECK(verify_jws(*token, other.public_half()).error().code == jwt_errc::bad_signature);
  }
}

TEST_CASE("no single changed character of a token goes unnoticed") {
  const auto key = key_pair::generate(key_type::ed25519, "k");
  const auto compact = sign_jws(key, R"({"a":1})");
  for (size_t i = 0; i < compact.size(); ++i) {
    auto changed = compact;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto token = parse_jws(changed);
    CAPTURE(i);
    CHECK_FALSE((token && verify_jws(*token, key.public_half())));
  }
}

TEST_CASE("RS256 and PS256 of others verify, each under its own name only") {
  const rsa_signer signer;
  const auto key = import_public_jwk(signer.jwk());
  REQUIRE(key);
  const auto pkcs1 = signer.sign("message", false);
  const auto pss = signer.sign("message", true);
  CHECK(verify_bytes(*key, algorithm::rs256, "message", pkcs1));
  CHECK(verify_bytes(*key, algorithm::ps256, "message", pss));
  CHECK_FALSE(verify_bytes(*key, algorithm::ps256, "message", pkcs1));
  CHECK_FALSE(verify_bytes(*key, algorithm::rs256, "message", pss));
  CHECK_FALSE(verify_bytes(*key, algorithm::rs256, "massage", pkcs1));
  CHECK_FALSE(verify_bytes(*key, algorithm::ps256, "message", signer.sign("message", true, 20)));
  CHECK_FALSE(verify_bytes(*key, algorithm::rs256, "message", pkcs1 + '\0'));
  CHECK_FALSE(verify_bytes(*key, algorithm::rs256, "message", pkcs1.substr(1)));
  CHECK_FALSE(verify_bytes(*key, algorithm::rs256, "message", ""));
}

TEST_CASE("a text that is no compact JWS is malformed") {
  const std::string good = compact_of(R"({"alg":"ES256"})");
  REQUIRE(parse_jws(good));
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("a.b"), good + ".", good + ".e30", '.' + good,
        good + "=", good + "\n", ' ' + good, compact_of(""), compact_of("[]"), compact_of("{}"),
        compact_of(R"({"alg":7})"), compact_of(R"({"alg":"ES256","alg":"ES256"})"),
        compact_of(R"({"alg":"ES256","kid":7})"), compact_of(R"({"alg":"ES256"} x)"),
        compact_of("{\"alg\":\"ES256\",\"x\":\"" + std::string(17'000, 'x') + "\"}"),
        std::string((1u << 20) + 1, 'e')}) {
    CAPTURE(text.substr(0, 100));
    CHECK(refusal(text) == jwt_errc::malformed);
  }
}

TEST_CASE("alg none, symmetric and unknown algorithms are refused before any key is looked at") {
  for (const char* alg :
       {"none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "ES384", "ES256K", "RS1", "es256"}) {
    CAPTURE(alg);
    CHECK(refusal(compact_of(json::write(json::object{{"alg", alg}}))) == jwt_errc::alg_not_allowed);
    CHECK(refusal(base64url_encode(json::write(json::object{{"alg", alg}})) + ".e30.") == jwt_errc::alg_not_allowed);
  }
}

TEST_CASE("critical extensions are refused, whatever they are") {
  CHECK(refusal(compact_of(R"({"alg":"ES256","crit":["b64"],"b64":false})")) == jwt_errc::critical_extension);
  CHECK(refusal(compact_of(R"({"alg":"ES256","crit":[]})")) == jwt_errc::critical_extension);
  CHECK(refusal(compact_of(R"({"alg":"none","crit":["exp"]})")) == jwt_errc::critical_extension);
}

TEST_CASE("a key that the token itself brings is never used") {
  const auto trusted = key_pair::generate(key_type::ec_p256, "k");
  const auto attacker = key_pair::generate(key_type::ec_p256, "k");
  const auto compact =
      sign_jws(attacker, "{}", {{"jwk", attacker.public_half().jwk()}, {"jku", "https://attacker.example/keys"}});
  key_set keys;
  keys.keys.push_back(trusted.public_half());
  CHECK(verify_jws(*parse_jws(compact), keys).error().code == jwt_errc::bad_signature);
}

TEST_CASE("the key is chosen by kid, and alg must belong to it") {
  const auto ec = key_pair::generate(key_type::ec_p256, "ec");
  const auto ec2 = key_pair::generate(key_type::ec_p256, "ec2");
  const auto ed = key_pair::generate(key_type::ed25519, "ed");
  key_set keys;
  keys.keys = {ec.public_half(), ec2.public_half(), ed.public_half()};
  CHECK(verify_jws(*parse_jws(sign_jws(ec2, "{}")), keys));
  CHECK(verify_jws(*parse_jws(sign_jws(ed, "{}")), keys));
  CHECK(verify_jws(*parse_jws(sign_jws(ec, "{}", {{"kid", "gone"}})), keys).error().code == jwt_errc::unknown_key);
  CHECK(verify_jws(*parse_jws(sign_jws(ed, "{}", {{"kid", "ec"}})), keys).error().code == jwt_errc::alg_not_allowed);
  CHECK(verify_jws(*parse_jws(sign_jws(ed, "{}")), ec.public_half()).error().code == jwt_errc::alg_not_allowed);
}

TEST_CASE("a token without kid takes the only key that fits, and none of several") {
  auto nameless = export_private_jwk(key_pair::generate(key_type::ec_p256));
  nameless.erase("kid");
  const auto signer = import_private_jwk(nameless);
  REQUIRE(signer);
  const auto token = parse_jws(sign_jws(*signer, "{}"));
  REQUIRE(token);
  CHECK_FALSE(token->kid);
  key_set keys;
  CHECK(verify_jws(*token, keys).error().code == jwt_errc::unknown_key);
  keys.keys = {key_pair::generate(key_type::ed25519).public_half(), signer->public_half()};
  CHECK(verify_jws(*token, keys));
  keys.keys.push_back(key_pair::generate(key_type::ec_p256).public_half());
  CHECK(verify_jws(*token, keys).error().code == jwt_errc::unknown_key);
}

TEST_CASE("the signer alone decides alg") {
  const auto key = key_pair::generate(key_type::ed25519);
  CHECK_THROWS_AS(sign_jws(key, "{}", {{"alg", "none"}}), broken_invariant);
  CHECK_THROWS_AS(sign_jws(key, "{}", {{"crit", json::array{"b64"}}}), broken_invariant);
}

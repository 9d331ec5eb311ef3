#include "protocols/jose/jwt.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "protocols/base/base64.hpp"

using namespace fondaco;
using namespace fondaco::jose;
using namespace std::chrono_literals;

namespace {

const timepoint now = from_epoch_ms(1'800'000'000'000);
constexpr int64_t now_s = 1'800'000'000;

expectations strict() {
  return {.now = now, .issuer = "https://issuer.example", .audiences = {"me", "me-too"}, .subject = "alice"};
}

json::object good() {
  return {{"iss", "https://issuer.example"}, {"aud", "me"}, {"sub", "alice"}, {"exp", now_s + 60}, {"iat", now_s}};
}

json::object with(std::string_view name, json::value member) {
  auto claims = good();
  claims[name] = std::move(member);
  return claims;
}

json::object without(std::string_view name) {
  auto claims = good();
  claims.erase(name);
  return claims;
}

/// The refusal's name, or `ok`.
std::string_view verdict(const json::object& claims, const expectations& expected = strict()) {
  const auto judged = check_claims(claims, expected);
  if (!judged)
    CHECK_FALSE(judged.error().detail.empty());
  return judged ? "ok" : name_of(judged.error().code);
}

} // namespace

TEST_CASE("claims are judged one by one") {
  struct row {
    const char* what;
    json::object claims;
    const char* verdict;
  };
  const row rows[] = {
      {"as expected", good(), "ok"},
      {"audience among several", with("aud", json::array{"you", "me-too"}), "ok"},
      {"other audience", with("aud", "you"), "wrong_audience"},
      {"other audiences", with("aud", json::array{"you", "they"}), "wrong_audience"},
      {"empty audience", with("aud", json::array{}), "wrong_audience"},
      {"audience of another case", with("aud", "ME"), "wrong_audience"},
      {"audience that ours begins with", with("aud", "m"), "wrong_audience"},
      {"mixed audience", with("aud", json::array{"me", 7}), "malformed"},
      {"audience null", with("aud", nullptr), "malformed"},
      {"no audience", without("aud"), "missing_claim"},
      {"other issuer", with("iss", "https://issuer.example/"), "wrong_issuer"},
      {"issuer a number", with("iss", 7), "malformed"},
      {"no issuer", without("iss"), "missing_claim"},
      {"other subject", with("sub", "bob"), "wrong_subject"},
      {"no subject", without("sub"), "missing_claim"},
      {"no expiry", without("exp"), "missing_claim"},
      {"expiry a string", with("exp", "1800000060"), "malformed"},
      {"expiry null", with("exp", nullptr), "malformed"},
      {"expired within the leeway", with("exp", now_s - 29), "ok"},
      {"expired at the leeway", with("exp", now_s - 30), "expired"},
      {"expired long ago", with("exp", 0), "expired"},
      {"expired before time", with("exp", std::numeric_limits<int64_t>::min()), "expired"},
      {"expires never", with("exp", std::numeric_limits<uint64_t>::max()), "ok"},
      {"expiry with a fraction", with("exp", static_cast<double>(now_s) - 29.5), "ok"},
      {"expiry with a fraction too early", with("exp", static_cast<double>(now_s) - 30.5), "expired"},
      {"expiry beyond all", with("exp", 1e300), "ok"},
      {"valid from within the leeway", with("nbf", now_s + 30), "ok"},
      {"valid from later", with("nbf", now_s + 31), "not_yet_valid"},
      {"valid never", with("nbf", std::numeric_limits<int64_t>::max()), "not_yet_valid"},
      {"issued within the leeway", with("iat", now_s + 30), "ok"},
      {"issued in the future", with("iat", now_s + 31), "not_yet_valid"},
      {"issued a string", with("iat", "yesterday"), "malformed"},
      {"never issued", without("iat"), "ok"},
      {"jti a number", with("jti", 7), "malformed"},
      {"unknown claims", with("scope", "any"), "ok"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    CHECK(verdict(r.claims) == r.verdict);
  }
}

TEST_CASE("what is not expected is not judged, except for its form and the times") {
  const expectations lax{.now = now, .required = {}};
  CHECK(verdict({}, lax) == "ok");
  CHECK(verdict(with("aud", "you"), lax) == "ok");
  CHECK(verdict(with("exp", now_s - 100), lax) == "expired");
  CHECK(verdict(with("iss", 7), lax) == "malformed");
}

TEST_CASE("required claims must be there, and the leeway is the caller's") {
  auto expected = strict();
  expected.required = {"exp", "iat", "jti"};
  CHECK(verdict(good(), expected) == "missing_claim");
  CHECK(verdict(with("jti", "1"), expected) == "ok");
  expected.leeway = 0ms;
  expected.required = {};
  CHECK(verdict(with("exp", now_s), expected) == "expired");
  CHECK(verdict(with("exp", now_s + 1), expected) == "ok");
  CHECK(verdict(with("nbf", now_s), expected) == "ok");
}

TEST_CASE("a signed token verifies against a set of keys and against one key") {
  for (const auto type : {key_type::ec_p256, key_type::ed25519}) {
    const auto key = key_pair::generate(type);
    key_set keys;
    keys.keys.push_back(key.public_half());
    const auto compact = sign_jwt(key, good());
    const auto token = verify_jwt(compact, keys, strict());
    REQUIRE(token);
    CHECK(token->claims == good());
    CHECK(token->envelope.header.at("typ") == "JWT");
    CHECK(verify_jwt(compact, key.public_half(), strict()));
    CHECK(parse_jwt(sign_jwt(key, good(), {{"typ", "at+jwt"}}))->envelope.header.at("typ") == "at+jwt");
  }
}

TEST_CASE("the signature is judged before the claims, and both before the token is given") {
  const auto key = key_pair::generate(key_type::ec_p256);
  const auto other = key_pair::generate(key_type::ec_p256);
  CHECK(verify_jwt(sign_jwt(key, with("aud", "you")), key.public_half(), strict()).error().code ==
        jwt_errc::wrong_audience);
  CHECK(verify_jwt(sign_jwt(key, with("aud", "you")), other.public_half(), strict()).error().code ==
        jwt_errc::bad_signature);
  CHECK(verify_jwt("not.a.token", key.public_half(), strict()).error().code == jwt_errc::malformed);
  const auto unsigned_token = base64url_encode(R"({"alg":"none"})") + '.' + base64url_encode(json::write(good())) + '.';
  CHECK(verify_jwt(unsigned_token, key.public_half(), strict()).error().code == jwt_errc::alg_not_allowed);
}

TEST_CASE("claims that are no sound JSON object are malformed, even when signed") {
  const auto key = key_pair::generate(key_type::ed25519);
  for (const char* payload :
       {"", "[]", "7", "{\"exp\":1,\"exp\":2}", "{\"sub\":\"a\\u0000b\"}", "{", "{\"exp\":1e999}"}) {
    CAPTURE(payload);
    const auto token = verify_jwt(sign_jws(key, payload), key.public_half(), strict());
    REQUIRE_FALSE(token);
    CHECK(token.error().code == jwt_errc::malformed);
  }
}

TEST_CASE("a refusal never repeats the token") {
  const auto key = key_pair::generate(key_type::ed25519);
  for (const auto& claims : {with("iss", "canary"), with("sub", "canary"), with("aud", "canary")}) {
    const auto token = verify_jwt(sign_jwt(key, claims), key.public_half(), strict());
    REQUIRE_FALSE(token);
    CHECK(token.error().detail.find("canary") == std::string::npos);
  }
}

TEST_CASE("numeric dates are seconds, rounded down when written") {
  CHECK(numeric_date(from_epoch_ms(1999)) == 1);
  CHECK(numeric_date(from_epoch_ms(-1)) == -1);
  CHECK(moment_at({{"exp", 1.5}}, "exp") == from_epoch_ms(1500));
  CHECK(moment_at({{"exp", 1769860800.123}}, "exp") == from_epoch_ms(1769860800123));
  CHECK_FALSE(moment_at({{"exp", "1"}}, "exp"));
  CHECK_FALSE(moment_at({}, "exp"));
}

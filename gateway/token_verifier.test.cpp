#include <doctest/doctest.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "gateway/token_verifier.hpp"
#include "gateway/token_world.test.hpp"
#include "protocols/base/base64.hpp"

using namespace fondaco;
using namespace fondaco::gateway;
using namespace fondaco::gateway::testing;

namespace {

using verdict = std::expected<principal, denied>;

const std::string own_issuer = "https://node.example";
const std::string idp = "https://idp.example";

struct world {
  kept_log log;
  hand_clock clock;
  inline_executor on;
  held_exchange http;
  metrics counts;
  jose::key_pair own_key = jose::key_pair::generate(jose::key_type::ec_p256);
  jose::key_pair idp_key = jose::key_pair::generate(jose::key_type::ed25519, "idp-1");
  jose::key_pair idp_next = jose::key_pair::generate(jose::key_type::ec_p256, "idp-2");
  jose::key_pair stranger = jose::key_pair::generate(jose::key_type::ed25519, "idp-1");
  std::unique_ptr<jwks_verifier> verifier;

  world() {
    http.answer_at_once = jwks_of({idp_key.public_half()});
    trusted_issuer own;
    own.issuer = own_issuer;
    own.audience = "fondaco";
    own.keys = std::make_shared<const jose::key_set>(jose::key_set{{own_key.public_half()}, {}});
    trusted_issuer external;
    external.issuer = idp;
    external.audience = "edcv";
    external.jwks_url = idp + "/jwks";
    external.dialect.participant_from_sub = true;
    auto made = jwks_verifier::make({own, external}, {http, clock, on, counts});
    REQUIRE(made.has_value());
    verifier = std::move(*made);
  }

  json::object claims(std::string issuer, std::string audience) const {
    const auto now = jose::numeric_date(clock.at);
    return {{"iss", issuer},
            {"aud", audience},
            {"sub", "ctx-a"},
            {"iat", now},
            {"nbf", now},
            {"exp", now + 300},
            {"scope", "management-api:read"}};
  }
  json::object of_idp() const { return claims(idp, "edcv"); }
  json::object of_node() const {
    auto c = claims(own_issuer, "fondaco");
    c["sub"] = c["client_id"] = "api-1";
    c["role"] = "participant";
    c["participant_context_id"] = "ctx-a";
    return c;
  }
  std::string sign(const json::object& c) const { return jose::sign_jwt(idp_key, c); }
  verdict verify(const std::string& token) { return run(verifier->verify(bearing(token))); }
};

std::string with_header(const std::string& token, const std::string& header) {
  return base64url_encode(header) + token.substr(token.find('.'));
}

std::string unsigned_token(const json::object& c, const std::string& header) {
  return base64url_encode(header) + "." + base64url_encode(json::write(c)) + ".";
}

/// HS256 over the public key's PEM: the classic confusion of algorithms.
std::string hs256_with(const std::string& secret, const json::object& c) {
  auto text = base64url_encode(R"({"alg":"HS256","kid":"idp-1"})") + "." + base64url_encode(json::write(c));
  unsigned char mac[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  return text + "." + base64url_encode(std::string_view(reinterpret_cast<const char*>(mac), size));
}

std::string pem_of(const jose::public_key& key) {
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(out, key.handle());
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(out);
  return text;
}

void check_refused(const verdict& v, const std::string& part) {
  REQUIRE_FALSE(v.has_value());
  CHECK(v.error().status == 401);
  CHECK(v.error().content_type == "application/json");
  CAPTURE(v.error().body);
  CHECK(v.error().body.starts_with(R"({"error":")"));
  CHECK(v.error().body.find(part) != std::string::npos);
}

} // namespace

TEST_CASE("a good token of each trusted issuer proves its bearer") {
  world w;
  const auto external = w.verify(w.sign(w.of_idp()));
  REQUIRE(external.has_value());
  CHECK(external->subject == "ctx-a");
  CHECK(external->participant == tenant("ctx-a"));
  CHECK(external->scopes == std::vector<std::string>{"management-api:read"});
  const auto own = w.verify(jose::sign_jwt(w.own_key, w.of_node()));
  REQUIRE(own.has_value());
  CHECK(own->subject == "api-1");
  CHECK(own->participant == tenant("ctx-a"));
}

TEST_CASE("a request without a usable Authorization header is told what is missing") {
  world w;
  const auto with = [&](actors::http_headers headers) {
    request r;
    r.headers = std::move(headers);
    return run(w.verifier->verify(std::make_shared<const request>(std::move(r))));
  };
  const auto none = with({});
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().body == R"({"error":"Missing Authorization header"})");
  const auto good = w.sign(w.of_idp());
  CHECK(with({{"authorization", "bEARER " + good}}).has_value());
  check_refused(with({{"authorization", "Basic YTpi"}}), "not a bearer token");
  check_refused(with({{"authorization", good}}), "not a bearer token");
  check_refused(with({{"authorization", "Bearer"}}), "not a bearer token");
  check_refused(with({{"authorization", "Bearer " + good}, {"authorization", "Bearer " + good}}), "More than one");
  check_refused(with({{"authorization", "Bearer " + std::string(9000, 'a')}}), "longer than");
  check_refused(with({{"authorization", "Bearer nonsense"}}), "three parts");
}

TEST_CASE("a token whose claims are not for this place and moment is refused") {
  struct row {
    const char* claim;
    json::value value;
    const char* says;
  };
  world w;
  const auto now = jose::numeric_date(t0);
  const row rows[] = {
      {"aud", "another-service", "aud"},
      {"aud", json::array{"x", "y"}, "aud"},
      {"aud", nullptr, "aud"},
      {"iss", "https://evil.example", "iss"},
      {"iss", json::value(own_issuer), "kid"},
      {"iss", nullptr, "iss"},
      {"exp", now, "expired"},
      {"exp", now - 1, "expired"},
      {"exp", "soon", "exp"},
      {"exp", nullptr, "exp"},
      {"nbf", now + 1, "not valid before"},
      {"iat", now + 1, "issued in the future"},
      {"sub", 7, "sub"},
      {"scope", json::array{"management-api:admin"}, "scope"},
      {"role", json::array{"admin"}, "role"},
      {"participant_context_id", 1, "participant_context_id"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.claim);
    auto c = w.of_idp();
    if (r.value.is_null())
      c.erase(r.claim);
    else
      c[r.claim] = r.value;
    check_refused(w.verify(w.sign(c)), r.says);
  }
  auto both = w.of_idp();
  both["aud"] = json::array{"x", "edcv"};
  CHECK(w.verify(w.sign(both)).has_value());
}

TEST_CASE("a token of a participant without a subject is refused, an administrator's is not") {
  world w;
  auto c = w.of_idp();
  c.erase("sub");
  const auto refused = w.verify(w.sign(c));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().status == 401);
  CHECK(refused.error().body == "No 'sub' claim present");
  c["scope"] = "management-api:admin";
  const auto admin = w.verify(w.sign(c));
  REQUIRE(admin.has_value());
  CHECK_FALSE(admin->participant.has_value());
}

TEST_CASE("a token that nobody signed, or that was signed the wrong way, is refused") {
  world w;
  const auto c = w.of_idp();
  check_refused(w.verify(unsigned_token(c, R"({"alg":"none"})")), "alg");
  check_refused(w.verify(unsigned_token(c, R"({"alg":"None","kid":"idp-1"})")), "alg");
  check_refused(w.verify(unsigned_token(c, R"({"alg":"EdDSA","kid":"idp-1"})")), "signature");
  check_refused(w.verify(hs256_with(pem_of(w.idp_key.public_half()), c)), "alg");
  check_refused(w.verify(hs256_with(json::write(w.idp_key.public_half().jwk()), c)), "alg");
  check_refused(w.verify(jose::sign_jwt(w.stranger, c)), "signature");
  check_refused(w.verify(jose::sign_jwt(w.own_key, c)), "kid");
  check_refused(w.verify(with_header(w.sign(c), R"({"alg":"ES256","kid":"idp-1"})")), "alg");
}

TEST_CASE("a token that was changed after it was signed is refused") {
  world w;
  const auto good = w.sign(w.of_idp());
  auto c = w.of_idp();
  c["scope"] = "management-api:admin";
  const auto first = good.find('.');
  const auto second = good.find('.', first + 1);
  check_refused(w.verify(good.substr(0, first + 1) + base64url_encode(json::write(c)) + good.substr(second)),
                "signature");
  auto bent = good;
  bent[second + 5] = bent[second + 5] == 'A' ? 'B' : 'A';
  check_refused(w.verify(bent), "signature");
  check_refused(w.verify(good.substr(0, second + 1)), "signature");
  CHECK(w.verify(good).has_value());
}

TEST_CASE("the key of one issuer never vouches for another") {
  world w;
  check_refused(w.verify(jose::sign_jwt(w.idp_key, w.of_node())), "kid");
  check_refused(w.verify(jose::sign_jwt(w.own_key, w.of_idp())), "kid");
}

TEST_CASE("a token without kid is taken only if its issuer has exactly one key") {
  world w;
  const auto nameless = jose::key_pair::generate(jose::key_type::ec_p256, "idp-2");
  const auto without_kid = [&](const json::object& c) {
    const auto input = base64url_encode(R"({"alg":"EdDSA"})") + "." + base64url_encode(json::write(c));
    return input + "." + base64url_encode(jose::sign_bytes(w.idp_key, input));
  };
  CHECK(w.verify(without_kid(w.of_idp())).has_value());
  w.http.answer_at_once = jwks_of({w.idp_key.public_half(), nameless.public_half()});
  w.clock.at += milliseconds(300'000);
  check_refused(w.verify(without_kid(w.of_idp())), "more than one key");
  CHECK(w.verify(w.sign(w.of_idp())).has_value());
}

TEST_CASE("a new key of the issuer is found by its kid, and an unknown kid is refused without a flood of fetches") {
  world w;
  CHECK(w.verify(w.sign(w.of_idp())).has_value());
  CHECK(w.http.sent == 1);
  const auto fresh = jose::sign_jwt(w.idp_next, w.of_idp());
  check_refused(w.verify(fresh), "kid");
  CHECK(w.http.sent == 1);
  w.http.answer_at_once = jwks_of({w.idp_key.public_half(), w.idp_next.public_half()});
  w.clock.at += gateway::limits::jwks_refetch_min_ms;
  CHECK(w.verify(fresh).has_value());
  CHECK(w.http.sent == 2);
  for (int i = 0; i < 100; ++i) {
    const auto made_up = jose::key_pair::generate(jose::key_type::ed25519, "made-up-" + std::to_string(i));
    check_refused(w.verify(jose::sign_jwt(made_up, w.of_idp())), "kid");
  }
  CHECK(w.http.sent == 2);
}

TEST_CASE("tokens of strangers cause no fetch at all") {
  world w;
  auto c = w.of_idp();
  c["iss"] = "https://evil.example";
  check_refused(w.verify(w.sign(c)), "trusted issuer");
  CHECK(w.http.sent == 0);
}

TEST_CASE("an issuer that cannot be reached is our trouble, not the caller's: 503") {
  world w;
  w.http.answer_at_once = actors::http_result(std::unexpected(actors::exchange_errc::no_answer));
  const auto got = w.verify(w.sign(w.of_idp()));
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().status == 503);
  CHECK(w.verify(jose::sign_jwt(w.own_key, w.of_node())).has_value());
}

TEST_CASE("a remembered token ends with its exp, and no later than its key can be taken back") {
  world w;
  const auto token = w.sign(w.of_idp());
  CHECK(w.verify(token).has_value());
  w.clock.at += milliseconds(299'999);
  CHECK(w.verify(token).has_value());
  w.clock.at += milliseconds(1);
  check_refused(w.verify(token), "expired");

  auto c = w.of_idp();
  c["exp"] = jose::numeric_date(w.clock.at) + 86'400;
  const auto lasting = w.sign(c);
  CHECK(w.verify(lasting).has_value());
  w.http.answer_at_once = jwks_of({w.idp_next.public_half()});
  w.clock.at += milliseconds(300'000);
  check_refused(w.verify(lasting), "kid");
}

TEST_CASE("the role of the older dialect is judged request by request, also for a remembered token") {
  world w;
  auto c = w.of_idp();
  c["role"] = "admin";
  const auto token = w.sign(c);
  const auto as = [&](std::string method) {
    auto r = *bearing(token);
    r.method = std::move(method);
    const auto got = run(w.verifier->verify(std::make_shared<const request>(std::move(r))));
    REQUIRE(got.has_value());
    return administers(got->scopes, "management-api");
  };
  CHECK(as("GET"));
  CHECK_FALSE(as("POST"));
  CHECK(as("GET"));
}

TEST_CASE("refused tokens are counted by reason and never repeated in an answer") {
  world w;
  auto c = w.of_idp();
  c["jti"] = "canary-7c1f";
  c["aud"] = "canary-audience";
  const auto token = w.sign(c);
  const auto got = w.verify(token);
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().body.find("canary") == std::string::npos);
  CHECK(got.error().body.find(token.substr(0, 20)) == std::string::npos);
  CHECK(w.counts.render().find(R"(fondaco_bearer_refused_total{reason="wrong_audience"} 1)") != std::string::npos);
}

TEST_CASE("a verifier is not made of issuers that it could not judge") {
  world w;
  const auto make = [&](std::vector<trusted_issuer> issuers) {
    return jwks_verifier::make(std::move(issuers), {w.http, w.clock, w.on, w.counts}).has_value();
  };
  trusted_issuer good;
  good.issuer = idp;
  good.audience = "edcv";
  good.jwks_url = idp + "/jwks";
  CHECK(make({good}));
  CHECK_FALSE(make({good, good}));
  auto bad = good;
  bad.audience.clear();
  CHECK_FALSE(make({bad}));
  bad = good;
  bad.issuer.clear();
  CHECK_FALSE(make({bad}));
  bad = good;
  bad.jwks_url.clear();
  CHECK_FALSE(make({bad}));
  bad = good;
  bad.keys = std::make_shared<const jose::key_set>();
  CHECK_FALSE(make({bad}));
}

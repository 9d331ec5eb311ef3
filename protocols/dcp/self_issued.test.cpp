#include "protocols/dcp/self_issued.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "protocols/base/base64.hpp"

using namespace fondaco;
using namespace std::chrono_literals;

namespace {

const timepoint t0 = from_epoch_ms(1'790'000'000'000);
constexpr const char* holder = "did:web:holder.example%3A8080:h";
constexpr const char* verifier = "did:web:verifier.example";
constexpr const char* third = "did:web:third.example";

std::string method_id(const std::string& did, const char* fragment = "k1") { return did + "#" + fragment; }

const jose::key_pair& key_of(const std::string& did) {
  static const auto of_holder = jose::key_pair::generate(jose::key_type::ec_p256, method_id(holder));
  static const auto of_verifier = jose::key_pair::generate(jose::key_type::ed25519, method_id(verifier));
  static const auto of_third = jose::key_pair::generate(jose::key_type::ec_p256, method_id(third));
  return did == holder ? of_holder : did == verifier ? of_verifier : of_third;
}

// A document with one key that is in all relationships.
did::document document_of(const std::string& did) {
  did::document d;
  d.id = did;
  d.methods = {{method_id(did), "JsonWebKey2020", did, key_of(did).public_half().jwk()}};
  d.authentication = d.assertion_method = d.capability_invocation = {method_id(did)};
  return d;
}

json::object claims_of_id_token() {
  return {{"iss", verifier},      {"sub", verifier},      {"aud", holder},        {"jti", "j-1"},
          {"iat", 1'790'000'000}, {"nbf", 1'790'000'000}, {"exp", 1'790'000'300}, {"token", "opaque"}};
}

json::object claims_of_access_token() {
  return {{"iss", holder},        {"sub", verifier},      {"aud", holder},        {"jti", "accesstoken-1"},
          {"iat", 1'790'000'000}, {"nbf", 1'790'000'000}, {"exp", 1'790'000'300}, {"scope", "a:b:read c:d:read"}};
}

using change = std::function<void(json::object&)>;

std::string id_token(const change& edit, json::object header = {{"kid", method_id(verifier)}}) {
  auto claims = claims_of_id_token();
  edit(claims);
  return jose::sign_jwt(key_of(verifier), claims, header);
}

std::string access_token(const change& edit, json::object header = {{"kid", method_id(holder)}}) {
  auto claims = claims_of_access_token();
  edit(claims);
  return jose::sign_jwt(key_of(holder), claims, header);
}

change set(const char* name, json::value v) {
  return [=](json::object& o) { o[name] = v; };
}
change drop(const char* name) {
  return [=](json::object& o) { o.erase(name); };
}
const change as_it_is = [](json::object&) {};

// A compact JWS with any header, over the id token's claims.
std::string unsigned_token(const std::string& header, const std::string& signature) {
  return base64url_encode(header) + "." + base64url_encode(json::write(claims_of_id_token())) + "." + signature;
}

// Nothing, or the detail of a `bad_token`.
template <class T> std::string refusal(const std::expected<T, fault>& r) {
  if (r)
    return "";
  CHECK(r.error().code == "bad_token");
  CHECK(r.error().remedy == cure::fix_input);
  return r.error().detail;
}

std::string read_refusal(const std::string& token, timepoint now = t0) {
  return refusal(dcp::read_self_issued(token, holder, now));
}

std::string grant_refusal(const std::string& token, timepoint now = t0) {
  return refusal(dcp::verify_access_token(token, document_of(holder), verifier, now));
}

bool says(const std::string& detail, const char* word) { return detail.find(word) != std::string::npos; }

} // namespace

TEST_CASE("a self-issued token that was signed here is taken there") {
  for (const char* inner : {"", "an.access.token"}) {
    const auto token =
        dcp::sign_self_issued({verifier, holder, "j-1", inner, t0}, key_of(verifier), method_id(verifier));
    const auto read = dcp::read_self_issued(token, holder, t0);
    REQUIRE(read.has_value());
    CHECK(read->issuer == verifier);
    CHECK(read->jti == "j-1");
    CHECK(read->access_token == inner);
    CHECK(read->expires_at == t0 + dcp::limits::token_lifetime_ms);
    CHECK(read->token.envelope.kid == method_id(verifier));
    CHECK(json::string_at(read->token.claims, "sub") == verifier);
    CHECK(json::string_at(read->token.claims, "aud") == holder);
    CHECK(read->token.claims.contains("token") == (*inner != 0));
    CHECK(dcp::verify_self_issued(*read, document_of(verifier), true).has_value());
  }
}

TEST_CASE("a self-issued token whose claims do not hold is refused, and the refusal names the claim") {
  struct row {
    const char* what;
    change edit;
    const char* names;
  };
  const row rows[] = {
      {"no iss", drop("iss"), "iss"},
      {"no sub", drop("sub"), "sub"},
      {"iss is another", set("iss", third), "iss"},
      {"sub is another", set("sub", third), "sub"},
      {"iss is no string", set("iss", 7), "iss"},
      {"both are no DID",
       [](json::object& o) {
         o["iss"] = "client";
         o["sub"] = "client";
       },
       "DID"},
      {"both are another DID than the kid's",
       [](json::object& o) {
         o["iss"] = third;
         o["sub"] = third;
       },
       "kid"},
      {"both are longer than a DID may be",
       [](json::object& o) {
         o["iss"] = "did:web:" + std::string(600, 'a');
         o["sub"] = o["iss"];
       },
       "512"},
      {"no aud", drop("aud"), "aud"},
      {"aud is another", set("aud", third), "aud"},
      {"aud is the bearer", set("aud", verifier), "aud"},
      {"aud is a list of others", set("aud", json::array{third, verifier}), "aud"},
      {"aud is an empty list", set("aud", json::array{}), "aud"},
      {"aud is longer than ours", set("aud", boost::json::string(std::string(holder) + ":x")), "aud"},
      {"aud is a part of ours", set("aud", "did:web:holder.example%3A8080"), "aud"},
      {"aud is no string", set("aud", 7), "aud"},
      {"no jti", drop("jti"), "jti"},
      {"an empty jti", set("jti", ""), "jti"},
      {"jti is null", set("jti", nullptr), "jti"},
      {"jti is a number", set("jti", 7), "jti"},
      {"a long jti", set("jti", boost::json::string(513, 'j')), "jti"},
      {"no exp", drop("exp"), "exp"},
      {"exp is a string", set("exp", "1790000300"), "exp"},
      {"exp is null", set("exp", nullptr), "exp"},
      {"exp is long past", set("exp", 1'789'000'000), "exp"},
      {"exp is a minute past", set("exp", 1'789'999'940), "exp"},
      {"no iat", drop("iat"), "iat"},
      {"iat is a string", set("iat", "now"), "iat"},
      {"iat in a minute", set("iat", 1'790'000'060), "iat"},
      {"iat in an hour", set("iat", 1'790'003'600), "iat"},
      {"iat after exp",
       [](json::object& o) {
         o["iat"] = 1'790'000'003;
         o["exp"] = 1'790'000'002;
       },
       "iat"},
      {"nbf in a minute", set("nbf", 1'790'000'060), "nbf"},
      {"nbf in years", set("nbf", 1'791'000'000), "nbf"},
      {"nbf is no number", set("nbf", "0"), "nbf"},
      {"nbf is null", set("nbf", nullptr), "nbf"},
      {"a key of its own", set("sub_jwk", json::object{{"kty", "EC"}}), "sub_jwk"},
      {"sub_jwk is null", set("sub_jwk", nullptr), "sub_jwk"},
      {"token is an object", set("token", json::object{}), "token"},
      {"token is a number", set("token", 1), "token"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    const auto detail = read_refusal(id_token(r.edit));
    CAPTURE(detail);
    CHECK(says(detail, r.names));
  }
}

TEST_CASE("a self-issued token may leave out or vary what DCP leaves open") {
  const std::pair<const char*, change> rows[] = {
      {"as it is", as_it_is},
      {"aud is a list with ours", set("aud", json::array{third, holder})},
      {"aud is a list of ours alone", set("aud", json::array{holder})},
      {"no nbf", drop("nbf")},
      {"an nbf long past", set("nbf", 1'000'000'000)},
      {"no access token", drop("token")},
      {"a null access token", set("token", nullptr)},
      {"fractions of a second", set("exp", 1'790'000'300.5)},
      {"the longest jti", set("jti", boost::json::string(512, 'j'))},
      {"claims that nobody knows", set("pre-authorized_code", "x")},
  };
  for (const auto& [what, edit] : rows) {
    CAPTURE(what);
    const auto read = dcp::read_self_issued(id_token(edit), holder, t0);
    CHECK(refusal(read) == "");
    if (read)
      CHECK(dcp::verify_self_issued(*read, document_of(verifier), true).has_value());
  }
}

TEST_CASE("the clocks may lie five seconds apart, and not a millisecond more") {
  struct row {
    const char* claim;
    milliseconds from_now;
    bool taken;
  };
  // exp is the first moment at which the token has ended; iat and nbf are the first at which it is good.
  const row rows[] = {
      {"exp", 1ms, true},      {"exp", 0ms, true},   {"exp", -4999ms, true}, {"exp", -5000ms, false},
      {"exp", -5001ms, false}, {"exp", -60s, false}, {"iat", 0ms, true},     {"iat", 5000ms, true},
      {"iat", 5001ms, false},  {"iat", 60s, false},  {"nbf", 0ms, true},     {"nbf", 5000ms, true},
      {"nbf", 5001ms, false},  {"nbf", 60s, false},
  };
  for (const auto& r : rows) {
    CAPTURE(r.claim);
    CAPTURE(r.from_now.count());
    // The claim's moment stays and the clock moves, so that whole seconds do not blur the edge.
    const auto edit = [&](json::object& o) {
      o["iat"] = 1'789'999'000;
      o["nbf"] = 1'789'999'000;
      o["exp"] = 1'790'001'000;
      o[r.claim] = 1'790'000'000;
    };
    const auto now = t0 - r.from_now;
    CHECK(read_refusal(id_token(edit), now).empty() == r.taken);
    CHECK(grant_refusal(access_token(edit), now).empty() == r.taken);
  }
}

TEST_CASE("a token that is no signed JWT of an allowed algorithm is refused") {
  const auto good = id_token(as_it_is);
  const auto signature = good.substr(good.rfind('.') + 1);
  const std::string kid = R"(,"kid":")" + method_id(verifier) + "\"";
  const std::string tokens[] = {
      "",
      "faketoken",
      "a.b.c",
      "..",
      good + ".",
      good.substr(0, good.rfind('.')),
      " " + good,
      "Bearer " + good,
      unsigned_token(R"({"alg":"none")" + kid + "}", ""),
      unsigned_token(R"({"alg":"None")" + kid + "}", ""),
      unsigned_token(R"({"alg":"none")" + kid + "}", signature),
      unsigned_token(R"({"alg":"HS256")" + kid + "}", base64url_encode(std::string(32, 'x'))),
      unsigned_token(R"({"alg":"HS512")" + kid + "}", signature),
      unsigned_token(R"({"alg":"ES256K")" + kid + "}", signature),
      unsigned_token(R"({"alg":"")" + kid + "}", signature),
      unsigned_token(R"({"typ":"JWT")" + kid + "}", signature),
      unsigned_token(R"({"alg":"EdDSA","crit":["b64"],"b64":false)" + kid + "}", signature),
      unsigned_token(R"({"alg":"EdDSA","kid":7})", signature),
      jose::sign_jws(key_of(verifier), "no JSON", {{"kid", method_id(verifier)}}),
      jose::sign_jws(key_of(verifier), "[]", {{"kid", method_id(verifier)}}),
      jose::sign_jws(key_of(verifier), R"({"iss":"a","iss":"b"})", {{"kid", method_id(verifier)}}),
  };
  for (const auto& token : tokens) {
    CAPTURE(token);
    CHECK_FALSE(read_refusal(token).empty());
    CHECK_FALSE(grant_refusal(token).empty());
  }
}

TEST_CASE("a self-issued token's kid is a key of its iss, or is left out") {
  const std::pair<std::string, bool> rows[] = {
      {method_id(verifier), true},
      {method_id(verifier, "other"), true}, // known only with the document
      {method_id(third), false},
      {method_id(holder), false},
      {verifier, false},
      {"#k1", false},
      {"k1", false},
      {"", false},
      {std::string(verifier) + "?x=1#k1", false},
      {std::string(verifier) + ":sub#k1", false},
      {"did:web:Verifier.example#k1", false},
  };
  for (const auto& [kid, taken] : rows) {
    CAPTURE(kid);
    CHECK(read_refusal(id_token(as_it_is, {{"kid", kid}})).empty() == taken);
  }
}

TEST_CASE("a self-issued token holds by the key that its issuer's document names for it") {
  const auto verify = [](const did::document& d, bool strict, json::object header = {{"kid", method_id(verifier)}}) {
    const auto read = dcp::read_self_issued(id_token(as_it_is, std::move(header)), holder, t0);
    REQUIRE(read.has_value());
    return refusal(dcp::verify_self_issued(*read, d, strict)).empty();
  };
  auto d = document_of(verifier);
  CHECK(verify(d, true));
  CHECK_FALSE(verify(document_of(third), false));
  CHECK_FALSE(verify(d, false, {{"kid", method_id(verifier, "k2")}}));

  SUBCASE("the relationship counts where the document has its list, and a strict reader asks for the list") {
    d.capability_invocation = {method_id(verifier, "k2")};
    CHECK_FALSE(verify(d, false));
    d.capability_invocation.clear();
    CHECK(verify(d, false));
    CHECK_FALSE(verify(d, true));
  }
  SUBCASE("a key of the same name that is another does not count") {
    d.methods[0].public_key_jwk = key_of(third).public_half().jwk();
    CHECK_FALSE(verify(d, false));
    d.methods[0].public_key_jwk = jose::key_pair::generate(jose::key_type::ed25519).public_half().jwk();
    CHECK_FALSE(verify(d, false));
  }
  SUBCASE("a method that holds no key, or a secret, does not count") {
    d.methods[0].public_key_jwk = {{"kty", "EC"}, {"crv", "P-256"}};
    CHECK_FALSE(verify(d, false));
    d.methods[0].public_key_jwk = jose::export_private_jwk(key_of(verifier));
    CHECK_FALSE(verify(d, false));
    d.methods.clear();
    CHECK_FALSE(verify(d, false));
  }
  SUBCASE("without a kid the document has to have exactly one key for this use") {
    const auto claims = claims_of_id_token();
    const auto anonymous = jose::key_pair::generate(jose::key_type::ec_p256);
    // Our signer always names its key: the header is made by hand.
    const auto input = base64url_encode(R"({"alg":"ES256"})") + "." + base64url_encode(json::write(claims));
    const auto token = input + "." + base64url_encode(jose::sign_bytes(anonymous, input));
    const auto read = dcp::read_self_issued(token, holder, t0);
    REQUIRE(read.has_value());
    CHECK_FALSE(read->token.envelope.kid.has_value());
    d.methods[0].public_key_jwk = anonymous.public_half().jwk();
    CHECK(dcp::verify_self_issued(*read, d, true).has_value());
    d.methods.push_back({method_id(verifier, "k2"), "JsonWebKey2020", verifier, key_of(third).public_half().jwk()});
    CHECK(dcp::verify_self_issued(*read, d, true).has_value());
    d.capability_invocation.clear();
    CHECK_FALSE(refusal(dcp::verify_self_issued(*read, d, false)).empty());
  }
}

TEST_CASE("a self-issued token that was changed after it was signed does not hold") {
  const auto good = id_token(as_it_is);
  const auto first = good.find('.');
  const auto last = good.rfind('.');
  auto claims = claims_of_id_token();
  claims["jti"] = "j-2";
  const auto forged = good.substr(0, first + 1) + base64url_encode(json::write(claims)) + good.substr(last);
  const auto read = dcp::read_self_issued(forged, holder, t0);
  REQUIRE(read.has_value());
  const auto detail = refusal(dcp::verify_self_issued(*read, document_of(verifier), false));
  CHECK(says(detail, "signature"));
  CHECK_FALSE(says(detail, "j-2"));
}

TEST_CASE("an access token that was signed here gives its scopes back to its verifier") {
  const auto token = dcp::sign_access_token({holder, verifier, {"a:b:read", "c:d:read"}, "accesstoken-1", t0},
                                            key_of(holder), method_id(holder));
  const auto grant = dcp::verify_access_token(token, document_of(holder), verifier, t0 + 299s);
  REQUIRE(grant.has_value());
  CHECK(grant->scopes == std::vector<std::string>{"a:b:read", "c:d:read"});
  CHECK(grant->jti == "accesstoken-1");
  CHECK(grant->expires_at == t0 + dcp::limits::token_lifetime_ms);
  CHECK_FALSE(dcp::verify_access_token(token, document_of(holder), third, t0).has_value());
  CHECK_FALSE(dcp::verify_access_token(token, document_of(holder), holder, t0).has_value());
  CHECK_FALSE(dcp::verify_access_token(token, document_of(verifier), verifier, t0).has_value());
  CHECK_FALSE(dcp::verify_access_token(token, document_of(holder), verifier, t0 + 305s).has_value());
}

TEST_CASE("an access token that is not the holder's own for this verifier is refused") {
  struct row {
    const char* what;
    std::string token;
  };
  const auto foreign = claims_of_access_token();
  const row rows[] = {
      {"iss is another", access_token(set("iss", third))},
      {"no iss", access_token(drop("iss"))},
      {"aud is another", access_token(set("aud", verifier))},
      {"aud is a list of others", access_token(set("aud", json::array{verifier, third}))},
      {"no aud", access_token(drop("aud"))},
      {"sub is another", access_token(set("sub", third))},
      {"sub is the holder", access_token(set("sub", holder))},
      {"no sub", access_token(drop("sub"))},
      {"no exp", access_token(drop("exp"))},
      {"exp has passed", access_token(set("exp", 1'789'999'000))},
      {"no iat", access_token(drop("iat"))},
      {"iat to come", access_token(set("iat", 1'790'000'060))},
      {"nbf to come", access_token(set("nbf", 1'790'000'060))},
      {"no jti", access_token(drop("jti"))},
      {"an empty jti", access_token(set("jti", ""))},
      {"a long jti", access_token(set("jti", boost::json::string(513, 'j')))},
      {"no scope", access_token(drop("scope"))},
      {"scope is a list", access_token(set("scope", json::array{"a:b:read"}))},
      {"kid of another DID", access_token(as_it_is, {{"kid", method_id(third)}})},
      {"kid of no key", access_token(as_it_is, {{"kid", method_id(holder, "k2")}})},
      {"an empty kid", access_token(as_it_is, {{"kid", ""}})},
      {"signed by the verifier", jose::sign_jwt(key_of(verifier), foreign, {{"kid", method_id(holder)}})},
      {"signed by a third party", jose::sign_jwt(key_of(third), foreign, {{"kid", method_id(holder)}})},
      {"the verifier's own token", id_token(as_it_is)},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    CHECK_FALSE(grant_refusal(r.token).empty());
  }
}

TEST_CASE("an access token's key may be named in each way, and its scopes stand apart by blanks") {
  for (const auto& kid : {method_id(holder), std::string("#k1"), std::string("k1")}) {
    CAPTURE(kid);
    CHECK(grant_refusal(access_token(as_it_is, {{"kid", kid}})) == "");
  }
  CHECK(grant_refusal(access_token(set("aud", json::array{holder}))) == "");
  const std::pair<const char*, std::vector<std::string>> rows[] = {
      {"", {}}, {"  ", {}}, {"a", {"a"}}, {" a  b ", {"a", "b"}}, {"a b c", {"a", "b", "c"}}};
  for (const auto& [text, scopes] : rows) {
    CAPTURE(text);
    const auto grant = dcp::verify_access_token(access_token(set("scope", text)), document_of(holder), verifier, t0);
    REQUIRE(grant.has_value());
    CHECK(grant->scopes == scopes);
  }
}

TEST_CASE("an access token holds by each of the holder's keys that may sign tokens") {
  auto d = document_of(holder);
  const auto older = jose::key_pair::generate(jose::key_type::ed25519);
  d.methods.push_back({method_id(holder, "k0"), "JsonWebKey2020", holder, older.public_half().jwk()});
  const auto token = jose::sign_jwt(older, claims_of_access_token(), {{"kid", method_id(holder, "k0")}});
  CHECK_FALSE(dcp::verify_access_token(token, d, verifier, t0).has_value());
  d.capability_invocation.push_back(method_id(holder, "k0"));
  CHECK(dcp::verify_access_token(token, d, verifier, t0).has_value());
  d.capability_invocation.clear();
  CHECK(dcp::verify_access_token(token, d, verifier, t0).has_value());
}

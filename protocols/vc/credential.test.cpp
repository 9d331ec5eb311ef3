#include "protocols/vc/credential.hpp"

#include <doctest/doctest.h>

#include "protocols/jose/jwt.hpp"

using namespace fondaco;
using namespace fondaco::vc;
using namespace std::chrono_literals;

namespace {

const timepoint now = from_epoch_ms(1'800'000'000'123);
constexpr int64_t now_s = 1'800'000'000;
const std::string kid = "did:web:issuer.example#key-1";

const jose::key_pair& key(jose::key_type type = jose::key_type::ec_p256) {
  static const auto p256 = jose::key_pair::generate(jose::key_type::ec_p256);
  static const auto ed25519 = jose::key_pair::generate(jose::key_type::ed25519);
  return type == jose::key_type::ec_p256 ? p256 : ed25519;
}

credential membership(profile form) {
  credential c;
  c.form = form;
  c.contexts = {form == profile::vc11_jwt ? "https://www.w3.org/2018/credentials/v1"
                                          : "https://www.w3.org/ns/credentials/v2",
                "https://example.org/terms"};
  c.id = "urn:uuid:1";
  c.types = {"VerifiableCredential", "MembershipCredential"};
  c.issuer = "did:web:issuer.example";
  c.subjects = {json::object{{"id", "did:web:holder.example"}, {"level", "gold"}, {"since", 2020}}};
  c.valid_from = now - 1h;
  c.valid_until = now + 1h;
  c.statuses = {{"https://i.example/l#7", "BitstringStatusListEntry", "revocation", 7, "https://i.example/l"}};
  c.schemas = {{"https://i.example/s.json", "JsonSchemaValidator2018"}};
  c.name = "Membership";
  c.description = "Of the guild";
  return c;
}

json::object parsed(std::string_view text) { return json::parse(text)->get_object(); }

/// The kit's credential: one type only, members that are null.
json::object kit_vc() {
  return parsed(R"({"@context":["https://www.w3.org/2018/credentials/v1"],"id":"urn:uuid:2",
    "type":["MembershipCredential"],"issuer":"did:web:issuer.example","issuanceDate":"2027-01-15T08:00:00.123456789Z",
    "expirationDate":null,"credentialSubject":{"id":"did:web:holder.example","foo":"bar"},
    "credentialSchema":null,"credentialStatus":null})");
}

json::object kit_claims() {
  return {{"iss", "did:web:issuer.example"},
          {"sub", "did:web:holder.example"},
          {"jti", "j"},
          {"iat", now_s},
          {"nbf", now_s},
          {"exp", now_s + 300},
          {"vc", kit_vc()}};
}

json::object claims_20() {
  return parsed(R"({"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential","M"],
    "issuer":"did:web:issuer.example","credentialSubject":[{"id":"did:web:holder.example"}]})");
}

auto read(const json::object& claims) { return read_credential(jose::sign_jwt(key(), claims, {{"kid", kid}})); }

/// The fault's code, or `ok`.
template <typename T> std::string verdict(const std::expected<T, fault>& r) {
  if (!r)
    CHECK_FALSE(r.error().detail.empty());
  return r ? "ok" : r.error().code;
}

json::object with(json::object o, std::string_view name, json::value v) {
  o[name] = std::move(v);
  return o;
}

json::object with_vc(std::string_view name, json::value v) {
  return with(kit_claims(), "vc", with(kit_vc(), name, std::move(v)));
}

json::object status(std::string_view name, json::value v) {
  return with({{"id", "x"},
               {"type", "BitstringStatusListEntry"},
               {"statusPurpose", "revocation"},
               {"statusListIndex", "1"},
               {"statusListCredential", "https://i.example/l"}},
              name, std::move(v));
}

} // namespace

TEST_CASE("a signed credential says what was meant, in both profiles and with both kinds of key") {
  for (const auto form : {profile::vc11_jwt, profile::vc20_jose})
    for (const auto type : {jose::key_type::ec_p256, jose::key_type::ed25519}) {
      CAPTURE(name_of(form));
      const auto meant = membership(form);
      const auto compact = sign_credential(meant, key(type), kid, "jti-1", now);
      const auto got = read_credential(compact);
      REQUIRE(got);
      CHECK(got->what == meant);
      CHECK(got->compact == compact);
      CHECK(got->envelope.kid == kid);
      CHECK(jose::verify_jws(got->envelope, key(type).public_half()).has_value());
      const auto other = jose::key_pair::generate(type);
      CHECK_FALSE(jose::verify_jws(got->envelope, other.public_half()).has_value());
    }
}

TEST_CASE("what is signed has the shape that DCP's kit and EDC read") {
  auto c = membership(profile::vc11_jwt);
  c.types = {"MembershipCredential"};
  const auto token = jose::parse_jwt(sign_credential(c, key(), kid, "jti-1", now));
  REQUIRE(token);
  const auto& claims = token->claims;
  CHECK(json::string_at(claims, "iss") == c.issuer);
  CHECK(json::string_at(claims, "sub") == "did:web:holder.example");
  CHECK(json::string_at(claims, "jti") == "jti-1");
  CHECK(json::integer_at(claims, "iat") == now_s);
  const auto& vc = claims.at("vc").as_object();
  CHECK(vc.at("type") == json::value(json::array{"VerifiableCredential", "MembershipCredential"}));
  CHECK(vc.at("issuer").is_string());
  for (const char* name : {"credentialSubject", "credentialStatus", "credentialSchema"})
    CHECK_MESSAGE(vc.at(name).is_object(), name);
  CHECK(vc.at("credentialStatus").at("statusListIndex") == "7");

  const auto plain = jose::parse_jwt(sign_credential(membership(profile::vc20_jose), key(), kid, "jti-1", now));
  REQUIRE(plain);
  CHECK(json::string_at(plain->envelope.header, "typ") == "vc+jwt");
  CHECK_FALSE(plain->claims.contains("vc"));
  CHECK(json::string_at(plain->claims, "validFrom").has_value());
}

TEST_CASE("the kit's credential is read although it is of one type and has null members") {
  const auto got = read(kit_claims());
  REQUIRE(got);
  CHECK(got->what.types == std::vector<std::string>{"MembershipCredential"});
  CHECK(got->what.statuses.empty());
  CHECK(got->what.schemas.empty());
  CHECK(got->what.valid_until == from_epoch_ms((now_s + 300) * 1000));
}

TEST_CASE("of two representations of a time the stricter one counts") {
  struct row {
    const char* what;
    json::object claims;
    const char* verdict;
  };
  const row rows[] = {
      {"both hold", kit_claims(), "ok"},
      {"issuanceDate ahead, nbf not", with_vc("issuanceDate", "2027-01-15T09:00:00Z"), "not_yet_valid"},
      {"nbf ahead, issuanceDate not", with(kit_claims(), "nbf", now_s + 3600), "not_yet_valid"},
      {"expirationDate over, exp not", with_vc("expirationDate", "2027-01-15T07:58:00Z"), "expired"},
      {"exp over, expirationDate not", with(with_vc("expirationDate", "2028-01-01T00:00:00Z"), "exp", now_s - 100),
       "expired"},
      {"validUntil over", with_vc("validUntil", "2027-01-15T07:58:00Z"), "expired"},
      {"2.0: validFrom ahead", with(claims_20(), "validFrom", "2027-01-15T09:00:00Z"), "not_yet_valid"},
      {"2.0: exp over, validUntil not",
       with(with(claims_20(), "validUntil", "2028-01-01T00:00:00Z"), "exp", now_s - 100), "expired"},
      {"2.0: no times", claims_20(), "ok"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    const auto got = read(r.claims);
    REQUIRE(got);
    CHECK(verdict(check_times(got->what, now)) == r.verdict);
  }
}

TEST_CASE("clocks may lie apart by the leeway and no more") {
  auto c = membership(profile::vc11_jwt);
  c.valid_from = now + 5s;
  CHECK(verdict(check_times(c, now)) == "ok");
  c.valid_from = now + 5001ms;
  CHECK(verdict(check_times(c, now)) == "not_yet_valid");
  c.valid_from = std::nullopt;
  c.valid_until = now - 4999ms;
  CHECK(verdict(check_times(c, now)) == "ok");
  c.valid_until = now - 5s;
  CHECK(verdict(check_times(c, now)) == "expired");
}

TEST_CASE("a credential that is malformed, foreign or contradicts itself is not read") {
  auto without_context = claims_20();
  without_context.erase("@context");
  struct row {
    const char* what;
    json::object claims;
    const char* verdict;
  };
  const row rows[] = {
      {"iss is another", with(kit_claims(), "iss", "did:web:other"), "contradictory"},
      {"sub is another", with(kit_claims(), "sub", "did:web:other"), "contradictory"},
      {"2.0: iss is another", with(claims_20(), "iss", "did:web:other"), "contradictory"},
      {"2.0: sub is another", with(claims_20(), "sub", "did:web:other"), "contradictory"},
      {"two credentials", with(claims_20(), "vc", kit_vc()), "contradictory"},
      {"one of two subjects is another",
       with_vc("credentialSubject",
               json::array{json::object{{"id", "did:web:holder.example"}}, json::object{{"id", "did:web:other"}}}),
       "contradictory"},
      {"issuer as an object", with_vc("issuer", json::object{{"id", "did:web:issuer.example"}}), "ok"},
      {"issuer left to iss", with_vc("issuer", nullptr), "ok"},
      {"no issuer at all", with(with_vc("issuer", nullptr), "iss", nullptr), "malformed"},
      {"issuer is a number", with_vc("issuer", 1), "malformed"},
      {"type as a text", with_vc("type", "MembershipCredential"), "ok"},
      {"no type", with_vc("type", json::array{}), "malformed"},
      {"a type is a number", with_vc("type", json::array{1}), "malformed"},
      {"no subject", with_vc("credentialSubject", json::array{}), "malformed"},
      {"subject is a text", with_vc("credentialSubject", "did:web:holder.example"), "malformed"},
      {"subject's id is a number", with_vc("credentialSubject", json::object{{"id", 1}}), "malformed"},
      {"a date that is none", with_vc("issuanceDate", "yesterday"), "malformed"},
      {"a date that is a number", with_vc("expirationDate", now_s), "malformed"},
      {"exp is a text", with(kit_claims(), "exp", "soon"), "malformed"},
      {"vc is a text", with(kit_claims(), "vc", "x"), "malformed"},
      {"no credential", json::object{{"iss", "x"}}, "malformed"},
      {"2.0 without context", without_context, "malformed"},
      {"1.1 outside of vc", with(claims_20(), "@context", "https://www.w3.org/2018/credentials/v1"), "unsupported"},
      {"status as W3C", with_vc("credentialStatus", status("statusListIndex", "94567")), "ok"},
      {"status as EDC", with_vc("credentialStatus", json::array{status("statusListIndex", 3)}), "ok"},
      {"index below 0", with_vc("credentialStatus", status("statusListIndex", -1)), "malformed"},
      {"index with a sign", with_vc("credentialStatus", status("statusListIndex", "+1")), "malformed"},
      {"index with a tail", with_vc("credentialStatus", status("statusListIndex", "1x")), "malformed"},
      {"index too large", with_vc("credentialStatus", status("statusListIndex", "18446744073709551616")), "malformed"},
      {"status without a list", with_vc("credentialStatus", status("statusListCredential", nullptr)), "malformed"},
      {"status of size 2", with_vc("credentialStatus", status("statusSize", 2)), "unsupported"},
      {"status of size 1", with_vc("credentialStatus", status("statusSize", 1)), "ok"},
      {"status of 2021", with_vc("credentialStatus", status("type", "StatusList2021Entry")), "ok"},
      {"status of another type", with_vc("credentialStatus", status("type", "Other")), "unsupported"},
      {"status is a text", with_vc("credentialStatus", "https://i.example/l"), "malformed"},
      {"schema without id", with_vc("credentialSchema", json::object{{"type", "JsonSchema"}}), "malformed"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    CHECK(verdict(read(r.claims)) == r.verdict);
  }
  CHECK(verdict(read_credential("a.b.c")) == "malformed");
  CHECK(verdict(read_credential("eyJhbGciOiJub25lIn0.e30.")) == "unsupported");
  CHECK(verdict(read_credential(std::string(limits::credential_bytes_max + 1, 'a'))) == "malformed");
}

TEST_CASE("a subject without an id is whom sub names, as EDC writes it") {
  const auto got = read(with_vc("credentialSubject", json::array{json::object{{"foo", "bar"}}}));
  REQUIRE(got);
  CHECK(json::string_at(got->what.subjects.at(0), "id") == "did:web:holder.example");
  const auto nobody = read(with(claims_20(), "credentialSubject", json::array{json::object{{"foo", "bar"}}}));
  REQUIRE(nobody);
  CHECK_FALSE(nobody->what.subjects.at(0).contains("id"));
}

TEST_CASE("the model of a credential reads back as the same credential") {
  for (const auto form : {profile::vc11_jwt, profile::vc20_jose}) {
    const auto meant = membership(form);
    const auto model = to_model(meant);
    CHECK(model.at("issuer") == json::value(json::object{{"id", meant.issuer}}));
    CHECK(model.at("credentialSubject").is_array());
    CHECK(model.at("credentialStatus").is_array());
    CHECK(json::string_at(model, "issuanceDate") == to_rfc3339(*meant.valid_from));
    const auto again = from_model(model, form);
    REQUIRE(again);
    CHECK(*again == meant);
  }
  auto aliases = kit_vc();
  aliases.erase("issuanceDate");
  aliases["validFrom"] = "2027-01-01T00:00:00Z";
  CHECK(from_model(aliases, profile::vc20_jose)->valid_from == parse_rfc3339("2027-01-01T00:00:00Z"));
  aliases.erase("issuer");
  CHECK(verdict(from_model(aliases, profile::vc20_jose)) == "malformed");
}

TEST_CASE("a profile has its DCP name, EDC's name and the specification's misspelling") {
  for (const auto form : {profile::vc11_jwt, profile::vc20_jose}) {
    CHECK(parse_profile(name_of(form)) == form);
    CHECK(parse_profile(edc_name_of(form)) == form);
  }
  CHECK(parse_profile("vc10-sl2021/jwt") == profile::vc11_jwt);
  CHECK_FALSE(parse_profile("VC2_0_SD_JWT"));
  CHECK_FALSE(parse_profile(""));
}

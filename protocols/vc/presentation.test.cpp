#include "protocols/vc/presentation.hpp"

#include <doctest/doctest.h>

#include "protocols/jose/jwt.hpp"

using namespace fondaco;
using namespace fondaco::vc;
using namespace std::chrono_literals;

namespace {

const timepoint now = from_epoch_ms(1'800'000'000'123);
constexpr int64_t now_s = 1'800'000'000;
const std::string holder = "did:web:holder.example";
const std::string verifier = "did:web:verifier.example";
const std::string kid = holder + "#key-1";
constexpr const char* v2 = "https://www.w3.org/ns/credentials/v2";

const jose::key_pair& key(jose::key_type type = jose::key_type::ec_p256) {
  static const auto p256 = jose::key_pair::generate(jose::key_type::ec_p256);
  static const auto ed25519 = jose::key_pair::generate(jose::key_type::ed25519);
  return type == jose::key_type::ec_p256 ? p256 : ed25519;
}

presentation_draft draft(profile form) {
  presentation_draft d;
  d.form = form;
  d.holder = holder;
  d.audience = verifier;
  d.jti = "vp-1";
  d.now = now;
  d.credentials = {"a.b.c", "d.e.f"};
  return d;
}

json::object kit_claims() {
  json::object vp{{"type", "VerifiablePresentation"}, {"verifiableCredential", json::array{"a.b.c"}}};
  return {{"iss", holder}, {"sub", holder}, {"aud", verifier},    {"jti", "j"},
          {"iat", now_s},  {"nbf", now_s},  {"exp", now_s + 300}, {"vp", std::move(vp)}};
}

/// The VCDM 2.0 presentation that EDC signs: neither audience nor end.
json::object edc_claims() {
  return {{"@context", json::array{v2}},
          {"type", "VerifiablePresentation"},
          {"holder", holder},
          {"verifiableCredential",
           json::array{json::object{
               {"@context", v2}, {"id", "data:application/vc+jwt,a.b.c"}, {"type", "EnvelopedVerifiableCredential"}}}}};
}

json::object with(json::object o, std::string_view name, json::value v) {
  o[name] = std::move(v);
  return o;
}

json::object with_vp(std::string_view name, json::value v) {
  return with(kit_claims(), "vp", with(kit_claims().at("vp").as_object(), name, std::move(v)));
}

std::string sign(const json::object& claims, const std::string& with_kid = kid) {
  return jose::sign_jwt(key(), claims, {{"kid", with_kid}});
}

json::object envelop(const std::string& compact) {
  return {{"@context", json::array{v2}},
          {"id", "data:application/vp+jwt," + compact},
          {"type", "EnvelopedVerifiablePresentation"}};
}

auto read(const std::string& compact) { return read_presentation(json::value(compact)); }

template <typename T> std::string verdict(const std::expected<T, fault>& r) {
  if (!r)
    CHECK_FALSE(r.error().detail.empty());
  return r ? "ok" : r.error().code;
}

} // namespace

TEST_CASE("a signed presentation says what was meant, in both profiles and with both kinds of key") {
  for (const auto form : {profile::vc11_jwt, profile::vc20_jose})
    for (const auto type : {jose::key_type::ec_p256, jose::key_type::ed25519}) {
      CAPTURE(name_of(form));
      const auto d = draft(form);
      const auto p = read(sign_presentation(d, key(type), kid));
      REQUIRE(p);
      CHECK(p->form == form);
      CHECK(p->holder == holder);
      CHECK(p->audiences == std::vector{verifier});
      CHECK(p->jti == "vp-1");
      CHECK(p->credentials == d.credentials);
      CHECK(p->expires_at == from_epoch_ms((now_s + 60) * 1000));
      CHECK(p->envelope.kid == kid);
      CHECK(jose::verify_jws(p->envelope, key(type).public_half()).has_value());
      CHECK(verdict(check_presentation(*p, verifier, now)) == "ok");
    }
}

TEST_CASE("presentations are read in every shape that peers send, and in no other") {
  const json::object ld{{"type", "VerifiableCredential"}};
  const auto vp = kit_claims().at("vp");
  struct row {
    const char* what;
    json::object claims;
    const char* verdict;
  };
  const row rows[] = {
      {"as the kit", kit_claims(), "ok"},
      {"without sub, with controller", with(with(kit_claims(), "sub", nullptr), "controller", holder.c_str()), "ok"},
      {"vp as an array", with(kit_claims(), "vp", json::array{vp, vp}), "ok"},
      {"type as an array", with_vp("type", json::array{"VerifiablePresentation"}), "ok"},
      {"no credentials", with_vp("verifiableCredential", json::array{}), "ok"},
      {"as EDC in 2.0", edc_claims(), "ok"},
      {"vp is an empty array", with(kit_claims(), "vp", json::array{}), "malformed"},
      {"vp is a text", with(kit_claims(), "vp", "x"), "malformed"},
      {"another type", with_vp("type", "Other"), "malformed"},
      {"a credential as JSON-LD", with_vp("verifiableCredential", json::array{ld}), "unsupported"},
      {"holder is another", with_vp("holder", "did:web:other"), "contradictory"},
      {"sub is another", with(kit_claims(), "sub", "did:web:other"), "contradictory"},
      {"two presentations", with(edc_claims(), "vp", vp), "contradictory"},
      {"2.0: iss is another", with(edc_claims(), "iss", "did:web:other"), "contradictory"},
      {"2.0: holder as an object", with(edc_claims(), "holder", json::object{{"id", holder}}), "ok"},
      {"2.0: no holder", with(edc_claims(), "holder", nullptr), "malformed"},
      {"2.0: no context", with(edc_claims(), "@context", nullptr), "malformed"},
      {"2.0: a bare credential", with(edc_claims(), "verifiableCredential", "a.b.c"), "unsupported"},
      {"no holder", with(with(kit_claims(), "iss", nullptr), "sub", nullptr), "malformed"},
      {"aud is a number", with(kit_claims(), "aud", 1), "malformed"},
      {"aud is empty", with(kit_claims(), "aud", json::array{}), "malformed"},
      {"exp is a text", with(kit_claims(), "exp", "soon"), "malformed"},
      {"a credential by itself", {{"iss", holder}, {"vc", json::object()}}, "malformed"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    CHECK(verdict(read(sign(r.claims))) == r.verdict);
  }
  json::array many(limits::presentation_credentials_max, json::value("a.b.c"));
  CHECK(verdict(read(sign(with_vp("verifiableCredential", many)))) == "ok");
  many.emplace_back("a.b.c");
  CHECK(verdict(read(sign(with_vp("verifiableCredential", many)))) == "malformed");
  CHECK(verdict(read(std::string(limits::presentation_bytes_max + 1, 'a'))) == "malformed");
  CHECK(verdict(read_presentation(json::value(json::object{{"type", "VerifiablePresentation"}}))) == "unsupported");
  CHECK(verdict(read_presentation(json::value(7))) == "unsupported");
}

TEST_CASE("EDC's double wrap and the enveloped object give the presentation inside") {
  const auto inner = sign(edc_claims());
  const json::value shapes[] = {json::value(sign(envelop(inner))), json::value(envelop(inner)),
                                json::value(envelop(sign(envelop(inner))))};
  for (const auto& shape : shapes) {
    const auto p = read_presentation(shape);
    REQUIRE(p);
    CHECK(p->form == profile::vc20_jose);
    CHECK(p->holder == holder);
    CHECK(p->credentials == std::vector<std::string>{"a.b.c"});
    CHECK(inner.starts_with(p->envelope.signing_input));
  }
  CHECK(verdict(read(sign(envelop(inner + ";" + inner)))) == "unsupported");
  CHECK(verdict(read(sign(envelop(sign(envelop(inner)))))) == "malformed");
  CHECK(verdict(read(sign(envelop(inner), "did:web:other#k"))) == "contradictory");
  CHECK(verdict(read(sign(with(envelop(inner), "id", "data:text/plain,x")))) == "malformed");
}

TEST_CASE("what only the wrapping says never makes a presentation acceptable") {
  const auto wrap = [](const json::object& inner, json::object claims) {
    auto outer = envelop(sign(inner));
    for (const auto& [name, v] : claims)
      outer[name] = v;
    return read(sign(outer));
  };
  const auto lent = wrap(edc_claims(), {{"aud", verifier}, {"exp", now_s + 60}, {"jti", "j"}});
  REQUIRE(lent);
  CHECK(lent->audiences.empty());
  CHECK_FALSE(lent->expires_at);
  CHECK_FALSE(lent->jti);
  CHECK(verdict(check_presentation(*lent, verifier, now)) == "wrong_audience");

  auto whole = with(with(edc_claims(), "aud", verifier.c_str()), "exp", now_s + 60);
  const auto shortened = wrap(whole, {{"exp", now_s - 60}});
  REQUIRE(shortened);
  CHECK(verdict(check_presentation(*shortened, verifier, now)) == "expired");
  const auto prolonged = wrap(with(whole, "exp", now_s - 60), {{"exp", now_s + 60}});
  REQUIRE(prolonged);
  CHECK(verdict(check_presentation(*prolonged, verifier, now)) == "expired");
  CHECK(verdict(wrap(whole, {{"aud", "did:web:other"}})) == "contradictory");
  CHECK(verdict(wrap(whole, {{"iss", "did:web:other"}})) == "contradictory");
}

TEST_CASE("a presentation is for its audience and its time") {
  struct row {
    const char* what;
    json::object claims;
    const char* verdict;
  };
  const row rows[] = {
      {"as expected", kit_claims(), "ok"},
      {"one of several audiences", with(kit_claims(), "aud", json::array{"x", verifier}), "ok"},
      {"another audience", with(kit_claims(), "aud", holder.c_str()), "wrong_audience"},
      {"no audience", with(kit_claims(), "aud", nullptr), "wrong_audience"},
      {"2.0 without claims", edc_claims(), "wrong_audience"},
      {"no end", with(kit_claims(), "exp", nullptr), "malformed"},
      {"over", with(kit_claims(), "exp", now_s - 6), "expired"},
      {"over within the leeway", with(kit_claims(), "exp", now_s - 4), "ok"},
      {"not before later", with(kit_claims(), "nbf", now_s + 6), "not_yet_valid"},
      {"made later", with(kit_claims(), "iat", now_s + 6), "not_yet_valid"},
      {"made later within the leeway", with(kit_claims(), "iat", now_s + 5), "ok"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    const auto p = read(sign(r.claims));
    REQUIRE(p);
    CHECK(verdict(check_presentation(*p, verifier, now)) == r.verdict);
  }
}

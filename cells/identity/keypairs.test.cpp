#include "cells/identity/identity_bed.test.hpp"

#include "cells/identity/keys.hpp"

namespace fondaco::identity {

namespace {

using testing::identity_bed;

constexpr const char* did = "did:web:id.example:acme";

json::object key_of(identity_bed& bed, const std::string& id) {
  const auto got = bed.api("admin", "GET", "/acme/keypairs/" + id);
  REQUIRE_MESSAGE(got.status == 200, got.text);
  return got.object();
}

int64_t state_of(identity_bed& bed, const std::string& id) {
  return json::integer_at(key_of(bed, id), "state").value_or(0);
}

/// The ids of the published methods.
std::vector<std::string> methods(identity_bed& bed) {
  std::vector<std::string> out;
  const auto document = bed.document("/acme/did.json");
  REQUIRE(document.status == 200);
  for (const auto& m : *json::array_at(document.object(), "verificationMethod"))
    out.emplace_back(*json::string_at(m.as_object(), "id"));
  return out;
}

std::string kid(const std::string& fragment) { return std::string(did) + "#" + fragment; }

std::string signer_of(identity_bed& bed, key_usage usage) {
  const auto found = find_signer(*bed.services, tenant("acme"), usage);
  return found ? found->kid : found.error().detail;
}

int put(identity_bed& bed, const std::string& descriptor, const std::string& query = "") {
  return bed.api("admin", "PUT", "/acme/keypairs" + query, descriptor).status;
}

TEST_CASE("a key pair is added, shown without its private half, and published") {
  identity_bed bed;
  bed.join("acme");
  CHECK(put(bed, identity_bed::key("k2", R"("resourceId":"r2","usage":"sign_credentials")")) == 204);
  const auto shown = key_of(bed, "r2");
  CHECK(json::string_at(shown, "keyId") == kid("k2"));
  CHECK(json::string_at(shown, "keyContext") == "JsonWebKey2020");
  CHECK(json::string_at(shown, "privateKeyAlias") == "alias-k2");
  CHECK(json::integer_at(shown, "state") == 200);
  CHECK(json::integer_at(shown, "useDuration") == 180LL * 24 * 3'600'000);
  CHECK(json::boolean_at(shown, "defaultPair") == false);
  CHECK_FALSE(shown.contains("secretName"));
  const auto jwk = json::parse(*json::string_at(shown, "serializedPublicKey"))->as_object();
  CHECK(json::string_at(jwk, "crv") == "P-256");
  CHECK_FALSE(jwk.contains("d"));
  CHECK(methods(bed) == std::vector<std::string>{kid("key1"), kid("k2")});
  const auto document = bed.document("/acme/did.json");
  CHECK(json::array_at(document.object(), "assertionMethod")->size() == 2);
  CHECK(json::array_at(document.object(), "capabilityInvocation")->size() == 1);
  CHECK(bed.api("admin", "GET", "/acme/keypairs").list().size() == 2);
  CHECK(bed.api("admin", "GET", "/acme/keypairs/none").status == 404);
  CHECK(bed.api("admin", "GET", "/nobody/keypairs").status == 404);
}

TEST_CASE("the only active key of a usage signs, else the default one") {
  identity_bed bed;
  bed.join("acme");
  CHECK(signer_of(bed, key_usage::sign_token) == kid("key1"));
  CHECK(put(bed, identity_bed::key("k2", R"("resourceId":"r2")")) == 204);
  CHECK(signer_of(bed, key_usage::sign_token) == kid("key1"));
  CHECK(put(bed, identity_bed::key("k3", R"("resourceId":"r3","usage":["sign_token"])"), "?makeDefault=true") == 204);
  CHECK(signer_of(bed, key_usage::sign_token) == kid("k3"));
  CHECK(json::boolean_at(key_of(bed, "r3"), "defaultPair") == true);
  CHECK(signer_of(bed, key_usage::sign_credentials).find("none of them is the default") != std::string::npos);
  CHECK(bed.api("admin", "POST", "/acme/keypairs/r2/revoke").status == 204);
  CHECK(signer_of(bed, key_usage::sign_credentials) == kid("key1"));
  CHECK(put(bed, identity_bed::key("k4"), "?makeDefault=perhaps") == 400);
}

TEST_CASE("what a found key signs is verified by the published document") {
  identity_bed bed;
  bed.join("acme");
  for (const auto* key : {"", "k2"}) {
    if (*key)
      CHECK(put(bed, identity_bed::key(key), "?makeDefault=true") == 204);
    const auto found = find_signer(*bed.services, tenant("acme"), key_usage::sign_presentation);
    REQUIRE(found.has_value());
    CHECK(found->did == did);
    const auto published = did::read_document(bed.document("/acme/did.json").body, did);
    REQUIRE(published.has_value());
    CHECK(read_own_document(*bed.services, tenant("acme")) == *published);
    const auto* method = did::find_method(*published, found->kid, did::relationship::authentication, true);
    REQUIRE(method != nullptr);
    const auto proves = jose::import_public_jwk(method->public_key_jwk);
    REQUIRE(proves.has_value());
    CHECK(jose::verify_jws(*jose::parse_jws(jose::sign_jws(found->key, "x")), *proves).has_value());
  }
}

TEST_CASE("a created key pair signs and is published once it is activated") {
  identity_bed bed;
  bed.join("acme");
  CHECK(put(bed, identity_bed::key("k2", R"("resourceId":"r2","active":false)"), "?makeDefault=true") == 204);
  CHECK(state_of(bed, "r2") == 100);
  CHECK(methods(bed).size() == 1);
  CHECK(signer_of(bed, key_usage::sign_token) == kid("key1"));
  for (int repeat = 0; repeat < 2; ++repeat)
    CHECK(bed.api("admin", "POST", "/acme/keypairs/r2/activate").status == 204);
  CHECK(state_of(bed, "r2") == 200);
  CHECK(methods(bed).size() == 2);
  CHECK(signer_of(bed, key_usage::sign_token) == kid("k2"));
  CHECK(bed.api("admin", "POST", "/acme/keypairs/none/activate").status == 404);
}

TEST_CASE("a rotated key stays published, its private half is gone, and its successor signs in its place") {
  identity_bed bed;
  bed.join("acme");
  const auto first =
      std::string(*json::string_at(bed.api("admin", "GET", "/acme/keypairs").list()[0].as_object(), "id"));
  const auto stored = bed.documents().get({tenant("acme"), cells::kinds::key_pair, first});
  const auto secret = std::string(*json::string_at(json::parse((*stored)->body)->as_object(), "secretName"));
  CHECK(bed.vault->get(tenant("acme"), secret)->has_value());
  const auto rotate = "/acme/keypairs/" + first + "/rotate?duration=1000";
  for (int repeat = 0; repeat < 2; ++repeat)
    CHECK(bed.api("admin", "POST", rotate, identity_bed::key("k2", R"("resourceId":"r2")")).status == 204);
  CHECK_FALSE(bed.vault->get(tenant("acme"), secret)->has_value());
  CHECK(json::integer_at(key_of(bed, first), "rotationDuration") == 1000);
  CHECK(json::boolean_at(key_of(bed, first), "defaultPair") == false);
  CHECK(json::boolean_at(key_of(bed, "r2"), "defaultPair") == true);
  CHECK(state_of(bed, first) == 300);
  CHECK(methods(bed) == std::vector<std::string>{kid("key1"), kid("k2")});
  CHECK(signer_of(bed, key_usage::sign_token) == kid("k2"));
  CHECK(bed.api("admin", "POST", "/acme/keypairs/" + first + "/activate").status == 400);
  CHECK(bed.api("admin", "POST", "/acme/keypairs/r2/rotate?duration=-1").status == 400);
  CHECK(bed.api("admin", "POST", "/acme/keypairs/r2/rotate", identity_bed::key("k2")).status == 400);
  CHECK(bed.api("admin", "POST", "/acme/keypairs/none/rotate").status == 404);
}

TEST_CASE("a rotation that the vault interrupted is finished by another") {
  identity_bed bed;
  bed.join("acme");
  CHECK(put(bed, identity_bed::key("k2", R"("resourceId":"r2")")) == 204);
  bed.vault->silent = true;
  CHECK(bed.api("admin", "POST", "/acme/keypairs/r2/rotate").status == 503);
  bed.vault->silent = false;
  CHECK(state_of(bed, "r2") == 300);
  CHECK(bed.api("admin", "POST", "/acme/keypairs/r2/rotate").status == 204);
  CHECK(bed.api("admin", "POST", "/acme/keypairs/r2/revoke").status == 204);
}

TEST_CASE("a revoked key leaves the document at once and never comes back") {
  identity_bed bed;
  bed.join("acme");
  CHECK(put(bed, identity_bed::key("k2", R"("resourceId":"r2")")) == 204);
  for (int repeat = 0; repeat < 2; ++repeat)
    CHECK(bed.api("admin", "POST", "/acme/keypairs/r2/revoke").status == 204);
  CHECK(methods(bed) == std::vector<std::string>{kid("key1")});
  CHECK(state_of(bed, "r2") == 400);
  CHECK(bed.api("admin", "POST", "/acme/keypairs/r2/activate").status == 400);
  CHECK(bed.api("admin", "POST", "/acme/keypairs/r2/rotate").status == 400);
  CHECK(put(bed, identity_bed::key("k2", R"("resourceId":"r3")")) == 409);
  CHECK(bed.api("admin", "POST", "/acme/keypairs/r2/revoke", identity_bed::key("k4", R"("resourceId":"r4")")).status ==
        204);
  CHECK(methods(bed) == std::vector<std::string>{kid("key1"), kid("k4")});
}

TEST_CASE("without an active key the fault says what to do") {
  identity_bed bed;
  bed.join("acme");
  const auto id = std::string(*json::string_at(bed.api("admin", "GET", "/acme/keypairs").list()[0].as_object(), "id"));
  CHECK(bed.api("admin", "POST", "/acme/keypairs/" + id + "/revoke").status == 204);
  CHECK(signer_of(bed, key_usage::sign_token) ==
        "The participant acme has no active key pair for sign_token; add or activate one.");
}

TEST_CASE("a key id or resource of another key pair is a conflict, and a wrong descriptor is refused") {
  identity_bed bed;
  bed.join("acme");
  bed.join("globex");
  CHECK(put(bed, identity_bed::key("k2", R"("resourceId":"r2")")) == 204);
  CHECK(put(bed, identity_bed::key("k2", R"("resourceId":"r2")")) == 409);
  CHECK(put(bed, identity_bed::key("k3", R"("resourceId":"r2")")) == 409);
  CHECK(put(bed, identity_bed::key("k2")) == 409);
  CHECK(bed.api("admin", "PUT", "/globex/keypairs", identity_bed::key("k2", R"("resourceId":"r2")")).status == 204);
  const auto rsa = bed.api("admin", "PUT", "/acme/keypairs",
                           R"({"keyId":"k","privateKeyAlias":"a","keyGeneratorParams":{"algorithm":"RSA"}})");
  CHECK(rsa.status == 400);
  CHECK(rsa.error() ==
        "Such keys are not made here; allowed: EC with curve secp256r1 (P-256), or EdDSA with curve Ed25519");
  CHECK(put(bed, identity_bed::key("did:web:id.example:globex#k")) == 400);
  CHECK(bed.api("admin", "POST", "/acme/state?isActive=false").status == 204);
  CHECK(put(bed, identity_bed::key("k9")) == 400);
}

TEST_CASE("a public key is taken if the vault has its private half under the alias") {
  identity_bed bed;
  bed.join("acme");
  const auto pair = jose::key_pair::generate(jose::key_type::ec_p256);
  const auto other = jose::key_pair::generate(jose::key_type::ec_p256);
  const auto descriptor = [](const jose::key_pair& p) {
    return R"({"resourceId":"own","keyId":"own","privateKeyAlias":"mine","publicKeyJwk":)" +
           json::write(p.public_half().jwk()) + "}";
  };
  CHECK(put(bed, descriptor(pair)) == 400);
  REQUIRE(bed.vault->put(tenant("acme"), "mine", json::write(jose::export_private_jwk(pair))).has_value());
  CHECK(put(bed, descriptor(other)) == 400);
  CHECK(put(bed, descriptor(pair), "?makeDefault=true") == 204);
  CHECK(signer_of(bed, key_usage::sign_token) == kid("own"));
}

TEST_CASE("a participant has a bounded number of key pairs") {
  identity_bed bed;
  bed.join("acme");
  int last = 204;
  for (int i = 0; i < 48 && last == 204; ++i)
    last = put(bed, identity_bed::key("n" + std::to_string(i), R"("resourceId":"n)" + std::to_string(i) + "\""));
  CHECK(last == 409);
  CHECK(bed.api("admin", "POST", "/acme/keypairs/n0/revoke").status == 204);
  CHECK(put(bed, identity_bed::key("more")) == 204);
}

} // namespace

} // namespace fondaco::identity

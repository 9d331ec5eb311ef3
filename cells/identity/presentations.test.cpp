#include "cells/identity/presentations.hpp"

#include "cells/control_plane/dsp_bed.test.hpp"
#include "cells/identity/dcp_world.test.hpp"
#include "protocols/base/base64.hpp"

using namespace fondaco;
using namespace fondaco::identity;
using control_plane::dsp_testing::dsp_bed;
using identity::testing::answer;
using identity::testing::dcp_world;
using identity::testing::issuer_did;
using identity::testing::membership_scope;
using identity::testing::party;

namespace {

constexpr const char* verifier = "did:web:provider";
constexpr const char* holder_did = "did:web:holder.example";
constexpr const char* trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

using verified = std::expected<std::vector<vc::credential>, fault>;

/// A verifier, a holder with a membership, and the issuer that is trusted for it.
struct inquiry_bed {
  inquiry_bed() : holder(world.join(holder_did)) {
    world.join(verifier);
    bed.network.play([this](const actors::http_call& call) { return world(call); });
    bed.add_participant("provider", "nobody", "{}", "membership", dcp_world::sts_entries(verifier),
                        dcp_world::sts_secrets());
    bed.trust.replace({{issuer_did, {"MembershipCredential"}, {"membership"}}});
    holder.credentials = {world.sign(world.membership(holder_did))};
  }
  verified verify(std::vector<std::string> scopes = {membership_scope}) {
    proven_caller caller;
    caller.did = holder.did;
    caller.document = holder.document;
    caller.access_token = "access";
    presentation_demand demand;
    demand.profile = "membership";
    demand.scopes = std::move(scopes);
    demand.traceparent = trace;
    return bed.run(
        verify_credentials(*bed.services, tenant("provider"), verifier, std::move(caller), std::move(demand)));
  }
  /// The holder's credential service answers so from now on.
  void presents(std::function<std::vector<std::string>()> what) {
    world.play(holder.service() + "/presentations/query",
               [what](const auto&) { return dcp_world::presentation_answer(what()); });
  }
  void presents_credential(const vc::credential& c, const party* by = nullptr) {
    holder.credentials = {world.sign(c, by)};
  }

  dcp_world world;
  party& holder;
  dsp_bed bed;
};

std::string code_of(const verified& v) { return v ? "verified" : v.error().code; }
std::string detail_of(const verified& v) { return v ? "" : v.error().detail; }

vc::status_entry entry_of(const std::string& url, uint64_t index, const std::string& purpose = "revocation") {
  vc::status_entry e;
  e.id = url + "#" + std::to_string(index);
  e.type = "BitstringStatusListEntry";
  e.purpose = purpose;
  e.index = index;
  e.list_url = url;
  return e;
}

} // namespace

TEST_CASE("a presentation of a trusted membership is verified and its credentials are given") {
  inquiry_bed b;
  const auto got = b.verify();
  REQUIRE_MESSAGE(got.has_value(), detail_of(got));
  REQUIRE(got->size() == 1);
  CHECK(got->front().issuer == issuer_did);
  CHECK(json::string_at(got->front().subjects.at(0), "level") == "gold");
  const auto calls = b.bed.network.calls("/presentations/query");
  REQUIRE(calls.size() == 1);
  const auto body = json::parse(calls[0].body);
  REQUIRE(body.has_value());
  CHECK(json::write(*json::array_at(body->get_object(), "scope")) == "[\"" + std::string(membership_scope) + "\"]");
  CHECK(json::string_at(body->get_object(), "type") == "PresentationQueryMessage");
  CHECK(calls[0].traceparent.substr(0, 36) == std::string(trace).substr(0, 36));
  CHECK(b.bed.traces.named("credential.presentation").size() == 1);
  const auto spans = b.bed.traces.named("credential.verification");
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].traceparent == trace);
  CHECK(spans[0].failure.empty());
  CHECK(b.bed.log().find("access") == std::string::npos);
}

TEST_CASE("nobody is asked where no credential is demanded") {
  inquiry_bed b;
  const auto got = b.verify({});
  REQUIRE(got.has_value());
  CHECK(got->empty());
  CHECK(b.bed.network.calls("").empty());
}

TEST_CASE("a caller whose credential service does not present is refused with what it said") {
  inquiry_bed b;
  const auto url = b.holder.service() + "/presentations/query";
  struct row {
    const char* name;
    actors::http_result answered;
    const char* code;
    bool passes;
  };
  const std::vector<row> table{
      {"refused", answer(401, R"({"message":"the scope is not granted"})"), "not_presented", false},
      {"redirected", answer(302, ""), "not_presented", false},
      {"broken", answer(500, ""), "unavailable", true},
      {"busy", answer(429, ""), "unavailable", true},
      {"silent", std::unexpected(actors::exchange_errc::no_answer), "unavailable", true},
      {"private", std::unexpected(actors::exchange_errc::address_refused), "not_presented", false},
      {"no JSON", answer(200, "<html>"), "bad_presentation", false},
      {"another message", answer(200, R"({"type":"PresentationQueryMessage"})"), "bad_presentation", false},
      {"nothing", dcp_world::presentation_answer({}), "not_presented", false},
      {"no JWS", dcp_world::presentation_answer({"x.y.z"}), "bad_presentation", false},
      {"too many", dcp_world::presentation_answer(std::vector<std::string>(17, "a.b.c")), "bad_presentation", false},
      {"a VP without credentials", dcp_world::presentation_answer({b.world.present_to(b.holder, verifier, {})}),
       "not_presented", false},
  };
  for (const auto& r : table) {
    CAPTURE(r.name);
    b.world.play(url, [r](const auto&) { return r.answered; });
    const auto got = b.verify();
    CHECK(code_of(got) == r.code);
    CHECK((!got && (got.error().remedy == cure::retry) == r.passes));
    CHECK_FALSE(detail_of(got).empty());
  }
  b.world.play(url, [&](const auto&) { return table[0].answered; });
  CHECK(detail_of(b.verify()).find("the scope is not granted") != std::string::npos);
}

TEST_CASE("a document without a credential service is refused") {
  inquiry_bed b;
  b.holder.document.services.clear();
  CHECK(code_of(b.verify()) == "no_credential_service");
  b.holder.document.services.push_back({"x", "CredentialService", "file:///etc/passwd"});
  CHECK(code_of(b.verify()) == "no_credential_service");
}

TEST_CASE("a presentation has to be this holder's, for this verifier, in time and signed with its own key") {
  inquiry_bed b;
  auto& third = b.world.join("did:web:third.example");
  const auto membership = b.holder.credentials;
  const auto refused = [&](std::string presentation) {
    b.presents([presentation] { return std::vector{presentation}; });
    return code_of(b.verify());
  };
  CHECK(refused(b.world.present_to(third, verifier, membership)) == "wrong_holder");
  CHECK(refused(b.world.present_to(b.holder, "did:web:third.example", membership)) == "bad_presentation");
  vc::presentation_draft d;
  d.holder = holder_did;
  d.audience = verifier;
  d.jti = "vp";
  d.credentials = membership;
  d.now = b.world.now() - std::chrono::hours(1);
  CHECK(refused(vc::sign_presentation(d, b.holder.key, b.holder.kid)) == "bad_presentation");
  d.now = b.world.now() + std::chrono::hours(1);
  CHECK(refused(vc::sign_presentation(d, b.holder.key, b.holder.kid)) == "bad_presentation");
  d.now = b.world.now();
  CHECK(refused(vc::sign_presentation(d, third.key, b.holder.kid)) == "bad_signature");
  CHECK(refused(vc::sign_presentation(d, third.key, third.kid)) == "bad_signature");
  CHECK(refused(vc::sign_presentation(d, b.holder.key, std::string(holder_did) + "#other")) == "bad_signature");
  // The key is published, but not for presentations.
  b.holder.document.authentication = {std::string(holder_did) + "#other"};
  CHECK(refused(vc::sign_presentation(d, b.holder.key, b.holder.kid)) == "bad_signature");
  b.holder.document.authentication = {b.holder.kid};
  CHECK(refused(vc::sign_presentation(d, b.holder.key, b.holder.kid)) == "verified");
}

TEST_CASE("a presentation is taken once") {
  inquiry_bed b;
  const auto once = b.world.present_to(b.holder, verifier, b.holder.credentials);
  b.presents([once] { return std::vector{once}; });
  CHECK(code_of(b.verify()) == "verified");
  const auto again = b.verify();
  CHECK(code_of(again) == "bad_presentation");
  CHECK(detail_of(again).find("seen before") != std::string::npos);
}

TEST_CASE("a relationship that a document does not list allows its key, unless the node is strict") {
  inquiry_bed b;
  b.holder.document.authentication.clear();
  CHECK(code_of(b.verify()) == "verified");
  b.bed.settings.strict_relationships = true;
  CHECK(code_of(b.verify()) == "bad_signature");
}

TEST_CASE("an issuer counts for the types and profiles that it is trusted for") {
  inquiry_bed b;
  const auto with_types = [&](std::vector<std::string> types) {
    auto c = b.world.membership(holder_did);
    c.types = std::move(types);
    b.presents_credential(c);
    return code_of(b.verify());
  };
  CHECK(with_types({"VerifiableCredential", "MembershipCredential"}) == "verified");
  CHECK(with_types({"MembershipCredential"}) == "verified");
  // It must not make itself more than it is trusted for.
  CHECK(with_types({"VerifiableCredential", "MembershipCredential", "AuditCredential"}) == "untrusted_issuer");
  CHECK(with_types({"VerifiableCredential"}) == "untrusted_issuer");
  b.bed.trust.replace({{issuer_did, {"*"}, {"another-profile"}}});
  CHECK(with_types({"VerifiableCredential", "MembershipCredential"}) == "untrusted_issuer");
  b.bed.trust.replace({{"did:web:else.example", {"*"}, {}}});
  const auto got = (with_types({"VerifiableCredential", "MembershipCredential"}), b.verify());
  CHECK(detail_of(got) ==
        "The issuer did:web:issuer.example is not trusted for MembershipCredential in dataspace profile 'membership'.");
  b.bed.trust.replace({{issuer_did, {"*"}, {}}});
  CHECK(with_types({"VerifiableCredential", "MembershipCredential", "AuditCredential"}) == "verified");
}

TEST_CASE("a credential has to be about the holder, in time and signed by its issuer") {
  inquiry_bed b;
  auto& third = b.world.join("did:web:third.example");
  const auto good = b.world.membership(holder_did);
  const auto refused = [&](const vc::credential& c, const party* by = nullptr) {
    b.presents_credential(c, by);
    return code_of(b.verify());
  };
  auto c = good;
  c.subjects = {json::object{{"id", third.did}}};
  CHECK(refused(c) == "wrong_holder");
  c.subjects = {json::object{{"id", holder_did}}, json::object{{"id", third.did}}};
  CHECK(refused(c) == "wrong_holder");
  c = good;
  c.valid_until = b.world.now() - std::chrono::seconds(100);
  CHECK(refused(c) == "bad_credential");
  c = good;
  c.valid_from = b.world.now() + std::chrono::hours(1);
  CHECK(refused(c) == "bad_credential");
  // Signed with a key that is not the issuer's.
  CHECK(refused(good, &third) == "bad_signature");
  auto forged = vc::sign_credential(good, third.key, b.world.issuer().kid, "jti", b.world.now());
  b.holder.credentials = {forged};
  CHECK(code_of(b.verify()) == "bad_signature");
  b.holder.credentials = {"no.credential.here"};
  CHECK(code_of(b.verify()) == "bad_credential");
  // One bad credential spoils a presentation with a good one.
  b.holder.credentials = {b.world.sign(good), forged};
  CHECK(code_of(b.verify()) == "bad_signature");
  CHECK(refused(good) == "verified");
}

TEST_CASE("an issuer whose document cannot be had now is for now, one without the key is for good") {
  inquiry_bed b;
  const auto url = *did::web_url(issuer_did, false);
  b.world.play(url, [](const auto&) { return answer(503, ""); });
  const auto silent = b.verify();
  CHECK(code_of(silent) == "unavailable");
  CHECK((!silent && silent.error().remedy == cure::retry));
}

TEST_CASE("a key that was rotated is looked for in a fresh document") {
  inquiry_bed b;
  REQUIRE(code_of(b.verify()) == "verified");
  party fresh(issuer_did);
  auto& issuer = b.world.issuer();
  issuer.kid = fresh.kid = std::string(issuer_did) + "#key-2";
  issuer.key = fresh.key;
  issuer.document.methods[0].id = fresh.kid;
  issuer.document.methods[0].public_key_jwk = fresh.key.public_half().jwk();
  issuer.document.assertion_method = {fresh.kid};
  b.presents_credential(b.world.membership(holder_did));
  CHECK(code_of(b.verify()) == "verified");
}

TEST_CASE("every scope needs a credential, and more of them are fine") {
  inquiry_bed b;
  b.bed.trust.replace({{issuer_did, {"*"}, {}}});
  const auto membership = b.holder.credentials[0];
  const auto audit = b.world.sign(b.world.membership(holder_did, "AuditCredential"));
  const std::string audit_scope = "org.eclipse.dspace.dcp.vc.type:AuditCredential:read";
  const auto missing = b.verify({membership_scope, audit_scope});
  CHECK(code_of(missing) == "not_presented");
  CHECK(detail_of(missing).find(audit_scope) != std::string::npos);
  b.holder.credentials = {membership, audit};
  CHECK(code_of(b.verify({membership_scope, audit_scope})) == "verified");
  CHECK(code_of(b.verify()) == "verified");
  CHECK(code_of(b.verify({"nonsense"})) == "not_presented");
  // Two presentations, each with one.
  b.presents([&] {
    return std::vector{b.world.present_to(b.holder, verifier, {membership}),
                       b.world.present_to(b.holder, verifier, {audit})};
  });
  const auto both = b.verify({membership_scope, audit_scope});
  REQUIRE_MESSAGE(both.has_value(), detail_of(both));
  CHECK(both->size() == 2);
}

TEST_CASE("a credential of VCDM 2.0 is verified too") {
  inquiry_bed b;
  auto c = b.world.membership(holder_did);
  c.form = vc::profile::vc20_jose;
  c.contexts = {"https://www.w3.org/ns/credentials/v2"};
  const auto compact = b.world.sign(c);
  b.presents([&] {
    vc::presentation_draft d;
    d.form = vc::profile::vc20_jose;
    d.holder = holder_did;
    d.audience = verifier;
    d.jti = "vp-20";
    d.now = b.world.now();
    d.credentials = {compact};
    return std::vector{vc::sign_presentation(d, b.holder.key, b.holder.kid)};
  });
  const auto got = b.verify();
  CHECK_MESSAGE(got.has_value(), detail_of(got));
}

TEST_CASE("a credential is refused by the bit in a status list that its issuer signed") {
  inquiry_bed b;
  auto& third = b.world.join("did:web:third.example");
  const auto publish = [&](const std::string& url, const std::string& body) {
    b.world.play(url, [body](const auto&) { return answer(200, body); });
  };
  vc::status_bits bits;
  bits.set(7, true);
  const auto list = [&](const std::string& url, const std::string& purpose, const char* issuer = issuer_did) {
    return vc::make_status_list(vc::profile::vc20_jose, url, issuer, purpose, bits, b.world.now(),
                                std::chrono::hours(1));
  };
  const auto status = [&](const vc::status_entry& e) {
    auto c = b.world.membership(holder_did);
    c.statuses = {e};
    b.presents_credential(c);
    return b.verify();
  };
  const std::string base = "https://issuer.example/status-" + std::to_string(to_epoch_ms(b.world.now())) + "/";
  publish(base + "revocation", b.world.sign(list(base + "revocation", "revocation")));
  CHECK(code_of(status(entry_of(base + "revocation", 6))) == "verified");
  const auto revoked = status(entry_of(base + "revocation", 7));
  CHECK(code_of(revoked) == "revoked");
  CHECK(detail_of(revoked) == "The credential MembershipCredential is revoked by its issuer.");
  CHECK(code_of(status(entry_of(base + "revocation", 1u << 20))) == "revoked");
  CHECK(code_of(status(entry_of(base + "revocation", 6, "suspension"))) == "revoked");
  // One fetch was enough for all of them.
  CHECK(b.bed.network.calls(base + "revocation").size() == 1);
  publish(base + "suspension", b.world.sign(list(base + "suspension", "suspension")));
  CHECK(detail_of(status(entry_of(base + "suspension", 7, "suspension"))).find("suspended") != std::string::npos);
  // What the issuer has not signed proves nothing, even if it says that all is well.
  publish(base + "plain", json::write(vc::to_model(list(base + "plain", "revocation"))));
  CHECK(detail_of(status(entry_of(base + "plain", 6))).find("not signed") != std::string::npos);
  publish(base + "foreign", b.world.sign(list(base + "foreign", "revocation", third.did.c_str()), &third));
  CHECK(code_of(status(entry_of(base + "foreign", 6))) == "revoked");
  publish(base + "forged", b.world.sign(list(base + "forged", "revocation"), &third));
  CHECK(code_of(status(entry_of(base + "forged", 6))) == "bad_signature");
  auto old = list(base + "old", "revocation");
  old.valid_until = b.world.now() - std::chrono::minutes(1);
  publish(base + "old", b.world.sign(old));
  CHECK(code_of(status(entry_of(base + "old", 6))) == "revoked");
  publish(base + "membership", b.world.sign(b.world.membership(holder_did)));
  CHECK(code_of(status(entry_of(base + "membership", 6))) == "revoked");
  CHECK(code_of(status(entry_of(base + "silent", 6))) == "unavailable");
  b.world.play(base + "gone", [](const auto&) { return answer(404, ""); });
  CHECK(code_of(status(entry_of(base + "gone", 6))) == "revoked");
}

TEST_CASE("a subject has to satisfy the schema that its credential names") {
  inquiry_bed b;
  const std::string base = "https://issuer.example/schema-" + std::to_string(to_epoch_ms(b.world.now())) + "/";
  const auto publish = [&](const std::string& name, const std::string& body) {
    b.world.play(base + name, [body](const auto&) { return answer(200, body); });
  };
  const auto by_schema = [&](const std::string& name, const std::string& type) {
    auto c = b.world.membership(holder_did);
    c.schemas = {{base + name, type}};
    b.presents_credential(c);
    return b.verify();
  };
  publish("level", R"({"type":"object","required":["id","level"]})");
  publish("foo", R"({"type":"object","required":["id","foo"]})");
  publish("whole", R"({"type":"object","required":["issuer","credentialSubject"]})");
  publish("broken", "<html>");
  CHECK(code_of(by_schema("level", "JsonSchemaValidator2018")) == "verified");
  const auto violated = by_schema("foo", "JsonSchemaValidator2018");
  CHECK(code_of(violated) == "schema_violated");
  CHECK(detail_of(violated).find("does not satisfy its schema") != std::string::npos);
  CHECK(code_of(by_schema("whole", "JsonSchema")) == "verified");
  CHECK(code_of(by_schema("level", "JsonSchema")) == "schema_violated");
  CHECK(code_of(by_schema("level", "XmlSchema")) == "schema_violated");
  CHECK(code_of(by_schema("broken", "JsonSchema")) == "schema_violated");
  CHECK(code_of(by_schema("silent", "JsonSchema")) == "unavailable");
  b.world.play(base + "gone", [](const auto&) { return answer(404, ""); });
  CHECK(code_of(by_schema("gone", "JsonSchema")) == "schema_violated");
}

TEST_CASE("what a credential points at is not fetched before its issuer is trusted and its signature holds") {
  inquiry_bed b;
  auto& third = b.world.join("did:web:third.example");
  auto c = b.world.membership(holder_did);
  c.statuses = {entry_of("https://victim.example/list", 1)};
  c.schemas = {{"https://victim.example/schema", "JsonSchema"}};
  b.presents_credential(c, &third);
  CHECK(code_of(b.verify()) == "bad_signature");
  c.issuer = third.did;
  b.presents_credential(c, &third);
  CHECK(code_of(b.verify()) == "untrusted_issuer");
  CHECK(b.bed.network.calls("victim.example").empty());
}

TEST_CASE("a single credential is verified by its signature, times and status") {
  inquiry_bed b;
  auto& third = b.world.join("did:web:third.example");
  const auto check = [&](const std::string& compact) {
    const auto got = b.bed.run(verify_credential(*b.bed.services, compact));
    return got ? "verified" : got.error().code;
  };
  auto c = b.world.membership(holder_did);
  CHECK(check(b.world.sign(c)) == "verified");
  CHECK(check(b.world.sign(c, &third)) == "bad_signature");
  CHECK(check("nonsense") == "bad_credential");
  c.valid_until = b.world.now() - std::chrono::minutes(1);
  CHECK(check(b.world.sign(c)) == "bad_credential");
}

TEST_CASE("a verifier that has no key of its own answers that it may be asked again") {
  inquiry_bed b;
  b.bed.add_participant("provider", "nobody", "{}", "membership");
  const auto got = b.verify();
  CHECK(code_of(got) == "unavailable");
  CHECK((!got && got.error().remedy == cure::retry));
  CHECK(b.bed.network.calls("/presentations/query").empty());
}

#include "cells/credential_service/service_bed.test.hpp"

#include <algorithm>

#include "cells/credential_service/held_credentials.hpp"
#include "protocols/vc/presentation.hpp"
#include "protocols/vc/status_list.hpp"

using namespace fondaco;
using namespace fondaco::credential_service;
using namespace fondaco::credential_service::testing;

namespace {

using scopes = std::vector<std::string>;

/// A holder with one membership and one invoice credential, which the issuer delivered.
struct presenting_bed : service_bed {
  presenting_bed() {
    request("pid-1", {"MembershipCredential", "InvoiceCredential"});
    for (const char* type : {"MembershipCredential", "InvoiceCredential"}) {
      const auto got = deliver("pid-1", type, membership(type));
      REQUIRE_MESSAGE(got.status == 200, got.message());
    }
  }
  answered query(const scopes& requested, const scopes& granted) {
    return dcp("presentations/query", query_for(requested), verifier_token(granted));
  }
  /// The types of all credentials of the answer's presentations, which have to hold; sorted.
  scopes presented(const answered& a) {
    REQUIRE_MESSAGE(a.status == 200, a.message());
    CHECK(a.text("type") == "PresentationResponseMessage");
    CHECK(json::array_at(a.body.get_object(), "@context")->at(0) == json::value(fondaco::dcp::context));
    scopes types;
    const auto own = identity::read_own_document(*services, tenant("holder"));
    REQUIRE(own.has_value());
    for (const auto& entry : *json::array_at(a.body.get_object(), "presentation")) {
      const auto p = vc::read_presentation(entry);
      REQUIRE_MESSAGE(p.has_value(), (p ? "" : p.error().detail));
      CHECK(p->holder == holder_did);
      CHECK(p->audiences == scopes{verifier_did});
      CHECK(vc::check_presentation(*p, verifier_did, services->clock.now()).has_value());
      const auto* method = did::find_method(*own, p->envelope.kid, did::relationship::authentication, true);
      REQUIRE(method);
      CHECK(jose::verify_jws(p->envelope, *jose::import_public_jwk(method->public_key_jwk)).has_value());
      for (const auto& compact : p->credentials) {
        const auto c = vc::read_credential(compact);
        REQUIRE(c.has_value());
        CHECK(c->what.form == p->form);
        types.push_back(c->what.types.back());
      }
    }
    std::ranges::sort(types);
    return types;
  }
};

held_credential held_of(const std::string& id, const std::string& type, int hours_old,
                        const std::string& issuer = issuer_did) {
  held_credential h;
  h.id = id;
  h.what.id = id;
  h.what.types = {"VerifiableCredential", type};
  h.what.issuer = issuer;
  h.created_at = from_epoch_ms(1'000'000'000'000) - std::chrono::hours(hours_old);
  h.what.valid_from = h.created_at;
  return h;
}

} // namespace

TEST_CASE("what is presented is what was both asked for and granted, the newest of its sort first") {
  const auto now = from_epoch_ms(1'000'000'000'000);
  const fondaco::dcp::scope membership{false, "MembershipCredential"}, invoice{false, "InvoiceCredential"};
  auto expired = held_of("expired", "MembershipCredential", 1);
  expired.what.valid_until = now - std::chrono::minutes(1);
  auto early = held_of("early", "MembershipCredential", -2);
  const std::vector<held_credential> all{held_of("m-old", "MembershipCredential", 9),
                                         held_of("m-new", "MembershipCredential", 3),
                                         held_of("m-other", "MembershipCredential", 5, "did:web:other.example"),
                                         held_of("i-1", "InvoiceCredential", 4),
                                         expired,
                                         early};
  struct row {
    std::vector<fondaco::dcp::scope> requested;
    std::vector<fondaco::dcp::scope> granted;
    std::vector<std::string> expected;
  };
  const row table[] = {
      {{membership}, {membership}, {"m-new", "m-other"}},
      {{membership, invoice}, {membership}, {"m-new", "m-other"}},
      {{invoice}, {membership, invoice}, {"i-1"}},
      {{membership, invoice}, {invoice, membership}, {"m-new", "i-1", "m-other"}},
      {{invoice}, {membership}, {}},
      {{}, {membership}, {}},
      {{membership}, {}, {}},
      {{{true, "m-old"}}, {membership}, {"m-old"}},
      {{{true, "m-old"}, membership}, {membership}, {"m-new", "m-other", "m-old"}},
      {{membership}, {{true, "m-old"}}, {"m-old"}},
      {{{true, "expired"}}, {membership}, {}},
  };
  for (const auto& r : table) {
    std::vector<std::string> got;
    for (const auto& c : select_credentials(all, r.requested, r.granted, now))
      got.push_back(c.id);
    CHECK(got == r.expected);
  }
}

TEST_CASE("a verifier gets the credentials that it asks for, as far as they are granted") {
  presenting_bed b;
  const scopes member{membership_scope}, bill{invoice_scope}, both{membership_scope, invoice_scope};
  CHECK(b.presented(b.query(member, member)) == scopes{"MembershipCredential"});
  CHECK(b.presented(b.query(bill, both)) == scopes{"InvoiceCredential"});
  CHECK(b.presented(b.query(both, member)) == scopes{"MembershipCredential"});
  CHECK(b.presented(b.query(both, both)) == scopes{"InvoiceCredential", "MembershipCredential"});
  CHECK(b.presented(b.query({"org.eclipse.dspace.dcp.vc.type:OtherCredential:read"}, both)).empty());
  const auto spans = b.traces.named("credential.presentation");
  REQUIRE(spans.size() == 5);
  CHECK(spans[0].failure.empty());
  CHECK(b.log().find("PresentationQueryMessage") != std::string::npos);
}

TEST_CASE("a query that is not well formed is refused before its token is looked at") {
  presenting_bed b;
  const auto definition = json::object{{"id", "x"}, {"input_descriptors", json::array{}}};
  const json::array member{membership_scope};
  const auto type = std::string("PresentationQueryMessage");
  struct row {
    std::string name;
    std::string body;
    int status;
  };
  const row table[] = {
      {"no JSON", "{", 400},
      {"no object", "[]", 400},
      {"another message", service_bed::message("CredentialMessage", {{"scope", member}}), 400},
      {"no context", R"({"type":"PresentationQueryMessage","scope":["a"]})", 400},
      {"both", service_bed::message(type, {{"scope", member}, {"presentationDefinition", definition}}), 400},
      {"neither", service_bed::message(type, {}), 400},
      {"empty scope", service_bed::message(type, {{"scope", json::array{}}}), 400},
      {"a definition", service_bed::message(type, {{"presentationDefinition", definition}}), 501},
      {"a scope of nobody", service_bed::message(type, {{"scope", json::array{"read:everything"}}}), 400},
  };
  for (const auto& r : table) {
    CAPTURE(r.name);
    CHECK(b.dcp("presentations/query", r.body, "not-a-token").status == r.status);
    CHECK(b.send_raw("POST", "/api/credentials/v1/participants/holder/presentations/query", r.body, {}).status == 401);
  }
}

TEST_CASE("a query without a token that holds is answered 401") {
  presenting_bed b;
  const auto body = b.query_for({membership_scope});
  const scopes member{membership_scope};
  struct row {
    std::string name;
    std::string token;
  };
  const row table[] = {
      {"no token", "nonsense"},
      {"meant for another", b.world.token(verifier_did, third_did, b.grant(member))},
      {"without an access token", b.world.token(verifier_did, holder_did, "")},
      {"with another's access token", b.world.token(third_did, holder_did, b.grant(member))},
      {"with a false access token", b.world.token(verifier_did, holder_did, "faketoken")},
      {"with its own access token", b.world.token(verifier_did, holder_did, b.world.token(verifier_did, holder_did))},
  };
  for (const auto& r : table) {
    CAPTURE(r.name);
    const auto got = b.dcp("presentations/query", body, r.token);
    CHECK(got.status == 401);
    CHECK(got.header("WWW-Authenticate") == "Bearer");
  }
  CHECK(b.dcp("presentations/query", body, b.verifier_token(member)).status == 200);
  CHECK(b.traces.named("credential.presentation").back().failure.empty());
}

TEST_CASE("a scheme other than Bearer is no token") {
  presenting_bed b;
  const auto token = b.verifier_token({membership_scope});
  const auto body = b.query_for({membership_scope});
  const auto path = "/api/credentials/v1/participants/holder/presentations/query";
  for (const auto& value : {token, "bearer " + token, "Basic " + token, std::string("Bearer ")})
    CHECK(b.send_raw("POST", path, body, {{"authorization", value}}).status == 401);
  CHECK(b.send_raw("POST", path, body, {{"authorization", "Bearer " + token}}).status == 200);
}

TEST_CASE("neither a token nor an access token counts twice") {
  presenting_bed b;
  const auto body = b.query_for({membership_scope});
  const auto access = b.grant({membership_scope});
  const auto token = b.world.token(verifier_did, holder_did, access);
  CHECK(b.dcp("presentations/query", body, token).status == 200);
  CHECK(b.dcp("presentations/query", body, token).status == 401);
  CHECK(b.dcp("presentations/query", body, b.world.token(verifier_did, holder_did, access)).status == 401);
}

TEST_CASE("a token for one participant opens nothing at another, and an unknown participant is not told apart") {
  presenting_bed b;
  b.add_holder("other", "did:web:other-holder.example");
  const auto body = b.query_for({membership_scope});
  CHECK(b.dcp("presentations/query", body, b.verifier_token({membership_scope}), "other").status == 401);
  CHECK(b.dcp("presentations/query", body, b.verifier_token({membership_scope}), "nobody").status == 401);
  const auto foreign = b.world.token(verifier_did, "did:web:other-holder.example", b.grant({membership_scope}));
  CHECK(b.dcp("presentations/query", body, foreign, "other").status == 401);
  const auto own =
      b.world.token(verifier_did, "did:web:other-holder.example", b.grant({membership_scope}, verifier_did, "other"));
  const auto got = b.dcp("presentations/query", body, own, "other");
  CHECK(b.presented(got).empty());
}

TEST_CASE("credentials of two data models are presented apart") {
  presenting_bed b;
  auto c = b.world.membership(holder_did, "InvoiceCredential");
  c.form = vc::profile::vc20_jose;
  c.contexts = {"https://www.w3.org/ns/credentials/v2"};
  c.valid_from = b.world.now() - std::chrono::minutes(5);
  const auto manifest = json::object{
      {"id", "jose"},
      {"participantContextId", "holder"},
      {"verifiableCredentialContainer",
       json::object{{"rawVc", b.world.sign(c)}, {"format", "VC2_0_JOSE"}, {"credential", vc::to_model(c)}}}};
  const auto added = b.api("POST", "", json::write(manifest));
  REQUIRE_MESSAGE(added.status == 204, added.message());
  const scopes both{membership_scope, invoice_scope};
  const auto got = b.query(both, both);
  CHECK(b.presented(got) == scopes{"InvoiceCredential", "MembershipCredential"});
  CHECK(json::array_at(got.body.get_object(), "presentation")->size() == 2);
}

TEST_CASE("a revoked credential is not presented, one whose list is silent is") {
  presenting_bed b;
  const std::string url = "https://issuer.example/status/1";
  auto c = b.world.membership(holder_did);
  c.valid_from = b.world.now();
  c.statuses.push_back({url + "#7", "BitstringStatusListEntry", "revocation", 7, url});
  vc::status_bits bits;
  const auto publish = [&](const vc::status_bits& now_set) {
    const auto list = vc::make_status_list(vc::profile::vc11_jwt, url, issuer_did, "revocation", now_set, b.world.now(),
                                           milliseconds(3'600'000));
    b.world.play(url, [text = b.world.sign(list)](const auto&) { return answer(200, text); });
  };
  publish(bits);
  REQUIRE(b.deliver("pid-1", "MembershipCredential", b.world.sign(c)).status == 200);
  const scopes member{membership_scope};
  CHECK(b.presented(b.query(member, member)) == scopes{"MembershipCredential"});

  auto revoked = b.world.membership(holder_did);
  const std::string other = "https://issuer.example/status/2";
  revoked.valid_from = b.world.now() + std::chrono::milliseconds(1);
  revoked.statuses.push_back({other + "#7", "BitstringStatusListEntry", "revocation", 7, other});
  bits.set(7, true);
  const auto list = vc::make_status_list(vc::profile::vc11_jwt, other, issuer_did, "revocation", bits, b.world.now(),
                                         milliseconds(3'600'000));
  const auto manifest = json::object{
      {"id", "revoked"},
      {"participantContextId", "holder"},
      {"verifiableCredentialContainer",
       json::object{{"rawVc", b.world.sign(revoked)}, {"format", "VC1_0_JWT"}, {"credential", vc::to_model(revoked)}}}};
  REQUIRE(b.api("POST", "", json::write(manifest)).status == 204);
  CHECK(b.presented(b.query(member, member)) == scopes{"MembershipCredential"});
  b.world.play(other, [text = b.world.sign(list)](const auto&) { return answer(200, text); });
  CHECK(b.presented(b.query(member, member)).empty());
}

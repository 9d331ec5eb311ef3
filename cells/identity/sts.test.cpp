#include "cells/identity/identity_bed.test.hpp"

#include "cells/identity/keys.hpp"
#include "cells/identity/token_source.hpp"
#include "protocols/dcp/self_issued.hpp"

namespace fondaco::identity {

namespace {

using testing::identity_bed;

constexpr const char* did = "did:web:id.example:acme";
constexpr const char* partner = "did:web:partner.example";
constexpr const char* scope = "org.eclipse.dspace.dcp.vc.type:MembershipCredential:read";

std::string form_of(const std::string& secret, const std::string& more = "") {
  return std::string("grant_type=client_credentials&client_id=") + did + "&client_secret=" + secret +
         "&audience=" + partner + more;
}

/// The token, verified as its receiver does.
dcp::self_issued verified(identity_bed& bed, const std::string& token) {
  const auto read = dcp::read_self_issued(token, partner, bed.clock.now());
  REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().detail));
  const auto document = did::read_document(bed.document("/acme/did.json").body, did);
  REQUIRE(document.has_value());
  const auto holds = dcp::verify_self_issued(*read, *document, true);
  REQUIRE_MESSAGE(holds.has_value(), (holds ? "" : holds.error().detail));
  return *read;
}

TEST_CASE("the STS gives a participant's token, with an access token for the scopes that are granted") {
  identity_bed bed;
  const auto secret = bed.join("acme", R"("provisionApiKey":false)").at("clientSecret");
  const auto plain = bed.token(form_of(secret));
  REQUIRE_MESSAGE(plain.status == 200, plain.text);
  CHECK(plain.at("token_type") == "Bearer");
  CHECK(json::integer_at(plain.object(), "expires_in") == 300);
  CHECK(plain.header("Cache-Control") == "no-store");
  const auto token = verified(bed, plain.at("access_token"));
  CHECK(token.issuer == did);
  CHECK(token.access_token.empty());
  CHECK(token.jti != verified(bed, bed.token(form_of(secret)).at("access_token")).jti);

  CHECK(verified(bed, bed.token(form_of(secret, "&token=theirs")).at("access_token")).access_token == "theirs");

  const auto granted = verified(
      bed, bed.token(form_of(secret, std::string("&token=theirs&bearer_access_scope=") + scope)).at("access_token"));
  const auto own = read_own_document(*bed.services, tenant("acme"));
  const auto grant = dcp::verify_access_token(granted.access_token, *own, partner, bed.clock.now());
  REQUIRE_MESSAGE(grant.has_value(), (grant ? "" : grant.error().detail));
  CHECK(grant->scopes == std::vector<std::string>{scope});
  CHECK(grant->jti.starts_with("accesstoken-"));
  CHECK_FALSE(dcp::verify_access_token(granted.access_token, *own, "did:web:else", bed.clock.now()).has_value());
}

TEST_CASE("a token request that is not right is refused as RFC 6749 has it") {
  identity_bed bed;
  const auto secret = bed.join("acme", R"("provisionApiKey":false)").at("clientSecret");
  struct row {
    std::string form;
    int status;
    std::string error;
  };
  const std::string client = std::string("client_id=") + did + "&client_secret=" + secret;
  for (const auto& one : std::vector<row>{
           {client + "&audience=x", 400, "invalid_request"},
           {"grant_type=password&audience=x&" + client, 400, "unsupported_grant_type"},
           {"grant_type=client_credentials&" + client, 400, "invalid_request"},
           {"grant_type=client_credentials&audience=x&client_secret=" + secret, 400, "invalid_request"},
           {form_of("wrong"), 401, "invalid_client"},
           {"grant_type=client_credentials&audience=x&client_id=did:web:else&client_secret=" + secret, 401,
            "invalid_client"},
           {form_of(secret, "&audience=twice"), 400, "invalid_request"},
       }) {
    CAPTURE(one.form);
    const auto got = bed.token(one.form);
    CHECK(got.status == one.status);
    CHECK(got.at("error") == one.error);
    CHECK(got.text.find(secret) == std::string::npos);
  }
  CHECK(bed.token("grant_type=client_credentials&audience=x&client_id=" + std::string(did)).at("error_description") ==
        "client_secret cannot be null");
  CHECK(bed.ask("", "POST", "/api/sts/token", form_of(secret), {{"content-type", "application/json"}}).status == 400);
  CHECK(bed.token(form_of(secret)).status == 200);
}

TEST_CASE("too many wrong secrets from one address have to wait") {
  identity_bed bed;
  const auto secret = bed.join("acme", R"("provisionApiKey":false)").at("clientSecret");
  for (int i = 0; i < 10; ++i)
    CHECK(bed.token(form_of("wrong")).status == 401);
  const auto waits = bed.token(form_of(secret));
  CHECK(waits.status == 429);
  CHECK_FALSE(waits.header("Retry-After").empty());
  bed.clock.ahead = milliseconds(61'000);
  CHECK(bed.token(form_of(secret)).status == 200);
}

TEST_CASE("a fresh secret replaces the one before, and makes the account if there was none") {
  for (const bool provisioned : {true, false}) {
    CAPTURE(provisioned);
    identity_bed bed;
    const auto made = bed.join("acme", std::string(R"("provisionApiKey":false,"provisionStsAccount":)") +
                                           (provisioned ? "true" : "false"));
    const auto renewed = bed.api("acme:participants:write", "POST", "/acme/sts/secret");
    REQUIRE(renewed.status == 200);
    CHECK(renewed.at("clientId") == did);
    CHECK(renewed.header("Cache-Control") == "no-store");
    if (provisioned)
      CHECK(bed.token(form_of(made.at("clientSecret"))).status == 401);
    CHECK(bed.token(form_of(renewed.at("clientSecret"))).status == 200);
    CHECK(bed.log().find(renewed.at("clientSecret")) == std::string::npos);
    CHECK(bed.api("admin", "POST", "/nobody/sts/secret").status == 404);
  }
}

TEST_CASE("without a key that signs tokens the answer says so") {
  identity_bed bed;
  const auto secret = bed.join("acme", R"("provisionApiKey":false)").at("clientSecret");
  const auto id = std::string(*json::string_at(bed.api("admin", "GET", "/acme/keypairs").list()[0].as_object(), "id"));
  CHECK(bed.api("admin", "POST", "/acme/keypairs/" + id + "/revoke").status == 204);
  const auto got = bed.token(form_of(secret));
  CHECK(got.status == 400);
  CHECK(got.at("error_description").find("no active key pair for sign_token") != std::string::npos);
}

TEST_CASE("a vault that does not answer is for now") {
  identity_bed bed;
  const auto secret = bed.join("acme", R"("provisionApiKey":false)").at("clientSecret");
  bed.vault->silent = true;
  const auto got = bed.token(form_of(secret));
  CHECK(got.status == 503);
  CHECK_FALSE(got.header("Retry-After").empty());
}

std::expected<std::string, fault> own_token(identity_bed& bed, const std::string& owner,
                                            std::vector<std::string> scopes = {}, const std::string& access = "") {
  token_request wanted{partner, std::move(scopes), access};
  return bed.finish(self_issued_token(*bed.services, tenant(owner), std::move(wanted)));
}

/// Makes the participant `dealer`, whose keys are elsewhere, get its tokens from a token service.
void configure(identity_bed& bed, const std::string& url, const std::string& client, const std::string& secret) {
  json::object entries{{"edc.iam.sts.oauth.token.url", url}};
  if (!client.empty())
    entries["edc.iam.sts.oauth.client.id"] = client;
  json::object hidden{{"edc.iam.sts.oauth.client.secret", *bed.vault->seal(tenant("dealer"), secret)}};
  bed.put("dealer", cells::kinds::participant_config, "dealer",
          json::write(json::object{{"entries", std::move(entries)}, {"privateEntries", std::move(hidden)}}));
}

TEST_CASE("a participant's own keys make its tokens where no token service is configured") {
  identity_bed bed;
  bed.join("acme");
  const auto made = own_token(bed, "acme", {scope});
  REQUIRE(made.has_value());
  CHECK_FALSE(verified(bed, *made).access_token.empty());
  const auto nobody = own_token(bed, "nobody");
  REQUIRE_FALSE(nobody.has_value());
  CHECK(nobody.error().remedy == cure::fix_input);
  bed.vault->silent = true;
  CHECK(own_token(bed, "acme").error().remedy == cure::retry);
}

TEST_CASE("a configured token service makes the tokens, with the scopes and access tokens that are asked for") {
  identity_bed bed;
  const auto secret = bed.join("acme", R"("provisionApiKey":false)").at("clientSecret");
  configure(bed, "https://id.example/api/sts/token", did, secret);
  const auto granted = own_token(bed, "dealer", {scope, "org.eclipse.dspace.dcp.vc.type:Other:read"});
  REQUIRE_MESSAGE(granted.has_value(), (granted ? "" : granted.error().detail));
  const auto own = read_own_document(*bed.services, tenant("acme"));
  const auto grant = dcp::verify_access_token(verified(bed, *granted).access_token, *own, partner, bed.clock.now());
  REQUIRE(grant.has_value());
  CHECK(grant->scopes.size() == 2);
  const auto handed_back = own_token(bed, "dealer", {}, "a+b &=c");
  REQUIRE(handed_back.has_value());
  CHECK(verified(bed, *handed_back).access_token == "a+b &=c");
}

TEST_CASE("a token service that refuses or is silent is told apart") {
  identity_bed bed;
  bed.join("acme");
  configure(bed, "https://id.example/api/sts/token", did, "wrong");
  const auto refused = own_token(bed, "dealer");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().remedy == cure::fix_input);
  CHECK(refused.error().detail.find("The token service answered 401") != std::string::npos);
  configure(bed, "https://nowhere.example/token", did, "wrong");
  CHECK(own_token(bed, "dealer").error().remedy == cure::retry);
  configure(bed, "https://nowhere.example/token", "", "wrong");
  const auto incomplete = own_token(bed, "dealer");
  CHECK(incomplete.error().detail.find("edc.iam.sts.oauth.client.id") != std::string::npos);
  bed.world.play("https://odd.example/token", [](const auto&) { return testing::answer(200, "{}"); });
  configure(bed, "https://odd.example/token", did, "wrong");
  CHECK(own_token(bed, "dealer").error().detail == "The token service answered without an access_token.");
}

} // namespace

} // namespace fondaco::identity

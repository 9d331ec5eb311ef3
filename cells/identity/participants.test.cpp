#include "cells/identity/identity_bed.test.hpp"

#include "cells/identity/keys.hpp"

namespace fondaco::identity {

namespace {

using testing::identity_bed;

std::vector<std::string> texts_of(const json::object& o, std::string_view name) {
  std::vector<std::string> out;
  if (const auto* list = json::array_at(o, name))
    for (const auto& v : *list)
      out.emplace_back(v.get_string());
  return out;
}

std::string agent_status(identity_bed& bed, const std::string& id) {
  const auto row = bed.journal().read_row({tenant(id), "vpa", "credential-service"});
  REQUIRE(row.has_value());
  return *row ? (*row)->status : "";
}

TEST_CASE("the manifest that the CFM sends makes a participant with its document, key and agent") {
  identity_bed bed;
  const auto made = bed.join("acme");
  CHECK(made.object().at("apiKey").is_null());
  CHECK(made.object().at("clientId").is_null());
  CHECK(made.object().at("clientSecret").is_null());
  CHECK(agent_status(bed, "acme") == "ACTIVE");

  const auto context = bed.api("admin", "GET", "/acme");
  REQUIRE(context.status == 200);
  CHECK(context.at("participantContextId") == "acme");
  CHECK(context.at("did") == "did:web:id.example:acme");
  CHECK(json::integer_at(context.object(), "state") == 200);
  CHECK(texts_of(context.object(), "scopes").size() == 4);
  CHECK(json::object_at(context.object(), "properties")->contains("edc.vault.hashicorp.config"));
  CHECK(json::integer_at(context.object(), "createdAt").value_or(0) > 0);

  const auto document = bed.document("/acme/did.json");
  REQUIRE(document.status == 200);
  const auto& d = document.object();
  CHECK(texts_of(d, "@context") ==
        std::vector<std::string>{"https://www.w3.org/ns/did/v1", "https://w3id.org/dspace-dcp/v1.0/dcp.jsonld"});
  CHECK(document.at("id") == "did:web:id.example:acme");
  const std::vector<std::string> kid{"did:web:id.example:acme#key1"};
  CHECK(texts_of(d, "authentication") == kid);
  CHECK(texts_of(d, "assertionMethod") == kid);
  CHECK(texts_of(d, "capabilityInvocation") == kid);
  const auto& services = *json::array_at(d, "service");
  REQUIRE(services.size() == 3);
  CHECK(json::string_at(services[0].get_object(), "id") == "did:web:id.example:acme#acme-credentialservice");
  CHECK(json::string_at(services[1].get_object(), "type") == "ProtocolEndpoint");
  const auto& method = json::array_at(d, "verificationMethod")->at(0).as_object();
  CHECK(json::string_at(method, "id") == kid[0]);
  const auto& jwk = *json::object_at(method, "publicKeyJwk");
  CHECK(json::string_at(jwk, "crv") == "Ed25519");
  CHECK_FALSE(jwk.contains("d"));
}

TEST_CASE("a full manifest shows its secrets once and keeps only their hashes") {
  identity_bed bed;
  const auto made = bed.join("acme", R"("provisionStsAccount":true,"scopes":["identity-api:read"])");
  const auto secret = made.at("clientSecret");
  const auto key = made.at("apiKey");
  CHECK(made.at("clientId") == "did:web:id.example:acme");
  CHECK(secret.size() == 64);
  CHECK(made.header("Cache-Control") == "no-store");
  for (const auto& [kind, id] : {std::pair{"identity_context", "acme"}, {"sts_account", "did:web:id.example:acme"}}) {
    const auto events = bed.journal().read_events({tenant("acme"), kind, id}, 0, 100);
    REQUIRE(events.has_value());
    REQUIRE_FALSE(events->empty());
    for (const auto& e : *events) {
      CHECK(e.event.payload.find(secret) == std::string::npos);
      CHECK(e.event.payload.find(key) == std::string::npos);
    }
  }
  CHECK(bed.log().find(secret) == std::string::npos);
  CHECK(bed.log().find(key) == std::string::npos);
}

TEST_CASE("an API key lets its participant in with its scopes, until it is renewed") {
  identity_bed bed;
  const auto key = bed.join("acme", R"("provisionStsAccount":false)").at("apiKey");
  bed.join("globex");
  const auto with_key = [&bed](const std::string& value, const std::string& path, const std::string& method = "GET") {
    return bed.ask("", method, "/api/identity/v1beta/participants" + path, "", {{"x-api-key", value}}).status;
  };
  CHECK(with_key(key, "/acme") == 200);
  CHECK(with_key(key, "/globex") == 403);
  CHECK(with_key(key, "") == 403);
  CHECK(with_key(key + "x", "/acme") == 401);
  CHECK(with_key("YWNtZQ==", "/acme") == 401);
  CHECK(with_key("!.x", "/acme") == 401);
  CHECK(bed.ask("", "GET", "/api/identity/v1beta/participants/acme", "", {{"x-api-key", key}, {"x-api-key", key}})
            .status == 401);
  const auto renewed = bed.api("acme:participants:write", "POST", "/acme/token");
  REQUIRE(renewed.status == 200);
  CHECK(renewed.text.starts_with("YWNtZQ==."));
  CHECK(with_key(key, "/acme") == 401);
  CHECK(with_key(renewed.text, "/acme") == 200);
}

TEST_CASE("a participant that is there is not made again, and a DID belongs to one participant") {
  identity_bed bed;
  bed.join("acme");
  CHECK(bed.api("admin", "POST", "", identity_bed::manifest("acme")).status == 409);
  const auto moved = bed.api("admin", "POST", "", identity_bed::manifest("acme", "", "did:web:id.example:other"));
  CHECK(moved.status == 409);
  CHECK(moved.error().find("did:web:id.example:acme") != std::string::npos);
  CHECK(bed.api("admin", "POST", "", identity_bed::manifest("thief", "", "did:web:id.example:acme")).status == 409);
  CHECK(bed.api("admin", "GET", "/thief").status == 404);
  CHECK(bed.api("admin", "POST", "", identity_bed::manifest("thief")).status == 200);
}

TEST_CASE("a creation that broke off counts as absent, and the same manifest finishes it") {
  identity_bed bed;
  const auto more = std::string(R"("provisionApiKey":false)");
  SUBCASE("before the DID was taken") {
    bed.put("acme", cells::kinds::identity_context, "acme",
            R"({"participantContextId":"acme","did":"did:web:id.example:acme","state":100,"creation":"lost"})");
  }
  SUBCASE("while the key was made") {
    bed.vault->silent = true;
    CHECK(bed.api("admin", "POST", "", identity_bed::manifest("acme", more)).status == 503);
    bed.vault->silent = false;
  }
  SUBCASE("after all but the last step") {
    bed.join("acme", more);
    auto stored = bed.documents().get({tenant("acme"), cells::kinds::identity_context, "acme"});
    auto body = json::parse((*stored)->body)->as_object();
    body["creation"] = "lost";
    bed.put("acme", cells::kinds::identity_context, "acme", json::write(body));
    bed.put(".node", cells::kinds::identity_context, "acme", R"({"complete":false})");
  }
  CHECK(bed.api("admin", "GET", "/acme").status == 404);
  CHECK(bed.api("admin", "GET", "").list().empty());
  CHECK(bed.document("/acme/did.json").status == 404);
  CHECK(bed.api("admin", "POST", "", identity_bed::manifest("acme", more, "did:web:id.example:else")).status == 409);
  const auto secret = bed.join("acme", more).at("clientSecret");
  CHECK(bed.api("admin", "GET", "/acme").status == 200);
  CHECK(bed.api("admin", "GET", "").list().size() == 1);
  CHECK(bed.document("/acme/did.json").status == 200);
  CHECK(bed.api("admin", "GET", "/acme/keypairs").list().size() == 1);
  CHECK(bed.token("grant_type=client_credentials&client_id=did:web:id.example:acme&audience=did:web:b&client_secret=" +
                  secret)
            .status == 200);
  CHECK(agent_status(bed, "acme") == "ACTIVE");
  CHECK(bed.api("admin", "POST", "", identity_bed::manifest("acme", more)).status == 409);
}

TEST_CASE("of a creation whose DID was taken by somebody else meanwhile nothing stays") {
  identity_bed bed;
  bed.put("acme", cells::kinds::identity_context, "acme",
          R"({"participantContextId":"acme","did":"did:web:id.example:acme","state":100,"creation":"lost"})");
  bed.put("thief", cells::kinds::did_document, "did:web:id.example:acme", "{}", {{"did", "did:web:id.example:acme"}});
  CHECK(bed.api("admin", "POST", "", identity_bed::manifest("acme")).status == 409);
  CHECK(bed.api("admin", "GET", "").list().empty());
}

TEST_CASE("a manifest is refused with the name of what is wrong") {
  identity_bed bed;
  struct row {
    std::string body;
    std::string part;
  };
  const auto with_key = [](const std::string& key) {
    return R"({"participantContextId":"a","did":"did:web:id.example:a","key":)" + key + "}";
  };
  const std::string generator = R"("keyGeneratorParams":{"algorithm":"EC"})";
  const std::vector<row> rows = {
      {"{}", "participantContextId"},
      {R"({"participantContextId":".node","did":"did:web:a","key":{}})", "participantContextId"},
      {R"({"participantContextId":"a/b","did":"did:web:a","key":{}})", "participantContextId"},
      {R"({"participantContextId":"a","did":"did:key:z6Mk","key":{}})", "did:web"},
      {R"({"participantContextId":"a","did":"did:web:h%3a80:a","key":{}})", "did:web:h%3A80:a"},
      {R"({"participantContextId":"a","did":"did:web:id.example:a"})", "at least one key"},
      {with_key(R"({"privateKeyAlias":"k",)" + generator + "}"), "keyId"},
      {with_key(R"({"keyId":"k",)" + generator + "}"), "privateKeyAlias"},
      {with_key(R"({"keyId":"did:web:b#k","privateKeyAlias":"k",)" + generator + "}"), "keyId"},
      {with_key(R"({"keyId":"k","privateKeyAlias":"k","keyGeneratorParams":{"algorithm":"RSA"}})"),
       "allowed: EC with curve secp256r1 (P-256), or EdDSA with curve Ed25519"},
      {with_key(R"({"keyId":"k","privateKeyAlias":"k","keyGeneratorParams":{"algorithm":"EC","curve":"secp384r1"}})"),
       "allowed: EC"},
      {with_key(R"({"keyId":"k","privateKeyAlias":"k","keyGeneratorParams":{}})"),
       "algorithm is required: EC with curve"},
      {with_key(R"({"keyId":"k","privateKeyAlias":"k"})"), "exactly one of"},
      {with_key(R"({"keyId":"k","privateKeyAlias":"k","publicKeyPem":"x"})"), "publicKeyPem"},
      {with_key(R"({"keyId":"k","privateKeyAlias":"k","usage":[],)" + generator + "}"), "usage"},
      {with_key(R"({"keyId":"k","privateKeyAlias":"k","usage":["sign"],)" + generator + "}"), "usage"},
      {R"({"participantContextId":"a","did":"did:web:id.example:a","key":{"keyId":"k","privateKeyAlias":"k",)" +
           generator + R"(},"serviceEndpoints":[{"id":"s","type":"T"}]})",
       "serviceEndpoint"},
      {R"({"participantContextId":"a","did":"did:web:id.example:a","active":"yes","key":{"keyId":"k",)"
       R"("privateKeyAlias":"k",)" +
           generator + "}}",
       "active"},
      {"[]", "JSON object"},
      {"", "no body"},
  };
  for (const auto& one : rows) {
    CAPTURE(one.body);
    const auto got = bed.api("admin", "POST", "", one.body);
    CHECK(got.status == 400);
    CHECK(got.text.find(one.part) != std::string::npos);
  }
  CHECK(bed.api("admin", "POST", "", with_key(R"({"keyId":"k","privateKeyAlias":"k",)" + generator + "}")).status ==
        200);
}

TEST_CASE("deactivation takes the document back and ends tokens, activation publishes it again") {
  identity_bed bed;
  const auto secret = bed.join("acme", R"("provisionApiKey":false)").at("clientSecret");
  const auto form =
      "grant_type=client_credentials&client_id=did:web:id.example:acme&audience=did:web:b&client_secret=" + secret;
  CHECK(bed.api("acme:participants:write", "POST", "/acme/state").status == 400);
  CHECK(bed.api("acme:participants:write", "POST", "/acme/state?isActive=no").status == 400);
  CHECK(bed.api("acme:participants:write", "POST", "/acme/state?isActive=false").status == 204);
  CHECK(bed.document("/acme/did.json").status == 404);
  CHECK(bed.token(form).status == 401);
  CHECK(json::integer_at(bed.api("admin", "GET", "/acme").object(), "state") == 300);
  CHECK(bed.api("acme:participants:write", "POST", "/acme/state?isActive=true").status == 204);
  CHECK(bed.document("/acme/did.json").status == 200);
  CHECK(bed.token(form).status == 200);
}

TEST_CASE("the list is paged, and shows what a context became") {
  identity_bed bed;
  bed.join("a");
  bed.join("b");
  bed.join("c");
  CHECK(bed.api("admin", "GET", "").list().size() == 3);
  CHECK(bed.api("admin", "PUT", "/b/scopes", R"(["identity-api:read"])").status == 204);
  const auto page = bed.api("admin", "GET", "?offset=1&limit=1").list();
  REQUIRE(page.size() == 1);
  CHECK(json::string_at(page[0].get_object(), "id") == "b");
  CHECK(texts_of(page[0].get_object(), "scopes") == std::vector<std::string>{"identity-api:read"});
  CHECK_FALSE(page[0].get_object().contains("apiKeySha256"));
  for (const char* wrong : {"?limit=0", "?offset=-1", "?limit=x"})
    CHECK(bed.api("admin", "GET", wrong).status == 400);
  CHECK(bed.api("admin", "PUT", "/b/scopes", R"({"a":1})").status == 400);
  CHECK(bed.api("admin", "PUT", "/b/scopes", R"([""])").status == 400);
  CHECK(bed.api("admin", "PUT", "/nobody/scopes", "[]").status == 404);
}

TEST_CASE("a removed participant leaves nothing that can be read, and its id and DID answer so") {
  identity_bed bed;
  bed.join("acme", R"("provisionStsAccount":true)");
  bed.join("globex");
  CHECK(bed.api("acme:participants:write", "DELETE", "/acme").status == 204);
  CHECK(bed.api("admin", "GET", "/acme").status == 404);
  CHECK(bed.api("admin", "GET", "").list().size() == 1);
  CHECK(bed.document("/acme/did.json").status == 404);
  CHECK(bed.document("/globex/did.json").status == 200);
  CHECK(bed.api("admin", "DELETE", "/acme").status == 404);
  CHECK(bed.api("admin", "DELETE", "/nobody").status == 404);
  for (const char* kind : {"identity_context", "key_pair", "did_document", "sts_account"}) {
    CAPTURE(kind);
    CHECK(bed.documents().query(tenant("acme"), kind, {})->empty());
    CHECK(bed.documents().query_entities(tenant("acme"), kind, {})->empty());
  }
  CHECK_FALSE(bed.journal().resolve_name("did", "did:web:id.example:acme")->has_value());
  CHECK(agent_status(bed, "acme") == "DISPOSED");
  CHECK(bed.api("admin", "POST", "", identity_bed::manifest("acme")).status == 409);
  CHECK(bed.api("admin", "POST", "", identity_bed::manifest("next", "", "did:web:id.example:acme")).status == 200);
}

TEST_CASE("a removal that broke off is finished by another, also of a creation that broke off") {
  identity_bed bed;
  SUBCASE("a participant") { bed.join("acme"); }
  SUBCASE("half of one") {
    bed.vault->silent = true;
    CHECK(bed.api("admin", "POST", "", identity_bed::manifest("acme")).status == 503);
    bed.vault->silent = false;
  }
  bed.vault->silent = true;
  CHECK(bed.api("admin", "DELETE", "/acme").status == 503);
  bed.vault->silent = false;
  CHECK(bed.document("/acme/did.json").status == 404);
  CHECK(bed.api("admin", "DELETE", "/acme").status == 204);
  CHECK(bed.api("admin", "DELETE", "/acme").status == 404);
  CHECK(bed.documents().query(tenant("acme"), "key_pair", {})->empty());
}

TEST_CASE("the wrong scope or participant is refused before any look-up, and the right one is let in") {
  struct row {
    const char* method;
    const char* path;
    const char* scope;
    const char* body;
    int status;
  };
  // In an order in which each succeeds; `{p}` is the participant.
  const std::vector<row> rows = {
      {"GET", "/{p}", "participants:read", "", 200},
      {"GET", "/{p}/keypairs", "keypairs:read", "", 200},
      {"PUT", "/{p}/keypairs", "keypairs:write",
       R"({"resourceId":"r","keyId":"k2","privateKeyAlias":"k2","keyGeneratorParams":{"algorithm":"EC"}})", 204},
      {"GET", "/{p}/keypairs/r", "keypairs:read", "", 200},
      {"POST", "/{p}/keypairs/r/activate", "keypairs:write", "", 204},
      {"POST", "/{p}/keypairs/r/rotate", "keypairs:write", "", 204},
      {"POST", "/{p}/keypairs/r/revoke", "keypairs:write", "", 204},
      {"POST", "/{p}/dids/publish", "dids:write", R"({"did":"did:web:id.example:acme"})", 204},
      {"POST", "/{p}/dids/query", "dids:read", "{}", 200},
      {"POST", "/{p}/dids/state", "dids:read", R"({"did":"did:web:id.example:acme"})", 200},
      {"POST", "/{p}/dids/ZGlkOndlYjppZC5leGFtcGxlOmFjbWU/endpoints", "dids:write",
       R"({"id":"x","type":"X","serviceEndpoint":"https://x"})", 204},
      {"PATCH", "/{p}/dids/ZGlkOndlYjppZC5leGFtcGxlOmFjbWU/endpoints", "dids:write",
       R"({"id":"x","type":"Y","serviceEndpoint":"https://y"})", 204},
      {"DELETE", "/{p}/dids/ZGlkOndlYjppZC5leGFtcGxlOmFjbWU/endpoints?serviceId=x", "dids:write", "", 204},
      {"POST", "/{p}/sts/secret", "participants:write", "", 200},
      {"POST", "/{p}/token", "participants:write", "", 200},
      {"POST", "/{p}/state?isActive=false", "participants:write", "", 204},
      {"POST", "/{p}/dids/unpublish", "dids:write", R"({"did":"did:web:id.example:acme"})", 204},
      {"DELETE", "/{p}", "participants:write", "", 204},
  };
  identity_bed bed;
  bed.join("acme");
  for (const auto& one : rows) {
    CAPTURE(one.method);
    CAPTURE(one.path);
    const auto path = "/acme" + std::string(one.path).substr(4);
    const auto send = [&](const std::string& token) { return bed.api(token, one.method, path, one.body).status; };
    const auto resource = std::string(one.scope).substr(0, std::string(one.scope).find(':'));
    CHECK(send("") == 401);
    CHECK(send("acme:credentials:write") == 403);
    if (std::string(one.scope).ends_with(":write"))
      CHECK(send("acme:" + resource + ":read") == 403);
    CHECK(send("globex:write") == 403);
    CHECK(send("acme:" + std::string(one.scope)) == one.status);
  }
}

TEST_CASE("what is for administrators alone is refused to a participant") {
  identity_bed bed;
  bed.join("acme");
  for (const char* token : {"acme:write", "acme:participants:write", "acme:participants:admin"}) {
    CAPTURE(token);
    CHECK(bed.api(token, "POST", "", identity_bed::manifest("x")).status == 403);
    CHECK(bed.api(token, "GET", "").status == 403);
    CHECK(bed.api(token, "PUT", "/acme/scopes", "[]").status == 403);
  }
  CHECK(bed.api("admin", "GET", "").status == 200);
  CHECK(bed.api("admin", "PUT", "/acme/scopes", "[]").status == 204);
}

} // namespace

} // namespace fondaco::identity

#include "cfm/tenant_manager/test_bed.test.hpp"

#include <algorithm>

using namespace fondaco;
using namespace fondaco::cfm;
using cfm::tenant_manager_testing::test_bed;

namespace {

bool mentions(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

} // namespace

TEST_CASE("every route of the tenant manager demands a token and exactly its scope") {
  test_bed bed;
  struct row {
    const char* method;
    const char* path;
    const char* scope;
  };
  const row table[] = {
      {"GET", "cells", "read"},
      {"POST", "cells", "write"},
      {"DELETE", "cells/c", "write"},
      {"GET", "dataspace-profiles", "read"},
      {"POST", "dataspace-profiles", "write"},
      {"GET", "dataspace-profiles/d", "read"},
      {"DELETE", "dataspace-profiles/d", "write"},
      {"POST", "dataspace-profiles/d/deployments", "write"},
      {"GET", "tenants", "read"},
      {"POST", "tenants", "write"},
      {"POST", "tenants/query", "read"},
      {"GET", "tenants/t", "read"},
      {"PATCH", "tenants/t", "write"},
      {"DELETE", "tenants/t", "write"},
      {"GET", "tenants/t/participant-profiles", "read"},
      {"POST", "tenants/t/participant-profiles", "write"},
      {"GET", "tenants/t/participant-profiles/p", "read"},
      {"DELETE", "tenants/t/participant-profiles/p", "write"},
      {"POST", "participant-profiles/query", "read"},
  };
  CHECK(bed.routes.patterns().size() == std::size(table));
  for (const auto& r : table) {
    CAPTURE(r.method);
    CAPTURE(r.path);
    const auto scope = "tenant-manager-api:" + std::string(r.scope);
    const auto other = "tenant-manager-api:" + std::string(r.scope == std::string("read") ? "write" : "read");
    const auto without = bed.send("", r.method, r.path);
    CHECK(without.status == 401);
    CHECK(without.text("error") == "Unauthorized");
    CHECK(without.header("WWW-Authenticate") == "Bearer");
    for (const auto& wrong : {other, std::string("provision-manager-api:" + std::string(r.scope)),
                              std::string("tenant-manager-api:admin")}) {
      const auto refused = bed.send(wrong, r.method, r.path);
      CHECK(refused.status == 403);
      CHECK(refused.object() ==
            json::object{{"error", "Forbidden"},
                         {"message", "Access not granted: required scope '" + scope + "' not present"},
                         {"code", 403}});
    }
    const auto let_in = bed.send(scope, r.method, r.path).status;
    CHECK(let_in != 401);
    CHECK(let_in != 403);
    CHECK(let_in < 500);
  }
}

TEST_CASE("cells are made, listed and removed, and an external id belongs to one cell at a time") {
  test_bed bed;
  const auto a =
      bed.post("cells", R"({"externalId":"k8s-1","state":"ACTIVE","stateTimestamp":"2026-01-01T00:00:00Z"})");
  REQUIRE(a.status == 201);
  CHECK(a.object() == json::object{{"id", a.text("id")},
                                   {"version", 0},
                                   {"externalId", "k8s-1"},
                                   {"state", "active"},
                                   {"stateTimestamp", "2026-01-01T00:00:00Z"}});
  const auto taken = bed.post("cells", R"({"externalId":"k8s-1","state":"active"})");
  CHECK(taken.status == 409);
  CHECK(mentions(taken.message(), "k8s-1"));
  const auto free = bed.post("cells", R"({"state":"offline","properties":{"zone":"eu"}})");
  CHECK(free.status == 201);
  CHECK(bed.post("cells", R"({"externalId":"","state":"active"})").status == 201);
  const auto listed = bed.get("cells");
  REQUIRE(listed.array().size() == 3);
  // In the order of their making, but for those of one millisecond.
  for (const auto& made : {a.body, free.body})
    CHECK(std::ranges::find(listed.array(), made) != listed.array().end());
  CHECK(bed.remove("cells/" + a.text("id")).status == 200);
  CHECK(bed.remove("cells/" + a.text("id")).status == 404);
  CHECK(bed.get("cells").array().size() == 2);
  CHECK(bed.post("cells", R"({"externalId":"k8s-1","state":"active"})").status == 201);
}

TEST_CASE("bodies that are wrong are refused with the field and what is allowed") {
  test_bed bed;
  bed.add_dataspace();
  const auto tenant = bed.add_tenant();
  const auto profiles = "tenants/" + tenant + "/participant-profiles";
  const auto deployments = "dataspace-profiles/" + bed.dataspace + "/deployments";
  struct row {
    std::string method;
    std::string path;
    std::string body;
    const char* names;
  };
  const row table[] = {
      {"POST", "cells", "", "Invalid JSON"},
      {"POST", "cells", "[]", "Invalid JSON"},
      {"POST", "cells", R"({"state":"unknown"})", "[state]"},
      {"POST", "cells", R"({"state":""})", "[state]"},
      {"POST", "cells", R"({"state":7})", "[state]"},
      {"POST", "cells", R"({"externalId":{}})", "[externalId]"},
      {"POST", "cells", R"({"stateTimestamp":"yesterday"})", "[stateTimestamp]"},
      {"POST", "cells", R"({"properties":[]})", "[properties]"},
      {"POST", "dataspace-profiles", "{}", "[dataspaceSpec]"},
      {"POST", "dataspace-profiles", R"({"dataspaceSpec":[]})", "[dataspaceSpec]"},
      {"POST", "dataspace-profiles", R"({"dataspaceSpec":{"protocolStack":"dsp"}})", "[dataspaceSpec.protocolStack]"},
      {"POST", "dataspace-profiles", R"({"dataspaceSpec":{"protocolStack":["a",1]}})",
       "[dataspaceSpec.protocolStack[1]]"},
      {"POST", "dataspace-profiles", R"({"dataspaceSpec":{"credentialSpecs":{}}})", "[dataspaceSpec.credentialSpecs]"},
      {"POST", "dataspace-profiles", R"({"dataspaceSpec":{"credentialSpecs":[7]}})",
       "[dataspaceSpec.credentialSpecs[0]]"},
      {"POST", "dataspace-profiles", R"({"dataspaceSpec":{"credentialSpecs":[{"id":"a","type":"b","format":"c"}]}})",
       "[dataspaceSpec.credentialSpecs[0].issuer]"},
      {"POST", "dataspace-profiles",
       R"({"dataspaceSpec":{"credentialSpecs":[{"id":"a","type":"b","issuer":"i","format":"c","role":1}]}})",
       "[dataspaceSpec.credentialSpecs[0].role]"},
      {"POST", "dataspace-profiles", R"({"dataspaceSpec":{},"artifacts":"x"})", "[artifacts]"},
      {"POST", "dataspace-profiles", R"({"dataspaceSpec":{},"properties":"x"})", "[properties]"},
      {"POST", deployments, "{}", "[cellId]"},
      {"POST", deployments, R"({"cellId":"c","profileId":"other"})", "[profileId]"},
      {"POST", "tenants", R"({"properties":"x"})", "properties"},
      {"PATCH", "tenants/" + tenant, R"({"properties":[]})", "properties"},
      {"PATCH", "tenants/" + tenant, R"({"removed":"name"})", "removed"},
      {"PATCH", "tenants/" + tenant, R"({"removed":[1]})", "removed"},
      {"POST", profiles, "{}", "[identifier]"},
      {"POST", profiles, R"({"identifier":"acme.example"})", "[identifier]"},
      {"POST", profiles, R"({"identifier":"did:web:"})", "[identifier]"},
      {"POST", profiles, R"({"identifier":"did:WEB:acme"})", "[identifier]"},
      {"POST", profiles, R"({"identifier":"did:web:ac me"})", "[identifier]"},
      {"POST", profiles, R"({"identifier":"did:web:)" + std::string(600, 'a') + "\"}", "[identifier]"},
      {"POST", profiles, R"({"identifier":"did:web:a","cellId":1})", "[cellId]"},
      {"POST", profiles, R"({"identifier":"did:web:a","cellId":"no-cell"})", "[cellId]"},
      {"POST", profiles, R"({"identifier":"did:web:a","dataspaceProfileIds":"x"})", "[dataspaceProfileIds]"},
      {"POST", profiles, R"({"identifier":"did:web:a","dataspaceProfileIds":[1]})", "[dataspaceProfileIds]"},
      {"POST", profiles, R"({"identifier":"did:web:a","dataspaceProfileIds":["nowhere"]})", "nowhere"},
      {"POST", profiles, R"({"identifier":"did:web:a","participantRoles":[]})", "[participantRoles]"},
      {"POST", profiles, R"({"identifier":"did:web:a","participantRoles":{"d":"oem"}})", "[participantRoles.d]"},
      {"POST", profiles, R"({"identifier":"did:web:a","vpaProperties":{"cfm.other":{}}})", "[vpaProperties.cfm.other]"},
      {"POST", profiles, R"({"identifier":"did:web:a","vpaProperties":{"cfm.issuer":1}})",
       "[vpaProperties.cfm.issuer]"},
      {"POST", profiles, R"({"identifier":"did:web:a","properties":7})", "[properties]"},
      {"POST", profiles, R"({"identifier":"did:web:a","properties":{"x":")" + std::string(100'000, 'x') + "\"}}",
       "98304"},
      {"POST", "tenants/query", R"({"predicate":"name ="})", "parse error"},
      {"POST", "tenants/query", "{}", "parse error"},
      {"POST", "tenants/query", R"({"predicate":"true","limit":-1})", "negative"},
      {"GET", "tenants?limit=many", "", "Invalid limit"},
      {"GET", "tenants?offset=-1", "", "Invalid offset"},
  };
  for (const auto& r : table) {
    CAPTURE(r.method);
    CAPTURE(r.path);
    CAPTURE(r.body.substr(0, 120));
    const auto a = bed.send(test_bed::all, r.method, r.path, r.body);
    CHECK(a.status == 400);
    CHECK(a.text("error") == "Bad Request");
    CHECK(json::integer_at(a.object(), "code") == 400);
    CHECK_MESSAGE(mentions(a.message(), r.names), a.message());
  }
  CHECK(bed.broker.published() == 0);
}

TEST_CASE("a dataspace profile is shown without what is empty, and is deployed once on a cell") {
  test_bed bed;
  const auto a = bed.post("dataspace-profiles",
                          R"({"dataspaceSpec":{"protocolStack":[],"credentialSpecs":[{"id":"m","type":"M",)"
                          R"("issuer":"did:web:i","format":"VC1_0_JWT","role":""}]},"artifacts":[],"properties":{}})");
  REQUIRE(a.status == 201);
  const json::object shown{
      {"id", a.text("id")},
      {"version", 0},
      {"dataspaceSpec",
       {{"credentialSpecs",
         json::array{json::object{{"id", "m"}, {"type", "M"}, {"issuer", "did:web:i"}, {"format", "VC1_0_JWT"}}}}}}};
  CHECK(a.object() == shown);
  const auto path = "dataspace-profiles/" + a.text("id");
  CHECK(bed.get(path).object() == shown);
  CHECK(bed.get("dataspace-profiles").array() == json::array{shown});
  const auto cell = bed.made("cells", R"({"externalId":"k8s-1","state":"active"})");
  for (int i = 0; i < 2; ++i)
    CHECK(bed.post(path + "/deployments", R"({"cellId":")" + cell + "\"}").status == 202);
  const auto deployed = bed.get(path);
  CHECK(json::integer_at(deployed.object(), "version") == 1);
  const auto* deployments = json::array_at(deployed.object(), "deployments");
  REQUIRE(deployments);
  REQUIRE(deployments->size() == 1);
  const auto& d = deployments->at(0).get_object();
  CHECK(json::string_at(d, "cellId") == cell);
  CHECK(json::string_at(d, "externalCellId") == "k8s-1");
  CHECK(json::string_at(d, "state") == "active");
  CHECK(bed.post(path + "/deployments", R"({"cellId":"nowhere"})").status == 404);
  CHECK(bed.post("dataspace-profiles/nowhere/deployments", R"({"cellId":")" + cell + "\"}").status == 404);
  CHECK(bed.get("dataspace-profiles/nowhere").object() ==
        json::object{{"error", "Not Found"}, {"message", "Not found"}, {"code", 404}});
  CHECK(bed.remove(path).status == 200);
  CHECK(bed.remove(path).status == 404);
  CHECK(bed.get(path).status == 404);
}

TEST_CASE("a tenant is made, changed, found by its properties and removed") {
  test_bed bed;
  const auto a = bed.post("tenants", R"({"properties":{"name":"ACME","group":"suppliers"}})");
  REQUIRE(a.status == 201);
  const auto id = a.text("id");
  CHECK(a.object() ==
        json::object{{"id", id}, {"version", 0}, {"properties", {{"name", "ACME"}, {"group", "suppliers"}}}});
  CHECK(bed.get("tenants/" + id).body == a.body);
  const auto empty = bed.post("tenants", "{}");
  CHECK(empty.object() == json::object{{"id", empty.text("id")}, {"version", 0}});
  const auto found = [&](const std::string& predicate) {
    const auto q = bed.post("tenants/query", json::write(json::object{{"predicate", predicate}}));
    REQUIRE(q.status == 200);
    return q.array().size();
  };
  CHECK(found("true") == 2);
  CHECK(found("properties.group = 'suppliers'") == 1);
  CHECK(found("properties.group = 'oem' OR properties.name = 'ACME'") == 1);
  CHECK(found("properties.customer = 'gold'") == 0);
  const auto patched =
      bed.send(test_bed::all, "PATCH", "tenants/" + id, R"({"properties":{"customer":"gold"},"removed":["group"]})");
  CHECK(patched.status == 200);
  CHECK(bed.get("tenants/" + id).object() ==
        json::object{{"id", id}, {"version", 1}, {"properties", {{"name", "ACME"}, {"customer", "gold"}}}});
  CHECK(found("properties.customer = 'gold'") == 1);
  CHECK(found("properties.group = 'suppliers'") == 0);
  CHECK(bed.send(test_bed::all, "PATCH", "tenants/nobody", "{}").status == 404);
  CHECK(bed.remove("tenants/" + id).status == 200);
  CHECK(bed.get("tenants/" + id).status == 404);
  CHECK(bed.remove("tenants/" + id).status == 404);
  CHECK(bed.send(test_bed::all, "PATCH", "tenants/" + id, "{}").status == 404);
  CHECK(found("true") == 1);
}

TEST_CASE("pages of tenants have the total and the links, the last one with a whole address") {
  test_bed bed;
  for (int i = 0; i < 7; ++i)
    bed.add_tenant("t" + std::to_string(i));
  const auto middle = bed.get("tenants?offset=3&limit=3");
  CHECK(middle.array().size() == 3);
  CHECK(middle.header("X-Total-Count") == "7");
  CHECK(middle.header("Link") ==
        "</tenants?offset=3&limit=3>; rel=\"self\", </tenants?offset=6&limit=3>; rel=\"next\", "
        "</tenants?offset=0&limit=3>; rel=\"prev\", </tenants?offset=0&limit=3>; "
        "rel=\"first\", </tenants?offset=6&limit=3>; rel=\"last\"");
  const auto last = bed.get("tenants?offset=6&limit=3");
  CHECK(last.array().size() == 1);
  CHECK_FALSE(mentions(last.header("Link"), "next"));
  CHECK(bed.get("tenants?offset=9&limit=3").array().empty());
  const auto every = bed.get("tenants");
  CHECK(every.array().size() == 7);
  CHECK_FALSE(mentions(every.header("Link"), "last"));
  const auto query = bed.post("tenants/query", R"({"predicate":"properties.name STARTS_WITH 't'","limit":2})");
  CHECK(query.array().size() == 2);
  CHECK(query.header("X-Total-Count") == "7");
  CHECK(mentions(query.header("Link"), "</tenants/query?offset=6&limit=2>; rel=\"last\""));
}

TEST_CASE("an idempotency key makes one thing, and no other request may use it") {
  test_bed bed;
  const auto body = R"({"properties":{"name":"ACME"}})";
  const auto a = bed.post("tenants", body, "key-1");
  const auto b = bed.post("tenants", body, "key-1");
  CHECK(a.status == 201);
  CHECK(b.status == 201);
  CHECK(a.body == b.body);
  CHECK(bed.post("tenants", R"({"properties":{"name":"other"}})", "key-1").status == 409);
  CHECK(bed.post("tenants", body, "key-2").text("id") != a.text("id"));
  CHECK(bed.post("cells", R"({"state":"active"})", "key-1").status == 201);
  CHECK(bed.get("tenants").array().size() == 2);
  CHECK(bed.remove("tenants/" + a.text("id")).status == 200);
  CHECK(bed.post("tenants", body, "key-1").status == 409);
}

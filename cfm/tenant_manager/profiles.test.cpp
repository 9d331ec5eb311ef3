#include "cfm/tenant_manager/test_bed.test.hpp"

#include <set>

using namespace fondaco;
using namespace fondaco::cfm;
using actors::delivery;
using cfm::tenant_manager_testing::answered;
using cfm::tenant_manager_testing::test_bed;

namespace {

struct profiles_bed : test_bed {
  profiles_bed() {
    add_dataspace();
    tenant = add_tenant();
    path = "tenants/" + tenant + "/participant-profiles";
  }
  answered deploy(const std::string& identifier = "did:web:acme.example", const std::string& key = "",
                  const std::string& more = "") {
    return post(path, R"({"identifier":")" + identifier + "\"" + more + "}", key);
  }
  std::set<std::string> states(const std::string& id) {
    std::set<std::string> out;
    const auto a = get(path + "/" + id);
    REQUIRE(a.status == 200);
    for (const auto& v : *json::array_at(a.object(), "vpas"))
      out.emplace(*json::string_at(v.get_object(), "state"));
    return out;
  }
  /// Deploys a profile to its end and gives its id; takes the next message.
  std::string deployed(const std::string& identifier, bool success = true) {
    const auto a = deploy(identifier);
    REQUIRE_MESSAGE(a.status == 202, json::write(a.body));
    REQUIRE(broker.deliver(end_of(broker.manifest(next++), success, success ? "" : "no issuer")) == delivery::done);
    return a.text("id");
  }
  void disposed(const std::string& id) {
    REQUIRE(remove(path + "/" + id).status == 202);
    REQUIRE(broker.deliver(end_of(broker.manifest(next++))) == delivery::done);
    REQUIRE(states(id) == std::set<std::string>{"disposed"});
  }
  size_t count(const std::string& predicate) {
    const auto q = post("participant-profiles/query", json::write(json::object{{"predicate", predicate}}));
    REQUIRE(q.status == 200);
    return q.array().size();
  }

  std::string tenant;
  std::string path;
  size_t next = 0;
};

} // namespace

TEST_CASE("a participant profile is deployed, disposed of and removed, and then nothing of it or its tenant is left") {
  profiles_bed bed;
  const auto a = bed.deploy("did:web:acme.example", "",
                            R"(,"participantRoles":{")" + bed.dataspace +
                                R"(":["oem"]},"vpaProperties":{"cfm.connector":{"connectorkey":"v"}},)"
                                R"("properties":{"colour":"blue"})");
  REQUIRE(a.status == 202);
  const auto id = a.text("id");
  CHECK(a.text("identifier") == "did:web:acme.example");
  CHECK(a.text("tenantId") == bed.tenant);
  CHECK(json::boolean_at(a.object(), "error") == false);
  for (const char* hidden : {"causes", "waitingOn", "dataspaceProfileIds", "errorDetail"})
    CHECK_FALSE(a.object().contains(hidden));
  const auto* vpas = json::array_at(a.object(), "vpas");
  REQUIRE(vpas);
  REQUIRE(vpas->size() == 4);
  const char* types[] = {"cfm.connector", "cfm.credentialservice", "cfm.dataplane", "cfm.issuer"};
  for (size_t i = 0; i < 4; ++i) {
    const auto& v = vpas->at(i).get_object();
    CHECK(json::string_at(v, "type") == types[i]);
    CHECK(json::string_at(v, "state") == "pending");
    CHECK(json::string_at(v, "cellId") == bed.cell);
    CHECK_FALSE(v.contains("externalCellId"));
    CHECK(v.contains("properties") == (i == 0));
  }
  const auto m = bed.broker.manifest(0);
  CHECK(m.correlation_id == id);
  CHECK(m.orchestration_type == deploy_type);
  CHECK(json::array_at(m.payload, keys::credentials)->size() == 2);
  CHECK(bed.remove(bed.path + "/" + id).status == 409);
  CHECK(bed.remove("tenants/" + bed.tenant).message() == "Bad request: cannot delete tenant with participants");

  CHECK(bed.broker.deliver(test_bed::end_of(m)) == delivery::done);
  CHECK(bed.states(id) == std::set<std::string>{"active"});
  const auto properties = *json::object_at(bed.get(bed.path + "/" + id).object(), "properties");
  CHECK(properties == json::object{{"colour", "blue"}, {"cfm.vpa.state", {{"participantContextId", "pc-1"}}}});
  CHECK(bed.count("vpas.type='cfm.connector' AND vpas.properties.connectorkey='v'") == 1);
  CHECK(bed.count("dataspaceProfileIds = '" + bed.dataspace + "'") == 1);
  CHECK(bed.get(bed.path).array().size() == 1);

  CHECK(bed.remove(bed.path + "/" + id).status == 202);
  const auto undo = bed.broker.manifest(1);
  CHECK(undo.orchestration_type == dispose_type);
  CHECK(json::string_at(undo.payload, keys::participant_context_id) == "pc-1");
  CHECK(bed.remove(bed.path + "/" + id).status == 202);
  CHECK(bed.broker.deliver(test_bed::end_of(undo)) == delivery::done);
  CHECK(bed.states(id) == std::set<std::string>{"disposed"});
  CHECK(bed.remove("tenants/" + bed.tenant).status == 400);

  CHECK(bed.remove(bed.path + "/" + id).status == 202);
  CHECK(bed.get(bed.path + "/" + id).status == 404);
  CHECK(bed.remove(bed.path + "/" + id).status == 404);
  CHECK(bed.get(bed.path).array().empty());
  CHECK(bed.count("true") == 0);
  CHECK(bed.broker.published() == 2);
  CHECK(bed.remove("tenants/" + bed.tenant).status == 200);
  for (shard_number shard = 0; shard < bed.runtime->shards(); ++shard) {
    const auto events = bed.journal().read_shard(shard, 0, persistence::limits::read_rows_max);
    REQUIRE(events.has_value());
    for (const auto& e : *events)
      for (const char* trace : {"ACME", "acme", "blue", "pc-1"})
        CHECK(e.event.payload.find(trace) == std::string::npos);
  }
}

TEST_CASE("a profile takes the roles' credentials only, and the cell that it asks for if that fits") {
  profiles_bed bed;
  const auto second = bed.made("cells", R"({"externalId":"k8s-2","state":"active"})");
  REQUIRE(bed.post("dataspace-profiles/" + bed.dataspace + "/deployments", R"({"cellId":")" + second + "\"}").status ==
          202);
  const auto away = bed.made("cells", R"({"externalId":"k8s-3","state":"active"})");
  const auto offline = bed.made("cells", R"({"externalId":"k8s-4","state":"offline"})");
  REQUIRE(bed.post("dataspace-profiles/" + bed.dataspace + "/deployments", R"({"cellId":")" + offline + "\"}").status ==
          202);
  const auto a = bed.deploy("did:web:a.example", "", R"(,"cellId":")" + second + "\"");
  REQUIRE(a.status == 202);
  CHECK(json::string_at(json::array_at(a.object(), "vpas")->at(0).get_object(), "cellId") == second);
  const auto m = bed.broker.manifest(0);
  CHECK(json::array_at(m.payload, keys::credentials)->size() == 1);
  CHECK(json::string_at(json::array_at(m.payload, keys::vpa_data)->at(0).get_object(), "externalCellId") == "k8s-2");
  for (const auto& unfit : {away, offline})
    CHECK(bed.deploy("did:web:b.example", "", R"(,"cellId":")" + unfit + "\"").status == 400);
  CHECK(bed.post("tenants/nobody/participant-profiles", R"({"identifier":"did:web:c.example"})").status == 404);
}

TEST_CASE("an identifier belongs to one profile, until that one is disposed of") {
  profiles_bed bed;
  const auto first = bed.deployed("did:web:acme.example");
  const auto refused = bed.deploy("did:web:acme.example");
  CHECK(refused.status == 409);
  CHECK(refused.message().find("did:web:acme.example") != std::string::npos);
  CHECK(bed.deploy("did:web:other.example").status == 202);
  bed.broker.manifest(bed.next++);
  bed.disposed(first);
  const auto second = bed.deploy("did:web:acme.example");
  REQUIRE(second.status == 202);
  CHECK(bed.get(bed.path + "/" + first).status == 404);
  CHECK(bed.get(bed.path + "/" + second.text("id")).status == 200);
  CHECK(bed.deploy("did:web:acme.example").status == 409);
}

TEST_CASE("a failed profile says why, can be disposed of, and its disposal can be asked for again") {
  profiles_bed bed;
  const auto id = bed.deployed("did:web:acme.example", false);
  CHECK(bed.states(id) == std::set<std::string>{"error"});
  const auto a = bed.get(bed.path + "/" + id);
  CHECK(json::boolean_at(a.object(), "error") == true);
  CHECK(a.text("errorDetail") == "no issuer");
  const auto row = bed.journal().read_row({cfm_tenant, "participant_profile", id});
  REQUIRE((row && *row));
  CHECK((*row)->view.find("The deployment failed: no issuer") != std::string::npos);
  CHECK(bed.deploy("did:web:acme.example").status == 409);
  CHECK(bed.remove(bed.path + "/" + id).status == 202);
  CHECK(bed.broker.deliver(test_bed::end_of(bed.broker.manifest(bed.next++), false, "the issuer is down")) ==
        delivery::done);
  CHECK(bed.states(id) == std::set<std::string>{"error"});
  bed.disposed(id);
  CHECK(bed.remove(bed.path + "/" + id).status == 202);
  CHECK(bed.get(bed.path + "/" + id).status == 404);
}

TEST_CASE("an idempotency key deploys one profile, whatever has changed since") {
  profiles_bed bed;
  const auto a = bed.deploy("did:web:acme.example", "key-1");
  REQUIRE(a.status == 202);
  const auto m = bed.broker.manifest(0);
  CHECK(bed.broker.deliver(test_bed::end_of(m)) == delivery::done);
  REQUIRE(bed.remove("cells/" + bed.cell).status == 200);
  const auto b = bed.deploy("did:web:acme.example", "key-1");
  CHECK(b.status == 202);
  CHECK(b.text("id") == a.text("id"));
  CHECK(json::string_at(json::array_at(b.object(), "vpas")->at(0).get_object(), "state") == "active");
  CHECK(bed.deploy("did:web:other.example", "key-1").status == 409);
  CHECK(bed.broker.published() == 1);
  CHECK(bed.get(bed.path).array().size() == 1);
}

TEST_CASE("a broker that is down delays a deployment, which is then sent once") {
  profiles_bed bed;
  bed.broker.set_down(true);
  const auto a = bed.deploy();
  REQUIRE(a.status == 202);
  bed.broker.wait_for_tries(2);
  CHECK(bed.broker.published() == 0);
  bed.broker.set_down(false);
  const auto m = bed.broker.manifest(0);
  CHECK(m.correlation_id == a.text("id"));
  CHECK(bed.broker.deliver(test_bed::end_of(m)) == delivery::done);
  CHECK(bed.states(a.text("id")) == std::set<std::string>{"active"});
  CHECK(bed.broker.published() == 1);
}

TEST_CASE("responses that are unreadable, for nobody or repeated end their delivery") {
  profiles_bed bed;
  CHECK(bed.broker.deliver("no JSON") == delivery::refused);
  CHECK(bed.broker.deliver(R"({"id":"r"})") == delivery::refused);
  orchestration_manifest stranger{"m", "not-ours", std::string(deploy_type), {}};
  CHECK(bed.broker.deliver(test_bed::end_of(stranger)) == delivery::done);
  stranger.correlation_id = bed.runtime->fresh_id(cfm_tenant).text();
  CHECK(bed.broker.deliver(test_bed::end_of(stranger)) == delivery::done);
  const auto a = bed.deploy();
  const auto m = bed.broker.manifest(0);
  for (int i = 0; i < 2; ++i)
    CHECK(bed.broker.deliver(test_bed::end_of(m)) == delivery::done);
  CHECK(bed.states(a.text("id")) == std::set<std::string>{"active"});
  const auto row = bed.journal().read_row({cfm_tenant, "participant_profile", a.text("id")});
  REQUIRE((row && *row));
  CHECK((*row)->seq <= 3);
}

TEST_CASE("a profile is seen and disposed of below its own tenant only") {
  profiles_bed bed;
  const auto id = bed.deployed("did:web:acme.example");
  const auto other = "tenants/" + bed.add_tenant("Other") + "/participant-profiles";
  CHECK(bed.get(other + "/" + id).status == 404);
  CHECK(bed.remove(other + "/" + id).status == 404);
  CHECK(bed.get(other).array().empty());
  CHECK(bed.get(bed.path + "/" + id).status == 200);
  CHECK(bed.get(bed.path + "/not-a-uuid").status == 404);
  CHECK(bed.states(id) == std::set<std::string>{"active"});
  CHECK(bed.count("tenantId = '" + bed.tenant + "'") == 1);
}

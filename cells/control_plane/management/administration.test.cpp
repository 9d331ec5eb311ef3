#include <doctest/doctest.h>

#include <thread>

#include "cells/control_plane/management/test_bed.test.hpp"
#include "cells/participants/client_registry.hpp"
#include "cells/participants/directory.hpp"

namespace {

using namespace fondaco;
using control_plane::testing::answered;
using control_plane::testing::test_bed;

std::string context(const std::string& id, const std::string& identity, const std::string& more = "") {
  return test_bed::typed("ParticipantContext", R"("@id":")" + id + R"(","identity":")" + identity + "\"" + more);
}

std::string config(const std::string& members) { return test_bed::typed("ParticipantContextConfig", members); }

} // namespace

TEST_CASE("a participant context is created, listed, read, replaced and removed by administrators only") {
  test_bed bed;
  auto made =
      bed.send("admin", "POST", "participants", context("alice", "did:web:alice", R"(,"properties":{"a":[1]})"));
  REQUIRE(made.status == 200);
  CHECK(made.text("@id") == "alice");
  CHECK(bed.send("admin", "POST", "participants", context("alice", "did:web:alice")).status == 409);
  CHECK(bed.send("admin", "POST", "participants", context("other", "did:web:alice")).status == 409);
  auto unnamed = bed.send("admin", "POST", "participants", test_bed::typed("ParticipantContext", R"("identity":"x")"));
  CHECK(parse_uuid(unnamed.text("@id")).has_value());

  auto got = bed.send("admin", "GET", "participants/alice");
  CHECK(json::write(got.body) ==
        R"({"@context":["https://w3id.org/edc/connector/management/v2"],"@id":"alice","@type":"ParticipantContext",)"
        R"("identity":"did:web:alice","properties":{"a":[1]},"state":"CREATED"})");
  CHECK(bed.send("admin", "GET", "participants").body.get_array().size() == 2);
  CHECK(bed.send("admin", "GET", "participants?offset=1&limit=5").body.get_array().size() == 1);
  CHECK(bed.send("admin", "GET", "participants?limit=0").status == 400);
  CHECK(bed.send("admin", "GET", "participants/nobody").status == 404);

  CHECK(bed.send("admin", "PUT", "participants/alice", context("alice", "did:web:a2", R"(,"state":"ACTIVATED")"))
            .status == 204);
  CHECK(bed.send("admin", "GET", "participants/alice").text("state") == "ACTIVATED");
  CHECK(bed.send("admin", "PUT", "participants/alice", context("bob", "x")).status == 400);
  CHECK(bed.send("admin", "PUT", "participants/bob", context("bob", "x2")).status == 404);
  auto agent = bed.journal().read_row({tenant("alice"), "vpa", "control-plane"});
  REQUIRE((agent && *agent));
  CHECK((*agent)->status == "ACTIVE");

  for (const char* method : {"POST", "GET"})
    CHECK(bed.send("alice", method, "participants", context("z", "z")).status == 403);
  for (const char* method : {"GET", "PUT", "DELETE"})
    CHECK(bed.send("alice", method, "participants/alice", context("alice", "z")).status == 403);

  CHECK(bed.send("admin", "DELETE", "participants/alice").status == 204);
  CHECK(bed.send("admin", "GET", "participants/alice").status == 404);
  CHECK(bed.send("admin", "DELETE", "participants/alice").status == 404);
  CHECK(bed.send("admin", "GET", "participants").body.get_array().size() == 1);
  CHECK((*bed.journal().read_row({tenant("alice"), "vpa", "control-plane"}))->status == "DISPOSED");
  CHECK(bed.send("admin", "POST", "participants", context("alice", "did:web:alice")).status == 409);
}

TEST_CASE("a participant context's id cannot be the node's own or break a path") {
  test_bed bed;
  for (const char* id : {".node", ".x", "a/b", "a b", "a?b"}) {
    auto refused = bed.send("admin", "POST", "participants", context(id, "did:web:x"));
    INFO(std::string(id));
    CHECK(refused.status == 400);
    CHECK(refused.error("path") == "@id");
  }
  CHECK(
      bed.send("admin", "POST", "participants", test_bed::typed("ParticipantContext", R"("@id":"x")")).error("path") ==
      "identity");
  CHECK(bed.send("admin", "POST", "participants", context("x", "y", R"(,"state":"BORN")")).error("path") == "state");
  CHECK(bed.send("admin", "GET", "participants/.node/config").status == 404);
  CHECK(bed.send("admin", "DELETE", "participants/.node").status == 404);
}

TEST_CASE("a configuration's private entries are kept and shown sealed only") {
  test_bed bed;
  bed.add_participant("alice");
  const std::string path = "participants/alice/config";
  REQUIRE(
      bed.send("admin", "PUT", path, config(R"("entries":{"a":"1"},"privateEntries":{"s":"canary-secret"})")).status ==
      204);
  auto got = bed.send("admin", "GET", path);
  CHECK(json::write(got.object().at("entries")) == R"({"a":"1"})");
  const std::string sealed(json::string_at(got.object().at("privateEntries").get_object(), "s").value());
  CHECK(sealed.starts_with("v1."));
  CHECK(bed.vault().open(tenant("alice"), sealed).value() == "canary-secret");
  const persistence::entity_key key{tenant("alice"), "participant_config", "alice"};
  const auto events = bed.journal().read_events(key, 0, 100).value();
  for (const auto& e : events)
    CHECK(e.event.payload.find("canary") == std::string::npos);
  for (const char* wrong : {R"("entries":{"a":null})", R"("entries":{},"privateEntries":{"a":null})",
                            R"("entries":{"a":1})", R"("privateEntries":{})"})
    CHECK(bed.send("admin", "PUT", path, config(wrong)).status == 400);
  CHECK(bed.send("admin", "PUT", path, config(R"("entries":{"a":null})")).error() ==
        "Null values are not allowed when setting a configuration");
  auto secret = bed.send("admin", "PUT", path, config(R"("entries":{},"privateEntries":{"a":{"x":"canary"}})"));
  CHECK(secret.status == 400);
  CHECK(json::write(secret.body).find("canary") == std::string::npos);
  CHECK(bed.send("alice", "GET", path).status == 403);
  CHECK(bed.send("admin", "PUT", "participants/nobody/config", config(R"("entries":{})")).status == 404);
}

TEST_CASE("a configuration's patch overwrites, removes by null, and leaves the rest") {
  test_bed bed;
  REQUIRE(bed.send("admin", "POST", "participants", context("alice", "did:web:alice")).status == 200);
  const std::string path = "participants/alice/config";
  CHECK(bed.send("admin", "GET", path).status == 404);
  REQUIRE(bed.send("admin", "PATCH", path, config(R"("entries":{"a":"1","b":"2"},"privateEntries":{"s":"x","t":"y"})"))
              .status == 204);
  REQUIRE(
      bed.send("admin", "PATCH", path, config(R"("entries":{"a":null,"c":"3"},"privateEntries":{"s":null})")).status ==
      204);
  auto got = bed.send("admin", "GET", path);
  CHECK(json::write(got.object().at("entries")) == R"({"b":"2","c":"3"})");
  CHECK(got.object().at("privateEntries").get_object().size() == 1);
}

TEST_CASE("patches at the same moment lose no entry") {
  test_bed bed;
  REQUIRE(bed.send("admin", "POST", "participants", context("alice", "did:web:alice")).status == 200);
  constexpr int writers = 4, each = 5;
  std::vector<std::thread> threads;
  std::atomic<int> refused{0};
  for (int w = 0; w < writers; ++w)
    threads.emplace_back([&, w] {
      for (int i = 0; i < each; ++i) {
        const auto name = std::to_string(w) + "-" + std::to_string(i);
        // A conflict that eight attempts could not get past is told to the client, which sends again.
        while (bed.send("admin", "PATCH", "participants/alice/config", config(R"("entries":{")" + name + R"(":"x"})"))
                   .status != 204)
          if (++refused > 1000)
            return;
      }
    });
  for (auto& t : threads)
    t.join();
  CHECK(bed.send("admin", "GET", "participants/alice/config").object().at("entries").get_object().size() ==
        writers * each);
}

TEST_CASE("a participant's dataspace profiles are associated by administrators and read by itself") {
  test_bed bed;
  bed.add_participant("alice");
  const std::string path = "participants/alice/profiles";
  const auto of = [](const std::string& names) {
    return test_bed::typed("AssociateDataspaceProfile", R"("profiles":)" + names);
  };
  CHECK(bed.send("admin", "PUT", path, of(R"(["other","closed"])")).status == 204);
  auto got = bed.send("alice", "GET", path);
  REQUIRE(got.body.is_array());
  REQUIRE(got.body.get_array().size() == 2);
  CHECK(
      json::write(got.body.get_array()[0]) ==
      R"({"@context":["https://w3id.org/edc/connector/management/v2"],"@type":"DataspaceProfile","name":"other",)"
      R"("protocol":{"version":"2025-1","path":"/other","binding":"HTTPS","namespace":"https://w3id.org/dspace/2025/1/"},)"
      R"("jsonLdContextsUrl":["https://w3id.org/dspace/2025/1/context.jsonld"]})");
  auto unknown = bed.send("admin", "PUT", path, of(R"(["nope"])"));
  CHECK(unknown.status == 400);
  CHECK(unknown.error() == "Failed to associate profiles to ParticipantContext: Profile nope does not exist");
  CHECK(bed.send("alice", "PUT", path, of("[]")).status == 403);
  CHECK(bed.send("admin", "PUT", path, of("[]")).status == 204);
  CHECK(bed.send("alice", "GET", path).body.get_array().empty());
  auto read = cells::read_participant(*bed.services, tenant("alice"));
  REQUIRE(read.has_value());
  CHECK(read->entries.contains("fondaco.dataspace.closed.counterparty.p.id"));
}

TEST_CASE("an API client's secret is shown once, rotates, and ends with its client") {
  test_bed bed;
  bed.add_participant("alice");
  auto made = bed.send(
      "admin", "POST", "apiclients",
      R"({"client_id":"c1","role":"participant","participant_context_id":"alice","scopes":["management-api:write"]})");
  REQUIRE(made.status == 200);
  const auto secret = made.text("client_secret");
  CHECK(secret.size() == 64);
  for (const auto& got : {bed.send("admin", "GET", "apiclients/c1"), bed.send("admin", "GET", "apiclients")}) {
    REQUIRE(got.status == 200);
    CHECK(json::write(got.body).find("sha256") == std::string::npos);
    CHECK(json::write(got.body).find("client_secret") == std::string::npos);
    CHECK(json::write(got.body).find(gateway::hash_of_secret(secret)) == std::string::npos);
  }
  const persistence::entity_key key{cells::node_tenant, "api_client", "c1"};
  const auto events = bed.journal().read_events(key, 0, 10).value();
  for (const auto& e : events)
    CHECK(e.event.payload.find(secret) == std::string::npos);

  auto configured = gateway::static_registry::make({{"root", {}, "admin", std::nullopt, {}, false}});
  REQUIRE(configured.has_value());
  cells::client_registry registry([&]() -> cells::cell_services& { return *bed.services; }, std::move(*configured),
                                  {milliseconds(0), 8});
  const auto find = [&](const std::string& id) { return bed.wait(registry.find(id)).value(); };
  const auto now = [&] { return bed.services->clock.now(); };
  CHECK(find("root").has_value());
  CHECK_FALSE(find("nobody").has_value());
  REQUIRE(find("c1").has_value());
  CHECK(gateway::accepts(*find("c1"), secret, now()));
  CHECK(find("c1")->participant_context_id == "alice");

  auto rotated = bed.send("admin", "POST", "apiclients/c1/rotate", R"({"overlap_seconds":60})");
  REQUIRE(rotated.status == 200);
  CHECK(gateway::accepts(*find("c1"), rotated.text("client_secret"), now()));
  CHECK(gateway::accepts(*find("c1"), secret, now()));
  auto last = bed.send("admin", "POST", "apiclients/c1/rotate", R"({"overlap_seconds":0})");
  CHECK_FALSE(gateway::accepts(*find("c1"), secret, now()));
  CHECK(gateway::accepts(*find("c1"), last.text("client_secret"), now()));

  CHECK(bed.send("admin", "DELETE", "apiclients/c1").status == 204);
  CHECK_FALSE(find("c1").has_value());
  CHECK(bed.send("admin", "GET", "apiclients/c1").status == 404);
  CHECK(bed.send("admin", "POST", "apiclients/c1/rotate").status == 404);
  CHECK(bed.send("alice", "GET", "apiclients").status == 403);
}

TEST_CASE("an API client that could do harm or act for nobody is refused") {
  test_bed bed;
  bed.add_participant("alice");
  for (const char* wrong : {
           R"({"role":"king","scopes":[]})",
           R"({"role":"participant","scopes":[]})",
           R"({"role":"participant","participant_context_id":"nobody","scopes":[]})",
           R"({"role":"participant","participant_context_id":"alice","scopes":["management-api:admin"]})",
           R"({"role":"admin","participant_context_id":"alice","scopes":[]})",
           R"({"role":"admin","scopes":["a b"]})",
           R"({"role":"admin","scopes":[],"secrets":[]})",
           R"({"role":"admin","scopes":[],"extra":1})",
           R"([])",
       }) {
    INFO(std::string(wrong));
    CHECK(bed.send("admin", "POST", "apiclients", wrong).status == 400);
  }
  CHECK(bed.send("admin", "POST", "apiclients", R"({"client_id":"x","role":"admin","scopes":[]})").status == 200);
  CHECK(bed.send("admin", "POST", "apiclients", R"({"client_id":"x","role":"admin","scopes":[]})").status == 409);
  CHECK(bed.send("admin", "POST", "apiclients/x/rotate", R"({"overlap_seconds":-1})").status == 400);
}

TEST_CASE("an API client is kept in memory for a bounded time and in bounded number") {
  test_bed bed;
  for (const char* id : {"c1", "c2", "c3"})
    REQUIRE(bed.send("admin", "POST", "apiclients",
                     std::string(R"({"client_id":")") + id + R"(","role":"admin","scopes":[]})")
                .status == 200);
  cells::client_registry registry([&]() -> cells::cell_services& { return *bed.services; },
                                  *gateway::static_registry::make({}), {milliseconds(3'600'000), 2});
  const auto known = [&](const std::string& id) { return bed.wait(registry.find(id)).value().has_value(); };
  for (const char* id : {"c1", "c2", "c3"})
    CHECK(known(id));
  for (const char* id : {"c1", "c2", "c3"})
    REQUIRE(bed.send("admin", "DELETE", std::string("apiclients/") + id).status == 204);
  CHECK_FALSE(known("c1")); // it was the one that had to go
  CHECK(known("c2"));
  CHECK(known("c3"));
}

TEST_CASE("every route of this slice is there, and no other method of its path") {
  test_bed bed;
  CHECK(bed.routes.patterns().size() == 54);
  CHECK(bed.send("admin", "PATCH", "participants/alice/assets").status == 405);
  CHECK(bed.send("admin", "GET", "nothing").status == 404);
}

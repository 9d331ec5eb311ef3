#include "cells/credential_service/service_bed.test.hpp"

#include "cells/credential_service/issuer_client.hpp"
#include "cells/operator/explain.hpp"

using namespace fondaco;
using namespace fondaco::credential_service;
using namespace fondaco::credential_service::testing;

namespace {

json::object request_body(const std::string& holder_pid = "") {
  json::object o{{"issuerDid", issuer_did},
                 {"credentials", json::array{json::object{
                                     {"id", "def-1"}, {"type", "MembershipCredential"}, {"format", "VC1_0_JWT"}}}}};
  if (!holder_pid.empty())
    o["holderPid"] = holder_pid;
  return o;
}

json::object manifest_of(service_bed& b, const vc::credential& c, const std::string& id = "vc-1") {
  json::object o{{"participantContextId", "holder"},
                 {"verifiableCredentialContainer",
                  json::object{{"rawVc", b.world.sign(c)}, {"format", "VC1_0_JWT"}, {"credential", vc::to_model(c)}}}};
  if (!id.empty())
    o["id"] = id;
  return o;
}

constexpr const char* read_token = "holder:credentials:read";

} // namespace

TEST_CASE("a credential that was added is listed, read, replaced and removed") {
  service_bed b;
  const auto c = b.world.membership(holder_did);
  const auto manifest = manifest_of(b, c);
  CHECK(b.api("POST", "", json::write(manifest)).status == 204);
  CHECK(b.api("POST", "", json::write(manifest)).status == 409);
  const auto got = b.api("GET", "/vc-1", "", read_token);
  REQUIRE(got.status == 200);
  const auto& o = got.body.get_object();
  CHECK(got.text("issuerId") == issuer_did);
  CHECK(got.text("holderId") == holder_did);
  CHECK(json::integer_at(o, "state") == 500);
  CHECK_FALSE(o.contains("sealedRawVc"));
  const auto* container = json::object_at(o, "verifiableCredential");
  REQUIRE(container);
  CHECK(json::string_at(*container, "rawVc") ==
        json::string_at(*json::object_at(manifest, "verifiableCredentialContainer"), "rawVc"));
  CHECK(json::string_at(*container, "format") == "VC1_0_JWT");
  CHECK(json::string_at(*json::object_at(*container, "credential"), "id") == c.id);

  REQUIRE(b.api("POST", "", json::write(manifest_of(b, b.world.membership(holder_did, "InvoiceCredential"), "vc-2")))
              .status == 204);
  const auto count = [&](const std::string& query) {
    const auto list = b.api("GET", query, "", read_token);
    REQUIRE(list.status == 200);
    return list.body.get_array().size();
  };
  CHECK(count("") == 2);
  CHECK(count("?type=InvoiceCredential") == 1);
  CHECK(count("?type=OtherCredential") == 0);

  auto other = b.world.membership(holder_did, "OtherCredential");
  CHECK(b.api("PUT", "", json::write(manifest_of(b, other))).status == 204);
  CHECK(count("?type=OtherCredential") == 1);
  CHECK(b.api("PUT", "", json::write(manifest_of(b, other, "vc-9"))).status == 404);
  CHECK(b.api("DELETE", "/vc-1").status == 204);
  CHECK(b.api("DELETE", "/vc-1").status == 404);
  CHECK(b.api("GET", "/vc-1", "", read_token).status == 404);
  CHECK(count("") == 1);
}

TEST_CASE("a credential is shown as expired once it is") {
  service_bed b;
  auto c = b.world.membership(holder_did);
  c.valid_until = b.world.now() - std::chrono::minutes(1);
  REQUIRE(b.api("POST", "", json::write(manifest_of(b, c))).status == 204);
  CHECK(json::integer_at(b.api("GET", "/vc-1", "", read_token).body.get_object(), "state") == 800);
}

TEST_CASE("a manifest that is not whole is refused with the field") {
  service_bed b;
  const auto c = b.world.membership(holder_did);
  const auto with = [&](auto change) {
    auto m = manifest_of(b, c);
    change(m, m["verifiableCredentialContainer"].get_object());
    return m;
  };
  using object = json::object;
  const std::pair<object, const char*> table[] = {
      {with([](object& m, object&) { m.erase("participantContextId"); }), "participantContextId"},
      {with([](object& m, object&) { m["participantContextId"] = "other"; }), "participantContextId"},
      {with([](object& m, object&) { m.erase("verifiableCredentialContainer"); }), "verifiableCredentialContainer"},
      {with([](object&, object& v) { v.erase("rawVc"); }), "rawVc"},
      {with([](object&, object& v) { v["rawVc"] = "x"; }), "rawVc"},
      {with([](object&, object& v) { v.erase("credential"); }), "credential"},
      {with([](object&, object& v) { v["format"] = "VC1_0_LD"; }), "format"},
      {with([](object&, object& v) { v["format"] = "VC2_0_JOSE"; }), "rawVc"},
      {with([&](object&, object& v) {
         v["credential"] = vc::to_model(b.world.membership(holder_did, "InvoiceCredential"));
       }),
       "credential"},
      {with([&](object&, object& v) { v["rawVc"] = b.membership("MembershipCredential", third_did); }), "rawVc"},
      {with([](object& m, object&) { m["issuancePolicy"] = 1; }), "issuancePolicy"},
  };
  for (const auto& [m, field] : table) {
    const auto got = b.api("POST", "", json::write(m));
    CAPTURE(field);
    CHECK(got.status == 400);
    CHECK(got.message().find(field) != std::string::npos);
  }
  CHECK(b.held().empty());
}

TEST_CASE("a request for credentials is made, told and kept apart by its holder process id") {
  service_bed b;
  b.issuer_takes();
  const auto made = b.api("POST", "/request", json::write(request_body("pid-1")));
  CHECK(made.status == 201);
  CHECK(made.body.is_null());
  CHECK(made.header("Location") == "/api/identity/v1beta/participants/holder/credentials/request/pid-1");
  CHECK(b.api("POST", "/request", json::write(request_body("pid-1"))).status == 409);
  REQUIRE(b.reaches("pid-1", "REQUESTED"));
  const auto got = b.api("GET", "/request/pid-1", "", read_token);
  REQUIRE(got.status == 200);
  CHECK(got.text("issuerDid") == issuer_did);
  CHECK(got.text("holderPid") == "pid-1");
  CHECK(got.text("issuerPid") == "issuer-pid");
  CHECK(got.text("status") == "REQUESTED");
  const auto& wanted = json::array_at(got.body.get_object(), "typesAndFormats")->at(0).as_object();
  CHECK(json::string_at(wanted, "id") == "def-1");
  CHECK(json::string_at(wanted, "format") == "VC1_0_JWT");
  CHECK(b.api("GET", "/request/pid-2", "", read_token).status == 404);
  const auto calls = b.network.calls("/is/credentials");
  REQUIRE(calls.size() == 1);
  CHECK(std::ranges::count(calls[0].headers, std::pair<std::string, std::string>("Idempotency-Key", "pid-1")) == 1);
  for (const auto& [name, value] : calls[0].headers)
    if (name == "Authorization") {
      const auto token = jose::parse_jwt(value.substr(7));
      REQUIRE(token.has_value());
      CHECK(json::string_at(token->claims, "iss") == holder_did);
      CHECK(json::string_at(token->claims, "aud") == issuer_did);
    }
}

TEST_CASE("a request that is repeated with its key is answered the same, with another body it is refused") {
  service_bed b;
  b.issuer_takes();
  const auto body = json::write(request_body());
  const auto send = [&](const std::string& text, const std::string& key) {
    return b.api("POST", "/request", text, "holder:credentials:write", {{"idempotency-key", key}});
  };
  const auto first = send(body, "k-1"), again = send(body, "k-1");
  CHECK(first.status == 201);
  CHECK(again.status == 201);
  CHECK(first.header("Location") == again.header("Location"));
  CHECK(send(json::write(request_body("pid-7")), "k-1").status == 409);
  auto other = request_body();
  other["issuerDid"] = third_did;
  CHECK(send(json::write(other), "k-1").status == 409);
  CHECK(b.api("POST", "/request", body).header("Location") != first.header("Location"));
  CHECK(b.requests().size() == 2);
}

TEST_CASE("a request that lacks something is refused with the field") {
  service_bed b;
  const auto with = [](auto change) {
    auto o = request_body();
    change(o);
    return o;
  };
  using object = json::object;
  const std::pair<object, const char*> table[] = {
      {with([](object& o) { o.erase("issuerDid"); }), "issuerDid"},
      {with([](object& o) { o["issuerDid"] = "https://issuer.example"; }), "issuerDid"},
      {with([](object& o) { o.erase("credentials"); }), "credentials"},
      {with([](object& o) { o["credentials"] = json::array{}; }), "credentials"},
      {with([](object& o) { o["credentials"] = json::array(65, json::object{{"id", "x"}}); }), "credentials"},
      {with([](object& o) { o["credentials"] = json::array{1}; }), "credentials[0]"},
      {with([](object& o) { o["credentials"].get_array()[0].get_object().erase("id"); }), "credentials[0].id"},
      {with([](object& o) { o["credentials"].get_array()[0].get_object()["format"] = "ldp"; }),
       "credentials[0].format"},
      {with([](object& o) { o["holderPid"] = 7; }), "holderPid"},
  };
  for (const auto& [o, field] : table) {
    const auto got = b.api("POST", "/request", json::write(o));
    CAPTURE(field);
    CHECK(got.status == 400);
    CHECK(got.message().find(field) != std::string::npos);
  }
  CHECK(b.requests().empty());
}

TEST_CASE("an issuer that is down is tried again; one that refuses ends the request with its reasons") {
  service_bed b;
  b.issuer_takes();
  b.network.expect("/is/credentials", control_plane::dsp_testing::mishap::not_connected);
  REQUIRE(b.api("POST", "/request", json::write(request_body("pid-1"))).status == 201);
  REQUIRE(b.reaches("pid-1", "REQUESTED"));
  CHECK(b.network.calls("/is/credentials").size() == 2);
  CHECK(b.view_of("pid-1").contains("causes"));

  b.world.play(std::string(issuer_service) + "/credentials",
               [](const auto&) { return answer(403, R"([{"message":"the holder is no member"}])"); });
  REQUIRE(b.api("POST", "/request", json::write(request_body("pid-2"))).status == 201);
  REQUIRE(b.reaches("pid-2", "ERROR"));
  const auto got = b.api("GET", "/request/pid-2", "", read_token);
  CHECK(got.text("errorDetail") == "The issuer answered 403 to the credential request: the holder is no member");
  const auto said = cells::explain(*b.row("pid-2"), b.world.now());
  CHECK(said.back() == "The counterparty said: The issuer answered 403 to the credential request: the holder is no "
                       "member");
}

TEST_CASE("an answer that was lost does not end a request: the issuer that knows it has taken it") {
  service_bed b;
  std::atomic<int> tries = 0;
  b.world.play(std::string(issuer_service) + "/credentials", [&tries](const auto&) -> actors::http_result {
    if (++tries == 1)
      return std::unexpected(actors::exchange_errc::no_answer);
    return answer(409, "");
  });
  REQUIRE(b.api("POST", "/request", json::write(request_body("pid-1"))).status == 201);
  REQUIRE(b.reaches("pid-1", "REQUESTED"));
  CHECK(b.deliver("pid-1", "MembershipCredential", b.membership()).status == 200);
  CHECK(b.status_of("pid-1") == "ISSUED");
}

TEST_CASE("an issuer without an IssuerService ends a request") {
  service_bed b;
  auto o = request_body("pid-1");
  o["issuerDid"] = third_did;
  REQUIRE(b.api("POST", "/request", json::write(o)).status == 201);
  REQUIRE(b.reaches("pid-1", "ERROR"));
  CHECK(b.view_of("pid-1").at("errorDetail").as_string().find("names no IssuerService") != std::string::npos);
}

TEST_CASE("every route asks for its scope and its participant") {
  service_bed b;
  b.add_holder("other", "did:web:other-holder.example");
  struct row {
    std::string method;
    std::string path;
    bool writes;
  };
  const row table[] = {{"GET", "", false},
                       {"GET", "/vc-1", false},
                       {"POST", "", true},
                       {"PUT", "", true},
                       {"DELETE", "/vc-1", true},
                       {"POST", "/request", true},
                       {"GET", "/request/pid-1", false}};
  const auto manifest = json::write(manifest_of(b, b.world.membership(holder_did)));
  for (const auto& r : table) {
    CAPTURE(r.method);
    CAPTURE(r.path);
    const auto body = r.method == "GET" || r.method == "DELETE" ? std::string() : manifest;
    CHECK(b.api(r.method, r.path, body, "").status == 401);
    CHECK(b.api(r.method, r.path, body, "other:credentials:write").status == 403);
    CHECK(b.api(r.method, r.path, body, "other:participants:read").status == 403);
    CHECK(b.api(r.method, r.path, body, "holder:keypairs:write").status == 403);
    if (r.writes)
      CHECK(b.api(r.method, r.path, body, read_token).status == 403);
  }
  CHECK(b.held().empty());
  CHECK(b.api("POST", "", manifest, "holder:credentials:write").status == 204);
  CHECK(b.api("GET", "", "", "admin").status == 200);
  CHECK(b.send("GET", "/api/identity/v1beta/participants/nobody/credentials", "", "admin").status == 404);
}

TEST_CASE("the issuer's process id is the last segment of Location, else what the body says") {
  using headers = actors::http_headers;
  struct row {
    headers given;
    const char* body;
    const char* expected;
  };
  const row table[] = {
      {{{"Location", "https://is.example/requests/p-1"}}, "", "p-1"},
      {{{"location", "/v1beta/participants/i/requests/p-2/"}}, "", "p-2"},
      {{{"location", "p-3?x=1"}}, "", "p-3"},
      {{}, "p-4", "p-4"},
      {{}, R"("p-5")", "p-5"},
      {{}, R"({"issuerPid":"p-6"})", "p-6"},
      {{{"location", "/"}}, R"({"id":"p-7"})", "p-7"},
      {{}, "", ""},
      {{}, "{}", ""},
      {{}, "[1]", ""},
  };
  for (const auto& r : table)
    CHECK(issuer_pid_of({201, r.given, r.body}) == r.expected);
}

#include <doctest/doctest.h>

#include "gateway/claims.hpp"

using namespace fondaco;
using namespace fondaco::gateway;

namespace {

request of(std::string method, std::string path = "/v5beta/participants/a/assets") {
  request r;
  r.method = std::move(method);
  r.path = std::move(path);
  return r;
}

constexpr dialect_options edc{.participant_from_sub = true};
constexpr dialect_options own{.participant_from_sub = false};

} // namespace

TEST_CASE("in the scope dialect the subject is the participant only where the issuer says so") {
  const token_claims claims{"ctx-a", {}, {}, {}, {"management-api:read"}};
  CHECK(to_principal(claims, edc, of("GET"))->participant == tenant("ctx-a"));
  CHECK_FALSE(to_principal(claims, own, of("GET"))->participant.has_value());
}

TEST_CASE("participant_context_id wins over the subject") {
  const token_claims claims{"api-1", {}, {}, "ctx-a", {"management-api:read"}};
  for (const auto& dialect : {edc, own}) {
    const auto got = to_principal(claims, dialect, of("GET"));
    REQUIRE(got.has_value());
    CHECK(got->subject == "api-1");
    CHECK(got->participant == tenant("ctx-a"));
  }
}

TEST_CASE("an administrator of the scope dialect needs no subject and is no participant") {
  const token_claims nameless{{}, {}, {}, {}, {"management-api:*:admin"}};
  const auto got = to_principal(nameless, edc, of("GET"));
  REQUIRE(got.has_value());
  CHECK_FALSE(got->participant.has_value());
  const token_claims named{"ctx-a", {}, {}, {}, {"management-api:admin"}};
  CHECK_FALSE(to_principal(named, edc, of("GET"))->participant.has_value());
}

TEST_CASE("a token of a participant without a subject is refused in plain text") {
  for (const auto& scopes : {std::vector<std::string>{"management-api:write"}, {"management-api:assets:admin"}, {}}) {
    const token_claims claims{{}, {}, {}, "ctx-a", scopes};
    const auto got = to_principal(claims, edc, of("GET"));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().status == 401);
    CHECK(got.error().content_type == "text/plain");
    CHECK(got.error().body == "No 'sub' claim present");
  }
}

TEST_CASE("in the role dialect administrators are elevated by role and literal scope together") {
  struct row {
    const char* role;
    const char* scope;
    const char* method;
    const char* path;
    bool elevated;
  };
  const row rows[] = {
      {"admin", "management-api:read", "GET", "/v5alpha/participants", true},
      {"provisioner", "management-api:read", "GET", "/v5alpha/participants", true},
      {"provisioner", "management-api:write", "POST", "/v5alpha/participants", true},
      {"provisioner", "management-api:write", "DELETE", "/v5alpha/participants/a", true},
      {"admin", "management-api:read", "POST", "/v5alpha/participants/a/assets/request", true},
      {"admin", "management-api:read", "POST", "/v5alpha/participants/a/assets", false},
      {"admin", "management-api:write", "GET", "/v5alpha/participants", false},
      {"admin", "", "GET", "/v5alpha/participants", false},
      {"admin", "management-api:assets:read", "GET", "/v5alpha/participants", false},
      {"admin", "data-plane:read", "GET", "/v5alpha/participants", false},
      {"participant", "management-api:read", "GET", "/v5alpha/participants", false},
      {"participant", "management-api:admin", "GET", "/v5alpha/participants", false},
      {"operator", "management-api:read", "GET", "/v5alpha/participants", false},
      {"operator", "management-api:admin", "GET", "/v5alpha/participants", false},
  };
  for (const auto& r : rows) {
    CAPTURE(r.role);
    CAPTURE(r.scope);
    CAPTURE(r.method);
    const token_claims claims{"caller", {}, r.role, "ctx-a", split_scopes(r.scope)};
    const auto got = to_principal(claims, edc, of(r.method, r.path));
    REQUIRE(got.has_value());
    CHECK(administers(got->scopes, "management-api") == r.elevated);
  }
}

TEST_CASE("elevation on the management API is none on the operator's door, nor on the identity API") {
  const token_claims claims{"caller", {}, "admin", {}, {"management-api:write", "operator:read", "identity-api:read"}};
  const auto got = to_principal(claims, edc, of("PUT"));
  REQUIRE(got.has_value());
  CHECK(administers(got->scopes, "management-api"));
  CHECK_FALSE(satisfies(got->scopes, "operator:write"));
  CHECK_FALSE(satisfies(got->scopes, "identity-api:write"));
}

TEST_CASE("a participant of the role dialect acts for its context id, never for its subject") {
  const token_claims claims{"api-1", {}, "participant", "ctx-a", {"management-api:read", "operator:read"}};
  const auto got = to_principal(claims, edc, of("GET"));
  REQUIRE(got.has_value());
  CHECK(got->participant == tenant("ctx-a"));
  CHECK(got->scopes == std::vector<std::string>{"management-api:read"});

  const token_claims contextless{"ctx-a", {}, "participant", {}, {"management-api:read"}};
  const auto refused = to_principal(contextless, edc, of("GET"));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().status == 401);
}

TEST_CASE("an operator keeps the operator's scopes and nothing else") {
  const token_claims claims{"ops", {}, "operator", {}, {"operator:read", "management-api:admin", "data-plane:read"}};
  const auto got = to_principal(claims, own, of("GET"));
  REQUIRE(got.has_value());
  CHECK(got->scopes == std::vector<std::string>{"operator:read"});
  CHECK_FALSE(got->participant.has_value());
}

TEST_CASE("an unknown role is refused with the reference's text") {
  const token_claims claims{"x", {}, "owner", "ctx-a", {"management-api:admin"}};
  const auto got = to_principal(claims, edc, of("GET"));
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().status == 403);
  CHECK(got.error().body == "Required user role not satisfied.");
}

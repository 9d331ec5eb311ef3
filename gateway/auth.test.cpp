#include <doctest/doctest.h>

#include <utility>

#include "gateway/auth.hpp"

using namespace fondaco;
using namespace fondaco::gateway;

namespace {

using admitted = std::expected<principal, denied>;

/// Gives what it was told to, and counts.
struct fixed_verifier final : token_verifier {
  explicit fixed_verifier(admitted gives) : gives(std::move(gives)) {}
  task<admitted> verify(std::shared_ptr<const request>) override {
    ++asked;
    co_return gives;
  }
  admitted gives;
  int asked = 0;
};

admitted run(task<admitted> work) {
  std::optional<admitted> out;
  actors::start<admitted>(
      std::move(work), [&](admitted a) { out = std::move(a); },
      [](std::exception_ptr e) { std::rethrow_exception(e); });
  REQUIRE(out.has_value());
  return *out;
}

admitted admit_as(admitted caller, std::string scope, std::optional<tenant> participant) {
  fixed_verifier v(std::move(caller));
  return run(admit(v, std::make_shared<const request>(), std::move(scope), std::move(participant)));
}

} // namespace

TEST_CASE("a granted scope satisfies a required one exactly as the reference's grammar says") {
  struct row {
    const char* granted;
    const char* required;
    bool ok;
  };
  const row rows[] = {
      {"management-api:write", "management-api:assets:write", true},
      {"management-api:write", "management-api:assets:read", true},
      {"management-api:read", "management-api:assets:read", true},
      {"management-api:read", "management-api:assets:write", false},
      {"management-api:*:write", "management-api:assets:write", true},
      {"management-api:assets:read", "management-api:assets:read", true},
      {"management-api:assets:read", "management-api:policies:read", false},
      {"management-api:assets:read", "management-api:read", false},
      {"management-api:assets:admin", "management-api:assets:write", true},
      {"management-api:assets:admin", "management-api:admin", false},
      {"management-api:*:write", "management-api:admin", false},
      {"management-api:admin", "management-api:admin", true},
      {"management-api:*:admin", "management-api:admin", true},
      {"management-api:admin", "management-api:assets:read", true},
      {"management-api:admin", "identity-api:read", false},
      {"management-api:WRITE", "management-api:assets:write", true},
      {"Management-api:write", "management-api:assets:write", false},
      {"operator:read", "operator:read", true},
      {"management-api", "management-api:read", false},
      {"write", "management-api:read", false},
      {"management-api:assets:a:write", "management-api:assets:read", false},
      {"management-api::write", "management-api:assets:read", false},
      {"management-api: :write", "management-api:assets:read", false},
      {":write", "management-api:assets:read", false},
      {"management-api:", "management-api:read", false},
      {"management-api:assets:delete", "management-api:assets:read", false},
      {"", "management-api:read", false},
      {"management-api:admin", "management-api", false},
      {"management-api:admin", "", false},
  };
  for (const auto& r : rows) {
    CAPTURE(r.granted);
    CAPTURE(r.required);
    CHECK(satisfies({r.granted}, r.required) == r.ok);
  }
}

TEST_CASE("a malformed granted scope is ignored beside a good one") {
  CHECK(satisfies({"nonsense", "a:b:c:d", "management-api:assets:fly", "management-api:assets:read"},
                  "management-api:assets:read"));
}

TEST_CASE("a scope claim is split at any number of spaces") {
  CHECK(split_scopes("") == std::vector<std::string>{});
  CHECK(split_scopes(" a:read  b:write ") == std::vector<std::string>{"a:read", "b:write"});
}

TEST_CASE("a caller without a token is told 401, even where it would lack the scope and the participant") {
  const auto got = admit_as(std::unexpected(unauthenticated("Missing Authorization header")), "management-api:admin",
                            tenant("other"));
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().status == 401);
  CHECK(got.error().content_type == "application/json");
  CHECK(got.error().body == R"({"error":"Missing Authorization header"})");
}

TEST_CASE("a missing scope is told before a foreign participant") {
  const auto got =
      admit_as(principal{"api-1", tenant("a"), {"management-api:read"}}, "management-api:assets:write", tenant("b"));
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().status == 403);
  CHECK(got.error().content_type == "text/plain");
  CHECK(got.error().body == "Required scope 'management-api:assets:write' missing");
}

TEST_CASE("a participant is let into its own context and into no other") {
  const principal caller{"api-1", tenant("a"), {"management-api:write"}};
  CHECK(admit_as(caller, "management-api:assets:write", tenant("a")).has_value());
  const auto got = admit_as(caller, "management-api:assets:write", tenant("b"));
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().status == 403);
  CHECK(got.error().body == R"([{"message":"User 'api-1' is not authorized to access this resource.",)"
                            R"("type":"NotAuthorized","path":null,"invalidValue":null}])");
}

TEST_CASE("a caller whose subject equals a participant's id is not that participant") {
  const auto got =
      admit_as(principal{"a", std::nullopt, {"management-api:write"}}, "management-api:assets:write", tenant("a"));
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().status == 403);
}

TEST_CASE("an administrator is let into every participant's context, of the API that it administers only") {
  const principal admin{"root", std::nullopt, {"management-api:admin", "identity-api:write"}};
  CHECK(admit_as(admin, "management-api:assets:write", tenant("a")).has_value());
  CHECK_FALSE(admit_as(admin, "identity-api:keypairs:write", tenant("a")).has_value());
  const principal of_assets{"half", std::nullopt, {"management-api:assets:admin"}};
  CHECK_FALSE(admit_as(of_assets, "management-api:assets:write", tenant("a")).has_value());
}

TEST_CASE("a route without a participant asks for the scope only") {
  const principal op{"ops", std::nullopt, {"operator:read"}};
  CHECK(admit_as(op, "operator:read", std::nullopt).has_value());
  CHECK_FALSE(admit_as(op, "operator:write", std::nullopt).has_value());
}

TEST_CASE("a denied request's response carries its status, type and body") {
  const auto unauthorized = to_response(unauthenticated("token \"x\" is malformed"));
  CHECK(unauthorized.status == 401);
  CHECK(unauthorized.body == R"({"error":"token \"x\" is malformed"})");
  CHECK(unauthorized.headers ==
        actors::http_headers{{"Content-Type", "application/json"}, {"WWW-Authenticate", "Bearer"}});
  const auto forbidden = to_response(without_scope("a:read"));
  CHECK(forbidden.headers == actors::http_headers{{"Content-Type", "text/plain"}});
  const auto later = to_response(keys_unavailable());
  CHECK(later.status == 503);
  CHECK(later.headers.back() == std::pair<std::string, std::string>{"Retry-After", "10"});
}

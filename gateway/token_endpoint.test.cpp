#include <doctest/doctest.h>

#include "gateway/token_endpoint.hpp"
#include "gateway/token_verifier.hpp"
#include "gateway/token_world.test.hpp"
#include "protocols/base/base64.hpp"

using namespace fondaco;
using namespace fondaco::gateway;
using namespace fondaco::gateway::testing;

namespace {

const std::string secret(64, 'a');
const std::string form_type = "application/x-www-form-urlencoded";

struct broken_registry final : api_client_registry {
  task<std::expected<std::optional<api_client>, fault>> find(std::string) override {
    co_return std::unexpected(fault{"unavailable", "the store does not answer", cure::retry});
  }
};

std::vector<api_client> clients() {
  return {
      {"api-1",
       {{hash_of_secret(secret), std::nullopt}},
       "participant",
       "ctx-a",
       {"management-api:write", "data-plane:read"},
       false},
      {"root", {{hash_of_secret(secret), std::nullopt}}, "admin", std::nullopt, {"management-api:admin"}, false},
      {"ops", {{hash_of_secret(secret), std::nullopt}}, "operator", std::nullopt, {"operator:read"}, false},
      {"gone", {{hash_of_secret(secret), std::nullopt}}, "admin", std::nullopt, {"management-api:admin"}, true},
      {"a:b c", {{hash_of_secret(secret), std::nullopt}}, "admin", std::nullopt, {"management-api:admin"}, false},
  };
}

struct world {
  hand_clock clock;
  inline_executor on;
  held_exchange http;
  metrics counts;
  counted_random random;
  static_registry registry = *static_registry::make(clients());
  std::shared_ptr<const token_keys> keys =
      std::make_shared<const token_keys>(std::vector{jose::key_pair::generate(jose::key_type::ec_p256)});
  token_endpoint endpoint{{"https://node.example", "fondaco"}, keys, {registry, clock, random, counts}};

  response post(std::string body, actors::http_headers headers = {}, std::string remote = "10.0.0.1") {
    request r;
    r.method = "POST";
    r.path = "/oauth2/token";
    r.remote = std::move(remote);
    r.headers = std::move(headers);
    if (!header(r, "content-type"))
      r.headers.emplace_back("content-type", form_type);
    r.body = std::move(body);
    return run(endpoint.token(std::make_shared<const request>(std::move(r))));
  }
};

std::string form_of(std::string id, std::string word, std::string rest = "") {
  return "grant_type=client_credentials&client_id=" + id + "&client_secret=" + word + rest;
}

actors::http_headers basic(const std::string& pair) { return {{"authorization", "Basic " + base64_encode(pair)}}; }

json::object body_of(const response& r) {
  auto parsed = json::parse(r.body);
  REQUIRE(parsed.has_value());
  return parsed->as_object();
}

std::string error_of(const response& r) { return std::string(json::string_at(body_of(r), "error").value_or("")); }

std::optional<std::string> header_of(const response& r, const std::string& name) {
  for (const auto& [key, value] : r.headers)
    if (key == name)
      return value;
  return std::nullopt;
}

json::object claims_of(const response& r) {
  auto token = jose::parse_jwt(*json::string_at(body_of(r), "access_token"));
  REQUIRE(token.has_value());
  return token->claims;
}

} // namespace

TEST_CASE("a client with its secret gets a token that says who it is") {
  world w;
  const auto got = w.post(form_of("api-1", secret));
  REQUIRE(got.status == 200);
  CHECK(header_of(got, "Cache-Control") == "no-store");
  const auto body = body_of(got);
  CHECK(json::string_at(body, "token_type") == "Bearer");
  CHECK(json::integer_at(body, "expires_in") == 300);
  CHECK(json::string_at(body, "scope") == "management-api:write data-plane:read");
  const auto claims = claims_of(got);
  const auto now = jose::numeric_date(t0);
  CHECK(json::string_at(claims, "iss") == "https://node.example");
  CHECK(json::string_at(claims, "aud") == "fondaco");
  CHECK(json::string_at(claims, "sub") == "api-1");
  CHECK(json::string_at(claims, "client_id") == "api-1");
  CHECK(json::string_at(claims, "role") == "participant");
  CHECK(json::string_at(claims, "participant_context_id") == "ctx-a");
  CHECK(json::string_at(claims, "scope") == "management-api:write data-plane:read");
  CHECK(json::integer_at(claims, "iat") == now);
  CHECK(json::integer_at(claims, "nbf") == now);
  CHECK(json::integer_at(claims, "exp") == now + 300);
  CHECK(json::string_at(claims, "jti")->size() == 32);
  CHECK(json::string_at(claims, "jti") != json::string_at(claims_of(w.post(form_of("api-1", secret))), "jti"));
  CHECK_FALSE(claims_of(w.post(form_of("root", secret))).contains("participant_context_id"));
}

TEST_CASE("the node's verifier takes the tokens of the node's endpoint, each in its role") {
  world w;
  trusted_issuer own;
  own.issuer = "https://node.example";
  own.audience = "fondaco";
  own.keys = w.keys->public_keys();
  auto verifier = jwks_verifier::make({own}, {w.http, w.clock, w.on, w.counts});
  REQUIRE(verifier.has_value());
  const auto as = [&](const std::string& id, std::string scope, std::optional<tenant> participant) {
    const auto token = std::string(*json::string_at(body_of(w.post(form_of(id, secret))), "access_token"));
    return run(admit(**verifier, bearing(token), std::move(scope), std::move(participant))).has_value();
  };
  CHECK(as("api-1", "management-api:assets:write", tenant("ctx-a")));
  CHECK_FALSE(as("api-1", "management-api:assets:write", tenant("ctx-b")));
  CHECK_FALSE(as("api-1", "management-api:assets:write", tenant("api-1")));
  CHECK(as("root", "management-api:assets:write", tenant("ctx-b")));
  CHECK(as("ops", "operator:read", std::nullopt));
  CHECK_FALSE(as("ops", "management-api:read", tenant("ctx-a")));
  CHECK_FALSE(as("root", "operator:read", std::nullopt));
}

TEST_CASE("a requested scope narrows the token and cannot widen it") {
  world w;
  const auto narrow = w.post(form_of("api-1", secret, "&scope=management-api%3Aassets%3Aread+data-plane:read"));
  REQUIRE(narrow.status == 200);
  CHECK(json::string_at(claims_of(narrow), "scope") == "management-api:assets:read data-plane:read");
  for (const auto* scope : {"management-api:admin", "data-plane:write", "operator:read", "nonsense",
                            "management-api:read+identity-api:read"}) {
    CAPTURE(scope);
    const auto refused = w.post(form_of("api-1", secret, std::string("&scope=") + scope));
    CHECK(refused.status == 400);
    CHECK(error_of(refused) == "invalid_scope");
  }
}

TEST_CASE("a client may authenticate by HTTP Basic, form-encoded as RFC 6749 asks") {
  world w;
  CHECK(w.post("grant_type=client_credentials", basic("api-1:" + secret)).status == 200);
  CHECK(w.post("grant_type=client_credentials&client_id=api-1", basic("api-1:" + secret)).status == 200);
  CHECK(w.post("grant_type=client_credentials", basic("a%3Ab+c:" + secret)).status == 200);
  const auto refused = w.post("grant_type=client_credentials", basic("api-1:" + std::string(64, 'b')));
  CHECK(refused.status == 401);
  CHECK(error_of(refused) == "invalid_client");
  CHECK(header_of(refused, "WWW-Authenticate") == "Basic realm=\"fondaco\"");
}

TEST_CASE("a bad token request gets RFC 6749's error and is never stored") {
  struct row {
    std::string body;
    actors::http_headers headers;
    int status;
    const char* error;
  };
  const std::string grant = "grant_type=client_credentials";
  const row rows[] = {
      {form_of("api-1", secret), {{"content-type", "application/json"}}, 400, "invalid_request"},
      {form_of("api-1", secret), {{"content-type", form_type + "x"}}, 400, "invalid_request"},
      {"client_id=api-1&client_secret=" + secret, {}, 400, "invalid_request"},
      {"", {}, 400, "invalid_request"},
      {grant + "&grant_type=client_credentials", {}, 400, "invalid_request"},
      {grant + "&client_id=%zz", {}, 400, "invalid_request"},
      {"grant_type=password&username=a&password=b", {}, 400, "unsupported_grant_type"},
      {"grant_type=urn:ietf:params:oauth:grant-type:token-exchange", {}, 400, "unsupported_grant_type"},
      {grant, {}, 401, "invalid_client"},
      {grant + "&client_id=api-1", {}, 401, "invalid_client"},
      {form_of("api-1", std::string(64, 'b')), {}, 401, "invalid_client"},
      {form_of("api-1", "short"), {}, 401, "invalid_client"},
      {form_of("nobody", secret), {}, 401, "invalid_client"},
      {form_of(std::string(600, 'x'), secret), {}, 401, "invalid_client"},
      {form_of("gone", secret), {}, 401, "invalid_client"},
      {form_of("api-1", secret), basic("api-1:" + secret), 400, "invalid_request"},
      {grant + "&client_id=root", basic("api-1:" + secret), 400, "invalid_request"},
      {grant, {{"authorization", "Basic !!!"}}, 401, "invalid_client"},
      {grant, {{"authorization", "Bearer x"}}, 401, "invalid_client"},
      {grant, basic("no-colon"), 401, "invalid_client"},
  };
  for (const auto& r : rows) {
    world w;
    CAPTURE(r.body);
    CAPTURE(r.error);
    const auto got = w.post(r.body, r.headers);
    CHECK(got.status == r.status);
    CHECK(error_of(got) == r.error);
    CHECK(header_of(got, "Cache-Control") == "no-store");
    CHECK(got.body.find(secret) == std::string::npos);
  }
}

TEST_CASE("the answers for an unknown client and for a wrong secret are the same") {
  world w;
  CHECK(w.post(form_of("nobody", secret)).body == w.post(form_of("api-1", std::string(64, 'b'))).body);
}

TEST_CASE("too many failed attempts are answered 429, even with the right secret, until the window ends") {
  world w;
  for (unsigned i = 0; i < gateway::limits::failed_attempts_of_client_max; ++i)
    CHECK(w.post(form_of("api-1", std::string(64, 'b'))).status == 401);
  const auto refused = w.post(form_of("api-1", secret));
  CHECK(refused.status == 429);
  CHECK(header_of(refused, "Retry-After") == "60");
  CHECK(w.post(form_of("root", secret)).status == 200);
  CHECK(w.post(form_of("api-1", secret), {}, "10.0.0.2").status == 200);
  w.clock.at += gateway::limits::failed_attempts_window_ms;
  CHECK(w.post(form_of("api-1", secret)).status == 200);
}

TEST_CASE("a registry that does not answer is no reason to call the client invalid") {
  world w;
  broken_registry broken;
  token_endpoint endpoint({"https://node.example", "fondaco"}, w.keys, {broken, w.clock, w.random, w.counts});
  request r;
  r.headers.emplace_back("content-type", form_type + "; charset=utf-8");
  r.body = form_of("api-1", secret);
  const auto got = run(endpoint.token(std::make_shared<const request>(std::move(r))));
  CHECK(got.status == 503);
  CHECK(header_of(got, "Retry-After").has_value());
}

TEST_CASE("the endpoint publishes its keys and its metadata") {
  world w;
  router routes;
  w.endpoint.add_routes(routes);
  const auto get = [&](std::string path) {
    request r;
    r.method = "GET";
    r.path = std::move(path);
    auto found = routes.find(r);
    REQUIRE(found.has_value());
    return run((*found)(std::make_shared<const request>(std::move(r))));
  };
  const auto jwks = get("/.well-known/jwks.json");
  CHECK(jwks.status == 200);
  const auto set = jose::import_jwks(json::value(body_of(jwks)));
  REQUIRE(set.has_value());
  CHECK(set->keys.size() == 1);
  CHECK(json::write(body_of(get("/.well-known/oauth-authorization-server"))) ==
        R"({"issuer":"https://node.example","token_endpoint":"https://node.example/oauth2/token",)"
        R"("jwks_uri":"https://node.example/.well-known/jwks.json","grant_types_supported":["client_credentials"],)"
        R"("response_types_supported":[],)"
        R"("token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"]})");
}

TEST_CASE("issued and refused tokens are counted") {
  world w;
  w.post(form_of("api-1", secret));
  w.post(form_of("api-1", "wrong"));
  const auto text = w.counts.render();
  CHECK(text.find(R"(fondaco_tokens_issued_total{role="participant"} 1)") != std::string::npos);
  CHECK(text.find(R"(fondaco_tokens_refused_total{error="invalid_client"} 1)") != std::string::npos);
}

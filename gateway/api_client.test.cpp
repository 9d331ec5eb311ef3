#include <doctest/doctest.h>

#include <utility>

#include "gateway/api_client.hpp"

using namespace fondaco;
using namespace fondaco::gateway;

namespace {

const timepoint t0 = from_epoch_ms(1'800'000'000'000);

struct counting_random final : actors::random_source {
  uint64_t next() override { return ++state * 0x9e3779b97f4a7c15ull; }
  uint64_t state = 0;
};

api_client sample_client() {
  return {"api-1",
          {{hash_of_secret(std::string(64, 's')), std::nullopt}, {hash_of_secret(std::string(64, 'o')), t0}},
          "participant",
          "ctx-a",
          {"management-api:write", "data-plane:read"},
          false};
}

json::object parsed(std::string_view text) {
  auto value = json::parse(text);
  REQUIRE(value.has_value());
  return value->as_object();
}

} // namespace

TEST_CASE("a fresh secret has 256 bits and no two are the same") {
  counting_random random;
  const auto a = fresh_secret(random);
  const auto b = fresh_secret(random);
  CHECK(a.size() == 64);
  CHECK(a.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(a != b);
}

TEST_CASE("a client survives the way to its document and back") {
  const auto before = sample_client();
  const auto after = api_client_from_json(to_json(before));
  REQUIRE(after.has_value());
  CHECK(*after == before);
}

TEST_CASE("a document of a client holds no secret in clear") {
  counting_random random;
  const auto secret = fresh_secret(random);
  api_client c = sample_client();
  rotate_secret(c, secret, t0, milliseconds(0));
  CHECK(json::write(to_json(c)).find(secret) == std::string::npos);
}

TEST_CASE("rotation keeps the old secret for the overlap and no longer") {
  counting_random random;
  const auto first = fresh_secret(random);
  const auto second = fresh_secret(random);
  api_client c{"c", {}, "admin", std::nullopt, {}, false};
  rotate_secret(c, first, t0, milliseconds(60'000));
  CHECK(accepts(c, first, t0));
  rotate_secret(c, second, t0, milliseconds(60'000));
  CHECK(accepts(c, second, t0));
  CHECK(accepts(c, first, t0 + milliseconds(59'999)));
  CHECK_FALSE(accepts(c, first, t0 + milliseconds(60'000)));
  CHECK(accepts(c, second, t0 + milliseconds(1'000'000)));
}

TEST_CASE("rotation never prolongs a secret that was to end sooner, and keeps a bounded number") {
  counting_random random;
  api_client c{"c", {}, "admin", std::nullopt, {}, false};
  const auto first = fresh_secret(random);
  rotate_secret(c, first, t0, milliseconds(0));
  rotate_secret(c, fresh_secret(random), t0, milliseconds(10));
  rotate_secret(c, fresh_secret(random), t0, milliseconds(1000));
  CHECK_FALSE(accepts(c, first, t0 + milliseconds(10)));
  for (int i = 0; i < 10; ++i)
    rotate_secret(c, fresh_secret(random), t0, milliseconds(1000));
  CHECK(c.secrets.size() == gateway::limits::client_secrets_max);
}

TEST_CASE("a rotation without overlap ends the old secret at once") {
  counting_random random;
  const auto first = fresh_secret(random);
  api_client c{"c", {}, "admin", std::nullopt, {}, false};
  rotate_secret(c, first, t0, milliseconds(0));
  rotate_secret(c, fresh_secret(random), t0, milliseconds(0));
  CHECK_FALSE(accepts(c, first, t0));
  CHECK(c.secrets.size() == 1);
}

TEST_CASE("a disabled client, a short secret and an endless one are not accepted") {
  auto c = sample_client();
  CHECK(accepts(c, std::string(64, 's'), t0));
  c.disabled = true;
  CHECK_FALSE(accepts(c, std::string(64, 's'), t0));
  api_client weak{"w", {{hash_of_secret("password"), {}}, {hash_of_secret(""), {}}}, "admin", {}, {}, false};
  CHECK_FALSE(accepts(weak, "password", t0));
  CHECK_FALSE(accepts(weak, "", t0));
  CHECK_FALSE(accepts(weak, std::string(1 << 20, 'x'), t0));
}

TEST_CASE("a client that is not well formed is refused with the field's name") {
  const std::string hash(64, 'a');
  const std::string rest = R"(,"secrets":[],"scopes":[]})";
  const std::pair<std::string, const char*> rows[] = {
      {R"({"role":"admin")" + rest, "client_id"},
      {R"({"client_id":"","role":"admin")" + rest, "client_id"},
      {R"({"client_id":"c")" + rest, "role"},
      {R"({"client_id":"c","role":"king")" + rest, "role"},
      {R"({"client_id":"c","role":"participant")" + rest, "participant_context_id"},
      {R"({"client_id":"c","role":"admin","participant_context_id":"a")" + rest, "participant_context_id"},
      {R"({"client_id":"c","role":"participant","participant_context_id":7)" + rest, "participant_context_id"},
      {R"({"client_id":"c","role":"admin","disabled":"no")" + rest, "disabled"},
      {R"({"client_id":"c","role":"admin","secret":"in clear")" + rest, "members"},
      {R"({"client_id":"c","role":"admin","scopes":[]})", "secrets"},
      {R"({"client_id":"c","role":"admin","scopes":[],"secrets":[{"sha256":"ABC"}]})", "sha256"},
      {R"({"client_id":"c","role":"admin","scopes":[],"secrets":[{"sha256":")" + hash + R"(","until":"soon"}]})",
       "until"},
      {R"({"client_id":"c","role":"admin","secrets":[]})", "scopes"},
      {R"({"client_id":"c","role":"admin","secrets":[],"scopes":["two words"]})", "scopes"},
      {R"({"client_id":"c","role":"participant","participant_context_id":"a","secrets":[],"scopes":["x:admin"]})",
       "scopes"},
      {R"({"client_id":"c","role":"participant","participant_context_id":"a","secrets":[],"scopes":["operator:read"]})",
       "scopes"},
  };
  for (const auto& [text, field] : rows) {
    CAPTURE(text);
    const auto got = api_client_from_json(parsed(text));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().detail.find(field) != std::string::npos);
  }
}

TEST_CASE("the configured registry finds its clients and refuses two with one id") {
  auto registry = static_registry::make({sample_client()});
  REQUIRE(registry.has_value());
  using found = std::expected<std::optional<api_client>, fault>;
  const auto look = [&](std::string id) {
    found out;
    actors::start<found>(
        registry->find(std::move(id)), [&](found f) { out = std::move(f); },
        [](std::exception_ptr e) { std::rethrow_exception(e); });
    return out;
  };
  CHECK(look("api-1").value() == sample_client());
  CHECK_FALSE(look("api-2").value().has_value());
  CHECK_FALSE(static_registry::make({sample_client(), sample_client()}).has_value());
}

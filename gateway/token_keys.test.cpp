#include <doctest/doctest.h>

#include <map>

#include "gateway/token_keys.hpp"
#include "protocols/jose/jwt.hpp"

using namespace fondaco;
using namespace fondaco::gateway;

namespace {

/// A vault in memory that can be made to fail.
struct memory_vault final : persistence::vault {
  using errc = persistence::vault_errc;
  std::expected<std::string, errc> seal(const tenant&, std::string_view text) override { return std::string(text); }
  std::expected<std::string, errc> open(const tenant&, std::string_view text) override { return std::string(text); }
  std::expected<void, errc> put(const tenant& owner, std::string_view name, std::string_view text) override {
    if (fails)
      return std::unexpected(*fails);
    kept[owner.id() + "/" + std::string(name)] = text;
    return {};
  }
  std::expected<std::optional<std::string>, errc> get(const tenant& owner, std::string_view name) override {
    if (fails)
      return std::unexpected(*fails);
    const auto found = kept.find(owner.id() + "/" + std::string(name));
    return found == kept.end() ? std::nullopt : std::optional(found->second);
  }
  std::expected<void, errc> remove(const tenant&, std::string_view) override { return {}; }
  std::expected<void, errc> shred(const tenant&) override { return {}; }
  std::map<std::string, std::string> kept;
  std::optional<errc> fails;
};

} // namespace

TEST_CASE("the first start makes a key, every later one finds it") {
  for (const auto type : {jose::key_type::ec_p256, jose::key_type::ed25519}) {
    memory_vault vault;
    const auto first = token_keys::load_or_create(vault, type);
    REQUIRE(first.has_value());
    CHECK(vault.kept.size() == 1);
    CHECK(vault.kept.contains(".node/token-signing-key"));
    const auto second = token_keys::load_or_create(vault, type);
    REQUIRE(second.has_value());
    CHECK((*first)->jwks() == (*second)->jwks());
    const auto token = (*first)->sign({{"sub", "x"}});
    const auto parsed = jose::parse_jws(token);
    REQUIRE(parsed.has_value());
    CHECK(json::string_at(parsed->header, "typ") == "at+jwt");
    CHECK(jose::verify_jws(*parsed, *(*second)->public_keys()).has_value());
  }
}

TEST_CASE("the published keys hold nothing secret") {
  memory_vault vault;
  const auto keys = token_keys::load_or_create(vault);
  REQUIRE(keys.has_value());
  const auto published = json::parse((*keys)->jwks());
  REQUIRE(published.has_value());
  const auto* list = json::array_at(published->as_object(), "keys");
  REQUIRE(list != nullptr);
  REQUIRE(list->size() == 1);
  CHECK_FALSE(list->at(0).as_object().contains("d"));
  CHECK(list->at(0).as_object().contains("kid"));
}

TEST_CASE("tokens of an older key stay good while it is kept beside the new one") {
  const auto older = jose::key_pair::generate(jose::key_type::ec_p256);
  const auto token = token_keys({older}).sign({{"sub", "x"}});
  const token_keys both({jose::key_pair::generate(jose::key_type::ec_p256), older});
  CHECK(jose::verify_jws(*jose::parse_jws(token), *both.public_keys()).has_value());
  CHECK(jose::parse_jws(both.sign({}))->kid != older.public_half().kid());
}

TEST_CASE("a vault that fails or holds something else is a fault without key material") {
  memory_vault vault;
  vault.fails = persistence::vault_errc::unavailable;
  CHECK(token_keys::load_or_create(vault).error().remedy == cure::retry);
  vault.fails = persistence::vault_errc::not_authentic;
  CHECK(token_keys::load_or_create(vault).error().remedy == cure::stop);
  vault.fails.reset();
  for (const auto* text : {"canary", "{}", R"({"keys":[]})", R"({"keys":["canary"]})",
                           R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"canary","d":"canary"}]})"}) {
    vault.kept[".node/token-signing-key"] = text;
    const auto got = token_keys::load_or_create(vault);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == "bad_token_key");
    CHECK(got.error().detail.find("canary") == std::string::npos);
  }
}

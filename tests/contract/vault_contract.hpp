#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "persistence/embedded_vault.hpp"
#include "persistence/store.hpp"

/// What the embedded vault promises on every database. A database for it has `options()`, `secrets()` and `contents()`.
namespace fondaco::contract {

using persistence::embedded_vault;
using persistence::vault;
using persistence::vault_errc;

inline const tenant alice{"ctx-alice"};
inline const tenant bob{"ctx-bob"};
inline constexpr std::string_view canary = "canary-7b1f-secret";

/// The error of a result, 0 if there is none.
template <class T> vault_errc why(const std::expected<T, vault_errc>& result) {
  return result ? vault_errc{} : result.error();
}

inline std::string text_in(const std::expected<std::string, vault_errc>& result) {
  return result ? *result : "(error)";
}

inline std::string text_in(const std::expected<std::optional<std::string>, vault_errc>& result) {
  if (!result)
    return "(error)";
  return result->value_or("(nothing)");
}

inline std::string key_of_bytes(char byte) { return std::string(32, byte); }

template <class Database> std::unique_ptr<vault> vault_of(Database& database, char key_byte = 'k') {
  auto opened = persistence::open_vault(database.options(), key_of_bytes(key_byte));
  REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().detail));
  return std::move(*opened);
}

/// A vault that reads its keys from the table each time.
template <class Database> std::unique_ptr<vault> forgetful_vault_of(Database& database) {
  auto opened = embedded_vault::open_over(database.secrets(), persistence::detail::secret_bytes{key_of_bytes('k')},
                                          {.keys_max = 0, .key_age_max = milliseconds{0}});
  REQUIRE(opened);
  return std::move(*opened);
}

TEST_CASE_TEMPLATE_DEFINE("what was sealed for a tenant opens for that tenant, now and after a restart", Database,
                          vault_seals) {
  Database database;
  auto first = vault_of(database);
  std::string long_text(100'000, 'x');
  for (std::string text : {std::string{canary}, std::string{}, std::string{"\0\xff binary", 9}, long_text}) {
    auto sealed = first->seal(alice, text);
    REQUIRE(sealed);
    CHECK(sealed->starts_with("v1."));
    CHECK(sealed->find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 3) ==
          std::string::npos);
    CHECK(text_in(first->open(alice, *sealed)) == text);
    CHECK(text_in(vault_of(database)->open(alice, *sealed)) == text);
    auto again = first->seal(alice, text);
    REQUIRE(again);
    CHECK(*again != *sealed);
  }
}

TEST_CASE_TEMPLATE_DEFINE("a sealed text of one tenant does not open for another", Database, vault_separates) {
  Database database;
  auto v = vault_of(database);
  auto sealed = v->seal(alice, canary);
  REQUIRE(sealed);
  CHECK(why(v->open(bob, *sealed)) == vault_errc::not_authentic); // bob has no key at all
  REQUIRE(v->seal(bob, "other"));
  CHECK(why(v->open(bob, *sealed)) == vault_errc::not_authentic);
  // Not even with alice's wrapped key under bob's name: the wrapping is bound to the tenant.
  auto table = database.secrets();
  auto wrapped = table->find(alice.id(), "");
  REQUIRE(wrapped);
  REQUIRE(*wrapped);
  REQUIRE(table->put(bob.id(), "", **wrapped));
  CHECK(why(forgetful_vault_of(database)->open(bob, *sealed)) == vault_errc::bad_key);
}

TEST_CASE_TEMPLATE_DEFINE("a sealed text that was altered anywhere is refused", Database, vault_authenticates) {
  Database database;
  auto v = vault_of(database);
  auto sealed = v->seal(alice, canary);
  REQUIRE(sealed);
  for (size_t i = 0; i < sealed->size(); ++i) {
    auto altered = *sealed;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    CHECK(why(v->open(alice, altered)) == vault_errc::not_authentic);
  }
  for (size_t length : {size_t{0}, size_t{3}, size_t{20}, sealed->size() - 1})
    CHECK(why(v->open(alice, std::string_view{*sealed}.substr(0, length))) == vault_errc::not_authentic);
  CHECK(why(v->open(alice, *sealed + "A")) == vault_errc::not_authentic);
  CHECK(why(v->open(alice, "v2" + sealed->substr(2))) == vault_errc::not_authentic);
  CHECK(why(v->open(alice, canary)) == vault_errc::not_authentic);
}

TEST_CASE_TEMPLATE_DEFINE("a named secret is kept, replaced, removed, and bound to its name", Database, vault_names) {
  Database database;
  auto v = vault_of(database);
  CHECK(text_in(v->get(alice, "token")) == "(nothing)");
  REQUIRE(v->put(alice, "token", "one"));
  REQUIRE(v->put(alice, "token", canary));
  REQUIRE(v->put(bob, "token", "bob's"));
  CHECK(text_in(v->get(alice, "token")) == canary);
  CHECK(text_in(vault_of(database)->get(bob, "token")) == "bob's");
  auto table = database.secrets();
  auto row = table->find(alice.id(), "token");
  REQUIRE(row);
  REQUIRE(*row);
  REQUIRE(table->put(alice.id(), "other", **row));
  REQUIRE(table->put(bob.id(), "token", **row));
  CHECK(why(v->get(alice, "other")) == vault_errc::not_authentic);
  CHECK(why(v->get(bob, "token")) == vault_errc::not_authentic);
  CHECK(why(v->open(alice, **row)) == vault_errc::not_authentic); // a secret is no journal text
  REQUIRE(v->remove(alice, "token"));
  REQUIRE(v->remove(alice, "token"));
  CHECK(text_in(v->get(alice, "token")) == "(nothing)");
}

TEST_CASE_TEMPLATE_DEFINE("an empty, endless or broken name is refused", Database, vault_refuses_names) {
  Database database;
  auto v = vault_of(database);
  for (const std::string& name : {std::string{}, std::string(513, 'n'), std::string{"a\0b", 3}, std::string{"\xff"}}) {
    CHECK(why(v->put(alice, name, "x")) == vault_errc::bad_name);
    CHECK(why(v->get(alice, name)) == vault_errc::bad_name);
    CHECK(why(v->remove(alice, name)) == vault_errc::bad_name);
    CHECK(why(v->seal(tenant{name}, "x")) == vault_errc::bad_name);
    CHECK(why(v->open(tenant{name}, "x")) == vault_errc::bad_name);
    CHECK(why(v->shred(tenant{name})) == vault_errc::bad_name);
  }
  vault_of(database); // the check value of the key outlived it all
}

TEST_CASE_TEMPLATE_DEFINE("a shredded tenant can never be read again, and its neighbour can", Database, vault_shreds) {
  Database database;
  auto v = vault_of(database);
  auto elsewhere = forgetful_vault_of(database);
  auto sealed = v->seal(alice, canary);
  auto kept = v->seal(bob, "bob's");
  REQUIRE(sealed);
  REQUIRE(kept);
  REQUIRE(v->put(alice, "token", canary));
  REQUIRE(text_in(elsewhere->open(alice, *sealed)) == canary);
  REQUIRE(v->shred(alice));
  REQUIRE(v->shred(alice));
  auto restarted = vault_of(database);
  for (auto* any : {v.get(), elsewhere.get(), restarted.get()}) {
    CHECK(why(any->open(alice, *sealed)) == vault_errc::not_authentic);
    CHECK(text_in(any->get(alice, "token")) == "(nothing)");
    CHECK(text_in(any->open(bob, *kept)) == "bob's");
  }
  auto fresh = v->seal(alice, "a new life");
  REQUIRE(fresh);
  CHECK(text_in(v->open(alice, *fresh)) == "a new life");
  CHECK(why(v->open(alice, *sealed)) == vault_errc::not_authentic);
}

TEST_CASE_TEMPLATE_DEFINE("another key-encryption key than the database's is refused when the vault opens", Database,
                          vault_checks_key) {
  Database database;
  auto sealed = vault_of(database, 'k')->seal(alice, canary);
  REQUIRE(sealed);
  auto wrong = persistence::open_vault(database.options(), key_of_bytes('w'));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == "bad_key");
  CHECK(wrong.error().detail.find("key-encryption key") != std::string::npos);
  CHECK(wrong.error().detail.find("www") == std::string::npos);
  auto short_key = persistence::open_vault(database.options(), "short");
  REQUIRE_FALSE(short_key);
  CHECK(short_key.error().code == "bad_key");
  CHECK(text_in(vault_of(database, 'k')->open(alice, *sealed)) == canary);
}

TEST_CASE_TEMPLATE_DEFINE("many first users of a tenant's key all get the same one", Database, vault_races) {
  Database database;
  std::vector<std::unique_ptr<vault>> vaults;
  for (int i = 0; i < 4; ++i)
    vaults.push_back(vault_of(database));
  std::vector<std::string> sealed(vaults.size() * 2);
  std::atomic<size_t> ready{0};
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < sealed.size(); ++i)
      threads.emplace_back([&, i] {
        ready.fetch_add(1);
        while (ready.load() < sealed.size())
          std::this_thread::yield();
        if (auto text = vaults[i / 2]->seal(alice, std::to_string(i)))
          sealed[i] = *text;
      });
  }
  for (size_t i = 0; i < sealed.size(); ++i)
    for (auto& v : vaults)
      CHECK(text_in(v->open(alice, sealed[i])) == std::to_string(i));
}

TEST_CASE_TEMPLATE_DEFINE("more tenants than the vault keeps keys for are all served", Database, vault_cache) {
  Database database;
  auto opened = embedded_vault::open_over(database.secrets(), persistence::detail::secret_bytes{key_of_bytes('k')},
                                          {.keys_max = 3});
  REQUIRE(opened);
  std::vector<std::string> sealed;
  for (int i = 0; i < 10; ++i)
    sealed.push_back((*opened)->seal(tenant{"ctx-" + std::to_string(i)}, std::to_string(i)).value());
  for (int round = 0; round < 2; ++round)
    for (size_t i = 0; i < sealed.size(); ++i)
      CHECK(text_in((*opened)->open(tenant{"ctx-" + std::to_string(i)}, sealed[i])) == std::to_string(i));
}

TEST_CASE_TEMPLATE_DEFINE("no table holds a secret's text or a key in clear", Database, vault_hides) {
  Database database;
  {
    auto v = vault_of(database, 'q');
    REQUIRE(v->put(alice, "name-in-clear", canary));
    REQUIRE(v->seal(bob, canary));
  }
  auto all = database.contents();
  CHECK(all.find("name-in-clear") != std::string::npos);
  CHECK(all.find("v1.") != std::string::npos);
  CHECK(all.find(canary) == std::string::npos);
  CHECK(all.find("63616e6172792d376231662d736563726574") == std::string::npos); // in hexadecimal
  CHECK(all.find("Y2FuYXJ5LTdiMWYtc2VjcmV0") == std::string::npos);             // in base64
  CHECK(all.find(key_of_bytes('q')) == std::string::npos);
}

} // namespace fondaco::contract

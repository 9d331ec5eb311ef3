#include "protocols/jose/aead.hpp"

#include <doctest/doctest.h>

#include "protocols/base/hash.hpp"

using namespace fondaco;
namespace jose = fondaco::jose;

namespace {
const std::string key(32, 'k');
const std::string iv(12, 'i');
} // namespace

TEST_CASE("AES-256-GCM agrees with test case 14 of its specification") {
  const auto sealed = jose::seal(std::string(32, '\0'), std::string(12, '\0'), "", std::string(16, '\0'));
  REQUIRE(sealed);
  CHECK(hex(*sealed) == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST_CASE("what was sealed opens, whatever its length") {
  for (const size_t length : {0, 1, 15, 16, 17, 1000, 100'000}) {
    const std::string text(length, 't');
    const auto sealed = jose::seal(key, iv, "tenant", text);
    REQUIRE(sealed);
    CHECK(sealed->size() == length + jose::aead_tag_bytes);
    CHECK(jose::open(key, iv, "tenant", *sealed) == text);
  }
}

TEST_CASE("no changed bit opens") {
  const auto sealed = jose::seal(key, iv, "tenant", "secret").value();
  for (size_t i = 0; i < sealed.size() * 8; ++i) {
    auto changed = sealed;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << i % 8));
    CHECK(jose::open(key, iv, "tenant", changed).error() == jose::aead_errc::not_authentic);
  }
  CHECK(jose::open(key, iv, "tenanT", sealed).error() == jose::aead_errc::not_authentic);
  CHECK(jose::open(key, iv, "", sealed).error() == jose::aead_errc::not_authentic);
  CHECK(jose::open(key, std::string(12, 'I'), "tenant", sealed).error() == jose::aead_errc::not_authentic);
  CHECK(jose::open(std::string(32, 'K'), iv, "tenant", sealed).error() == jose::aead_errc::not_authentic);
  CHECK(jose::open(key, iv, "tenant", sealed + 'x').error() == jose::aead_errc::not_authentic);
  CHECK(jose::open(key, iv, "tenant", sealed.substr(1)).error() == jose::aead_errc::not_authentic);
  CHECK(jose::open(key, iv, "tenant", sealed.substr(0, 15)).error() == jose::aead_errc::not_authentic);
  CHECK(jose::open(key, iv, "tenant", "").error() == jose::aead_errc::not_authentic);
}

TEST_CASE("a key or an IV of the wrong size is refused") {
  CHECK(jose::seal(key.substr(1), iv, "", "x").error() == jose::aead_errc::bad_parameter);
  CHECK(jose::seal(key + 'k', iv, "", "x").error() == jose::aead_errc::bad_parameter);
  CHECK(jose::seal(key, iv.substr(1), "", "x").error() == jose::aead_errc::bad_parameter);
  CHECK(jose::seal(key, "", "", "x").error() == jose::aead_errc::bad_parameter);
  CHECK(jose::open(key, iv + 'i', "", std::string(32, 'x')).error() == jose::aead_errc::bad_parameter);
}

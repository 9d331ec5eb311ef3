#include "protocols/vc/status_list.hpp"

#include <doctest/doctest.h>

#include "protocols/base/base64.hpp"

using namespace fondaco;
using namespace fondaco::vc;
using namespace std::chrono_literals;

namespace {

const timepoint now = from_epoch_ms(1'800'000'000'000);
const std::string url = "https://i.example/statuslist/1";

/// `gzip` of the two bytes 0x40 0x01.
const std::string foreign_gzip = *base64_decode("H4sIAAAAAAACA3NgBABsbafGAgAAAA==");

template <typename T> std::string verdict(const std::expected<T, fault>& r) {
  if (!r)
    CHECK_FALSE(r.error().detail.empty());
  return r ? "ok" : r.error().code;
}

credential list(json::object subject, std::string type = "BitstringStatusListCredential") {
  credential c;
  c.types = {"VerifiableCredential", std::move(type)};
  c.subjects = {std::move(subject)};
  return c;
}

json::object subject(std::string_view name = {}, json::value v = nullptr) {
  json::object o{
      {"type", "BitstringStatusList"}, {"statusPurpose", "revocation"}, {"encodedList", status_bits(16).encode()}};
  if (!name.empty())
    o[name] = std::move(v);
  return o;
}

} // namespace

TEST_CASE("bit 0 is the most significant of byte 0") {
  const auto bits = status_bits::decode("u" + base64url_encode(foreign_gzip));
  REQUIRE(bits);
  REQUIRE(bits->size() == 16);
  for (uint64_t i = 0; i < 16; ++i)
    CHECK_MESSAGE(*bits->at(i) == (i == 1 || i == 15), i);
  CHECK(verdict(bits->at(16)) == "malformed");
  CHECK(verdict(bits->at(~0ull)) == "malformed");
}

TEST_CASE("a list keeps the bits that were set through its encoding") {
  status_bits bits;
  CHECK(bits.size() == limits::status_list_bits);
  const uint64_t chosen[] = {0, 7, 8, 94'567, limits::status_list_bits - 1};
  for (const auto i : chosen)
    bits.set(i, true);
  bits.set(8, false);
  const auto text = bits.encode();
  CHECK(text.starts_with("uH4sI"));
  const auto again = status_bits::decode(text);
  REQUIRE(again);
  CHECK(again->size() == bits.size());
  for (const auto i : chosen)
    CHECK(*again->at(i) == (i != 8));
  CHECK_FALSE(*again->at(94'566));
  CHECK(status_bits(9).size() == 16);
  CHECK_THROWS_AS(bits.set(bits.size(), true), broken_invariant);
}

TEST_CASE("lists are decoded from every base64 that issuers use, and from whole GZIP only") {
  const auto padded = base64_encode(foreign_gzip);
  auto flipped = foreign_gzip;
  flipped[flipped.size() - 5] ^= 1;
  struct row {
    const char* what;
    std::string text;
    const char* verdict;
  };
  const row rows[] = {
      {"multibase", "u" + base64url_encode(foreign_gzip), "ok"},
      {"base64", padded, "ok"},
      {"base64 without padding", padded.substr(0, padded.find('=')), "ok"},
      {"base64url", base64url_encode(foreign_gzip), "ok"},
      {"base58", "zH4sI", "unsupported"},
      {"nothing", "", "malformed"},
      {"only the prefix", "u", "malformed"},
      {"no base64", "u!!!", "malformed"},
      {"no GZIP", "u" + base64url_encode("plain bytes"), "malformed"},
      {"half a GZIP", "u" + base64url_encode(foreign_gzip.substr(0, 12)), "malformed"},
      {"a wrong check sum", "u" + base64url_encode(flipped), "malformed"},
      {"something behind", "u" + base64url_encode(foreign_gzip + "x"), "malformed"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    CHECK(verdict(status_bits::decode(r.text)) == r.verdict);
  }
}

TEST_CASE("a list that inflates beyond the limit is refused, and one of the limit is not") {
  const uint64_t bits_max = limits::status_list_bytes_max * 8;
  CHECK(verdict(status_bits::decode(status_bits(bits_max).encode())) == "ok");
  const auto bomb = status_bits(bits_max + 8).encode();
  CHECK(bomb.size() < limits::credential_bytes_max);
  CHECK(verdict(status_bits::decode(bomb)) == "malformed");
}

TEST_CASE("our own list reads back, in both profiles") {
  const auto key = jose::key_pair::generate(jose::key_type::ec_p256);
  for (const auto form : {profile::vc11_jwt, profile::vc20_jose}) {
    status_bits bits;
    bits.set(42, true);
    const auto made = make_status_list(form, url, "did:web:i.example", "suspension", bits, now, 1h);
    const auto given = read_credential(sign_credential(made, key, "did:web:i.example#k", "j", now));
    REQUIRE(given);
    CHECK(given->what == made);
    CHECK(json::string_at(made.subjects.at(0), "id") == url + "#list");
    const auto got = read_status_list(given->what);
    REQUIRE(got);
    CHECK(got->purpose == "suspension");
    CHECK(*got->bits.at(42));
    CHECK_FALSE(*got->bits.at(41));
  }
}

TEST_CASE("only a status list credential is read as one") {
  auto two = list(subject());
  two.subjects.push_back(subject());
  struct row {
    const char* what;
    credential list;
    const char* verdict;
  };
  const row rows[] = {
      {"bitstring", list(subject()), "ok"},
      {"2021", list(subject("type", "StatusList2021"), "StatusList2021Credential"), "ok"},
      {"types that do not belong together", list(subject(), "StatusList2021Credential"), "malformed"},
      {"another credential", list(subject(), "MembershipCredential"), "malformed"},
      {"two subjects", two, "malformed"},
      {"no purpose", list(subject("statusPurpose")), "malformed"},
      {"one purpose in an array", list(subject("statusPurpose", json::array{"revocation"})), "ok"},
      {"two purposes", list(subject("statusPurpose", json::array{"revocation", "suspension"})), "unsupported"},
      {"no list", list(subject("encodedList")), "malformed"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    CHECK(verdict(read_status_list(r.list)) == r.verdict);
  }
}

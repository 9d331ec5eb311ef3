#include "protocols/base/ids.hpp"

#include <doctest/doctest.h>

#include <set>

#include "protocols/base/fault.hpp"

using namespace fondaco;

TEST_CASE("a made UUID has the layout of RFC 9562 and carries its shard") {
  // The moment and the random bits of RFC 9562, appendix A.6; rand_a there is 0xCC3, here the shard.
  const auto id = make_uuid(from_epoch_ms(0x017F22E279B0), 0xCC3, 0x18C4DC0C0C07398Full);
  CHECK(id.text() == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  CHECK(id.version() == 7);
  CHECK(id.shard() == 0xCC3);
}

TEST_CASE("made UUIDs sort by the moment they were made at") {
  const auto early = make_uuid(from_epoch_ms(1000), 5, ~0ull);
  const auto late = make_uuid(from_epoch_ms(1001), 5, 0);
  CHECK(early < late);
  CHECK(early.text() < late.text());
}

TEST_CASE("the top two random bits give way to the variant") {
  const auto id = make_uuid(from_epoch_ms(0), 0, ~0ull);
  CHECK(id.text() == "00000000-0000-7000-bfff-ffffffffffff");
}

TEST_CASE("a shard or a moment that an id cannot carry is our own error") {
  CHECK_THROWS_AS(make_uuid(from_epoch_ms(0), 4096, 0), broken_invariant);
  CHECK_THROWS_AS(make_uuid(from_epoch_ms(-1), 0, 0), broken_invariant);
  CHECK_THROWS_AS(derive_uuid(4096, {"a"}), broken_invariant);
}

TEST_CASE("a derived UUID is a function of its shard and its parts") {
  const auto id = derive_uuid(4095, {"did:web:consumer", "urn:uuid:1"});
  CHECK(id == derive_uuid(4095, {"did:web:consumer", "urn:uuid:1"}));
  CHECK(id.version() == 8);
  CHECK(id.shard() == 4095);
  CHECK((id.bytes()[8] & 0xc0) == 0x80);
  CHECK(id != derive_uuid(4094, {"did:web:consumer", "urn:uuid:1"}));
  CHECK(id != derive_uuid(4095, {"did:web:consumer", "urn:uuid:2"}));
}

TEST_CASE("the format of derived UUIDs never drifts") {
  CHECK(derive_uuid(7, {"a", "bc"}).text() == "3fafa1cf-2f19-8007-929b-eb20cf0983f7");
}

TEST_CASE("parts that would run together derive different UUIDs") {
  std::set<uuid> ids{derive_uuid(1, {"ab", "c"}), derive_uuid(1, {"a", "bc"}), derive_uuid(1, {"abc"}),
                     derive_uuid(1, {"abc", ""}), derive_uuid(1, {"", "abc"}), derive_uuid(1, {}),
                     derive_uuid(1, {""})};
  CHECK(ids.size() == 7);
}

TEST_CASE("a UUID's text names it, in either case") {
  const auto id = parse_uuid("017F22E2-79b0-7Cc3-98c4-DC0C0C07398f");
  REQUIRE(id);
  CHECK(id->text() == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  CHECK(parse_uuid(uuid{}.text()) == uuid{});
}

TEST_CASE("what is not 36 characters of a UUID names none") {
  for (const char* text : {"", "017f22e279b07cc398c4dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
                           "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
                           "017f22e2079b0-7cc3-98c4-dc0c0c07398f", "{17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
                           "017f22e-279b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4 dc0c0c07398f",
                           "-17f22e2-79b0-7cc3-98c4-dc0c0c07398f"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_uuid(text));
  }
}

TEST_CASE("a tenant's shard is fixed by its id and spreads over the group") {
  CHECK(shard_of(tenant{"abc"}, 4096) == 0xba7816bfu % 4096);
  CHECK(shard_of(tenant{"abc"}, 32) == 0xba7816bfu % 32);
  CHECK(shard_of(tenant{"abc"}, 1) == 0);
  std::set<shard_number> hit;
  for (int i = 0; i < 1000; ++i)
    hit.insert(shard_of(tenant{"tenant-" + std::to_string(i)}, 32));
  CHECK(hit.size() == 32);
  CHECK_THROWS_AS(shard_of(tenant{"abc"}, 0), broken_invariant);
  CHECK_THROWS_AS(shard_of(tenant{"abc"}, 4097), broken_invariant);
}

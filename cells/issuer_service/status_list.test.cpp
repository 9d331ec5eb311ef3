#include "cells/issuer_service/status_list.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "cells/issuer_service/status_lists.hpp"
#include "protocols/json/json.hpp"

using namespace fondaco;
using namespace fondaco::issuer_service;

namespace {

const timepoint t0 = from_epoch_ms(1'750'000'000'000);

struct driven {
  status_list::state s;
  std::vector<status_list_event> history;
  std::string document;

  std::expected<actors::decision<status_list>, actors::refusal> ask(status_list::command c) {
    auto d = status_list::decide(s, c, t0);
    if (d) {
      for (const auto& e : d->events) {
        s = status_list::evolve(std::move(s), e);
        history.push_back(e);
      }
      for (const auto& w : d->documents)
        document = *w.body;
    }
    return d;
  }
  /// The places, or the refusal's code.
  std::string give(std::vector<std::string> keys, int64_t bits = 16) {
    const auto d = ask(status_list::allocate{"list-0", "revocation", 0, bits, std::move(keys)});
    if (!d)
      return d.error().why.code;
    std::string out;
    for (const auto i : d->reply.indices)
      out += (out.empty() ? "" : " ") + std::to_string(i);
    return out;
  }
  std::string set(int64_t index, bool value) {
    const auto d = ask(status_list::set_bit{index, value, "vc"});
    return d ? std::to_string(d->events.size()) : d.error().why.code;
  }
  bool published(int64_t index) const {
    const auto body = json::parse(document)->as_object();
    return *vc::status_bits::decode(*json::string_at(body, "encodedList"))->at(static_cast<uint64_t>(index));
  }
};

uint64_t xorshift(uint64_t& x) {
  x ^= x << 13;
  x ^= x >> 7;
  return x ^= x << 17;
}

} // namespace

TEST_CASE("a status list gives each place once, and a repeat gets what it got") {
  driven d;
  CHECK(status_list::status(d.s) == "ABSENT");
  CHECK(d.give({"a", "b"}) == "0 1");
  CHECK(status_list::status(d.s) == "OPEN");
  CHECK(d.give({"a", "b"}) == "0 1");
  CHECK(d.give({"b", "c", "c"}) == "1 2 2");
  CHECK(d.give({"d"}) == "3");
  CHECK(d.s.next == 4);
}

TEST_CASE("the first allocation takes the public name and publishes the list") {
  driven d;
  const auto first = d.ask(status_list::allocate{"list-0", "revocation", 0, 16, {"a"}});
  REQUIRE(first.has_value());
  CHECK(first->events.size() == 2);
  REQUIRE(first->names.size() == 1);
  CHECK(first->names[0].space == "status_list");
  CHECK(first->names[0].name == "list-0");
  REQUIRE(first->documents.size() == 1);
  CHECK_FALSE(d.published(0));
  const auto second = d.ask(status_list::allocate{"list-0", "revocation", 0, 16, {"b"}});
  CHECK(second->names.empty());
  CHECK(second->documents.empty());
}

TEST_CASE("a full list gives all of an allocation or nothing, and still knows what it gave") {
  driven d;
  for (int i = 0; i < 15; ++i)
    REQUIRE(d.give({"k" + std::to_string(i)}) == std::to_string(i));
  CHECK(d.give({"x", "y"}) == "full");
  CHECK(d.s.next == 15);
  CHECK(d.give({"x"}) == "15");
  CHECK(status_list::status(d.s) == "FULL");
  CHECK(d.give({"z"}) == "full");
  CHECK(d.give({"k3", "x"}) == "3 15");
  driven fresh;
  CHECK(fresh.give(std::vector<std::string>(9, "same"), 8) == "0 0 0 0 0 0 0 0 0");
  driven small;
  CHECK(small.give({"1", "2", "3", "4", "5", "6", "7", "8", "9"}, 8) == "full");
  CHECK_FALSE(small.s.exists);
}

TEST_CASE("bits are set and cleared, published at once, and a repeat changes nothing") {
  driven d;
  d.give({"a", "b"});
  CHECK(d.set(1, true) == "1");
  CHECK(d.published(1));
  CHECK_FALSE(d.published(0));
  CHECK(d.set(1, true) == "0");
  CHECK(d.set(1, false) == "1");
  CHECK_FALSE(d.published(1));
  CHECK(d.set(2, true) == "not_found");
  CHECK(d.set(-1, true) == "not_found");
  driven absent;
  CHECK(absent.set(0, true) == "not_found");
}

TEST_CASE("malformed allocations are refused") {
  driven d;
  CHECK(d.give({}) == "invalid");
  CHECK(d.give(std::vector<std::string>(65, "k")) == "invalid");
  CHECK(d.give({"k"}, 0) == "invalid");
  CHECK(d.give({"k"}, 12) == "invalid");
  const auto nameless = d.ask(status_list::allocate{"", "revocation", 0, 16, {"k"}});
  CHECK(nameless.error().why.code == "invalid");
}

TEST_CASE("a list has 131072 bits if nobody says otherwise") { CHECK(status_list::allocate{}.bits == 131'072); }

TEST_CASE("random histories of a status list never give a place twice and replay to the same list") {
  uint64_t seed = 0x11d5eed;
  for (int round = 0; round < 20; ++round) {
    driven d;
    std::map<std::string, std::string> given;
    std::set<std::string> places;
    std::map<int64_t, bool> bits;
    for (int i = 0; i < 300; ++i) {
      const auto n = xorshift(seed);
      if (n % 3 != 0) {
        const auto key = "k" + std::to_string(xorshift(seed) % 400);
        const auto place = d.give({key}, 256);
        const auto known = given.find(key);
        const bool remembered = std::ranges::find(d.s.recent, key, &allocation::key) != d.s.recent.end();
        if (known != given.end() && remembered)
          CHECK(place == known->second);
        else if (place != "full")
          CHECK(places.insert(place).second);
        if (place != "full")
          given[key] = place;
      } else {
        const auto index = static_cast<int64_t>(xorshift(seed) % 256);
        const bool value = xorshift(seed) % 2 == 0;
        const auto outcome = d.set(index, value);
        CHECK((outcome == "not_found") == (index >= d.s.next));
        if (outcome != "not_found")
          bits[index] = value;
      }
      CHECK(d.s.next <= 256);
      CHECK(d.s.recent.size() <= issuer_service::limits::remembered_allocations_max);
    }
    for (const auto& [index, value] : bits)
      CHECK(*vc::status_bits::decode(d.s.encoded)->at(static_cast<uint64_t>(index)) == value);
    status_list::state replayed;
    for (const auto& e : d.history) {
      const auto read = status_list::decode(status_list::encode(e));
      REQUIRE(read);
      CHECK(*read == e);
      replayed = status_list::evolve(std::move(replayed), *read);
    }
    CHECK(replayed == d.s);
    CHECK(status_list::thaw(status_list::freeze(d.s)) == d.s);
  }
}

TEST_CASE("the form of a published list follows the Accept header") {
  using form = std::optional<list_form>;
  struct row {
    std::optional<std::string_view> accept;
    form wanted;
  };
  for (const auto& [accept, wanted] : {
           row{std::nullopt, list_form::jwt},
           row{"", list_form::jwt},
           row{"*/*", list_form::jwt},
           row{"application/*", list_form::jwt},
           row{"application/vc+jwt", list_form::jwt},
           row{"application/jwt", list_form::jwt},
           row{"application/json", list_form::json},
           row{"application/vc+jwt, application/json;q=0.9, */*;q=0.1", list_form::jwt},
           row{"application/json, */*;q=0.1", list_form::json},
           row{"application/vc+jwt;q=0.2 , application/json ; q=0.8", list_form::json},
           row{"application/vc+jwt;q=0, application/json;q=0", std::nullopt},
           row{"application/json;q=0, */*", list_form::jwt},
           row{"text/html", std::nullopt},
           row{"text/html, */*;q=0.5", list_form::jwt},
           row{"application/vc+jwt;q=0.125, application/json;q=0.5", list_form::json},
       }) {
    CAPTURE(accept.value_or("(none)"));
    CHECK(choose_form(accept) == wanted);
  }
}

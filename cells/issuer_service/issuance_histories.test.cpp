#include "cells/issuer_service/issuance_fixture.test.hpp"

#include <algorithm>
#include <set>

#include "protocols/json/json.hpp"

using namespace fondaco;
using namespace fondaco::issuer_service;
using namespace fondaco::issuer_service::issuance_fixture;

namespace {

uint64_t xorshift(uint64_t& x) {
  x ^= x << 13;
  x ^= x >> 7;
  return x ^= x << 17;
}

issuance::command random_command(uint64_t& seed) {
  const auto one_in = [&seed](uint64_t n) { return xorshift(seed) % n == 0; };
  const std::string cause = one_in(2) ? "a" : "b";
  switch (xorshift(seed) % 10) {
  case 0: return one_in(2) ? beginning() : refused_beginning();
  case 1: return two_made();
  case 2: return issuance::making_failed{cause, !one_in(8)};
  case 3:
    if (one_in(3))
      return issuance::delivered{};
    [[fallthrough]];
  case 4:
  case 5: {
    const auto how = one_in(8) ? trouble::permanent : one_in(4) ? trouble::refusal : trouble::transient;
    return issuance::delivery_failed{cause, how, one_in(2)};
  }
  case 6: {
    const auto status = static_cast<credential_state>(xorshift(seed) % 3);
    return issuance::mark{one_in(8) ? "urn:uuid:other" : two_planned()[xorshift(seed) % 2].credential_id, status};
  }
  default: return issuance::time_passed{};
  }
}

/// The credentials without what is forgotten after a delivery and what may change.
std::vector<std::string> signatures_of(const issuance::state& s) {
  std::vector<std::string> out;
  for (const auto& c : s.credentials)
    out.push_back(c.credential_id + "@" + c.places.front().list_id + "#" + std::to_string(c.places.front().index));
  return out;
}

void check_promises(const driven& d, const issuance::state& before) {
  const auto owed = issuance::owed(d.s);
  const bool over = d.s.at != approved && !d.s.telling;
  CHECK(owed.size() <= 1);
  CHECK(owed.empty() == (over || !d.s.exists));
  if (d.s.exists && !over) {
    REQUIRE(issuance::wake_at(d.s));
    CHECK(*issuance::wake_at(d.s) <= d.s.window_until);
  }
  if (over)
    CHECK_FALSE(issuance::wake_at(d.s));
  if (before.exists && before.at != approved)
    CHECK(d.s.at == before.at);
  // What was made once is never made again: neither ids nor places change.
  if (!before.credentials.empty())
    CHECK(signatures_of(d.s) == signatures_of(before));
  if (!owed.empty() && owed.front().body.what == issuance::effect::act::deliver)
    CHECK(owed.front().body.credentials.size() == d.s.plan.size());
  for (size_t i = 0; i < before.credentials.size(); ++i)
    if (before.credentials[i].status == credential_state::revoked)
      CHECK(d.s.credentials[i].status == credential_state::revoked);
  if (d.s.at == errored || d.s.at == rejected)
    CHECK_FALSE(d.s.error_detail.empty());
  if (d.s.at == delivered)
    CHECK_FALSE(d.s.credentials.empty());
  CHECK(d.s.refusals < issuer_service::limits::delivery_refusals_max);
  CHECK(d.s.causes.size() <= control_plane::limits::causes_max);
  CHECK(json::parse(issuance::view(d.s)).has_value());
}

void check_replay(const driven& d) {
  issuance::state replayed;
  for (const auto& e : d.history) {
    const auto read = issuance::decode(issuance::encode(e));
    REQUIRE(read);
    CHECK(*read == e);
    replayed = issuance::evolve(std::move(replayed), *read);
  }
  CHECK(replayed == d.s);
  CHECK(issuance::thaw(issuance::freeze(d.s)) == d.s);
}

} // namespace

TEST_CASE("random histories of an issuance keep every promise of the shell") {
  uint64_t seed = 0x155ed;
  std::set<std::string> seen;
  for (int steps = 0; steps < 10'000;) {
    driven d;
    REQUIRE(d.ask(xorshift(seed) % 8 == 0 ? refused_beginning() : beginning()));
    size_t deliveries = 0;
    for (int i = 0; i < 30; ++i, ++steps) {
      d.now += milliseconds{static_cast<int64_t>(xorshift(seed) % 7'200'000)};
      const auto before = d.s;
      const auto result = d.ask(random_command(seed));
      if (!result || result->events.empty())
        CHECK(d.s == before);
      if (result)
        deliveries += static_cast<size_t>(std::ranges::count_if(
            result->events, [](const auto& e) { return std::holds_alternative<ev::delivered>(e); }));
      check_promises(d, before);
      seen.insert(issuance::status(d.s));
    }
    CHECK(deliveries <= 1);
    check_replay(d);
  }
  CHECK(seen.size() == 4);
}

TEST_CASE("evolve of an issuance is total: any event in any state leaves a well-formed state") {
  std::vector<issuance_event> pool;
  for (auto at : all_places) {
    const auto d = reach(at);
    pool.insert(pool.end(), d.history.begin(), d.history.end());
  }
  pool.push_back(ev::attempt_failed{t0, {}, "x"});
  pool.push_back(ev::refused{t0, {}, "y", t0});
  pool.push_back(ev::told{t0, {}, "z", true});
  pool.push_back(ev::ended{t0, {}, {}, true});
  pool.push_back(ev::marked{t0, {}, "urn:uuid:MembershipCredential", credential_state::suspended});
  uint64_t seed = 13;
  issuance::state s;
  for (int i = 0; i < 10'000; ++i) {
    s = issuance::evolve(std::move(s), pool[xorshift(seed) % pool.size()]);
    CHECK(issuance::owed(s).size() <= 1);
    CHECK_FALSE(issuance::status(s).empty());
  }
  CHECK(json::parse(issuance::view(s)).has_value());
}

TEST_CASE("an event of an issuance that this node does not know is not read as another") {
  persistence::event_record r{"issuance.new", 1, 'j', R"({"what":"new"})", ""};
  CHECK_FALSE(issuance::decode(r));
  r.payload = R"({"what":"delivered","at":1})";
  CHECK(issuance::decode(r));
  r.version = 2;
  CHECK_FALSE(issuance::decode(r));
}

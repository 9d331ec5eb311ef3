#include <doctest/doctest.h>

#include "gateway/token_cache.hpp"

using namespace fondaco;
using namespace fondaco::gateway;

namespace {
const timepoint t0 = from_epoch_ms(1'800'000'000'000);
token_cache::entry of(std::string subject, milliseconds lasts = milliseconds(1000)) {
  return {token_claims{std::move(subject), {}, {}, {}, {}}, 0, t0 + lasts};
}
} // namespace

TEST_CASE("a remembered token is found until its time is over, then it is forgotten") {
  token_cache cache(8);
  cache.put("a", of("alice"));
  CHECK(cache.find("a", t0)->claims.subject == "alice");
  CHECK(cache.find("a", t0 + milliseconds(999)).has_value());
  CHECK_FALSE(cache.find("a", t0 + milliseconds(1000)).has_value());
  CHECK(cache.size() == 0);
  CHECK_FALSE(cache.find("b", t0).has_value());
}

TEST_CASE("the cache stays bounded and the token not used for longest gives way") {
  token_cache cache(3);
  for (const auto* key : {"a", "b", "c"})
    cache.put(key, of(key));
  CHECK(cache.find("a", t0).has_value());
  cache.put("d", of("d"));
  CHECK(cache.size() == 3);
  CHECK(cache.find("a", t0).has_value());
  CHECK_FALSE(cache.find("b", t0).has_value());
  cache.put("d", of("d again"));
  CHECK(cache.size() == 3);
  CHECK(cache.find("d", t0)->claims.subject == "d again");
}

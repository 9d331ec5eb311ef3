#include "persistence/store.hpp"

#include <chrono>
#include <cstdlib>

#include <doctest/doctest.h>

namespace fondaco::persistence {

TEST_CASE("a PostgreSQL store tells its time, which never goes back") {
  const char* url = std::getenv("FONDACO_TEST_POSTGRES");
  REQUIRE_MESSAGE(url, "FONDACO_TEST_POSTGRES must be the postgresql:// URL of a scratch server's superuser");
  const auto first = store_time({.url = url});
  const auto second = store_time({.url = url});
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  REQUIRE(first->has_value());
  REQUIRE(second->has_value());
  CHECK(**first > from_epoch_ms(1'700'000'000'000));
  CHECK(**second >= **first);
  CHECK(**second - **first < std::chrono::minutes(1));
}

} // namespace fondaco::persistence

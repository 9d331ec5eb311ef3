#include <doctest/doctest.h>

#include "gateway/failed_attempts.hpp"

using namespace fondaco;
using namespace fondaco::gateway;

namespace {
const timepoint t0 = from_epoch_ms(1'800'000'000'000);
} // namespace

TEST_CASE("a client id is held off after too many failures from one address, until the window ends") {
  failed_attempts attempts;
  for (unsigned i = 0; i < gateway::limits::failed_attempts_of_client_max; ++i) {
    CHECK_FALSE(attempts.wait_for("c", "10.0.0.1", t0).has_value());
    attempts.failed("c", "10.0.0.1", t0);
  }
  CHECK(attempts.wait_for("c", "10.0.0.1", t0 + milliseconds(1000)) == milliseconds(59'000));
  CHECK_FALSE(attempts.wait_for("c", "10.0.0.1", t0 + gateway::limits::failed_attempts_window_ms).has_value());
}

TEST_CASE("a stranger's failures do not lock a client out elsewhere") {
  failed_attempts attempts;
  for (unsigned i = 0; i < gateway::limits::failed_attempts_of_client_max; ++i)
    attempts.failed("c", "10.0.0.1", t0);
  CHECK(attempts.wait_for("c", "10.0.0.1", t0).has_value());
  CHECK_FALSE(attempts.wait_for("c", "10.0.0.2", t0).has_value());
  CHECK_FALSE(attempts.wait_for("d", "10.0.0.1", t0).has_value());
}

TEST_CASE("an address that tries many client ids is held off as a whole") {
  failed_attempts attempts;
  for (unsigned i = 0; i < gateway::limits::failed_attempts_of_remote_max; ++i)
    attempts.failed("client-" + std::to_string(i), "10.0.0.1", t0);
  CHECK(attempts.wait_for("never-tried", "10.0.0.1", t0).has_value());
  CHECK_FALSE(attempts.wait_for("never-tried", "10.0.0.2", t0).has_value());
}

TEST_CASE("failures in a new window are counted anew") {
  failed_attempts attempts;
  const auto later = t0 + gateway::limits::failed_attempts_window_ms;
  for (unsigned i = 0; i < gateway::limits::failed_attempts_of_client_max; ++i)
    attempts.failed("c", "r", t0);
  attempts.failed("c", "r", later);
  CHECK_FALSE(attempts.wait_for("c", "r", later).has_value());
}

TEST_CASE("the table of failures stays bounded and forgets its oldest window first") {
  failed_attempts attempts(4);
  for (unsigned i = 0; i < gateway::limits::failed_attempts_of_client_max; ++i)
    attempts.failed("old", "r1", t0);
  CHECK(attempts.wait_for("old", "r1", t0).has_value());
  for (int i = 0; i < 100; ++i)
    attempts.failed("c" + std::to_string(i), "r" + std::to_string(i), t0);
  CHECK_FALSE(attempts.wait_for("old", "r1", t0).has_value());
}

#include "cells/data_plane/pull_gate.hpp"

#include <doctest/doctest.h>

using namespace fondaco;
using data_plane::pull_gate;

TEST_CASE("a flow that ends leaves the pulls of another tenant's flow of the same id alone") {
  pull_gate gate;
  const tenant alpha("alpha"), beta("beta");
  const auto theirs = gate.enter(alpha, "flow", 1), ours = gate.enter(beta, "flow", 1);
  REQUIRE(theirs);
  REQUIRE(ours);
  gate.end(beta, "flow");
  CHECK_FALSE(theirs->load());
  CHECK(ours->load());
}

TEST_CASE("a flow has as many pulls as are allowed, and a place again when one has ended") {
  pull_gate gate;
  const tenant alpha("alpha");
  auto first = gate.enter(alpha, "flow", 1);
  CHECK(first);
  CHECK_FALSE(gate.enter(alpha, "flow", 1));
  first.reset();
  CHECK(gate.enter(alpha, "flow", 1));
}

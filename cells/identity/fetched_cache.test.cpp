#include "cells/identity/fetched_cache.hpp"

#include <doctest/doctest.h>

using namespace fondaco;

TEST_CASE("what was fetched is kept for its time and within the bytes") {
  identity::fetched_cache<int> cache(100);
  const auto at = [](int64_t ms) { return from_epoch_ms(ms); };
  const auto keep = [&](const char* key, int value, size_t bytes, int64_t now, int64_t until) {
    cache.keep(key, std::make_shared<const int>(value), bytes, at(now), at(until));
  };
  const auto found = [&](const char* key, int64_t now) {
    const auto got = cache.find(key, at(now));
    return got ? *got : -1;
  };
  keep("a", 1, 40, 0, 1000);
  keep("b", 2, 40, 0, 500);
  CHECK(found("a", 999) == 1);
  CHECK(found("a", 1000) == -1);
  CHECK(found("b", 499) == 2);
  keep("a", 3, 50, 10, 1000);
  CHECK(found("a", 20) == 3);
  // What is over makes room first, then everything does.
  keep("c", 4, 40, 600, 2000);
  CHECK(found("b", 600) == -1);
  CHECK(found("a", 600) == 3);
  CHECK(found("c", 600) == 4);
  keep("d", 5, 60, 700, 2000);
  CHECK(found("a", 700) == -1);
  CHECK(found("c", 700) == -1);
  CHECK(found("d", 700) == 5);
  // What is too large, or over already, is not kept.
  keep("e", 6, 101, 700, 2000);
  CHECK(found("e", 700) == -1);
  keep("f", 7, 1, 700, 700);
  CHECK(found("f", 700) == -1);
}

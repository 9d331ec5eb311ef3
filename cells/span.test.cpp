#include "cells/span.hpp"

#include <doctest/doctest.h>

using namespace fondaco;

TEST_CASE("a child has its parent's trace and another span") {
  const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  CHECK(cells::trace_id_of(parent) == "0af7651916cd43dd8448eb211c80319c");
  CHECK(cells::child_of(parent, 0x0102030405060708) == "00-0af7651916cd43dd8448eb211c80319c-0102030405060708-01");
  // A span of zeros is none.
  CHECK(cells::child_of(parent, 0).empty());
}

TEST_CASE("what is no traceparent names no trace") {
  for (const auto* text : {"", "00", "00-0af7651916cd43dd8448eb211c80319c", "nonsense",
                           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319cxb7ad6b7169203331-01"}) {
    CAPTURE(text);
    CHECK(cells::trace_id_of(text).empty());
    CHECK(cells::child_of(text, 1).empty());
  }
}

#include "protocols/base/digest.hpp"

#include <doctest/doctest.h>

#include "protocols/base/hash.hpp"

TEST_CASE("a digest of pieces is the digest of the whole") {
  fondaco::digest d;
  for (const auto* piece : {"a", "", "bc"})
    d.add(piece);
  CHECK(d.finish() == fondaco::hex(fondaco::sha256("abc")));
}

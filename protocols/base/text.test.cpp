#include "protocols/base/text.hpp"

#include <doctest/doctest.h>

using namespace fondaco;

TEST_CASE("a text is cut between two characters, never inside of one") {
  const std::string_view text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
  struct {
    size_t bytes_max;
    size_t kept;
  } const cases[] = {{0, 0}, {1, 1}, {2, 1}, {3, 3}, {4, 3}, {5, 3}, {6, 6}, {7, 6}, {9, 6}, {10, 10}, {11, 10}};
  for (const auto& c : cases) {
    CAPTURE(c.bytes_max);
    CHECK(cut_utf8(text, c.bytes_max) == text.substr(0, c.kept));
  }
}

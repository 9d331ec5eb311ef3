#include "persistence/detail/append_check.hpp"

#include <doctest/doctest.h>

namespace fondaco::persistence::detail {

TEST_CASE("text is storable if it is UTF-8 without U+0000") {
  const std::string_view good[] = {"",
                                   "plain",
                                   "\x7f",
                                   "\xc2\x80",
                                   "\xdf\xbf",
                                   "\xe0\xa0\x80",
                                   "\xed\x9f\xbf",
                                   "\xee\x80\x80",
                                   "\xef\xbf\xbf",
                                   "\xf0\x90\x80\x80",
                                   "\xf4\x8f\xbf\xbf",
                                   "a\xc3\xa9z"};
  for (const auto s : good)
    CHECK(is_storable_text(s));
  const std::string_view bad[] = {{"\0", 1},          {"a\0b", 3},        "\x80",     "\xbf",
                                  "\xc0\x80",         "\xc1\xbf",         "\xc2",     "\xc2(",
                                  "\xe0\x9f\xbf",     "\xed\xa0\x80",     "\xef\xbf", "\xf0\x8f\xbf\xbf",
                                  "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",     "\xf0\x90\x80"};
  for (const auto s : bad)
    CHECK_FALSE(is_storable_text(s));
}

TEST_CASE("an escaped U+0000 is found, an escaped backslash before u0000 is not one") {
  CHECK(has_escaped_nul(R"({"a":"\u0000"})"));
  CHECK(has_escaped_nul(R"({"a":"\\\u0000"})"));
  CHECK(has_escaped_nul(R"("\\u0000 \u0000")"));
  CHECK_FALSE(has_escaped_nul(R"({"a":"\\u0000"})"));
  CHECK_FALSE(has_escaped_nul(R"({"a":"\u0001"})"));
}

TEST_CASE("two lives of one node have two names of equal length") {
  const auto first = owner_name("node", make_incarnation()), second = owner_name("node", make_incarnation());
  CHECK(first != second);
  CHECK(first.size() == std::string_view("node").size() + incarnation_suffix_bytes);
  CHECK(second.size() == first.size());
}

} // namespace fondaco::persistence::detail

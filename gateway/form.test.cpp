#include <doctest/doctest.h>

#include "gateway/form.hpp"

using namespace fondaco::gateway;

TEST_CASE("a form gives its decoded parameters and leaves empty ones out") {
  const auto got = parse_form("grant_type=client_credentials&client_id=a%3Ab&scope=x+y&empty=&&flag");
  REQUIRE(got.has_value());
  CHECK(*got == form{{"client_id", "a:b"}, {"grant_type", "client_credentials"}, {"scope", "x y"}});
}

TEST_CASE("a form that could be read in two ways is refused") {
  std::string many;
  for (int i = 0; i < 33; ++i)
    many += "p" + std::to_string(i) + "=1&";
  for (const auto& body : {std::string("a=1&a=2"), std::string("a=%zz"), std::string("a=%4"), std::string("a=%"),
                           std::string("a=%+1"), std::string("a=%00"), std::string("%00=1"), many}) {
    CAPTURE(body);
    CHECK_FALSE(parse_form(body).has_value());
  }
}

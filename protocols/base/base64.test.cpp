#include "protocols/base/base64.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace fondaco;

TEST_CASE("base64 agrees with the examples of RFC 4648") {
  struct row {
    const char* bytes;
    const char* padded;
    const char* bare;
  };
  const row rows[] = {{"", "", ""},
                      {"f", "Zg==", "Zg"},
                      {"fo", "Zm8=", "Zm8"},
                      {"foo", "Zm9v", "Zm9v"},
                      {"foob", "Zm9vYg==", "Zm9vYg"},
                      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                      {"foobar", "Zm9vYmFy", "Zm9vYmFy"}};
  for (const auto& r : rows) {
    CAPTURE(r.bytes);
    CHECK(base64_encode(r.bytes) == r.padded);
    CHECK(base64url_encode(r.bytes) == r.bare);
    CHECK(base64_decode(r.padded) == std::string(r.bytes));
    CHECK(base64url_decode(r.bare) == std::string(r.bytes));
  }
}

TEST_CASE("the two alphabets differ in their last two characters only") {
  CHECK(base64_encode("\xfb\xff\xfe") == "+//+");
  CHECK(base64url_encode("\xfb\xff\xfe") == "-__-");
}

TEST_CASE("base64url refuses every second spelling of the same bytes") {
  for (const char* text :
       {"Zg==", "Zg=", "Z", "Zm9vY", "Zh", "Zm9", "Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zm9v.", "Z\xc3\xa9"}) {
    CAPTURE(text);
    CHECK_FALSE(base64url_decode(text));
  }
}

TEST_CASE("base64 refuses missing, misplaced and excess padding") {
  for (const char* text :
       {"Zg", "Zg=", "Zg===", "=", "====", "Zg==Zg==", "Zh==", "Zm9=", "Zm9v\n", "Zm-v", "A===", "Z=g="}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text));
  }
}

TEST_CASE("any bytes survive both encodings") {
  std::mt19937 random(7);
  for (size_t length = 0; length < 200; ++length) {
    std::string bytes(length, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(random());
    CHECK(base64_decode(base64_encode(bytes)) == bytes);
    CHECK(base64url_decode(base64url_encode(bytes)) == bytes);
  }
}

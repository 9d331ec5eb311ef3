#include <doctest/doctest.h>

#include <string>

#include "protocols/did/document.hpp"

using namespace fondaco;

TEST_CASE("a DID names the URL of its document, and the URL the DID") {
  struct row {
    const char* did;
    const char* host;
    const char* path;
  };
  const row rows[] = {
      {"did:web:example.com", "example.com", "/.well-known/did.json"},
      {"did:web:example.com:a", "example.com", "/a/did.json"},
      {"did:web:example.com:a:b", "example.com", "/a/b/did.json"},
      {"did:web:localhost%3A8083", "localhost:8083", "/.well-known/did.json"},
      {"did:web:localhost%3A8083:holder", "localhost:8083", "/holder/did.json"},
      {"did:web:127.0.0.1%3A80:x%20y", "127.0.0.1:80", "/x%20y/did.json"},
      {"did:web:%5B%3A%3A1%5D%3A443:a", "[::1]:443", "/a/did.json"},
      {"did:web:a-b.example_c.org:did.json", "a-b.example_c.org", "/did.json/did.json"},
      {"did:web:Example.com:A:b..c", "Example.com", "/A/b..c/did.json"},
      {"did:web:h:100%25", "h", "/100%25/did.json"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.did);
    const auto rest = std::string(r.host) + r.path;
    CHECK(did::web_url(r.did, false) == "https://" + rest);
    CHECK(did::web_url(r.did, true) == "http://" + rest);
    CHECK(did::web_did(r.host, r.path) == std::string(r.did));
  }
}

TEST_CASE("the port's colon may be escaped in either case") {
  CHECK(did::web_url("did:web:localhost%3a8083:holder", false) ==
        std::string("https://localhost:8083/holder/did.json"));
  CHECK(did::web_url("did:web:h%3A65535", false) == std::string("https://h:65535/.well-known/did.json"));
}

TEST_CASE("what is no did:web names no URL") {
  const char* const texts[] = {
      "",
      "did",
      "did:web",
      "did:web:",
      "did:web::",
      "did:web::a",
      "did:key:z6Mk",
      "DID:web:a",
      "did:Web:a",
      " did:web:a",
      "did:web:a ",
      // endings and empty segments
      "did:web:a:",
      "did:web:a:b:",
      "did:web:a::b",
      // segments that leave the folder, or are more than one
      "did:web:a:.",
      "did:web:a:..:b",
      "did:web:a:%2E%2E",
      "did:web:a:%2e",
      "did:web:a:b%2Fc",
      "did:web:a:b%5Cc",
      "did:web:a:b%00",
      "did:web:a:b%0D%0Ac",
      "did:web:a:b/c",
      "did:web:a:b?c",
      "did:web:a:b#c",
      "did:web:a:b c",
      // escapes that are none
      "did:web:a%",
      "did:web:a%3",
      "did:web:a:%zz",
      "did:web:a:b%4",
      // authorities
      "did:web:a@b",
      "did:web:user%40host",
      "did:web:a%2Fb",
      "did:web:a%3Fb",
      "did:web:a%23b",
      "did:web:a%00",
      "did:web:%3A80",
      "did:web:a%3A",
      "did:web:a%3A0",
      "did:web:a%3A080",
      "did:web:a%3A65536",
      "did:web:a%3A99999999999",
      "did:web:a%3A80%3A80",
      "did:web:a%3Ab",
      "did:web:.a",
      "did:web:a..b",
      "did:web:%5B%3A%3A1",
      "did:web:%5B%5D",
      "did:web:%5B%3A%3A1%5Dx",
      "did:web:%C3%A9",
      "did:web:a%253A80",
  };
  for (const char* text : texts) {
    CAPTURE(text);
    const auto url = did::web_url(text, false);
    CHECK_FALSE(url.has_value());
    if (!url)
      CHECK(url.error().code == "malformed_did");
  }
  const std::string prefix = "did:web:a:";
  CHECK(did::web_url(prefix + std::string(512 - prefix.size(), 'b'), false).has_value());
  CHECK_FALSE(did::web_url(prefix + std::string(513 - prefix.size(), 'b'), false).has_value());
}

TEST_CASE("a request that asks for no DID document names no DID") {
  struct row {
    const char* host;
    const char* path;
  };
  const row rows[] = {
      {"", "/a/did.json"},
      {"example.com", ""},
      {"example.com", "/"},
      {"example.com", "/a"},
      {"example.com", "/a/did.txt"},
      {"example.com", "a/did.json"},
      {"example.com", "did.json"},
      // The document of a bare host is under /.well-known.
      {"example.com", "/did.json"},
      {"example.com", "/a//did.json"},
      {"example.com", "//a/did.json"},
      {"example.com", "/a/../did.json"},
      {"example.com", "/a:b/did.json"},
      {"example.com", "/a%2Fb/did.json"},
      {"example.com", "/a%/did.json"},
      {"example.com", "/a b/did.json"},
      {"example.com", "/a?x=/did.json"},
      {"exa mple.com", "/a/did.json"},
      {"user@example.com", "/a/did.json"},
      {"example.com/x", "/a/did.json"},
      {"example.com:", "/a/did.json"},
      {"example.com:80:80", "/a/did.json"},
      {"example.com%3A80", "/a/did.json"},
      {"a,b", "/a/did.json"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.host);
    CAPTURE(r.path);
    CHECK_FALSE(did::web_did(r.host, r.path).has_value());
  }
  CHECK_FALSE(did::web_did("example.com", "/" + std::string(512, 'a') + "/did.json").has_value());
  CHECK_FALSE(did::web_did(std::string(100'000, 'a'), "/a/did.json").has_value());
}

TEST_CASE("a DID URL's DID is what stands before the fragment") {
  CHECK(did::did_of("did:web:a#k") == "did:web:a");
  CHECK(did::did_of("did:web:a#k#l") == "did:web:a");
  CHECK(did::did_of("did:web:a") == "did:web:a");
  CHECK(did::did_of("#k").empty());
  CHECK(did::did_of("").empty());
  CHECK(did::did_of("did:web:a?versionId=1#k") == "did:web:a?versionId=1");
}

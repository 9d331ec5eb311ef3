#include <doctest/doctest.h>

#include "gateway/detail/address.hpp"
#include "gateway/detail/head.hpp"
#include "gateway/detail/text.hpp"
#include "gateway/http.hpp"
#include "gateway/problem.hpp"

using namespace fondaco;
using namespace fondaco::gateway;

namespace {

handler named(std::string name) {
  return [name](std::shared_ptr<const request>) -> task<response> { co_return json_response(200, name); };
}

std::string body_of(const handler& h) {
  std::string out;
  actors::start<response>(h(std::make_shared<request>()), [&](response r) { out = r.body; }, [](std::exception_ptr) {});
  return out;
}

request asking(std::string method, std::string path) {
  request r;
  r.method = std::move(method);
  r.path = std::move(path);
  return r;
}

} // namespace

TEST_CASE("the most specific route wins, in whatever order the routes were added") {
  router routes;
  for (const std::string p : {"/{rest...}", "/a/{x}", "/a/b", "/a/{x}/c", "/a/b/{rest...}", "/"})
    routes.add("GET", p, named(p));
  for (const auto& [path, pattern] : std::vector<std::pair<std::string, std::string>>{{"/", "/"},
                                                                                      {"/a/b", "/a/b"},
                                                                                      {"/a/%62", "/a/b"},
                                                                                      {"/a/z", "/a/{x}"},
                                                                                      {"/a/b/", "/a/b"},
                                                                                      {"/a/z/c", "/a/{x}/c"},
                                                                                      {"/a/b/c", "/a/b/{rest...}"},
                                                                                      {"/a/b/c/d", "/a/b/{rest...}"},
                                                                                      {"/a", "/{rest...}"},
                                                                                      {"/q/r", "/{rest...}"}}) {
    CAPTURE(path);
    auto r = asking("GET", path);
    const auto found = routes.find(r);
    REQUIRE(found);
    CHECK(body_of(*found) == pattern);
  }
}

TEST_CASE("params are decoded, an encoded slash stays in its segment, and the rest may be empty") {
  router routes;
  routes.add("GET", "/p/{id}/x/{rest...}", named(""));
  auto r = asking("GET", "/p/did%3Aweb%3Aa%2Fb/x/c%20d/e/");
  REQUIRE(routes.find(r));
  CHECK(r.params.at("id") == "did:web:a/b");
  CHECK(r.params.at("rest") == "c d/e/");
  r = asking("GET", "/p/1/x");
  REQUIRE(routes.find(r));
  CHECK(r.params.at("rest").empty());
}

TEST_CASE("an unknown path is 404, a known one with another method is 405 and names what it takes") {
  router routes;
  routes.add("GET", "/a/{x}", named(""));
  routes.add("POST", "/a/{x}", named(""));
  routes.add("DELETE", "/a/b", named(""));
  auto r = asking("PUT", "/a/b");
  CHECK(routes.find(r).error() == 405);
  CHECK(routes.allowed("/a/b") == "DELETE, GET, HEAD, POST");
  r = asking("GET", "/a//");
  CHECK(routes.find(r).error() == 404);
  r = asking("GET", "/a/b/c");
  CHECK(routes.find(r).error() == 404);
  r = asking("HEAD", "/a/1");
  CHECK(routes.find(r));
  CHECK(routes.patterns() == std::vector<std::string>{"DELETE /a/b", "GET /a/{x}", "POST /a/{x}"});
}

TEST_CASE("two routes of one method and shape, and patterns that are none, are broken invariants") {
  router routes;
  routes.add("GET", "/a/{x}", named(""));
  CHECK_THROWS_AS(routes.add("GET", "/a/{y}", named("")), broken_invariant);
  CHECK_THROWS_AS(routes.add("GET", "a", named("")), broken_invariant);
  CHECK_THROWS_AS(routes.add("GET", "/{rest...}/b", named("")), broken_invariant);
  CHECK_THROWS_AS(routes.add("GET", "/{}", named("")), broken_invariant);
  CHECK_THROWS_AS(routes.add("GET", "/{x", named("")), broken_invariant);
  CHECK_NOTHROW(routes.add("POST", "/a/{y}", named("")));
}

TEST_CASE("query values are decoded, the first of a name counts, and a bad escape is no value") {
  request r;
  r.query = "a=1&b=x+y%2Bz&a=2&c&%64=4&e=%zz&f=%00&=5";
  CHECK(query_value(r, "a") == "1");
  CHECK(query_value(r, "b") == "x y+z");
  CHECK(query_value(r, "c") == "");
  CHECK(query_value(r, "d") == "4");
  CHECK(!query_value(r, "e"));
  CHECK(!query_value(r, "f"));
  CHECK(!query_value(r, "g"));
}

TEST_CASE("a request target is a path without dot segments, also in absolute form") {
  using detail::split_target;
  CHECK(split_target("/a/b?c=d?e")->path == "/a/b");
  CHECK(split_target("/a/b?c=d?e")->query == "c=d?e");
  CHECK(split_target("http://host:80/a?b")->path == "/a");
  CHECK(split_target("HTTPS://host")->path == "/");
  CHECK(split_target("/a?next=http://x/")->path == "/a");
  CHECK(split_target("/a/..b/.c/...")->path == "/a/..b/.c/...");
  for (const auto* bad :
       {"", "*", "a", "host:443", "ftp://x/", "/a#b", "/..", "/a/./b", "/%2e%2E/a", "/a%2f..", "/%", "/%0g", "/%00"}) {
    CAPTURE(bad);
    CHECK(!split_target(bad));
  }
}

TEST_CASE("only a valid traceparent is continued") {
  const std::string trace = "0af7651916cd43dd8448eb211c80319c";
  const std::string good = "00-" + trace + "-b7ad6b7169203331-01";
  CHECK(detail::trace_id_of(detail::continued_traceparent(good)) == trace);
  CHECK(detail::trace_id_of(detail::continued_traceparent("cc" + good.substr(2) + "-later")) == trace);
  for (const auto& bad :
       {std::string{}, good + "-x", "ff" + good.substr(2), good.substr(1), "cc" + good.substr(2) + "x",
        "00-" + std::string(32, '0') + good.substr(35), good.substr(0, 36) + std::string(16, '0') + "-01",
        "00-0AF7651916CD43DD8448EB211C80319C" + good.substr(35)}) {
    CAPTURE(bad);
    const auto made = detail::continued_traceparent(bad);
    CHECK(made.size() == 55);
    CHECK(detail::trace_id_of(made) != trace);
  }
}

TEST_CASE("a URL is taken apart strictly") {
  const auto u = detail::parse_url("HTTPS://Example.ORG:8443/a/b?c=d#e");
  REQUIRE(u);
  CHECK(u->tls);
  CHECK(u->host == "example.org");
  CHECK(u->port == 8443);
  CHECK(u->target == "/a/b?c=d");
  CHECK(u->authority() == "example.org:8443");
  CHECK(detail::parse_url("http://h")->target == "/");
  CHECK(detail::parse_url("http://h?x")->target == "/?x");
  CHECK(detail::parse_url("http://h:80")->authority() == "h");
  CHECK(detail::parse_url("https://[2001:DB8::1]:443/")->host == "2001:db8::1");
  CHECK(detail::parse_url("https://[2001:db8::1]:444/")->authority() == "[2001:db8::1]:444");
  for (const auto* bad : {"http:/h", "//h/", "http://h:x/", "http://h:-1/", "http://h:65536/", "http://[::1",
                          "http://[::1]x/", "http://[fe80::1%25eth0]/", "http://a@h/", "http://a:b@h/", "http://h\\@x/",
                          "http://\xc3\xa4/", "http:// h/"}) {
    CAPTURE(bad);
    CHECK(!detail::parse_url(bad));
  }
}

TEST_CASE("an address is public only if any host of the internet may have it") {
  const auto is_public = [](const char* a) { return detail::is_public(boost::asio::ip::make_address(a)); };
  for (const auto* yes : {"1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.255.255", "223.255.255.255", "198.17.0.1",
                          "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
    CAPTURE(yes);
    CHECK(is_public(yes));
  }
  for (const auto* no : {"0.0.0.0",
                         "0.1.2.3",
                         "10.1.2.3",
                         "100.64.0.1",
                         "127.0.0.1",
                         "127.255.255.255",
                         "169.254.169.254",
                         "172.16.0.1",
                         "172.31.255.255",
                         "192.0.0.1",
                         "192.0.2.1",
                         "192.168.1.1",
                         "198.19.0.1",
                         "203.0.113.9",
                         "224.0.0.1",
                         "240.0.0.1",
                         "255.255.255.255",
                         "::",
                         "::1",
                         "::127.0.0.1",
                         "::ffff:127.0.0.1",
                         "::ffff:10.0.0.1",
                         "64:ff9b::7f00:1",
                         "64:ff9b:1::1",
                         "2002:7f00:1::",
                         "2001::1",
                         "2001:db8::1",
                         "100::1",
                         "fc00::1",
                         "fd12::1",
                         "fe80::1",
                         "fec0::1",
                         "ff02::1"}) {
    CAPTURE(no);
    CHECK(!is_public(no));
  }
}

TEST_CASE("a problem is JSON with status, title and an escaped detail") {
  const auto p = problem(429, "Too \"many\"");
  CHECK(p.body == R"({"status":429,"title":"Too Many Requests","detail":"Too \"many\""})");
  CHECK(p.headers == http_headers{{"Content-Type", "application/problem+json"}, {"Retry-After", "1"}});
  CHECK(problem(503, "", {{"Retry-After", "7"}}).headers.size() == 2);
  CHECK(title_of(418) == "Unknown");
}

TEST_CASE("a response's header is ours to frame, and a field that would split it is refused") {
  auto r = json_response(201, "{}");
  r.headers.emplace_back("Content-Length", "77");
  r.headers.emplace_back("transfer-encoding", "chunked");
  r.headers.emplace_back("Location", "/x");
  detail::response_shape shape;
  shape.length = 2;
  CHECK(detail::response_head(r, shape) ==
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nLocation: /x\r\nContent-Length: 2\r\n\r\n");
  r.headers.emplace_back("X", "a\nb");
  CHECK(!detail::response_head(r, shape));
  CHECK(!detail::response_head(json_response(99, ""), shape));
}

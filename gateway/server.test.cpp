#include <sys/stat.h>

#include "actors/ports/log.hpp"
#include "gateway/loopback.test.hpp"
#include "gateway/problem.hpp"

using namespace fondaco;
using namespace fondaco::gateway;
using namespace fondaco::gateway::loopback;

namespace {

listener_options options(std::string name = "test") {
  listener_options o;
  o.name = std::move(name);
  o.bind = "127.0.0.1:0";
  return o;
}

struct node {
  explicit node(router routes, listener_options o = options()) {
    const auto bound = web.listen(std::move(o), std::move(routes));
    REQUIRE(bound);
    port = *bound;
  }
  listener_counters counters() const { return web.counters().at(0); }
  server web{2};
  uint16_t port = 0;
};

/// Routes that the table tests share: GET /hello, POST /echo.
router simple_routes() {
  router r;
  r.add("GET", "/hello", answering(R"({"hello":1})"));
  r.add("POST", "/echo",
        [](std::shared_ptr<const request> in) -> task<response> { co_return json_response(200, in->body); });
  return r;
}

std::string status_of(const std::string& answer) { return answer.substr(0, std::min<size_t>(12, answer.size())); }

} // namespace

TEST_CASE("what is not a request that this listener takes is answered with the status that names it") {
  auto o = options();
  o.header_bytes_max = 2048;
  o.body_bytes_max = 1000;
  node n(simple_routes(), o);
  struct row {
    const char* what;
    std::string sent;
    const char* status;
    bool closes;
  };
  const std::string host = "Host: x\r\n";
  const row rows[] = {
      {"unknown path", "GET /nothing HTTP/1.1\r\n" + host + "\r\n", "HTTP/1.1 404", false},
      {"known path, other method", "DELETE /hello HTTP/1.1\r\n" + host + "\r\n", "HTTP/1.1 405", false},
      {"a method nobody knows", "BREW /hello HTTP/1.1\r\n" + host + "\r\n", "HTTP/1.1 501", false},
      {"no request at all", "hello there\r\n\r\n", "HTTP/1.1 400", true},
      {"another version", "GET /hello HTTP/2.0\r\n" + host + "\r\n", "HTTP/1.1 505", true},
      {"no host", "GET /hello HTTP/1.1\r\n\r\n", "HTTP/1.1 400", true},
      {"two hosts", "GET /hello HTTP/1.1\r\n" + host + host + "\r\n", "HTTP/1.1 400", true},
      {"space before the colon", "GET /hello HTTP/1.1\r\nHost : x\r\n\r\n", "HTTP/1.1 400", true},
      {"length and chunks",
       "POST /echo HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", "HTTP/1.1 400",
       true},
      {"two lengths", "POST /echo HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
       "HTTP/1.1 400", true},
      {"a length that is no number", "POST /echo HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", "HTTP/1.1 400",
       true},
      {"another coding", "POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501", true},
      {"chunks in HTTP/1.0", "POST /echo HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "HTTP/1.1 400", true},
      {"a bad chunk size", "POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
       "HTTP/1.1 400", true},
      {"dot segments", "GET /hello/../hello HTTP/1.1\r\n" + host + "\r\n", "HTTP/1.1 400", true},
      {"encoded dot segments", "GET /x%2F%2e%2e/hello HTTP/1.1\r\n" + host + "\r\n", "HTTP/1.1 400", true},
      {"encoded zero byte", "GET /hello%00 HTTP/1.1\r\n" + host + "\r\n", "HTTP/1.1 400", true},
      {"a cut escape", "GET /hello%2 HTTP/1.1\r\n" + host + "\r\n", "HTTP/1.1 400", true},
      {"another expectation", "POST /echo HTTP/1.1\r\n" + host + "Expect: tea\r\nContent-Length: 1\r\n\r\nx",
       "HTTP/1.1 417", true},
      {"a header flood", "GET /hello HTTP/1.1\r\n" + host + "X: " + std::string(4096, 'a'), "HTTP/1.1 431", true},
      {"many small headers",
       "GET /hello HTTP/1.1\r\n" +
           [] {
             std::string s;
             for (int i = 0; i < 400; ++i)
               s += "X-" + std::to_string(i) + ": y\r\n";
             return s;
           }(),
       "HTTP/1.1 431", true},
      {"a body over the limit", "POST /echo HTTP/1.1\r\n" + host + "Content-Length: 1001\r\n\r\n", "HTTP/1.1 413",
       true},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    auto c = raw::to(n.port);
    REQUIRE(c.send(r.sent));
    const auto answer = c.read_answer();
    CHECK(status_of(answer) == r.status);
    CHECK((answer.find("\r\nConnection: close\r\n") != answer.npos) == r.closes);
    CHECK(answer.find("\"status\":") != answer.npos);
    CHECK(answer.find("application/problem+json") != answer.npos);
    if (r.closes)
      CHECK(c.read_all() == "");
  }
  auto c = raw::to(n.port);
  REQUIRE(c.send("PUT /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(c.read_answer().find("\r\nAllow: GET, HEAD\r\n") != std::string::npos);
}

TEST_CASE("a declared body of 1 GiB is refused at once, before a byte of it is read") {
  node n(simple_routes());
  auto c = raw::to(n.port);
  REQUIRE(c.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n"));
  CHECK(status_of(c.read_answer()) == "HTTP/1.1 413");
  CHECK(c.read_all() == "");
}

TEST_CASE("an endless chunked body is cut at the limit, whether by its content or by its framing") {
  auto o = options();
  o.body_bytes_max = 10'000;
  node n(simple_routes(), o);
  for (const std::string& chunk : {"3e8\r\n" + std::string(1000, 'x') + "\r\n",
                                   "1;" + std::string(5000, 'e') + "\r\nx\r\n", "1;" + std::string(500'000, 'e')}) {
    auto c = raw::to(n.port);
    REQUIRE(c.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
    size_t sent = 0;
    // Far below what the kernel could swallow without the server reading: the loop ends because the server closes.
    while (sent < (256u << 20) && c.send(chunk))
      sent += chunk.size();
    CHECK(sent < (256u << 20));
    CHECK(eventually(n.web, [&] { return n.counters().connections_open == 0; }));
  }
  CHECK(n.counters().requests_refused == 3);
}

TEST_CASE("a client that sends its header byte by byte is cut with 408 when the header's time is over") {
  auto o = options();
  o.header_timeout_ms = milliseconds{200};
  node n(simple_routes(), o);
  auto c = raw::to(n.port);
  c.give_up_after(milliseconds{10}); // the pace of the drip: every byte is progress, and the deadline stays
  const auto begun = std::chrono::steady_clock::now();
  REQUIRE(c.send("GET /hello HTTP/1.1\r\nX: "));
  std::string got;
  int drops = 0;
  while (got.empty() && std::chrono::steady_clock::now() - begun < patience) {
    c.send("x");
    ++drops;
    c.read_some(got);
  }
  const auto took = std::chrono::steady_clock::now() - begun;
  CHECK(status_of(got) == "HTTP/1.1 408");
  CHECK(drops > 3);
  CHECK(took >= milliseconds{190});
  CHECK(took < milliseconds{2'000});
}

TEST_CASE("half a header and then silence is answered 408 and counted") {
  auto o = options();
  o.header_timeout_ms = milliseconds{50};
  node n(simple_routes(), o);
  auto c = raw::to(n.port);
  REQUIRE(c.send("GET /hello HTTP/1.1\r\nHo"));
  CHECK(status_of(c.read_answer()) == "HTTP/1.1 408");
  CHECK(n.counters().timeouts == 1);
}

TEST_CASE("a connection that says nothing is closed without a word when the header's time is over") {
  auto o = options();
  o.header_timeout_ms = milliseconds{50};
  node n(simple_routes(), o);
  auto c = raw::to(n.port);
  auto how = raw::last::data;
  CHECK(c.read_all(&how) == "");
  CHECK(how == raw::last::end);
}

TEST_CASE("a body that stops coming is answered 408") {
  auto o = options();
  o.body_timeout_ms = milliseconds{50};
  node n(simple_routes(), o);
  auto c = raw::to(n.port);
  REQUIRE(c.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"));
  CHECK(status_of(c.read_answer()) == "HTTP/1.1 408");
}

TEST_CASE("an idle kept connection is closed after the idle time") {
  auto o = options();
  o.idle_timeout_ms = milliseconds{50};
  node n(simple_routes(), o);
  auto c = raw::to(n.port);
  REQUIRE(c.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(status_of(c.read_answer()) == "HTTP/1.1 200");
  CHECK(c.read_all() == "");
}

TEST_CASE("pipelined requests are answered in order, on one connection") {
  node n(simple_routes());
  auto c = raw::to(n.port);
  std::string all;
  for (int i = 0; i < 50; ++i) {
    const auto body = std::to_string(i);
    all += "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  REQUIRE(c.send(all));
  for (int i = 0; i < 50; ++i) {
    const auto answer = c.read_answer();
    CHECK(answer.substr(answer.find("\r\n\r\n") + 4) == std::to_string(i));
  }
  CHECK(n.counters().connections == 1);
  CHECK(n.counters().requests == 50);
}

TEST_CASE("HTTP/1.0 is closed after its answer unless it asks to be kept") {
  node n(simple_routes());
  auto c = raw::to(n.port);
  REQUIRE(c.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  CHECK(c.read_answer().find("\r\nConnection: keep-alive\r\n") != std::string::npos);
  REQUIRE(c.send("GET /hello HTTP/1.0\r\n\r\n"));
  CHECK(c.read_answer().find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(c.read_all() == "");
}

TEST_CASE("HEAD has the header of GET and no body, also where the body would be a stream") {
  auto r = simple_routes();
  auto source = std::make_shared<pieces>(1000, 5);
  r.add("GET", "/file", [source](std::shared_ptr<const request>) -> task<response> {
    response out;
    out.stream = source;
    out.content_length = 5000;
    co_return out;
  });
  node n(std::move(r));
  auto c = raw::to(n.port);
  REQUIRE(c.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\nHEAD /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  const auto all = c.read_all();
  CHECK(all.find("Content-Length: 11\r\n") != all.npos);
  CHECK(all.find("Content-Length: 5000\r\n") != all.npos);
  CHECK(all.find("hello") == all.npos);
  CHECK(all.ends_with("\r\n\r\n"));
  CHECK(source->given() == 0);
}

TEST_CASE("a client that expects 100-continue is told to go on, and not if its body is refused") {
  node n(simple_routes());
  auto c = raw::to(n.port);
  REQUIRE(c.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
  CHECK(c.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  REQUIRE(c.send("abc"));
  CHECK(c.read_answer().ends_with("abc"));
  auto d = raw::to(n.port);
  REQUIRE(d.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"));
  CHECK(status_of(d.read_answer()) == "HTTP/1.1 413");
}

TEST_CASE("a route sees the decoded params, the query, the lower-case headers and a body that came in chunks") {
  router r;
  r.add("PUT", "/a/{id}/b/{rest...}", [](std::shared_ptr<const request> in) -> task<response> {
    co_return json_response(200, in->params.at("id") + '|' + in->params.at("rest") + '|' +
                                     query_value(*in, "q").value_or("-") + '|' +
                                     std::string(header(*in, "x-thing").value_or("-")) + '|' + in->body + '|' +
                                     in->remote + '|' + in->listener + '|' + in->path);
  });
  node n(std::move(r));
  auto c = raw::to(n.port);
  REQUIRE(
      c.send("PUT /a/x%2Fy/b/c/d?p=1&q=a+b%26 HTTP/1.1\r\nHOST: x\r\nX-THING: It \r\nTransfer-Encoding: chunked\r\n\r\n"
             "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Thing: forged\r\n\r\n"));
  CHECK(c.read_answer().ends_with("\r\n\r\nx/y|c/d|a b&|It|abcde|127.0.0.1|test|/a/x%2Fy/b/c/d"));
}

TEST_CASE("the caller's correlation id and trace go on, and what is not one is replaced") {
  router r;
  r.add("GET", "/",
        [](std::shared_ptr<const request> in) -> task<response> { co_return json_response(200, in->traceparent); });
  node n(std::move(r));
  const std::string trace = "0af7651916cd43dd8448eb211c80319c";
  auto c = raw::to(n.port);
  REQUIRE(c.send("GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: order-7\r\ntraceparent: 00-" + trace +
                 "-b7ad6b7169203331-01\r\n\r\n"));
  auto answer = c.read_answer();
  CHECK(answer.find("\r\nX-Request-Id: order-7\r\n") != answer.npos);
  CHECK(answer.find("\r\n\r\n00-" + trace + '-') != answer.npos);
  CHECK(answer.find("b7ad6b7169203331") == answer.npos);
  CHECK(answer.ends_with("-01"));
  REQUIRE(c.send("GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: has space\r\ntraceparent: 00-" + std::string(32, '0') +
                 "-b7ad6b7169203331-01\r\n\r\n"));
  answer = c.read_answer();
  const auto fresh = answer.substr(answer.find("\r\n\r\n00-") + 7, 32);
  CHECK(fresh != std::string(32, '0'));
  CHECK(answer.find("\r\nX-Request-Id: " + fresh + "\r\n") != answer.npos);
}

TEST_CASE("what a handler throws becomes a 500 with a correlation id, and its text stays in the log") {
  std::vector<log_line> lines;
  redirect_log([&](const log_line& l) { lines.push_back(l); });
  {
    router r;
    r.add("GET", "/later", [](std::shared_ptr<const request>) -> task<response> {
      throw std::runtime_error("the secret cause");
      co_return response{};
    });
    r.add("GET", "/at-once",
          [](std::shared_ptr<const request>) -> task<response> { throw std::runtime_error("the secret cause"); });
    r.add("GET", "/header", [](std::shared_ptr<const request>) -> task<response> {
      auto out = json_response(200, "{}");
      out.headers.emplace_back("X-Split", "a\r\nSet-Cookie: b");
      co_return out;
    });
    node n(std::move(r));
    auto c = raw::to(n.port);
    for (const std::string path : {"/later", "/at-once", "/header"}) {
      REQUIRE(c.send("GET " + path + " HTTP/1.1\r\nHost: x\r\nX-Request-Id: find-me\r\n\r\n"));
      const auto answer = c.read_answer();
      CHECK(status_of(answer) == "HTTP/1.1 500");
      CHECK(answer.find("secret") == answer.npos);
      CHECK(answer.find("Set-Cookie") == answer.npos);
      CHECK((path == "/header" || answer.find("find-me") != answer.npos));
    }
  }
  redirect_log({});
  REQUIRE(lines.size() == 3);
  for (const auto& l : {lines[0], lines[1]}) {
    CHECK(l.level == severity::error);
    CHECK(render_log(l, "t").find("find-me") != std::string::npos);
    CHECK(render_log(l, "t").find("the secret cause") != std::string::npos);
  }
}

TEST_CASE("more requests than the limit are answered 503 with Retry-After, and those under way are served") {
  auto o = options();
  o.requests_max = 1;
  gate g;
  router r = simple_routes();
  server* web = nullptr;
  r.add("GET", "/slow", [&](std::shared_ptr<const request>) -> task<response> {
    co_await g.pass(*web);
    co_return json_response(200, "done");
  });
  node n(std::move(r), o);
  web = &n.web;
  auto slow = raw::to(n.port);
  REQUIRE(slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
  REQUIRE(g.wait_for(1));
  auto c = raw::to(n.port);
  REQUIRE(c.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
  const auto refused = c.read_answer();
  CHECK(status_of(refused) == "HTTP/1.1 503");
  CHECK(refused.find("\r\nRetry-After: 1\r\n") != refused.npos);
  g.open();
  CHECK(slow.read_answer().ends_with("done"));
  REQUIRE(c.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(status_of(c.read_answer()) == "HTTP/1.1 200");
}

TEST_CASE("a handler that does not answer in time is answered for with 503") {
  redirect_log([](const log_line&) {});
  auto o = options();
  o.answer_timeout_ms = milliseconds{50};
  gate g;
  router r;
  server* web = nullptr;
  r.add("GET", "/stuck", [&](std::shared_ptr<const request>) -> task<response> {
    co_await g.pass(*web);
    co_return json_response(200, "too late");
  });
  {
    node n(std::move(r), o);
    web = &n.web;
    auto c = raw::to(n.port);
    REQUIRE(c.send("GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n"));
    CHECK(status_of(c.read_answer()) == "HTTP/1.1 503");
    g.open();
    CHECK(eventually(n.web, [&] { return n.counters().timeouts == 1; }));
  }
  redirect_log({});
}

TEST_CASE("connections over the limit are closed at once and counted") {
  auto o = options();
  o.connections_max = 1;
  node n(simple_routes(), o);
  auto first = raw::to(n.port);
  REQUIRE(first.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(status_of(first.read_answer()) == "HTTP/1.1 200");
  auto second = raw::to(n.port);
  CHECK(second.read_all() == "");
  CHECK(n.counters().connections_refused == 1);
}

TEST_CASE("a drain closes idle connections and the door, and lets the request under way end") {
  gate g;
  router r = simple_routes();
  server* web = nullptr;
  r.add("GET", "/slow", [&](std::shared_ptr<const request>) -> task<response> {
    co_await g.pass(*web);
    co_return json_response(200, "done");
  });
  node n(std::move(r));
  web = &n.web;
  auto idle = raw::to(n.port);
  REQUIRE(idle.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(status_of(idle.read_answer()) == "HTTP/1.1 200");
  auto slow = raw::to(n.port);
  REQUIRE(slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
  REQUIRE(g.wait_for(1));
  auto drained = std::async(std::launch::async, [&] { n.web.drain(std::chrono::milliseconds(patience)); });
  CHECK(idle.read_all() == ""); // closed while the other is still in its handler
  g.open();
  const auto answer = slow.read_answer();
  CHECK(answer.find("\r\nConnection: close\r\n") != answer.npos);
  CHECK(answer.ends_with("done"));
  slow.close();
  REQUIRE(drained.wait_for(patience) == std::future_status::ready);
  const auto a = loopback_address(n.port);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  CHECK(::connect(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0);
  ::close(fd);
}

TEST_CASE("a drain whose time is over breaks off what is left") {
  gate g;
  router r;
  server* web = nullptr;
  r.add("GET", "/slow", [&](std::shared_ptr<const request>) -> task<response> {
    co_await g.pass(*web);
    co_return json_response(200, "done");
  });
  node n(std::move(r));
  web = &n.web;
  auto slow = raw::to(n.port);
  REQUIRE(slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
  REQUIRE(g.wait_for(1));
  n.web.drain(milliseconds{20});
  auto how = raw::last::data;
  CHECK(slow.read_all(&how) == "");
  CHECK(how == raw::last::reset);
  g.open();
}

TEST_CASE("a unix socket can be opened by its owner only, its stale file is replaced, and it goes with the server") {
  char folder[] = "/tmp/fondaco-gateway-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const auto path = std::string(folder) + "/control.sock";
  const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::strncpy(a.sun_path, path.c_str(), sizeof a.sun_path - 1);
  REQUIRE(::bind(stale, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0);
  ::close(stale);
  {
    auto o = options();
    o.bind = "unix:" + path;
    node n(simple_routes(), o);
    CHECK(n.port == 0);
    struct stat s{};
    REQUIRE(::stat(path.c_str(), &s) == 0);
    CHECK((s.st_mode & 0777) == 0600);
    auto c = raw::to_unix(path);
    REQUIRE(c.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
    CHECK(status_of(c.read_answer()) == "HTTP/1.1 200");
    const auto again = n.web.listen(o, simple_routes());
    REQUIRE(!again);
    CHECK(again.error().detail.find("another process listens there") != std::string::npos);
  }
  CHECK(::access(path.c_str(), F_OK) != 0);
  ::rmdir(folder);
}

TEST_CASE("a listener that cannot be bound says why") {
  node n(simple_routes());
  for (const auto& [bind, why] : std::vector<std::pair<std::string, std::string>>{
           {"127.0.0.1", "ADDRESS:PORT"},
           {"127.0.0.1:99999", "port"},
           {"example.org:80", "address"},
           {"::1:80", "address"},
           {"127.0.0.1:" + std::to_string(n.port), "in use"},
           {"unix:" + std::string(200, 'x'), "107 bytes"},
       }) {
    auto o = options();
    o.bind = bind;
    const auto bound = n.web.listen(o, {});
    REQUIRE(!bound);
    CAPTURE(bound.error().detail);
    CHECK(bound.error().detail.find(why) != std::string::npos);
  }
}

TEST_CASE("a stream of 256 MiB passes with one piece in memory, however slowly it is read") {
  constexpr size_t piece_bytes = 256u << 10;
  constexpr size_t count = 1024;
  for (const bool with_length : {true, false}) {
    const auto from = std::make_shared<pieces>(piece_bytes, count);
    router r;
    r.add("GET", "/big", [from, with_length](std::shared_ptr<const request>) -> task<response> {
      response out;
      out.stream = from;
      if (with_length)
        out.content_length = piece_bytes * count;
      co_return out;
    });
    node n(std::move(r));
    auto c = raw::to(n.port, 64 << 10);
    REQUIRE(c.send("GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    const auto head = c.read_until("\r\n\r\n");
    CHECK((head.find("Transfer-Encoding: chunked") == head.npos) == with_length);
    uint64_t got = 0;
    uint64_t outstanding = 0;
    std::string bytes;
    while (c.read_some(bytes) == raw::last::data) {
      got += bytes.size();
      bytes.clear();
      const auto given = from->given();
      outstanding = std::max(outstanding, given > got ? given - got : 0);
    }
    CHECK(from->given() == piece_bytes * count);
    CHECK(got + (1u << 20) >= piece_bytes * count);
    // What lies in the kernel's two socket buffers, and one piece: not the body.
    CHECK(outstanding < (16u << 20));
  }
}

TEST_CASE("a stream that breaks cannot look whole") {
  struct row {
    const char* version;
    bool with_length;
  };
  for (const auto& [version, with_length] : {row{"1.1", false}, row{"1.1", true}, row{"1.0", false}}) {
    router r;
    r.add("GET", "/broken", [with_length](std::shared_ptr<const request>) -> task<response> {
      response out;
      out.stream = std::make_shared<broken>();
      if (with_length)
        out.content_length = 1000;
      co_return out;
    });
    node n(std::move(r));
    auto c = raw::to(n.port);
    REQUIRE(c.send(std::string("GET /broken HTTP/") + version + "\r\nHost: x\r\n\r\n"));
    auto how = raw::last::data;
    const auto all = c.read_all(&how);
    CHECK(how == raw::last::reset);
    CHECK(all.find("\r\n0\r\n\r\n") == all.npos);
    CHECK(n.counters().answers_broken == 1);
  }
}

TEST_CASE("a stream that is shorter or longer than it said is broken off") {
  for (const size_t said : {500u, 5000u}) {
    router r;
    r.add("GET", "/", [said](std::shared_ptr<const request>) -> task<response> {
      response out;
      out.stream = std::make_shared<pieces>(1000, 1);
      out.content_length = said;
      co_return out;
    });
    node n(std::move(r));
    auto c = raw::to(n.port);
    REQUIRE(c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    auto how = raw::last::data;
    (void)c.read_all(&how);
    CHECK(how == raw::last::reset);
  }
}

TEST_CASE("a reader that stops reading is cut when writes make no progress") {
  auto o = options();
  o.answer_timeout_ms = milliseconds{100};
  const auto source = std::make_shared<pieces>(256u << 10, 1u << 20);
  router r;
  r.add("GET", "/", [source](std::shared_ptr<const request>) -> task<response> {
    response out;
    out.stream = source;
    co_return out;
  });
  node n(std::move(r), o);
  auto c = raw::to(n.port, 4096);
  REQUIRE(c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(eventually(n.web, [&] { return n.counters().timeouts == 1 && n.counters().connections_open == 0; }));
}

#include "gateway/loopback.test.hpp"

using namespace fondaco;
using namespace fondaco::gateway;
using namespace fondaco::gateway::loopback;
using actors::exchange_errc;
using actors::http_call;

namespace {

client_options trusting() {
  client_options o;
  o.allow_http = true;
  o.allow_private_addresses = true;
  return o;
}

struct caller {
  explicit caller(client_options o = trusting()) : http(web, std::move(o)) {}
  server web{2};
  client http;
};

http_call get(std::string url) {
  http_call c;
  c.url = std::move(url);
  return c;
}

http_call post(std::string url, std::string body) {
  http_call c = get(std::move(url));
  c.method = "POST";
  c.body = std::move(body);
  return c;
}

/// Answers every request of a connection with the same text.
peer::script always(std::string answer) {
  return [answer](raw& r, int) {
    while (!r.read_until("\r\n\r\n").empty() && r.send(answer)) {
    }
  };
}

constexpr auto ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Reads a streamed body to its end; the fault's code if it breaks.
task<std::string> read_stream(std::shared_ptr<body_source> from) {
  std::string all;
  for (;;) {
    const auto piece = co_await from->next();
    if (!piece)
      co_return "fault " + piece.error().code;
    if (piece->empty())
      co_return all;
    all += *piece;
  }
}

} // namespace

TEST_CASE("a request goes out as it was given, with its host, length and traceparent, and asks for no compression") {
  std::string seen;
  peer p([&](raw& r, int) {
    seen = r.read_until("\r\n\r\n");
    seen += r.read_exactly(5);
    r.send(ok);
  });
  caller c;
  auto what = post(p.url("/a%20b?q=1#part"), "hello");
  what.headers = {{"X-One", "1"}, {"Content-Length", "99"}, {"Host", "forged"}, {"Connection", "upgrade"}};
  what.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto got = call(c.http, what);
  REQUIRE(got);
  CHECK(got->status == 200);
  CHECK(got->body == "ok");
  CHECK(got->headers == http_headers{{"content-length", "2"}});
  CHECK(seen == "POST /a%20b?q=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(p.port()) +
                    "\r\nX-One: 1\r\ntraceparent: " + what.traceparent + "\r\nContent-Length: 5\r\n\r\nhello");
}

TEST_CASE("connections are kept and used again") {
  peer p(always(ok));
  caller c;
  for (int i = 0; i < 20; ++i)
    REQUIRE(call(c.http, i % 2 == 0 ? get(p.url()) : post(p.url(), "")));
  CHECK(p.connections() == 1);
}

TEST_CASE("every shape of answer that HTTP allows is read") {
  struct row {
    const char* what;
    std::string answer;
    int status;
    std::string body;
  };
  const row rows[] = {
      {"no content type, empty chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, ""},
      {"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n", 200,
       "abc"},
      {"until the end", "HTTP/1.1 200 OK\r\n\r\nall of it", 200, "all of it"},
      {"until the end, HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nall of it", 200, "all of it"},
      {"no reason", "HTTP/1.1 404 \r\nContent-Length: 1\r\n\r\nx", 404, "x"},
      {"204", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
      {"interim answers first", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + std::string(ok),
       200, "ok"},
      {"a peer that fails", "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops", 500, "oops"},
      {"a redirect is the answer", "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 307,
       ""},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    peer p([&](raw& s, int) {
      s.read_until("\r\n\r\n");
      s.send(r.answer);
    });
    caller c;
    const auto got = call(c.http, get(p.url()));
    REQUIRE(got);
    CHECK(got->status == r.status);
    CHECK(got->body == r.body);
    CHECK(p.connections() == 1);
  }
}

TEST_CASE("HEAD ends with the header, whatever length it names") {
  peer p(always("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"));
  caller c;
  auto what = get(p.url());
  what.method = "HEAD";
  REQUIRE(call(c.http, what));
  REQUIRE(call(c.http, what));
  CHECK(p.connections() == 1);
}

TEST_CASE("what is not an answer, or too long for one, is a bad answer") {
  for (const std::string& answer :
       {std::string("hello\r\n\r\n"), std::string("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + std::string(255, 'x') + "\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n" + std::string(200, 'x'), "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x'),
        std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxx")}) {
    peer p([&](raw& s, int) {
      s.read_until("\r\n\r\n");
      s.send(answer);
      s.read_until("never"); // until the client closes
    });
    caller c;
    auto what = get(p.url());
    what.answer_bytes_max = 100;
    const auto got = call(c.http, what);
    CAPTURE(answer.substr(0, 60));
    REQUIRE(!got);
    CHECK(got.error() == exchange_errc::bad_answer);
  }
}

TEST_CASE("a peer that hangs gives no answer by the deadline, wherever it hangs") {
  for (const std::string begun : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"}) {
    peer p([&](raw& s, int) {
      s.read_until("\r\n\r\n");
      s.send(begun);
      s.read_until("never");
    });
    caller c;
    auto what = get(p.url());
    what.timeout_ms = milliseconds{100};
    const auto at = std::chrono::steady_clock::now();
    const auto got = call(c.http, what);
    REQUIRE(!got);
    CHECK(got.error() == exchange_errc::no_answer);
    CHECK(std::chrono::steady_clock::now() - at < 2s);
    CHECK(p.connections() == 1);
  }
}

TEST_CASE("a peer that closes or resets after the request gives no answer, and a fresh connection is not tried again") {
  for (const bool reset : {true, false}) {
    for (const std::string begun : {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"}) {
      peer p([&](raw& s, int) {
        s.read_until("\r\n\r\n");
        s.send(begun);
        if (reset)
          s.reset();
      });
      caller c;
      const auto got = call(c.http, get(p.url()));
      REQUIRE(!got);
      CHECK(got.error() == exchange_errc::no_answer);
      CHECK(p.connections() == 1);
    }
  }
}

TEST_CASE("where nobody listens there is no connection") {
  uint16_t port = 0;
  {
    peer gone([](raw&, int) {});
    port = gone.port();
  }
  caller c;
  const auto got = call(c.http, post("http://127.0.0.1:" + std::to_string(port) + "/", "x"));
  REQUIRE(!got);
  CHECK(got.error() == exchange_errc::not_connected);
  const auto unknown = call(c.http, get("http://no-such-host.invalid/"));
  REQUIRE(!unknown);
  CHECK(unknown.error() == exchange_errc::not_connected);
}

TEST_CASE("a kept connection that the peer closed meanwhile is replaced, for a POST as well: nothing was sent") {
  std::promise<void> closed;
  peer p([&](raw& s, int n) {
    s.read_until("\r\n\r\n");
    s.send(ok);
    if (n == 0) {
      s.close();
      closed.set_value();
    }
  });
  caller c;
  REQUIRE(call(c.http, get(p.url())));
  closed.get_future().wait();
  const auto got = call(c.http, post(p.url(), ""));
  REQUIRE(got);
  CHECK(p.connections() == 2);
}

TEST_CASE("a kept connection that dies under a request is tried again for GET, never for POST") {
  for (const std::string method : {"GET", "POST"}) {
    peer p([&](raw& s, int n) {
      s.read_until("\r\n\r\n");
      s.send(ok);
      if (n == 0)
        s.read_until("\r\n\r\n"); // takes the second request, then closes without a word
    });
    caller c;
    REQUIRE(call(c.http, get(p.url())));
    auto what = get(p.url());
    what.method = method;
    const auto got = call(c.http, what);
    CHECK(got.has_value() == (method == "GET"));
    if (!got)
      CHECK(got.error() == exchange_errc::no_answer);
    CHECK(p.connections() == (method == "GET" ? 2 : 1));
  }
}

TEST_CASE("an answer that comes before the request was taken whole counts") {
  peer p([&](raw& s, int) {
    s.read_until("\r\n\r\n");
    s.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    s.shut_writing();
    s.read_until("never");
  });
  caller c;
  const auto got = call(c.http, post(p.url(), std::string(1 << 20, 'x')));
  REQUIRE(got);
  CHECK(got->status == 413);
}

TEST_CASE("private addresses are refused by name, by literal and inside IPv6, and nobody is called") {
  peer p(always(ok));
  auto o = trusting();
  o.allow_private_addresses = false;
  caller c(o);
  const auto port = ':' + std::to_string(p.port()) + '/';
  for (const std::string host :
       {"localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "2130706433", "127.1", "0x7f.0.0.1",
        "10.0.0.1", "169.254.169.254", "[fe80::1]", "[fd00::1]", "[::]", "224.0.0.1"}) {
    CAPTURE(host);
    const auto got = call(c.http, get("http://" + host + port));
    REQUIRE(!got);
    CHECK(got.error() == exchange_errc::address_refused);
  }
  CHECK(p.connections() == 0);
}

TEST_CASE("what is not an allowed URL or would split the request is refused") {
  peer p(always(ok));
  caller c;
  for (const std::string url :
       {"", "/path", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://user@127.0.0.1/",
        "http://user:pw@127.0.0.1/", "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "http://127.0.0.1:/",
        "http://127.0.0.1/a b", "http://127.0.0.1/a\r\nX: y", "http://ex\\ample/"}) {
    CAPTURE(url);
    const auto got = call(c.http, get(url));
    REQUIRE(!got);
    CHECK(got.error() == exchange_errc::address_refused);
  }
  for (const auto& [name, value] : http_headers{{"X", "a\r\nY: b"}, {"X Y", "a"}, {"", "a"}}) {
    auto what = get(p.url());
    what.headers = {{name, value}};
    const auto got = call(c.http, what);
    REQUIRE(!got);
    CHECK(got.error() == exchange_errc::address_refused);
  }
  auto secure = trusting();
  secure.allow_http = false;
  caller only_https(secure);
  const auto got = call(only_https.http, get(p.url()));
  REQUIRE(!got);
  CHECK(got.error() == exchange_errc::address_refused);
  CHECK(p.connections() == 0);
}

TEST_CASE("more exchanges than the bound are refused, and the place is free again when one ends") {
  std::promise<void> first_is_there;
  peer p([&](raw& s, int n) {
    s.read_until("\r\n\r\n");
    if (n == 0)
      first_is_there.set_value();
    s.read_until("go"); // until the client closes
  });
  auto o = trusting();
  o.exchanges_per_host_max = 1;
  caller c(o);
  auto what = get(p.url());
  what.timeout_ms = milliseconds{300};
  auto first = std::make_shared<std::promise<actors::http_result>>();
  auto result = first->get_future();
  c.http.send(what, [first](actors::http_result r) { first->set_value(std::move(r)); });
  first_is_there.get_future().wait();
  const auto second = call(c.http, what);
  REQUIRE(!second);
  CHECK(second.error() == exchange_errc::overloaded);
  REQUIRE(result.wait_for(patience) == std::future_status::ready);
  CHECK(result.get().error() == exchange_errc::no_answer);
  const auto third = call(c.http, what);
  REQUIRE(!third);
  CHECK(third.error() == exchange_errc::no_answer);
}

TEST_CASE("a client that ends breaks off what is under way, and every caller hears of it") {
  std::promise<void> there;
  peer p([&](raw& s, int) {
    s.read_until("\r\n\r\n");
    there.set_value();
    s.read_until("never");
  });
  server web(2);
  auto done = std::make_shared<std::promise<actors::http_result>>();
  auto result = done->get_future();
  {
    client c(web, trusting());
    c.send(get(p.url()), [done](actors::http_result r) { done->set_value(std::move(r)); });
    there.get_future().wait();
  }
  REQUIRE(result.wait_for(patience) == std::future_status::ready);
  CHECK(result.get().error() == exchange_errc::no_answer);
}

TEST_CASE("a streamed answer is read to its end, and its connection is kept") {
  peer p([](raw& s, int) {
    while (!s.read_until("\r\n\r\n").empty()) {
      s.send("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\nX-A: b\r\n\r\n");
      s.send(std::string(300'000, 'y'));
    }
  });
  caller c;
  for (int i = 0; i < 3; ++i) {
    const auto got = run<std::string>(c.web, [&]() -> task<std::string> {
      auto what = get(p.url());
      auto opened = co_await c.http.open(std::move(what));
      if (!opened || opened->status != 200 || opened->content_length != 300'000u)
        co_return "no";
      co_return co_await read_stream(opened->body);
    });
    CHECK(got == std::string(300'000, 'y'));
  }
  CHECK(p.connections() == 1);
}

TEST_CASE("a streamed answer that breaks, or goes silent, is a fault and never an end") {
  for (const std::string begun : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    for (const bool hangs : {true, false}) {
      peer p([&](raw& s, int) {
        s.read_until("\r\n\r\n");
        s.send(begun);
        if (hangs)
          s.read_until("never");
      });
      caller c;
      const auto got = run<std::string>(c.web, [&]() -> task<std::string> {
        auto what = get(p.url());
        what.timeout_ms = milliseconds{100};
        auto opened = co_await c.http.open(std::move(what));
        if (!opened)
          co_return "no";
        co_return co_await read_stream(opened->body);
      });
      CHECK(got == "fault no_answer");
    }
  }
}

TEST_CASE("dropping a streamed answer closes its connection, so that the peer stops sending") {
  std::promise<bool> stopped;
  peer p([&](raw& s, int) {
    s.read_until("\r\n\r\n");
    s.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(0x10000, 'z') + "\r\n";
    size_t sent = 0;
    while (sent < (1u << 30) && s.send(chunk))
      sent += chunk.size();
    stopped.set_value(sent < (1u << 30));
  });
  caller c;
  const auto status = run<int>(c.web, [&]() -> task<int> {
    auto what = get(p.url());
    auto opened = co_await c.http.open(std::move(what));
    co_return opened ? opened->status : 0;
  });
  CHECK(status == 200);
  auto result = stopped.get_future();
  REQUIRE(result.wait_for(patience) == std::future_status::ready);
  CHECK(result.get());
}

TEST_CASE("an answer passes through a node from a peer to a caller without being held") {
  constexpr size_t piece_bytes = 64u << 10;
  constexpr size_t count = 512;
  const auto source = std::make_shared<pieces>(piece_bytes, count);
  caller c;
  listener_options o;
  o.bind = "127.0.0.1:0";
  o.name = "origin";
  router origin;
  origin.add("GET", "/file", [source](std::shared_ptr<const request>) -> task<response> {
    response out;
    out.stream = source;
    co_return out;
  });
  const auto origin_port = c.web.listen(o, std::move(origin));
  REQUIRE(origin_port);
  router proxy;
  proxy.add("GET", "/pull",
            [&, url = "http://127.0.0.1:" + std::to_string(*origin_port) +
                      "/file"](std::shared_ptr<const request>) -> task<response> {
              auto what = get(url);
              auto opened = co_await c.http.open(std::move(what));
              response out;
              out.status = opened ? opened->status : 502;
              if (opened) {
                out.stream = opened->body;
                out.content_length = opened->content_length;
              }
              co_return out;
            });
  o.name = "proxy";
  const auto proxy_port = c.web.listen(o, std::move(proxy));
  REQUIRE(proxy_port);
  auto reader = raw::to(*proxy_port, 64 << 10);
  REQUIRE(reader.send("GET /pull HTTP/1.0\r\n\r\n"));
  reader.read_until("\r\n\r\n");
  uint64_t got = 0;
  uint64_t outstanding = 0;
  std::string bytes;
  while (reader.read_some(bytes) == raw::last::data) {
    got += bytes.size();
    bytes.clear();
    const auto given = source->given();
    outstanding = std::max(outstanding, given > got ? given - got : 0);
  }
  CHECK(source->given() == piece_bytes * count);
  CHECK(got + (256u << 10) >= piece_bytes * count);
  CHECK(outstanding < (24u << 20));
  c.web.drain(milliseconds{1000});
}

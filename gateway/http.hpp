#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/ports/http_exchange.hpp"
#include "actors/ports/task.hpp"
#include "protocols/base/fault.hpp"

namespace fondaco::gateway {

using actors::http_headers;
using actors::task;

/// A request as a route sees it: read whole, within the listener's limits.
struct request {
  std::string method;
  /// The path as it was sent, percent-encoded, without the query.
  std::string path;
  /// The raw query without '?'; see `query_value`.
  std::string query;
  /// Header names are lower case.
  http_headers headers;
  std::string body;
  /// The listener's name, as `protocol`.
  std::string listener;
  /// The peer's address as text.
  std::string remote;
  /// The W3C traceparent of this request: the caller's, continued, or a fresh one.
  std::string traceparent;
  /// The correlation id: the caller's `X-Request-Id`, or the trace id.
  std::string correlation_id;
  /// The values of the route's `{name}` segments, percent-decoded.
  std::map<std::string, std::string, std::less<>> params;
};

/// A header's value; nothing if it is missing. `name` in lower case.
std::optional<std::string_view> header(const request& r, std::string_view name);

/// True for an address of this machine, as `request::remote` has it; a unix socket's peer has none.
bool is_loopback(std::string_view remote);

/// A query parameter's decoded value; nothing if it is missing.
std::optional<std::string> query_value(const request& r, std::string_view name);

/// A body that is produced while it is sent, so that memory stays bounded.
class body_source {
public:
  virtual ~body_source() = default;
  /// The next bytes (valid until the next call); empty at the end. An error breaks the connection off, so that the
  /// receiver cannot take a part for the whole.
  virtual task<std::expected<std::string_view, fault>> next() = 0;
};

/// What a route answers.
struct response {
  int status = 200;
  http_headers headers;
  std::string body;
  /// If set, the body comes from here; `content_length` then says how long it is, if that is known.
  std::shared_ptr<body_source> stream;
  std::optional<uint64_t> content_length;
};

/// A response with a JSON body.
response json_response(int status, std::string body);

/// What handles a route's requests.
using handler = std::function<task<response>(std::shared_ptr<const request>)>;

/// Routes by method and path; `{name}` matches one segment that is not empty, `{name...}` as the last one matches the
/// rest, which may be empty. The most specific pattern wins (literal, then `{name}`, then `{name...}`), one slash at
/// the end of a path makes no difference, and HEAD takes a GET route if it has none of its own.
class router {
public:
  /// Adds a route; two routes with the same method and shape are a broken invariant.
  void add(std::string method, std::string pattern, handler h);
  /// The handler for a request, with its params filled in; else the status 404 or 405.
  std::expected<handler, int> find(request& r) const;
  /// The methods that the path knows, as an Allow header has them (`GET, HEAD, POST`); empty if it knows none.
  std::string allowed(std::string_view path) const;
  /// Replaces every handler by what `with` makes of it, as to count and time it.
  void wrap(const std::function<handler(handler)>& with);
  /// The patterns, for `serve --plan` and tests, as `POST /a/{b}`.
  std::vector<std::string> patterns() const;

private:
  struct route {
    std::string method;
    std::vector<std::string> segments;
    handler handle;
  };
  std::vector<route> routes_;
};

/// TLS of a listener or a client.
struct tls_options {
  /// PEM files; empty means plain HTTP.
  std::string certificate_file;
  std::string key_file;
};

/// How a listener is bound and bounded.
struct listener_options {
  std::string name;
  /// `127.0.0.1:8080`, or `unix:/path` for a unix socket that only its owner can open. Port 0 takes any free one.
  std::string bind;
  tls_options tls;
  size_t header_bytes_max = 16u << 10;
  size_t body_bytes_max = 1u << 20;
  /// From the connection to the end of the first request's header (TLS handshake included), and from the first byte of
  /// a later request to the end of its header.
  milliseconds header_timeout_ms{10'000};
  /// For the rest of a request's body.
  milliseconds body_timeout_ms{30'000};
  /// For a handler to answer, for each piece of a stream to come, and for each write to make progress.
  milliseconds answer_timeout_ms{30'000};
  /// How long a connection may be idle between requests.
  milliseconds idle_timeout_ms{60'000};
  size_t connections_max = 2048;
  /// Requests that may be in handlers at the same time; more are answered 503 with Retry-After.
  size_t requests_max = 1024;
};

/// Counters of a listener.
struct listener_counters {
  std::string name;
  /// Connections that were accepted, those refused among them.
  uint64_t connections = 0;
  uint64_t connections_open = 0;
  /// Connections that were closed at once because `connections_max` were open.
  uint64_t connections_refused = 0;
  /// Requests whose header was read whole.
  uint64_t requests = 0;
  /// Requests that the listener itself answered with a refusal: malformed, too large, too many, no such route.
  uint64_t requests_refused = 0;
  /// Requests that are in handlers.
  uint64_t requests_open = 0;
  /// Requests that were refused because too many of all, or of their tenant, were in handlers.
  uint64_t requests_full = 0;
  /// Headers, bodies, handlers and writes that missed their deadline.
  uint64_t timeouts = 0;
  /// Answers that were broken off before their end.
  uint64_t answers_broken = 0;
  uint64_t bytes_out = 0;
};

/// The node's HTTP side: listeners and the threads that serve them.
class server : public actors::executor {
public:
  /// A server with so many threads and no listener.
  explicit server(size_t threads);
  ~server() override;
  server(const server&) = delete;

  /// Binds a listener and serves the router's routes; gives the port (0 for a unix socket), or why it cannot.
  std::expected<uint16_t, fault> listen(listener_options options, router routes);

  /// Reads certificates and keys anew, by the listeners' names, for the connections from now on; those that are open
  /// keep what they have. All of them or, on a fault, none: a file cannot be read, a key is another's, or a listener
  /// would have to turn TLS on or off, which it cannot while it is open. Any thread may call.
  std::expected<void, fault> reload_tls(const std::map<std::string, tls_options>& by_listener);

  /// Closes idle connections and the doors, lets requests under way end, at most `within`; then breaks the rest off.
  /// Blocks, so never on one of the server's own threads. The client goes on working until the server is destroyed.
  void drain(milliseconds within);

  /// Runs work on one of the server's threads.
  void post(std::function<void()> work) override;

  /// The counters of all listeners.
  std::vector<listener_counters> counters() const;

  /// The Asio context behind it, for the client that shares its threads (a `boost::asio::io_context*`).
  void* native_context();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// How the client behaves towards other processes.
struct client_options {
  /// Loopback, link-local and private addresses may be called; off unless the operator says so.
  bool allow_private_addresses = false;
  /// Plain http may be called.
  bool allow_http = false;
  /// A PEM file of authorities to trust besides the system's.
  std::string ca_file;
  size_t exchanges_max = 512;
  size_t exchanges_per_host_max = 64;
  milliseconds connect_timeout_ms{5'000};
  milliseconds idle_timeout_ms{20'000};
};

/// An answer whose body is read while it comes.
struct streamed_answer {
  int status = 0;
  http_headers headers;
  std::optional<uint64_t> content_length;
  std::shared_ptr<body_source> body;
};

/// The HTTP client: keep-alive connections, deadlines, private addresses refused unless allowed (checked on every
/// resolved address, and the checked address is the one that is called, so that a name cannot get round it).
/// No redirect is followed, to any host: a 3xx is the answer. No compression is asked for. A URL with user information
/// is refused. `not_connected` means that no byte of the request left; a kept connection that turns out to be dead is
/// replaced once by a fresh one if the method is idempotent or nothing was sent.
class client final : public actors::http_exchange {
public:
  /// A client on the server's threads, which must outlive it. A `ca_file` that cannot be read is logged as an error and
  /// trusts nobody: the peers that need it are then `not_connected`.
  client(server& on, client_options options);
  ~client() override;
  void send(actors::http_call call, std::function<void(actors::http_result)> done) override;
  /// Sends the request and gives the answer once its header is there; each read of the body has the call's timeout as
  /// its deadline, the size limit does not apply.
  task<std::expected<streamed_answer, actors::exchange_errc>> open(actors::http_call call);

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace fondaco::gateway

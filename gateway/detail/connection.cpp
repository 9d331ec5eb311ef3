#include "gateway/detail/connection.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>

#include "actors/ports/log.hpp"
#include "gateway/detail/text.hpp"
#include "gateway/problem.hpp"

namespace fondaco::gateway::detail {

namespace http = boost::beast::http;

namespace {

constexpr size_t header_read_bytes = 4u << 10;
constexpr size_t body_read_bytes = 64u << 10;
/// Room for what framing adds to a header or body (chunk sizes and extensions); more is an attack.
constexpr size_t framing_bytes_max = 64u << 10;
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

std::string chunk_size_line(size_t n) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\r\n";
  for (; n > 0; n >>= 4)
    out.insert(out.begin(), digits[n & 0x0f]);
  return out;
}

} // namespace

template <class T> struct connection::outcome {
  std::optional<T> value;
  std::exception_ptr error;
  bool done = false;
};

connection::connection(std::shared_ptr<listener> at, std::shared_ptr<wire> over, std::string remote)
    : at_(std::move(at)), wire_(std::move(over)), remote_(std::move(remote)), since_(steady_time::now()),
      buffer_(at_->options.header_bytes_max + framing_bytes_max + body_read_bytes), wake_(wire_->executor()) {
  ++at_->connections_open;
  const std::lock_guard lock(at_->home->mutex);
  ++at_->home->guests;
  at_->home->connections.insert(this);
}

connection::~connection() {
  --at_->connections_open;
  const std::lock_guard lock(at_->home->mutex);
  --at_->home->guests;
  at_->home->connections.erase(this);
  at_->home->changed.notify_all();
}

bool connection::draining() const { return at_->home->draining.load(std::memory_order_acquire); }

void connection::close_if_idle() {
  asio::post(wire_->executor(), [weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && self->idle_)
      self->wire_->abort();
  });
}

void connection::abort() {
  asio::post(wire_->executor(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->aborted_ = true;
      self->wire_->reset();
      self->wake_.cancel();
    }
  });
}

asio::awaitable<void> connection::serve(std::shared_ptr<connection> self) {
  try {
    co_await self->serve_requests();
  } catch (const std::exception& e) {
    write_log({severity::error,
               "gateway",
               log_category::application,
               "A connection ended by an unexpected error.",
               {{"listener", self->at_->options.name}, {"error", e.what()}}});
    self->wire_->reset();
  }
}

asio::awaitable<void> connection::serve_requests() {
  error_code ec;
  wire_->deadline(since_ + at_->options.header_timeout_ms);
  idle_ = true;
  if (const auto tls = at_->tls())
    co_await wire_->accept_tls(*tls, ec);
  idle_ = false;
  if (ec) {
    at_->timeouts += wire_->timed_out() ? 1 : 0;
    wire_->close();
    co_return;
  }
  auto step = next_step::go_on;
  for (bool first = true; step == next_step::go_on; first = false)
    step = co_await serve_one(first);
  if (step == next_step::close)
    co_await wire_->close_gently();
  else
    wire_->close();
}

asio::awaitable<connection::next_step> connection::serve_one(bool first) {
  const bool there = co_await wait_for_request(first);
  if (!there)
    co_return next_step::gone;
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(std::min<size_t>(at_->options.header_bytes_max, UINT32_MAX)));
  parser_->body_limit(at_->options.body_bytes_max);
  auto r = std::make_shared<request>();
  auto refused = co_await read_header();
  if (!refused && !gone_) {
    refused = after_header(*r);
    if (!refused)
      refused = co_await read_body();
  }
  if (gone_)
    co_return next_step::gone;
  if (refused) {
    co_await refuse(*refused);
    co_return gone_ ? next_step::gone : next_step::close;
  }
  const auto minor_version = parser_->get().version() % 10;
  const bool keep_alive = parser_->get().keep_alive();
  const bool head_only = r->method == "HEAD";
  r->body = std::move(parser_->get().body());
  parser_.reset();
  const auto correlation_id = r->correlation_id;
  response out = co_await answer(std::move(r));
  if (aborted_)
    co_return next_step::gone;
  std::erase_if(out.headers, [](const auto& h) { return equals_ignoring_case(h.first, "x-request-id"); });
  out.headers.emplace_back("X-Request-Id", correlation_id);
  co_return co_await send(std::move(out), head_only, keep_alive && !draining(), minor_version);
}

/// Waits for the first byte of a request. A connection that never says anything is closed without a word.
asio::awaitable<bool> connection::wait_for_request(bool first) {
  const auto now = steady_time::now();
  if (buffer_.size() > 0) {
    wire_->deadline(now + at_->options.header_timeout_ms);
    co_return true;
  }
  if (draining())
    co_return false;
  if (!first)
    wire_->deadline(now + at_->options.idle_timeout_ms);
  if (buffer_.capacity() > header_read_bytes)
    buffer_.shrink_to_fit(); // a large body's room is not kept by a connection that waits
  idle_ = true;
  const bool there = co_await read_more(header_read_bytes);
  idle_ = false;
  if (there && !first)
    wire_->deadline(steady_time::now() + at_->options.header_timeout_ms);
  else if (!there && first && wire_->timed_out())
    ++at_->timeouts;
  co_return there;
}

/// Reads at most so many bytes behind those in the buffer. False at the end, on an error and at the deadline.
asio::awaitable<bool> connection::read_more(size_t most) {
  const auto room = std::min(most, buffer_.max_size() - buffer_.size());
  const auto into = buffer_.prepare(room);
  error_code ec;
  const auto n = co_await wire_->read_some(into, ec);
  buffer_.commit(n);
  co_return !ec && n > 0;
}

connection::refusal connection::timed_out(std::string_view detail) {
  ++at_->timeouts;
  return {408, detail};
}

std::optional<connection::refusal> connection::read_error(const error_code& ec) const {
  if (!ec || ec == http::error::need_more)
    return std::nullopt;
  if (ec == http::error::header_limit)
    return refusal{431, "The request's header is larger than this listener reads."};
  if (ec == http::error::body_limit)
    return refusal{413, "The request's body is larger than this listener reads."};
  if (ec == http::error::bad_version)
    return refusal{505, "This listener speaks HTTP/1.1 and HTTP/1.0."};
  return refusal{400, "The request is not well-formed HTTP/1.1."};
}

asio::awaitable<std::optional<connection::refusal>> connection::read_header() {
  for (;;) {
    error_code ec;
    buffer_.consume(parser_->put(buffer_.data(), ec));
    if (auto refused = read_error(ec))
      co_return refused;
    if (parser_->is_header_done())
      co_return std::nullopt;
    const bool more = co_await read_more(header_read_bytes);
    if (!more && wire_->timed_out())
      co_return timed_out("The request's header did not come whole in time.");
    gone_ = !more;
    if (gone_)
      co_return std::nullopt;
  }
}

/// Takes over the header before the body is read, so that trailers cannot change it, and refuses what could be read in
/// two ways by two readers.
std::optional<connection::refusal> connection::after_header(request& r) {
  const auto& head = parser_->get();
  ++at_->requests;
  r.method = head.method_string();
  r.listener = at_->options.name;
  r.remote = remote_;
  for (const auto& field : head)
    r.headers.emplace_back(lower(field.name_string()), std::string(field.value()));
  const auto count = [&](std::string_view name) {
    return std::ranges::count_if(r.headers, [&](const auto& h) { return h.first == name; });
  };
  r.traceparent = continued_traceparent(header(r, "traceparent").value_or(""));
  r.correlation_id = correlation_id_of(header(r, "x-request-id"), trace_id_of(r.traceparent));
  if (count("host") > 1 || (head.version() == 11 && count("host") == 0))
    return refusal{400, "A request names its host once."};
  if (const auto coding = header(r, "transfer-encoding")) {
    if (head.version() == 10 || count("transfer-encoding") > 1 || count("content-length") > 0)
      return refusal{400, "A request's body is framed in one way."};
    if (!equals_ignoring_case(*coding, "chunked"))
      return refusal{501, "The only transfer coding that this listener reads is chunked."};
  }
  if (count("content-length") > 1)
    return refusal{400, "A request has one Content-Length."};
  const auto target = split_target({head.target().data(), head.target().size()});
  if (!target)
    return refusal{400, "The request's target is not a path without dot segments, optionally with a query."};
  r.path = target->path;
  r.query = target->query;
  const auto expected = header(r, "expect");
  if (expected && !equals_ignoring_case(*expected, "100-continue"))
    return refusal{417, "The only expectation that this listener meets is 100-continue."};
  return std::nullopt;
}

asio::awaitable<std::optional<connection::refusal>> connection::read_body() {
  parser_->eager(true);
  wire_->deadline(steady_time::now() + at_->options.body_timeout_ms);
  const bool waits = parser_->get().count(http::field::expect) > 0 && parser_->get().version() == 11;
  if (waits && !parser_->is_done() && buffer_.size() == 0) {
    const std::array<std::string_view, 1> parts{continue_line};
    error_code ec;
    co_await wire_->write(parts, until_deadline, ec);
  }
  // Tiny chunks with long extensions must not stretch a small body into an endless one.
  const uint64_t raw_bytes_max = 2 * static_cast<uint64_t>(at_->options.body_bytes_max) + framing_bytes_max;
  uint64_t raw_bytes = 0;
  while (!parser_->is_done()) {
    error_code ec;
    const auto used = buffer_.size() > 0 ? parser_->put(buffer_.data(), ec) : 0;
    buffer_.consume(used);
    raw_bytes += used;
    if (auto refused = read_error(ec))
      co_return refused;
    if (parser_->is_done())
      break;
    if (raw_bytes > raw_bytes_max || buffer_.size() > framing_bytes_max)
      co_return refusal{413, "The request's chunks are larger in their framing than in their content."};
    const bool more = co_await read_more(body_read_bytes);
    if (!more && wire_->timed_out())
      co_return timed_out("The request's body did not come whole in time.");
    gone_ = !more;
    if (gone_)
      co_return std::nullopt;
  }
  co_return std::nullopt;
}

asio::awaitable<response> connection::answer(std::shared_ptr<request> r) {
  auto found = at_->routes.find(*r);
  if (!found) {
    ++at_->requests_refused;
    if (found.error() == 404)
      co_return problem(404, "There is nothing at this path.");
    const bool known = http::string_to_verb(r->method) != http::verb::unknown;
    http_headers allow{{"Allow", at_->routes.allowed(r->path)}};
    co_return problem(known ? 405 : 501, "This path does not take this method.", std::move(allow));
  }
  if (at_->in_handlers.fetch_add(1) >= at_->options.requests_max) {
    --at_->in_handlers;
    ++at_->requests_refused;
    ++at_->requests_full;
    co_return problem(503, "Too many requests are under way on this listener.");
  }
  // A named coroutine, not a lambda: what a handler throws before its first wait ends up in the task as well.
  constexpr auto run = [](handler h, std::shared_ptr<const request> in) -> task<response> {
    auto work = h(std::move(in));
    co_return co_await work;
  };
  auto work = run(std::move(*found), r);
  auto result = std::make_shared<outcome<response>>();
  std::function<void()> ended = [at = at_] { --at->in_handlers; };
  co_await await_task(std::move(work), result, std::move(ended));
  if (!result->done && aborted_)
    co_return problem(503, "The server is going away.");
  if (!result->done) {
    ++at_->timeouts;
    write_log({severity::warning,
               "gateway",
               log_category::application,
               "A handler did not answer in time.",
               {{"listener", at_->options.name},
                {"method", r->method},
                {"path", r->path},
                {"correlation_id", r->correlation_id},
                {"trace_id", std::string(trace_id_of(r->traceparent))}}});
    co_return problem(503, "The answer was not there in time; what was asked may still happen.");
  }
  if (result->error)
    co_return failed(*r, result->error);
  co_return std::move(*result->value);
}

/// Starts the work and waits for it on this strand, at most `answer_timeout_ms`; `ended` runs when the work ends, even
/// if that is later. The work may complete on any thread.
template <class T>
asio::awaitable<void> connection::await_task(task<T> work, std::shared_ptr<outcome<T>> result,
                                             std::function<void()> ended) {
  const auto wake = [self = shared_from_this(), result, ended = std::move(ended)] {
    if (ended)
      ended();
    asio::dispatch(self->wire_->executor(), [self, result] {
      result->done = true;
      self->wake_.cancel();
    });
  };
  std::function<void(T)> done = [wake, result](T value) {
    result->value.emplace(std::move(value));
    wake();
  };
  std::function<void(std::exception_ptr)> thrown = [wake, result](std::exception_ptr error) {
    result->error = std::move(error);
    wake();
  };
  const auto until = steady_time::now() + at_->options.answer_timeout_ms;
  actors::start<T>(std::move(work), std::move(done), std::move(thrown));
  while (!result->done && !aborted_ && steady_time::now() < until) {
    error_code ec;
    wake_.expires_at(until);
    co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  }
}

response connection::failed(const request& r, std::exception_ptr error) {
  log_line line{severity::error,
                "gateway",
                log_category::application,
                "A handler failed.",
                {{"listener", at_->options.name},
                 {"method", r.method},
                 {"path", r.path},
                 {"correlation_id", r.correlation_id},
                 {"trace_id", std::string(trace_id_of(r.traceparent))}}};
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    line.fields.emplace_back("error", e.what());
  } catch (...) {
    line.fields.emplace_back("error", "not a standard exception");
  }
  write_log(std::move(line));
  return problem(500, "The request failed here; its correlation id is " + r.correlation_id + ".");
}

asio::awaitable<void> connection::refuse(refusal why) {
  ++at_->requests_refused;
  auto r = problem(why.status, why.detail);
  (void)co_await send(std::move(r), false, false, 1);
}

asio::awaitable<bool> connection::write(std::string_view a, std::string_view b, std::string_view c) {
  const std::array<std::string_view, 3> parts{a, b, c};
  const auto before = wire_->bytes_out();
  error_code ec;
  co_await wire_->write(parts, at_->options.answer_timeout_ms, ec);
  at_->bytes_out += wire_->bytes_out() - before;
  if (ec) {
    at_->timeouts += wire_->timed_out() ? 1 : 0;
    ++at_->answers_broken;
    gone_ = true;
    wire_->reset();
  }
  co_return !ec;
}

asio::awaitable<connection::next_step> connection::send(response r, bool head_only, bool keep_alive,
                                                        unsigned minor_version) {
  response_shape shape{framing::length, r.body.size(), keep_alive, minor_version};
  if (r.status == 204 || r.status == 304)
    shape.frame = framing::none;
  else if (r.stream && r.content_length)
    shape.length = *r.content_length;
  else if (r.stream)
    shape.frame = minor_version == 0 ? framing::until_close : framing::chunked;
  else if (head_only && r.content_length)
    shape.length = *r.content_length;
  shape.keep_alive = keep_alive && shape.frame != framing::until_close;
  auto head = response_head(r, shape);
  if (!head) {
    write_log({severity::error,
               "gateway",
               log_category::application,
               "A route answered with a status or a header that HTTP does not allow.",
               {{"listener", at_->options.name}, {"status", std::to_string(r.status)}}});
    r = problem(500, "The request failed here.");
    shape = {framing::length, r.body.size(), keep_alive, minor_version};
    head = response_head(r, shape);
  }
  const bool has_body = !head_only && shape.frame != framing::none;
  const auto body = has_body && !r.stream ? std::string_view(r.body) : std::string_view{};
  bool sent = co_await write(*head, body);
  if (sent && has_body && r.stream)
    sent = co_await send_stream(r.stream, shape);
  if (!sent)
    co_return next_step::gone;
  co_return shape.keep_alive ? next_step::go_on : next_step::close;
}

/// Sends piece by piece: the next one is asked for when the last has left, so one piece is in memory at a time.
asio::awaitable<bool> connection::send_stream(std::shared_ptr<body_source> from, response_shape shape) {
  using piece = std::expected<std::string_view, fault>;
  uint64_t left = shape.length;
  for (;;) {
    auto result = std::make_shared<outcome<piece>>();
    auto work = from->next();
    // A piece that is late may still be on its way when this connection has given up: its source stays until then.
    std::function<void()> ended = [from] {};
    co_await await_task(std::move(work), result, std::move(ended));
    const bool there = result->done && !result->error && *result->value;
    const auto bytes = there ? **result->value : std::string_view{};
    const bool counted = shape.frame == framing::length;
    if (!there || (counted && (bytes.size() > left || (bytes.empty() && left > 0)))) {
      at_->timeouts += result->done || aborted_ ? 0 : 1;
      ++at_->answers_broken;
      wire_->reset();
      co_return false;
    }
    bool sent = true;
    if (bytes.empty()) {
      if (shape.frame == framing::chunked)
        sent = co_await write("0\r\n\r\n");
      co_return sent;
    }
    if (shape.frame == framing::chunked) {
      const auto line = chunk_size_line(bytes.size());
      sent = co_await write(line, bytes, "\r\n");
    } else {
      sent = co_await write(bytes);
    }
    if (!sent)
      co_return false;
    left -= counted ? bytes.size() : 0;
  }
}

} // namespace fondaco::gateway::detail

#include "gateway/detail/exchange.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>

#include "gateway/detail/head.hpp"
#include "gateway/detail/text.hpp"

namespace fondaco::gateway::detail {

namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr uint32_t answer_header_bytes_max = 64u << 10;
constexpr size_t read_bytes = 64u << 10;
/// Room for a header, or for the framing of chunks, beside what one read brings.
constexpr size_t buffer_bytes_max = answer_header_bytes_max + read_bytes;
/// Interim answers (1xx) before the one that counts; more is a peer that plays for time.
constexpr int interim_answers_max = 8;
constexpr size_t addresses_max = 8;

bool is_idempotent(std::string_view method) {
  constexpr std::array<std::string_view, 6> safe_to_repeat{"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"};
  return std::ranges::find(safe_to_repeat, method) != safe_to_repeat.end();
}

struct resolution {
  explicit resolution(asio::any_io_executor on) : resolver(on), wake(on) {}
  tcp::resolver resolver;
  asio::steady_timer wake;
  tcp::resolver::results_type found;
  bool done = false;
};

} // namespace

exchange::exchange(client_state::lease place, std::shared_ptr<client_state> state, std::shared_ptr<wire> kept,
                   url_target to, actors::http_call call)
    : place_(std::move(place)), state_(std::move(state)), wire_(std::move(kept)), to_(std::move(to)),
      call_(std::move(call)),
      executor_(wire_ ? wire_->executor() : asio::any_io_executor(asio::make_strand(state_->io))),
      deadline_(steady_time::now() + call_.timeout_ms), buffer_(buffer_bytes_max) {}

exchange_errc exchange::silent() const { return sent_ ? exchange_errc::no_answer : exchange_errc::not_connected; }

asio::awaitable<std::expected<void, exchange_errc>> exchange::begin(std::optional<uint64_t> body_bytes_max) {
  const auto head = request_head(call_, to_.authority(), to_.target);
  if (!head)
    co_return std::unexpected(exchange_errc::address_refused);
  if (wire_) {
    wire_->cancel(); // the pool's watch over it
    if (!place_.hold(wire_) || wire_->is_stale())
      wire_->close();
    else {
      wire_->forget_sent();
      wire_->deadline(deadline_);
      auto answered = co_await attempt(*head, body_bytes_max);
      const bool again = !answered && !answer_begun_ && !wire_->timed_out() && (!sent_ || is_idempotent(call_.method));
      if (!again)
        co_return answered;
      wire_->close();
    }
  }
  auto connected = co_await connect();
  if (!connected)
    co_return sent_ ? std::unexpected(exchange_errc::no_answer) : connected;
  auto answered = co_await attempt(*head, body_bytes_max);
  co_return answered;
}

/// The resolver cannot be interrupted, so its answer and the deadline race.
asio::awaitable<std::expected<exchange::endpoints, exchange_errc>> exchange::resolve(steady_time::time_point by) {
  auto race = std::make_shared<resolution>(executor_);
  race->resolver.async_resolve(to_.host, std::to_string(to_.port), tcp::resolver::numeric_service,
                               [race](error_code, tcp::resolver::results_type found) {
                                 race->found = std::move(found);
                                 race->done = true;
                                 race->wake.cancel();
                               });
  while (!race->done && steady_time::now() < by) {
    error_code ec;
    race->wake.expires_at(by);
    co_await race->wake.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  }
  endpoints out;
  if (race->done) {
    for (const auto& entry : race->found) {
      if (!state_->options.allow_private_addresses && !is_public(entry.endpoint().address()))
        co_return std::unexpected(exchange_errc::address_refused);
      if (out.size() < addresses_max)
        out.emplace_back(entry.endpoint());
    }
  }
  if (out.empty())
    co_return std::unexpected(exchange_errc::not_connected);
  co_return out;
}

asio::awaitable<std::expected<void, exchange_errc>> exchange::connect() {
  const auto by = std::min(deadline_, steady_time::now() + state_->options.connect_timeout_ms);
  const auto found = co_await resolve(by);
  if (!found)
    co_return std::unexpected(found.error());
  buffer_.clear();
  for (size_t i = 0; i < found->size(); ++i) {
    wire_ = std::make_shared<wire>(executor_);
    if (!place_.hold(wire_))
      break;
    error_code ec;
    // A silent address must not eat the time of those after it.
    const auto now = steady_time::now();
    wire_->deadline(now + (by - now) / static_cast<int>(found->size() - i));
    co_await wire_->connect((*found)[i], ec);
    if (!ec && to_.tls)
      co_await wire_->connect_tls(state_->tls, to_.host, ec);
    if (!ec) {
      wire_->deadline(deadline_);
      co_return std::expected<void, exchange_errc>{};
    }
    wire_->close();
  }
  co_return std::unexpected(exchange_errc::not_connected);
}

asio::awaitable<std::expected<void, exchange_errc>> exchange::attempt(std::string_view head,
                                                                      std::optional<uint64_t> bytes_max) {
  const std::array<std::string_view, 2> parts{head, call_.body};
  error_code ec;
  co_await wire_->write(parts, until_deadline, ec);
  sent_ = sent_ || wire_->sent_anything();
  if (ec && !wire_->sent_anything())
    co_return std::unexpected(silent());
  // A peer may answer and close before it has read the whole request (413, say): its answer counts.
  auto answered = co_await read_header(bytes_max);
  co_return answered;
}

asio::awaitable<void> exchange::read_more(error_code& ec) {
  const auto into = buffer_.prepare(std::min(read_bytes, buffer_.max_size() - buffer_.size()));
  const auto held = wire_; // finish() may give the connection up while the read is under way
  const auto n = co_await held->read_some(into, ec);
  buffer_.commit(n);
}

asio::awaitable<std::expected<void, exchange_errc>> exchange::read_header(std::optional<uint64_t> body_bytes_max) {
  for (int interim = 0; interim <= interim_answers_max; ++interim) {
    parser_.emplace();
    parser_->header_limit(answer_header_bytes_max);
    if (body_bytes_max)
      parser_->body_limit(*body_bytes_max);
    else
      parser_->body_limit(boost::none);
    parser_->skip(call_.method == "HEAD");
    while (!parser_->is_header_done()) {
      error_code ec;
      if (buffer_.size() > 0)
        buffer_.consume(parser_->put(buffer_.data(), ec));
      if (ec && ec != http::error::need_more)
        co_return std::unexpected(exchange_errc::bad_answer);
      if (parser_->is_header_done())
        break;
      ec = {};
      co_await read_more(ec);
      answer_begun_ = answer_begun_ || buffer_.size() > 0;
      if (ec)
        co_return std::unexpected(silent());
    }
    const auto& answer = parser_->get();
    const auto coding = answer[http::field::transfer_encoding];
    if (answer.result_int() == 101 || (!coding.empty() && !equals_ignoring_case(coding, "chunked")))
      co_return std::unexpected(exchange_errc::bad_answer);
    if (answer.result_int() / 100 != 1) {
      parser_->eager(true);
      co_return std::expected<void, exchange_errc>{};
    }
  }
  co_return std::unexpected(exchange_errc::bad_answer);
}

int exchange::status() const { return static_cast<int>(parser_->get().result_int()); }

actors::http_headers exchange::headers() const {
  actors::http_headers out;
  for (const auto& field : parser_->get())
    out.emplace_back(lower(field.name_string()), std::string(field.value()));
  return out;
}

std::optional<uint64_t> exchange::content_length() const {
  const auto n = parser_->content_length();
  return n ? std::optional<uint64_t>(*n) : std::nullopt;
}

asio::awaitable<std::expected<size_t, exchange_errc>> exchange::read_body(std::span<char> into) {
  auto& body = parser_->get().body();
  body.data = into.data();
  body.size = into.size();
  body.more = true;
  for (;;) {
    error_code ec;
    if (buffer_.size() > 0 && !parser_->is_done())
      buffer_.consume(parser_->put(buffer_.data(), ec));
    if (ec && ec != http::error::need_more && ec != http::error::need_buffer)
      co_return std::unexpected(exchange_errc::bad_answer);
    if (parser_->is_done() || body.size < into.size())
      co_return into.size() - body.size;
    if (buffer_.size() >= answer_header_bytes_max)
      co_return std::unexpected(exchange_errc::bad_answer);
    ec = {};
    co_await read_more(ec);
    if (ec == asio::error::eof) {
      error_code cut;
      parser_->put_eof(cut);
      if (cut)
        co_return std::unexpected(exchange_errc::no_answer);
    } else if (ec) {
      co_return std::unexpected(exchange_errc::no_answer);
    }
  }
}

void exchange::finish() {
  if (std::exchange(finished_, true))
    return;
  // A connection is fit for the next exchange if nothing of this answer, and nothing unasked, is left in it.
  const bool fit = wire_ && parser_ && parser_->is_done() && parser_->keep_alive() && buffer_.size() == 0;
  auto used = std::exchange(wire_, nullptr);
  place_.release();
  if (used && fit)
    state_->keep(to_.key(), std::move(used));
  else if (used)
    used->close();
}

} // namespace fondaco::gateway::detail

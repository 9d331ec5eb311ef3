#include "gateway/detail/wire.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace fondaco::gateway::detail {

namespace {

/// Parts that together are no longer than this are copied into one write: fewer packets and TLS records.
constexpr size_t joined_bytes_max = 16u << 10;
/// How much is taken in after our last answer, and for how long, before the connection is closed.
constexpr size_t lingering_bytes_max = 256u << 10;
constexpr std::chrono::milliseconds lingering_time_ms{1'000};
/// How often an operation that outlives its deadline is cancelled again (TLS may begin a new one just after).
constexpr std::chrono::milliseconds cancel_again_ms{20};
constexpr size_t parts_max = 4;

struct gather {
  using value_type = asio::const_buffer;
  using const_iterator = const asio::const_buffer*;
  std::array<asio::const_buffer, parts_max> buffers;
  size_t count = 0;
  const_iterator begin() const { return buffers.data(); }
  const_iterator end() const { return buffers.data() + count; }
};

} // namespace

struct wire::tls_stream {
  tls_stream(socket& below, asio::ssl::context& context) : stream(below, context) {}
  asio::ssl::stream<socket&> stream;
};

/// Marks an operation as pending, and turns a cancellation by the deadline into `timed_out`.
class wire::in_flight {
public:
  in_flight(wire& w, error_code& ec) : wire_(w), ec_(ec) {
    ec_ = {};
    if (w.aborted_)
      ec_ = asio::error::operation_aborted;
    else if (w.timed_out_)
      ec_ = asio::error::timed_out;
    ++wire_.in_flight_;
  }
  ~in_flight() {
    --wire_.in_flight_;
    if (ec_ && wire_.timed_out_)
      ec_ = asio::error::timed_out;
  }
  in_flight(const in_flight&) = delete;
  bool refused() const { return static_cast<bool>(ec_); }

private:
  wire& wire_;
  error_code& ec_;
};

wire::wire(socket connected) : socket_(std::move(connected)), timer_(socket_.get_executor()) {
  // Fails on a unix socket, which needs none.
  const int on = 1;
  (void)::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

wire::wire(asio::any_io_executor on) : socket_(on), timer_(on) {}

wire::~wire() = default;

asio::any_io_executor wire::executor() { return socket_.get_executor(); }

void wire::deadline(steady_time::time_point at) {
  timed_out_ = false;
  deadline_ = at;
  // An earlier alarm looks at the deadline again when it rings: moving it on costs nothing.
  if (at != steady_time::time_point::max() && (!armed_ || at < armed_at_))
    arm(at);
}

void wire::arm(steady_time::time_point at) {
  armed_ = true;
  armed_at_ = at;
  timer_.expires_at(at);
  timer_.async_wait([weak = weak_from_this(), mine = ++arm_count_](error_code) {
    if (const auto self = weak.lock(); self && self->arm_count_ == mine)
      self->on_timer();
  });
}

void wire::on_timer() {
  armed_ = false;
  if (deadline_ == steady_time::time_point::max())
    return;
  const auto now = steady_time::now();
  if (now < deadline_) {
    arm(deadline_);
    return;
  }
  timed_out_ = true;
  if (in_flight_ > 0) {
    cancel();
    arm(now + cancel_again_ms);
  }
}

asio::awaitable<void> wire::connect(asio::generic::stream_protocol::endpoint to, error_code& ec) {
  const in_flight pending(*this, ec);
  if (pending.refused())
    co_return;
  socket_.close(ec);
  const auto protocol = to.protocol();
  if (socket_.open(protocol, ec); ec)
    co_return;
  const int on = 1;
  (void)::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  co_await socket_.async_connect(to, asio::redirect_error(asio::use_awaitable, ec));
}

asio::awaitable<void> wire::accept_tls(asio::ssl::context& context, error_code& ec) {
  const in_flight pending(*this, ec);
  if (pending.refused())
    co_return;
  tls_ = std::make_unique<tls_stream>(socket_, context);
  co_await tls_->stream.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, ec));
}

asio::awaitable<void> wire::connect_tls(asio::ssl::context& context, std::string host, error_code& ec) {
  const in_flight pending(*this, ec);
  if (pending.refused())
    co_return;
  tls_ = std::make_unique<tls_stream>(socket_, context);
  error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  if (not_an_address && SSL_set_tlsext_host_name(tls_->stream.native_handle(), host.c_str()) != 1) {
    ec = asio::error::invalid_argument;
    co_return;
  }
  if (tls_->stream.set_verify_mode(asio::ssl::verify_peer, ec); ec)
    co_return;
  if (tls_->stream.set_verify_callback(asio::ssl::host_name_verification(host), ec); ec)
    co_return;
  co_await tls_->stream.async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, ec));
}

asio::awaitable<size_t> wire::read_some(asio::mutable_buffer into, error_code& ec) {
  const in_flight pending(*this, ec);
  if (pending.refused())
    co_return 0;
  size_t n = 0;
  if (tls_)
    n = co_await tls_->stream.async_read_some(into, asio::redirect_error(asio::use_awaitable, ec));
  else
    n = co_await socket_.async_read_some(into, asio::redirect_error(asio::use_awaitable, ec));
  co_return n;
}

asio::awaitable<size_t> wire::write_some(std::span<asio::const_buffer> buffers, error_code& ec) {
  const in_flight pending(*this, ec);
  if (pending.refused())
    co_return 0;
  size_t n = 0;
  if (tls_) {
    // What TLS hands down cannot be told apart once it fails, so the doubt is taken as sent.
    sent_anything_ = true;
    const auto first = buffers.front();
    n = co_await tls_->stream.async_write_some(first, asio::redirect_error(asio::use_awaitable, ec));
  } else {
    gather all;
    all.count = buffers.size();
    std::ranges::copy(buffers, all.buffers.begin());
    n = co_await socket_.async_write_some(all, asio::redirect_error(asio::use_awaitable, ec));
    sent_anything_ = sent_anything_ || n > 0;
  }
  bytes_out_ += n;
  co_return n;
}

asio::awaitable<void> wire::write(std::span<const std::string_view> parts, std::chrono::milliseconds progress,
                                  error_code& ec) {
  std::array<asio::const_buffer, parts_max> buffers;
  std::string joined;
  size_t count = 0;
  size_t total = 0;
  for (const auto part : parts)
    total += part.size();
  if (total <= joined_bytes_max && parts.size() > 1) {
    joined.reserve(total);
    for (const auto part : parts)
      joined += part;
    buffers[count++] = asio::buffer(joined);
  } else {
    for (const auto part : parts)
      if (!part.empty() && count < parts_max)
        buffers[count++] = asio::buffer(part);
  }
  size_t first = 0;
  ec = {};
  while (first < count) {
    if (buffers[first].size() == 0) {
      ++first;
      continue;
    }
    if (progress.count() > 0)
      deadline(steady_time::now() + progress);
    const auto rest = std::span(buffers).subspan(first, count - first);
    size_t n = co_await write_some(rest, ec);
    if (ec)
      co_return;
    for (; first < count && n >= buffers[first].size(); ++first)
      n -= buffers[first].size();
    if (n > 0)
      buffers[first] += n;
  }
}

asio::awaitable<void> wire::wait_readable(error_code& ec) {
  const in_flight pending(*this, ec);
  if (!pending.refused())
    co_await socket_.async_wait(socket::wait_read, asio::redirect_error(asio::use_awaitable, ec));
}

bool wire::is_stale() {
  char byte = 0;
  const auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void wire::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void wire::abort() {
  aborted_ = true;
  error_code ignored;
  socket_.close(ignored);
}

void wire::reset() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  abort();
}

void wire::close() { abort(); }

asio::awaitable<void> wire::close_gently() {
  error_code ec;
  deadline(steady_time::now() + lingering_time_ms);
  if (tls_) {
    const in_flight pending(*this, ec);
    // close_notify goes out first; waiting for the peer's own is cut short by the deadline.
    if (!pending.refused())
      co_await tls_->stream.async_shutdown(asio::redirect_error(asio::use_awaitable, ec));
  }
  socket_.shutdown(asio::socket_base::shutdown_send, ec);
  std::array<char, 4096> sink{};
  for (size_t taken = 0; !ec && taken < lingering_bytes_max;) {
    const in_flight pending(*this, ec);
    if (pending.refused())
      break;
    const auto into = asio::buffer(sink);
    taken += co_await socket_.async_read_some(into, asio::redirect_error(asio::use_awaitable, ec));
  }
  close();
}

} // namespace fondaco::gateway::detail

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace fondaco::gateway::detail {

namespace asio = boost::asio;
using boost::system::error_code;
using steady_time = std::chrono::steady_clock;

/// For a write that has no time of its own: the deadline that is set holds.
inline constexpr std::chrono::milliseconds until_deadline{0};

/// A connection's bytes, over TCP or a unix socket, plain or under TLS, with one deadline at a time. One reader and one
/// writer, all on its executor (a strand); only `executor()` may be used from elsewhere.
class wire : public std::enable_shared_from_this<wire> {
public:
  using socket = asio::generic::stream_protocol::socket;

  explicit wire(socket connected);
  explicit wire(asio::any_io_executor on);
  ~wire();
  wire(const wire&) = delete;

  asio::any_io_executor executor();

  /// The moment at which a pending or later operation fails with `timed_out`; `time_point::max()` for never.
  /// Forgets an earlier time-out.
  void deadline(steady_time::time_point at);
  bool timed_out() const noexcept { return timed_out_; }

  asio::awaitable<void> connect(asio::generic::stream_protocol::endpoint to, error_code& ec);
  /// The server's side of a TLS handshake; from here on all bytes are under TLS.
  asio::awaitable<void> accept_tls(asio::ssl::context& context, error_code& ec);
  /// The client's side: the peer's certificate must be valid for `host`, a name (sent as SNI) or an address.
  asio::awaitable<void> connect_tls(asio::ssl::context& context, std::string host, error_code& ec);

  asio::awaitable<size_t> read_some(asio::mutable_buffer into, error_code& ec);
  /// Writes all parts in order. With `progress` above zero each write has that long, else the deadline that is set
  /// holds.
  asio::awaitable<void> write(std::span<const std::string_view> parts, std::chrono::milliseconds progress,
                              error_code& ec);
  /// Waits until there is something to read, or the end.
  asio::awaitable<void> wait_readable(error_code& ec);

  /// True if the peer closed or sent something unasked while the connection was idle.
  bool is_stale();
  /// True once bytes of ours may have left.
  bool sent_anything() const noexcept { return sent_anything_; }
  void forget_sent() noexcept { sent_anything_ = false; }
  uint64_t bytes_out() const noexcept { return bytes_out_; }

  /// Ends what is pending; the connection stays usable.
  void cancel();
  /// Ends what is pending and fails all that follows.
  void abort();
  /// Closes so that the peer cannot take a part for the whole: a TCP reset, no TLS close.
  void reset();
  void close();
  /// Says good-bye, then takes in what the peer still sends (bounded in bytes and time), so that our last answer is not
  /// lost to a reset.
  asio::awaitable<void> close_gently();

private:
  struct tls_stream;
  class in_flight;

  void arm(steady_time::time_point at);
  void on_timer();
  asio::awaitable<size_t> write_some(std::span<asio::const_buffer> buffers, error_code& ec);

  socket socket_;
  std::unique_ptr<tls_stream> tls_;
  asio::steady_timer timer_;
  steady_time::time_point deadline_ = steady_time::time_point::max();
  steady_time::time_point armed_at_ = steady_time::time_point::max();
  uint64_t arm_count_ = 0;
  int in_flight_ = 0;
  bool armed_ = false;
  bool timed_out_ = false;
  bool aborted_ = false;
  bool sent_anything_ = false;
  uint64_t bytes_out_ = 0;
};

} // namespace fondaco::gateway::detail

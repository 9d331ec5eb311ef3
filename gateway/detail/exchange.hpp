#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "gateway/detail/address.hpp"
#include "gateway/detail/client_state.hpp"

namespace fondaco::gateway::detail {

using actors::exchange_errc;

/// One request to a peer and its answer, on one strand: the kept connection's or its own.
class exchange {
public:
  /// `kept` is a connection of the pool, if there was one. The deadline is that of the whole, up to the answer's header
  /// at least.
  exchange(client_state::lease place, std::shared_ptr<client_state> state, std::shared_ptr<wire> kept, url_target to,
           actors::http_call call);

  asio::any_io_executor executor() const { return executor_; }
  const actors::http_call& call() const noexcept { return call_; }

  /// Sends the request and reads the answer's header; the body may have at most `body_bytes_max` bytes.
  asio::awaitable<std::expected<void, exchange_errc>> begin(std::optional<uint64_t> body_bytes_max);
  int status() const;
  actors::http_headers headers() const;
  std::optional<uint64_t> content_length() const;
  /// The next bytes of the body, 0 at its end.
  asio::awaitable<std::expected<size_t, exchange_errc>> read_body(std::span<char> into);
  /// From now on a read must be done by then.
  void deadline(steady_time::time_point at) { wire_->deadline(at); }
  /// Gives the connection back if the answer was read whole, else closes it; gives up the place. On the strand.
  void finish();

private:
  using parser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;
  using endpoints = std::vector<asio::generic::stream_protocol::endpoint>;

  asio::awaitable<std::expected<endpoints, exchange_errc>> resolve(steady_time::time_point by);
  asio::awaitable<std::expected<void, exchange_errc>> connect();
  asio::awaitable<std::expected<void, exchange_errc>> attempt(std::string_view head, std::optional<uint64_t> bytes_max);
  asio::awaitable<std::expected<void, exchange_errc>> read_header(std::optional<uint64_t> body_bytes_max);
  asio::awaitable<void> read_more(error_code& ec);
  exchange_errc silent() const;

  client_state::lease place_;
  std::shared_ptr<client_state> state_;
  std::shared_ptr<wire> wire_;
  url_target to_;
  actors::http_call call_;
  asio::any_io_executor executor_;
  steady_time::time_point deadline_;
  boost::beast::flat_buffer buffer_;
  std::optional<parser> parser_;
  bool sent_ = false;
  bool answer_begun_ = false;
  bool finished_ = false;
};

} // namespace fondaco::gateway::detail

#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>

#include "gateway/http.hpp"

namespace fondaco::gateway::detail {

using acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

/// Where a listener is bound; removes a unix socket's file when it goes, if the file is still its own.
class binding {
public:
  /// Binds and listens as `bind` says (see `listener_options::bind`), or says why it cannot.
  static std::expected<binding, fault> open(boost::asio::any_io_executor on, std::string_view bind);
  binding(binding&& other) noexcept;
  binding& operator=(binding&&) = delete;
  ~binding();

  acceptor& door() noexcept { return door_; }
  /// The TCP port, 0 for a unix socket.
  uint16_t port() const;

private:
  explicit binding(acceptor door) : door_(std::move(door)) {}
  static std::expected<binding, fault> open_unix(boost::asio::any_io_executor on, const std::string& path);
  static std::expected<binding, fault> open_tcp(boost::asio::any_io_executor on, std::string_view bind);

  acceptor door_;
  std::string file_;
  uint64_t device_ = 0;
  uint64_t inode_ = 0;
};

/// The peer's address of an accepted socket as text; `unix` for a unix socket.
std::string remote_of(const boost::asio::generic::stream_protocol::endpoint& peer);

/// A server's TLS context: TLS 1.2 and up, the certificate chain and key from PEM files; or why not.
std::expected<boost::asio::ssl::context, fault> server_context(const tls_options& options);

} // namespace fondaco::gateway::detail

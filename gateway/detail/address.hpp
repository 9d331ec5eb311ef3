#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

namespace fondaco::gateway::detail {

/// True for an address that any host on the internet may have: not loopback, link-local, private, shared, multicast,
/// reserved or unspecified (IANA special-purpose registries), and the same for an IPv4 address inside an IPv6 one.
bool is_public(const boost::asio::ip::address& a);

/// Where a URL points.
struct url_target {
  bool tls = true;
  /// Lower case; an IPv6 address without its brackets.
  std::string host;
  uint16_t port = 0;
  /// Path and query as they go on the request line.
  std::string target;

  /// The Host field: the port is left out where it is the scheme's own.
  std::string authority() const;
  /// What connections are kept by: scheme, host and port.
  std::string key() const;
};

/// The parts of an absolute http or https URL; nothing for another scheme, user information, an empty host, a port that
/// is none, or a character that a URL does not have (spaces, controls, backslashes, non-ASCII). A fragment is left out.
std::optional<url_target> parse_url(std::string_view url);

} // namespace fondaco::gateway::detail

#include "gateway/detail/binding.hpp"

#include <array>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace fondaco::gateway::detail {

namespace asio = boost::asio;
using asio::generic::stream_protocol;
using boost::system::error_code;

namespace {

constexpr int accept_backlog = 1024;
constexpr std::string_view unix_prefix = "unix:";

std::unexpected<fault> refused(std::string_view bind, const std::string& why) {
  return std::unexpected(fault{"bind_refused", "Cannot listen on " + std::string(bind) + ": " + why, cure::fix_input});
}

/// Removes the file of a listener that is gone. A socket that still answers, or a file that is no socket, stays.
std::expected<void, fault> remove_stale(const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0)
    return {};
  if (!S_ISSOCK(found.st_mode))
    return refused(path, "the file exists and is not a socket.");
  asio::io_context probe_context;
  asio::local::stream_protocol::socket probe(probe_context);
  error_code ec;
  probe.connect(asio::local::stream_protocol::endpoint(path), ec);
  if (!ec)
    return refused(path, "another process listens there.");
  if (::unlink(path.c_str()) != 0)
    return refused(path, std::string("the stale socket file cannot be removed: ") + std::strerror(errno) + '.');
  return {};
}

} // namespace

binding::binding(binding&& other) noexcept
    : door_(std::move(other.door_)), file_(std::exchange(other.file_, {})), device_(other.device_),
      inode_(other.inode_) {}

binding::~binding() {
  struct stat found{};
  if (!file_.empty() && ::lstat(file_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_)
    ::unlink(file_.c_str());
}

uint16_t binding::port() const {
  error_code ec;
  const auto local = door_.local_endpoint(ec);
  if (ec || (local.protocol().family() != AF_INET && local.protocol().family() != AF_INET6))
    return 0;
  // sin_port and sin6_port lie at the same place.
  sockaddr_in in{};
  std::memcpy(&in, local.data(), sizeof in);
  return ntohs(in.sin_port);
}

std::expected<binding, fault> binding::open(asio::any_io_executor on, std::string_view bind) {
  if (bind.starts_with(unix_prefix))
    return open_unix(on, std::string(bind.substr(unix_prefix.size())));
  return open_tcp(on, bind);
}

std::expected<binding, fault> binding::open_unix(asio::any_io_executor on, const std::string& path) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path))
    return refused(path, "a unix socket's path has 1 to 107 bytes.");
  if (auto gone = remove_stale(path); !gone)
    return std::unexpected(gone.error());
  const stream_protocol::endpoint at{asio::local::stream_protocol::endpoint(path)};
  acceptor door(on);
  error_code ec;
  if (door.open(at.protocol(), ec) || door.bind(at, ec))
    return refused(path, ec.message() + '.');
  binding out(std::move(door));
  struct stat made{};
  // Nobody can connect before listen(), so there is no moment at which others could.
  if (::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0 || ::lstat(path.c_str(), &made) != 0)
    return refused(path, std::string("its mode cannot be set: ") + std::strerror(errno) + '.');
  out.file_ = path;
  out.device_ = made.st_dev;
  out.inode_ = made.st_ino;
  if (out.door_.listen(accept_backlog, ec))
    return refused(path, ec.message() + '.');
  return out;
}

std::expected<binding, fault> binding::open_tcp(asio::any_io_executor on, std::string_view bind) {
  const auto colon = bind.rfind(':');
  if (colon == bind.npos)
    return refused(bind, "it is not ADDRESS:PORT or unix:PATH.");
  auto host = bind.substr(0, colon);
  const auto digits = bind.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (bad != std::errc{} || end != digits.data() + digits.size())
    return refused(bind, "the port is not a number from 0 to 65535.");
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  error_code ec;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : std::string(host), ec);
  if (ec || (address.is_v6() && !bracketed))
    return refused(bind, "the address is not an IPv4 address, an IPv6 address in brackets, or localhost.");
  const stream_protocol::endpoint at{asio::ip::tcp::endpoint(address, port)};
  acceptor door(on);
  if (door.open(at.protocol(), ec) || door.set_option(asio::socket_base::reuse_address(true), ec) ||
      door.bind(at, ec) || door.listen(accept_backlog, ec))
    return refused(bind, ec.message() + '.');
  return binding(std::move(door));
}

std::string remote_of(const stream_protocol::endpoint& peer) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (peer.protocol().family() == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, peer.data(), sizeof in);
    ::inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
    return text.data();
  }
  if (peer.protocol().family() == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, peer.data(), sizeof in);
    ::inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
    return text.data();
  }
  return "unix";
}

std::expected<asio::ssl::context, fault> server_context(const tls_options& options) {
  asio::ssl::context out(asio::ssl::context::tls_server);
  const auto cannot = [](const std::string& what, const std::string& why) {
    return std::unexpected(fault{"tls_refused", what + ": " + why + '.', cure::fix_input});
  };
  error_code ec;
  SSL_CTX_set_min_proto_version(out.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(out.native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_cipher_list(out.native_handle(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  if (out.use_certificate_chain_file(options.certificate_file, ec))
    return cannot("The certificate chain cannot be read from " + options.certificate_file, ec.message());
  if (out.use_private_key_file(options.key_file, asio::ssl::context::pem, ec))
    return cannot("The private key cannot be read from " + options.key_file, ec.message());
  if (SSL_CTX_check_private_key(out.native_handle()) != 1)
    return cannot("The private key " + options.key_file, "it does not belong to " + options.certificate_file);
  return out;
}

} // namespace fondaco::gateway::detail

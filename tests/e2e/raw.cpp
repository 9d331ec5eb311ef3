#include "e2e/raw.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "conformance/http_client.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

conformance::http::descriptor connect_to(int port, int receive_bytes) {
  conformance::http::descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (receive_bytes > 0)
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
        "port " + std::to_string(port) + " does not take connections: " + std::strerror(errno));
  return fd;
}

std::string header_of(const std::string& head, std::string_view name) {
  for (size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) {
    auto line = std::string_view(head).substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    auto colon = line.find(':');
    if (colon != line.npos && conformance::http::same_name(line.substr(0, colon), name))
      return std::string(line.substr(std::min(line.size(), line.find_first_not_of(' ', colon + 1))));
  }
  return {};
}

} // namespace

raw_connection::raw_connection(int port, int receive_bytes) : fd_(connect_to(port, receive_bytes)) {}

raw_connection::outcome raw_connection::read(std::string& into, milliseconds within) {
  pollfd waiting{fd_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(within.count())) <= 0)
    return outcome::silent;
  std::array<char, 65536> buffer;
  auto n = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (n <= 0)
    return outcome::closed;
  into.append(buffer.data(), static_cast<size_t>(n));
  return outcome::bytes;
}

bool raw_connection::answered() const {
  pollfd looking{fd_.get(), POLLIN, 0};
  return ::poll(&looking, 1, 0) > 0;
}

uint64_t raw_connection::send(std::string_view bytes, milliseconds stall) {
  uint64_t left_here = 0;
  while (!bytes.empty()) {
    pollfd waiting{fd_.get(), POLLIN | POLLOUT, 0};
    if (::poll(&waiting, 1, static_cast<int>(stall.count())) <= 0 || (waiting.revents & ~POLLOUT) != 0)
      break;
    auto n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0)
      break;
    bytes.remove_prefix(static_cast<size_t>(n));
    left_here += static_cast<uint64_t>(n);
  }
  return left_here;
}

std::string raw_connection::rest(milliseconds within) {
  const auto end = steady::now() + within;
  std::string all;
  while (steady::now() < end) {
    auto left = std::chrono::duration_cast<milliseconds>(end - steady::now());
    if (read(all, left) != outcome::bytes)
      break;
  }
  return all;
}

int status_of(const std::string& text) {
  return text.starts_with("HTTP/1.1 ") && text.size() >= 12 ? std::atoi(text.c_str() + 9) : 0;
}

int port_of(const std::string& url) {
  auto parts = conformance::http::split_url(url);
  check(parts.has_value(), "'" + url + "' is no http URL");
  return std::atoi(parts->port.c_str());
}

running_pull::running_pull(const std::string& endpoint, const std::string& authorization, int receive_bytes)
    : connection_(port_of(endpoint), receive_bytes) {
  auto parts = conformance::http::split_url(endpoint);
  connection_.send("GET " + parts->target + " HTTP/1.1\r\nHost: " + parts->host + ":" + parts->port +
                   (authorization.empty() ? "" : "\r\nAuthorization: " + authorization) +
                   "\r\nConnection: close\r\n\r\n");
  std::string text;
  size_t head_end = std::string::npos;
  while ((head_end = text.find("\r\n\r\n")) == std::string::npos || (text.size() == head_end + 4 && length_ == 0)) {
    auto how = connection_.read(text, milliseconds(20'000));
    if (how == raw_connection::outcome::closed && head_end != std::string::npos)
      break;
    check(how == raw_connection::outcome::bytes, "a pull was not answered; it got: " + text.substr(0, 200));
  }
  auto head = text.substr(0, head_end);
  status_ = status_of(head);
  length_ = std::strtoull(header_of(head, "Content-Length").c_str(), nullptr, 10);
  beginning_ = text.substr(head_end + 4);
  bytes_ = beginning_.size();
}

bool running_pull::finish(milliseconds stall) {
  sha256 sum;
  sum.add(beginning_);
  for (;;) {
    std::string piece;
    auto how = bytes_ == length_ ? raw_connection::outcome::closed : connection_.read(piece, stall);
    if (how == raw_connection::outcome::silent)
      throw failed("a pull stalled after " + std::to_string(bytes_) + " of " + std::to_string(length_) + " bytes");
    if (how == raw_connection::outcome::closed)
      break;
    sum.add(piece);
    bytes_ += piece.size();
  }
  digest_ = hex(sum.finish());
  return bytes_ == length_;
}

} // namespace fondaco::e2e

#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include <boost/beast/zlib/inflate_stream.hpp>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>

#include "conformance/http_wire.hpp"

namespace fondaco::conformance::http {

/// Connect, read and write each have this limit, as the kit's client has.
inline constexpr std::chrono::milliseconds client_timeout{10'000};
/// Idle connections that are kept open, as the kit keeps them; the oldest goes first.
inline constexpr size_t idle_connections_max = 400;

/// An http URL in its parts; `target` is path and query.
struct url_parts {
  std::string host, port, target;
};

/// Splits an http URL; the error names what was wrong.
inline std::expected<url_parts, std::string> split_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) {
    return std::unexpected("'" + std::string(url) + "' is not an http:// URL");
  }
  url.remove_prefix(scheme.size());
  auto slash = std::min(url.size(), url.find('/'));
  auto authority = url.substr(0, slash);
  auto colon = authority.rfind(':');
  url_parts parts;
  parts.host = authority.substr(0, colon);
  parts.port = colon == std::string_view::npos ? "80" : authority.substr(colon + 1);
  parts.target = slash == url.size() ? "/" : url.substr(slash);
  if (parts.host.empty() || parts.port.empty()) {
    return std::unexpected("a URL without host or port");
  }
  return parts;
}

/// Undoes `Content-Encoding: gzip`; nothing if the bytes are not gzip.
inline std::optional<std::string> gunzip(std::string_view in) {
  constexpr size_t header = 10, trailer = 8;
  if (in.size() < header + trailer || in[0] != '\x1f' || in[1] != '\x8b' || in[2] != 8) {
    return std::nullopt;
  }
  auto flags = static_cast<unsigned char>(in[3]);
  size_t at = header;
  if ((flags & 4) != 0) {
    at += 2 + static_cast<unsigned char>(in[at]) + 256 * static_cast<unsigned char>(in[at + 1]);
  }
  for (unsigned bit : {8U, 16U}) {
    if ((flags & bit) != 0) {
      auto zero = in.find('\0', at);
      at = zero == std::string_view::npos ? in.size() : zero + 1;
    }
  }
  at += (flags & 2) != 0 ? 2 : 0;
  if (at + trailer > in.size()) {
    return std::nullopt;
  }
  boost::beast::zlib::inflate_stream inflate;
  std::string out;
  char chunk[16384];
  boost::beast::zlib::z_params p;
  p.next_in = in.data() + at;
  p.avail_in = in.size() - at - trailer;
  for (boost::system::error_code ec; ec != boost::beast::zlib::error::end_of_stream;) {
    p.next_out = chunk;
    p.avail_out = sizeof chunk;
    inflate.write(p, boost::beast::zlib::Flush::sync, ec);
    out.append(chunk, sizeof chunk - p.avail_out);
    bool stuck = p.avail_out == sizeof chunk && ec != boost::beast::zlib::error::end_of_stream;
    if ((ec && ec != boost::beast::zlib::error::end_of_stream) || stuck || out.size() > body_bytes_max) {
      return std::nullopt;
    }
  }
  return out;
}

/// What came back: status, headers and the decoded body.
struct response {
  int status = 0;
  message raw;
  [[nodiscard]] bool success() const { return status >= 200 && status < 300; }
};

/// Sends each request over a connection of its own and keeps the connection open afterwards, as the kit's client does.
class client {
public:
  /// One exchange; the error is a sentence about the transport, never about the status. Redirects are not followed.
  std::expected<response, std::string> exchange(const std::string& method, const std::string& url, header_list headers,
                                                const std::string& body = {}) {
    auto parts = split_url(url);
    if (!parts) {
      return std::unexpected(parts.error());
    }
    auto fd = connect(*parts);
    if (!fd) {
      return std::unexpected(fd.error());
    }
    stream s(std::move(*fd), client_timeout);
    std::string head = method + " " + parts->target + " HTTP/1.1\r\nHost: " + parts->host + ":" + parts->port + "\r\n";
    headers.emplace_back("Connection", "Keep-Alive");
    headers.emplace_back("Accept-Encoding", "gzip");
    if (method != "GET") {
      headers.emplace_back("Content-Length", std::to_string(body.size()));
    }
    for (const auto& [name, value] : headers) {
      head += name + ": " + value + "\r\n";
    }
    if (auto sent = s.write(head + "\r\n" + body); !sent) {
      return std::unexpected(sent.error());
    }
    auto got = s.read(false, client_timeout);
    while (got && got->second == "100") {
      got = s.read(false, client_timeout);
    }
    if (!got) {
      return std::unexpected(got.error() == "closed" ? "the peer closed without an answer" : got.error());
    }
    return finish(std::move(*got), s);
  }

private:
  std::expected<response, std::string> finish(message m, stream& s) {
    const auto* connection = m.header("Connection");
    if (connection == nullptr || !same_name(*connection, "close")) {
      std::lock_guard lock(mutex_);
      idle_.push_back(s.release());
      if (idle_.size() > idle_connections_max) {
        idle_.pop_front();
      }
    }
    const auto* encoding = m.header("Content-Encoding");
    if (encoding != nullptr && *encoding == "gzip") {
      auto plain = gunzip(m.body);
      if (!plain) {
        return std::unexpected("a gzip body that cannot be read");
      }
      m.body = std::move(*plain);
    }
    bool number = m.second.size() == 3 && std::ranges::all_of(m.second, [](char c) { return c >= '0' && c <= '9'; });
    return number ? std::expected<response, std::string>(response{std::stoi(m.second), std::move(m)})
                  : std::unexpected("a status that is not a number");
  }

  static std::expected<descriptor, std::string> connect(const url_parts& to) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (int rc = ::getaddrinfo(to.host.c_str(), to.port.c_str(), &hints, &list); rc != 0) {
      return std::unexpected(to.host + ": " + ::gai_strerror(rc));
    }
    std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard(list, &::freeaddrinfo);
    std::string why = "no address";
    for (auto* a = list; a != nullptr; a = a->ai_next) {
      descriptor fd(::socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      int rc = ::connect(fd.get(), a->ai_addr, a->ai_addrlen);
      pollfd p{fd.get(), POLLOUT, 0};
      int error = rc == 0 ? 0 : errno;
      if (error == EINPROGRESS) {
        socklen_t size = sizeof error;
        error = ::poll(&p, 1, static_cast<int>(client_timeout.count())) == 1 ? 0 : ETIMEDOUT;
        if (error == 0) {
          ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        }
      }
      if (error == 0) {
        return fd;
      }
      why = std::strerror(error);
    }
    return std::unexpected("connecting to " + to.host + ":" + to.port + ": " + why);
  }

  std::mutex mutex_;
  std::deque<descriptor> idle_;
};

} // namespace fondaco::conformance::http

#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <thread>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>

#include "conformance/http_wire.hpp"

namespace fondaco::conformance::http {

/// Requests that are handled at the same time, as the kit's callback server does.
inline constexpr int exchanges_concurrent_max = 4;
/// Open connections; one more is closed at once.
inline constexpr size_t connections_max = 256;
/// A silent connection is closed after this time.
inline constexpr std::chrono::milliseconds connection_idle{30'000};
/// A read or write inside a message may stall this long.
inline constexpr std::chrono::milliseconds connection_stall{10'000};

/// What a handler answers. Without a body the response is an empty chunked one; `dropped` closes without an answer.
struct reply {
  int status = 200;
  std::optional<std::string> body;
  header_list headers;
  bool dropped = false;
};

/// A small HTTP server: a thread for each connection, at most four handlers at once, no Content-Type of its own.
class server {
public:
  using handler = std::function<reply(const message&)>;

  /// Listens at once; port 0 takes a free one. The error says why it could not.
  static std::expected<std::unique_ptr<server>, std::string> start(const std::string& host, int port, handler h) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* list = nullptr;
    if (int rc = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list); rc != 0) {
      return std::unexpected(host + ": " + ::gai_strerror(rc));
    }
    std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard(list, &::freeaddrinfo);
    descriptor fd(::socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd.get(), list->ai_addr, list->ai_addrlen) != 0 || ::listen(fd.get(), 128) != 0) {
      return std::unexpected("listening on " + host + ":" + std::to_string(port) + ": " + std::strerror(errno));
    }
    int ends[2];
    // A program that a test starts must not keep it open.
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return std::unexpected(std::string("pipe2: ") + std::strerror(errno));
    }
    return std::unique_ptr<server>(
        std::make_unique<server>(std::move(fd), descriptor(ends[0]), descriptor(ends[1]), std::move(h)));
  }

  /// Use `start`.
  server(descriptor listener, descriptor stop_read, descriptor stop_write, handler h)
      : listener_(std::move(listener)), stop_read_(std::move(stop_read)), stop_write_(std::move(stop_write)),
        handler_(std::move(h)), acceptor_([this] { accept_all(); }) {}
  ~server() {
    {
      descriptor closing(std::move(stop_write_));
    }
    acceptor_.join();
    connections_.clear();
  }
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// The port that it listens on.
  [[nodiscard]] int port() const {
    sockaddr_storage a{};
    socklen_t size = sizeof a;
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&a), &size);
    return ntohs(a.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(a).sin6_port
                                         : reinterpret_cast<sockaddr_in&>(a).sin_port);
  }

private:
  struct connection {
    std::atomic<bool> done = false;
    std::jthread thread;
  };

  void accept_all() {
    for (;;) {
      pollfd fds[2] = {{listener_.get(), POLLIN, 0}, {stop_read_.get(), POLLIN, 0}};
      if (::poll(fds, 2, -1) < 0 || fds[1].revents != 0) {
        return;
      }
      descriptor fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      connections_.remove_if([](const auto& c) { return c.done.load(); });
      if (fd.get() < 0 || connections_.size() >= connections_max) {
        continue;
      }
      auto& c = connections_.emplace_back();
      c.thread = std::jthread([this, &c, fd = std::move(fd)]() mutable {
        serve(stream(std::move(fd), connection_stall, stop_read_.get()));
        c.done = true;
      });
    }
  }

  void serve(stream s) {
    for (;;) {
      auto request = s.read(true, connection_idle);
      if (!request) {
        return;
      }
      exchanges_.acquire();
      auto answer = handler_(*request);
      exchanges_.release();
      if (answer.dropped || !s.write(serialize(answer))) {
        return;
      }
    }
  }

  static std::string serialize(const reply& r) {
    std::string out = "HTTP/1.1 " + std::to_string(r.status) + (r.status < 300 ? " OK" : " Error") + "\r\n";
    for (const auto& [name, value] : r.headers) {
      out += name + ": " + value + "\r\n";
    }
    return r.body ? out + "Content-length: " + std::to_string(r.body->size()) + "\r\n\r\n" + *r.body
                  : out + "Transfer-encoding: chunked\r\n\r\n0\r\n\r\n";
  }

  descriptor listener_, stop_read_, stop_write_;
  handler handler_;
  std::counting_semaphore<exchanges_concurrent_max> exchanges_{exchanges_concurrent_max};
  std::list<connection> connections_;
  std::thread acceptor_;
};

} // namespace fondaco::conformance::http

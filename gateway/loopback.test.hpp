#pragma once

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "gateway/http.hpp"

/// Raw sockets, scripted peers and gates for the gateway's tests. Every wait has a deadline; nothing sleeps.
namespace fondaco::gateway::loopback {

using namespace std::chrono_literals;

/// The deadline of anything that must happen; only a failing test waits this long.
inline constexpr auto patience = 10s;

inline sockaddr_in loopback_address(uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  a.sin_port = htons(port);
  return a;
}

/// A blocking socket whose reads and writes give up after `patience`.
class raw {
public:
  explicit raw(int fd) : fd_(fd) { give_up_after(patience); }
  raw(raw&& o) noexcept : fd_(std::exchange(o.fd_, -1)), ahead_(std::move(o.ahead_)) {}
  ~raw() { close(); }

  void give_up_after(milliseconds most) {
    const timeval limit{most.count() / 1000, most.count() % 1000 * 1000};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }

  static raw to(uint16_t port, int receive_buffer = 0) {
    raw r(::socket(AF_INET, SOCK_STREAM, 0));
    if (receive_buffer > 0)
      ::setsockopt(r.fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const auto a = loopback_address(port);
    REQUIRE(::connect(r.fd_, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0);
    return r;
  }
  static raw to_unix(const std::string& path) {
    raw r(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un a{};
    a.sun_family = AF_UNIX;
    std::strncpy(a.sun_path, path.c_str(), sizeof a.sun_path - 1);
    REQUIRE(::connect(r.fd_, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0);
    return r;
  }

  /// False once the peer no longer takes bytes.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  enum class last { data, end, reset, silence };
  last read_some(std::string& into, size_t most = 64u << 10) {
    std::vector<char> room(most);
    const auto n = ::recv(fd_, room.data(), room.size(), 0);
    if (n > 0)
      into.append(room.data(), static_cast<size_t>(n));
    return n > 0 ? last::data : n == 0 ? last::end : errno == ECONNRESET ? last::reset : last::silence;
  }
  /// All that comes until the connection ends, and how it ended.
  std::string read_all(last* how = nullptr) {
    std::string out = std::exchange(ahead_, {});
    last l = last::data;
    while (l == last::data)
      l = read_some(out);
    if (how != nullptr)
      *how = l;
    return out;
  }
  /// Up to and with the mark; what follows is kept for the next read.
  std::string read_until(std::string_view mark) {
    size_t at = 0;
    while ((at = ahead_.find(mark)) == ahead_.npos)
      if (read_some(ahead_) != last::data)
        return std::exchange(ahead_, {});
    auto out = ahead_.substr(0, at + mark.size());
    ahead_.erase(0, at + mark.size());
    return out;
  }
  std::string read_exactly(size_t n) {
    while (ahead_.size() < n)
      if (read_some(ahead_) != last::data)
        break;
    auto out = ahead_.substr(0, n);
    ahead_.erase(0, out.size());
    return out;
  }
  /// A response with Content-Length, head and body.
  std::string read_answer() {
    auto out = read_until("\r\n\r\n");
    const auto at = out.find("Content-Length: ");
    if (at != out.npos)
      out += read_exactly(std::stoul(out.substr(at + 16)));
    return out;
  }
  void shut_writing() { ::shutdown(fd_, SHUT_WR); }
  /// Closes with a reset instead of an end.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (fd_ >= 0)
      ::close(fd_);
    fd_ = -1;
  }

private:
  int fd_;
  std::string ahead_;
};

/// A peer on loopback that runs the script for each connection, one after the other.
class peer {
public:
  using script = std::function<void(raw&, int connection)>;
  explicit peer(script s) : script_(std::move(s)), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    auto a = loopback_address(0);
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0);
    REQUIRE(::listen(fd_, 64) == 0);
    socklen_t size = sizeof a;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&a), &size);
    port_ = ntohs(a.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~peer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  uint16_t port() const { return port_; }
  std::string url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  int connections() const { return connections_; }

private:
  void run() {
    for (;;) {
      const int fd = ::accept(fd_, nullptr, nullptr);
      if (fd < 0)
        return;
      raw r(fd);
      script_(r, connections_++);
    }
  }
  script script_;
  int fd_;
  uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

/// Where a handler waits until the test lets it go on.
class gate {
public:
  task<int> pass(server& on) {
    std::function<void(std::function<void(int)>)> begin = [this](std::function<void(int)> go) {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(go));
      ++entered_;
      changed_.notify_all();
    };
    actors::callback_awaiter<int> waiting(on, std::move(begin));
    co_return co_await waiting;
  }
  /// True once so many have come to the gate.
  bool wait_for(int n) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return entered_ >= n; });
  }
  void open() {
    std::vector<std::function<void(int)>> all;
    {
      const std::lock_guard lock(mutex_);
      all.swap(waiting_);
    }
    for (auto& go : all)
      go(0);
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void(int)>> waiting_;
  int entered_ = 0;
};

/// Runs a task to its end on the server's threads and gives what it gave.
template <class T> T run(server& on, std::function<task<T>()> make) {
  auto promise = std::make_shared<std::promise<T>>();
  auto result = promise->get_future();
  on.post([promise, make] {
    actors::start<T>(
        make(), [promise](T v) { promise->set_value(std::move(v)); },
        [promise](std::exception_ptr e) { promise->set_exception(e); });
  });
  REQUIRE(result.wait_for(patience) == std::future_status::ready);
  return result.get();
}

/// Sends a call and waits for its result.
inline actors::http_result call(client& c, actors::http_call what) {
  auto promise = std::make_shared<std::promise<actors::http_result>>();
  auto result = promise->get_future();
  c.send(std::move(what), [promise](actors::http_result r) { promise->set_value(std::move(r)); });
  REQUIRE(result.wait_for(patience) == std::future_status::ready);
  return result.get();
}

/// True once the condition holds; it is looked at again each time the server's threads have turned round.
inline bool eventually(server& s, const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!holds() && std::chrono::steady_clock::now() < until) {
    std::promise<void> turned;
    s.post([&turned] { turned.set_value(); });
    turned.get_future().wait();
  }
  return holds();
}

inline handler answering(std::string body) {
  return [body](std::shared_ptr<const request>) -> task<response> { co_return json_response(200, body); };
}

/// A source of so many pieces of one size; counts what it gave out.
class pieces final : public body_source {
public:
  pieces(size_t size, size_t count) : piece_(size, 'x'), left_(count) {}
  task<std::expected<std::string_view, fault>> next() override {
    if (left_ == 0)
      co_return std::string_view{};
    --left_;
    given_ += piece_.size();
    co_return std::string_view(piece_);
  }
  uint64_t given() const { return given_; }

private:
  std::string piece_;
  size_t left_;
  std::atomic<uint64_t> given_ = 0;
};

/// Gives one piece, then an error.
class broken final : public body_source {
public:
  task<std::expected<std::string_view, fault>> next() override {
    if (std::exchange(begun_, true))
      co_return std::unexpected(fault{"gone", "The origin broke off.", cure::retry});
    co_return std::string_view("the first part");
  }

private:
  bool begun_ = false;
};

} // namespace fondaco::gateway::loopback

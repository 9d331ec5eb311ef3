#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/// HTTP/1.1 over plain sockets for the conformance programs: small on purpose, and no part of the product, so that the
/// two cannot share a mistake.
namespace fondaco::conformance::http {

/// The longest message head that is read, in bytes.
inline constexpr size_t head_bytes_max = 64 * 1024;
/// The longest message body that is read, in bytes.
inline constexpr size_t body_bytes_max = 16 * 1024 * 1024;

using header_list = std::vector<std::pair<std::string, std::string>>;

/// True if two header names are the same (ASCII, case does not matter).
inline bool same_name(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, [&](char x, char y) { return lower(x) == lower(y); });
}

/// A request or a response: the start line in its three words, headers and body.
struct message {
  std::string first, second, third;
  header_list headers;
  std::string body;
  /// The first header with this name; nothing if there is none.
  [[nodiscard]] const std::string* header(std::string_view name) const {
    auto found = std::ranges::find_if(headers, [&](const auto& h) { return same_name(h.first, name); });
    return found == headers.end() ? nullptr : &found->second;
  }
};

/// Owns a file descriptor.
class descriptor {
public:
  explicit descriptor(int fd = -1) : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  [[nodiscard]] int get() const { return fd_; }

private:
  int fd_;
};

/// A stream socket that is read and written with a time limit for each operation. A second descriptor may end every
/// wait.
class stream {
public:
  stream(descriptor fd, std::chrono::milliseconds limit, int stop_fd = -1)
      : fd_(std::move(fd)), limit_(limit), stop_fd_(stop_fd) {}

  /// Writes all bytes; the error is a sentence.
  std::expected<void, std::string> write(std::string_view bytes) {
    while (!bytes.empty()) {
      if (auto ready = wait(POLLOUT, limit_); !ready) {
        return std::unexpected("writing: " + ready.error());
      }
      auto n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0) {
        return std::unexpected(std::string("writing: ") + std::strerror(errno));
      }
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return {};
  }

  /// Reads one message. `request` says which kind it is; a response to HEAD is not supported. `idle` is the limit until
  /// its first byte. The peer's orderly end before the first byte is the error "closed".
  std::expected<message, std::string> read(bool request, std::chrono::milliseconds idle) {
    auto head_end = std::string::npos;
    for (auto limit = idle; (head_end = buffer_.find("\r\n\r\n")) == std::string::npos; limit = limit_) {
      if (buffer_.size() > head_bytes_max) {
        return std::unexpected("the head is longer than the limit");
      }
      if (auto more = fill(limit); !more) {
        return std::unexpected(more.error());
      } else if (*more == 0) {
        return std::unexpected(buffer_.empty() ? "closed" : "the peer closed inside the head");
      }
    }
    auto head = buffer_.substr(0, head_end);
    buffer_.erase(0, head_end + 4);
    auto parsed = parse_head(head);
    if (!parsed) {
      return parsed;
    }
    if (request && parsed->header("Expect") != nullptr) {
      if (auto sent = write("HTTP/1.1 100 Continue\r\n\r\n"); !sent) {
        return std::unexpected(sent.error());
      }
    }
    if (auto body = read_body(*parsed, request); !body) {
      return std::unexpected(body.error());
    }
    return parsed;
  }

  /// Gives the socket away, to be kept open or closed elsewhere.
  descriptor release() { return std::move(fd_); }

private:
  std::expected<void, std::string> wait(short what, std::chrono::milliseconds limit) {
    pollfd fds[2] = {{fd_.get(), what, 0}, {stop_fd_, POLLIN, 0}};
    int n = ::poll(fds, stop_fd_ >= 0 ? 2 : 1, static_cast<int>(limit.count()));
    if (n == 0) {
      return std::unexpected("no progress for " + std::to_string(limit.count()) + " ms");
    }
    if (n < 0 || (stop_fd_ >= 0 && fds[1].revents != 0)) {
      return std::unexpected("stopped");
    }
    return {};
  }

  std::expected<size_t, std::string> fill(std::chrono::milliseconds limit) {
    if (auto ready = wait(POLLIN, limit); !ready) {
      return std::unexpected("reading: " + ready.error());
    }
    char chunk[16384];
    auto n = ::recv(fd_.get(), chunk, sizeof chunk, 0);
    if (n < 0) {
      return std::unexpected(std::string("reading: ") + std::strerror(errno));
    }
    buffer_.append(chunk, static_cast<size_t>(n));
    return static_cast<size_t>(n);
  }

  static std::expected<message, std::string> parse_head(std::string_view head) {
    message m;
    auto line = head.substr(0, head.find("\r\n"));
    auto a = line.find(' ');
    auto b = a == std::string_view::npos ? a : line.find(' ', a + 1);
    if (a == std::string_view::npos) {
      return std::unexpected("not an HTTP start line");
    }
    m.first = line.substr(0, a);
    m.second = line.substr(a + 1, b == std::string_view::npos ? b : b - a - 1);
    m.third = b == std::string_view::npos ? "" : line.substr(b + 1);
    for (auto rest = head.substr(std::min(head.size(), line.size() + 2)); !rest.empty();) {
      auto end = std::min(rest.size(), rest.find("\r\n"));
      auto field = rest.substr(0, end);
      rest.remove_prefix(std::min(rest.size(), end + 2));
      auto colon = field.find(':');
      if (colon == std::string_view::npos) {
        return std::unexpected("a header line without a colon");
      }
      auto value = field.substr(colon + 1);
      auto from = value.find_first_not_of(" \t");
      auto to = value.find_last_not_of(" \t");
      m.headers.emplace_back(field.substr(0, colon),
                             from == std::string_view::npos ? "" : value.substr(from, to - from + 1));
    }
    return m;
  }

  std::expected<void, std::string> read_body(message& m, bool request) {
    bool none = !request && (m.second == "204" || m.second == "304");
    const auto* coding = m.header("Transfer-Encoding");
    const auto* length = m.header("Content-Length");
    if (none) {
      return {};
    }
    if (coding != nullptr && coding->find("chunked") != std::string::npos) {
      return read_chunks(m.body);
    }
    if (length != nullptr) {
      auto digits = !length->empty() && length->size() < 10 &&
                    std::ranges::all_of(*length, [](char c) { return c >= '0' && c <= '9'; });
      return digits ? take(m.body, std::stoul(*length)) : std::unexpected("a Content-Length that is not a number");
    }
    return request ? std::expected<void, std::string>{} : read_to_end(m.body);
  }

  std::expected<void, std::string> take(std::string& into, size_t count) {
    if (into.size() + count > body_bytes_max) {
      return std::unexpected("the body is longer than the limit");
    }
    while (buffer_.size() < count) {
      if (auto more = fill(limit_); !more) {
        return std::unexpected(more.error());
      } else if (*more == 0) {
        return std::unexpected("the peer closed inside the body");
      }
    }
    into.append(buffer_, 0, count);
    buffer_.erase(0, count);
    return {};
  }

  std::expected<std::string, std::string> take_line() {
    auto end = std::string::npos;
    while ((end = buffer_.find("\r\n")) == std::string::npos) {
      if (auto more = fill(limit_); !more || *more == 0) {
        return std::unexpected(more ? "the peer closed inside the body" : more.error());
      }
    }
    auto line = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    return line;
  }

  std::expected<void, std::string> read_chunks(std::string& into) {
    for (;;) {
      auto line = take_line();
      if (!line) {
        return std::unexpected(line.error());
      }
      auto hex = line->substr(0, line->find(';'));
      if (hex.empty() || hex.size() > 7 || hex.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
        return std::unexpected("a chunk size that is not a number");
      }
      auto size = std::stoul(hex, nullptr, 16);
      if (size == 0) {
        for (line = take_line(); line && !line->empty(); line = take_line()) {
        }
        return line ? std::expected<void, std::string>{} : std::unexpected(line.error());
      }
      if (auto got = take(into, size); !got) {
        return got;
      }
      if (auto end = take_line(); !end) {
        return std::unexpected(end.error());
      }
    }
  }

  std::expected<void, std::string> read_to_end(std::string& into) {
    for (;;) {
      into += std::exchange(buffer_, {});
      if (into.size() > body_bytes_max) {
        return std::unexpected("the body is longer than the limit");
      }
      if (auto more = fill(limit_); !more) {
        return std::unexpected(more.error());
      } else if (*more == 0) {
        return {};
      }
    }
  }

  descriptor fd_;
  std::chrono::milliseconds limit_;
  int stop_fd_;
  std::string buffer_;
};

} // namespace fondaco::conformance::http

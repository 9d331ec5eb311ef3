#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "conformance/http_wire.hpp"
#include "e2e/check.hpp"

namespace fondaco::e2e {

/// A TCP connection to a loopback listener that says exactly what a test wants, as slowly as it wants.
class raw_connection {
public:
  /// `receive_bytes` bounds the socket's receive buffer; 0 leaves it as it is.
  explicit raw_connection(int port, int receive_bytes = 0);

  /// How a read ended.
  enum class outcome : uint8_t { bytes, closed, silent };
  /// Appends what comes next, at most 64 KiB. `closed` is the peer's end, orderly or not.
  outcome read(std::string& into, milliseconds within);
  /// Sends as much as the peer takes: stops when the peer answers, closes, or takes nothing for `stall`. Gives the
  /// count of bytes that left.
  uint64_t send(std::string_view bytes, milliseconds stall = milliseconds(5'000));
  /// True once the peer answered or closed.
  bool answered() const;
  /// Reads to the peer's end, or to the deadline.
  std::string rest(milliseconds within);

private:
  conformance::http::descriptor fd_;
};

/// The status of an HTTP answer's text; 0 if it is none.
int status_of(const std::string& text);

/// A pull from a data plane's public door that goes on while the test does something else.
class running_pull {
public:
  /// Sends the request and reads until the head and the first bytes are there. With a small window the sender is soon
  /// held by back-pressure.
  running_pull(const std::string& endpoint, const std::string& authorization, int receive_bytes = 0);
  int status() const { return status_; }
  /// What the head says the body's length is; 0 if it does not.
  uint64_t length() const { return length_; }
  uint64_t bytes() const { return bytes_; }
  /// Reads on to the end, digesting what comes; true if the body is whole.
  bool finish(milliseconds stall = milliseconds(20'000));
  /// The SHA-256 of the whole body in hexadecimal; after `finish`.
  const std::string& digest() const { return digest_; }
  /// The first bytes of the body.
  const std::string& beginning() const { return beginning_; }

private:
  raw_connection connection_;
  int status_ = 0;
  uint64_t length_ = 0;
  uint64_t bytes_ = 0;
  std::string beginning_;
  std::string digest_;
};

/// The port of an http URL.
int port_of(const std::string& url);

} // namespace fondaco::e2e

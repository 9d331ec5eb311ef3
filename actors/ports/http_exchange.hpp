#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/base/time.hpp"

namespace fondaco::actors {

/// Why an HTTP exchange gave no answer. The text of each says what the receiver may have seen.
enum class exchange_errc : uint8_t {
  /// No connection was made: the receiver saw nothing. The caller may send again.
  not_connected = 1,
  /// The connection broke or went silent after the request was sent: the receiver may have acted on it.
  no_answer,
  /// The answer was not HTTP or over its limits. The caller may probe the receiver's state.
  bad_answer,
  /// The address is not allowed (a private network, another scheme) or not a URL. The caller must correct it.
  address_refused,
  /// Too many exchanges are under way. The caller may try again later.
  overloaded,
};

/// The enumerator's name in snake_case.
std::string_view name_of(exchange_errc e) noexcept;

using http_headers = std::vector<std::pair<std::string, std::string>>;

/// A request to another process.
struct http_call {
  std::string method = "GET";
  /// An absolute http or https URL.
  std::string url;
  http_headers headers;
  std::string body;
  /// How long the whole exchange may take.
  milliseconds timeout_ms{10'000};
  /// The longest answer that is read.
  size_t answer_bytes_max = 4u << 20;
  /// The W3C traceparent to pass on; empty for none.
  std::string traceparent;
};

/// The answer to a request, whatever its status.
struct http_answer {
  int status = 0;
  http_headers headers;
  std::string body;
};

using http_result = std::expected<http_answer, exchange_errc>;

/// HTTP to other processes, as a parameter: the gateway's client in a node, the simulator's network in a simulation.
class http_exchange {
public:
  virtual ~http_exchange() = default;
  /// Sends the request and calls `done` exactly once, on any thread, by its deadline.
  virtual void send(http_call call, std::function<void(http_result)> done) = 0;
};

} // namespace fondaco::actors

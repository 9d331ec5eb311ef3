#pragma once

#include <optional>
#include <string>

#include "gateway/http.hpp"

namespace fondaco::gateway::detail {

/// How the receiver finds the end of a body.
enum class framing : uint8_t {
  /// There is none (204, 304).
  none,
  /// Content-Length says it.
  length,
  /// Chunks, with an empty last one.
  chunked,
  /// The connection's end: for HTTP/1.0, which knows no chunks.
  until_close,
};

/// How a response will be sent.
struct response_shape {
  framing frame = framing::length;
  uint64_t length = 0;
  bool keep_alive = true;
  /// The minor version of the request's HTTP/1.
  unsigned minor_version = 1;
};

/// The status line and header of a response. The route's own Content-Length, Transfer-Encoding, Connection and other
/// hop-by-hop fields are left out: the shape decides. Nothing if the status is not 200 to 599 or a field is not valid.
std::optional<std::string> response_head(const response& r, const response_shape& shape);

/// The request line and header of a call to `host` with `target`; nothing if the method or a field is not valid.
/// `host`, framing and hop-by-hop fields of the caller are left out.
std::optional<std::string> request_head(const actors::http_call& call, std::string_view host, std::string_view target);

} // namespace fondaco::gateway::detail

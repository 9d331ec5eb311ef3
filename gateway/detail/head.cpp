#include "gateway/detail/head.hpp"

#include <algorithm>
#include <array>

#include "gateway/detail/text.hpp"
#include "gateway/problem.hpp"

namespace fondaco::gateway::detail {

namespace {

bool is_hop_by_hop(std::string_view name) {
  constexpr std::array<std::string_view, 8> ours{"connection", "content-length",    "keep-alive", "te",
                                                 "trailer",    "transfer-encoding", "upgrade",    "proxy-connection"};
  return std::ranges::any_of(ours, [&](auto n) { return equals_ignoring_case(n, name); });
}

bool append_fields(std::string& out, const http_headers& headers, std::string_view also_ours) {
  for (const auto& [name, value] : headers) {
    if (!is_token(name) || !is_field_value(value))
      return false;
    if (!is_hop_by_hop(name) && !equals_ignoring_case(name, also_ours))
      ((((out += name) += ": ") += value) += "\r\n");
  }
  return true;
}

} // namespace

std::optional<std::string> response_head(const response& r, const response_shape& shape) {
  if (r.status < 200 || r.status > 599)
    return std::nullopt;
  std::string out = "HTTP/1.1 " + std::to_string(r.status) + ' ';
  (out += title_of(r.status)) += "\r\n";
  if (!append_fields(out, r.headers, "date"))
    return std::nullopt;
  if (shape.frame == framing::length)
    out += "Content-Length: " + std::to_string(shape.length) + "\r\n";
  else if (shape.frame == framing::chunked)
    out += "Transfer-Encoding: chunked\r\n";
  if (!shape.keep_alive)
    out += "Connection: close\r\n";
  else if (shape.minor_version == 0)
    out += "Connection: keep-alive\r\n";
  out += "\r\n";
  return out;
}

std::optional<std::string> request_head(const actors::http_call& call, std::string_view host, std::string_view target) {
  if (!is_token(call.method))
    return std::nullopt;
  std::string out = call.method + ' ';
  ((((out += target) += " HTTP/1.1\r\nHost: ") += host) += "\r\n");
  if (!append_fields(out, call.headers, "host"))
    return std::nullopt;
  if (!call.traceparent.empty()) {
    if (!is_field_value(call.traceparent))
      return std::nullopt;
    out += "traceparent: " + call.traceparent + "\r\n";
  }
  const bool has_body = !call.body.empty() || call.method == "POST" || call.method == "PUT" || call.method == "PATCH";
  if (has_body)
    out += "Content-Length: " + std::to_string(call.body.size()) + "\r\n";
  out += "\r\n";
  return out;
}

} // namespace fondaco::gateway::detail

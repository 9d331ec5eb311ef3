#include "gateway/problem.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>

namespace fondaco::gateway {

namespace {

constexpr auto titles = std::to_array<std::pair<int, std::string_view>>({
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
});

} // namespace

std::string_view title_of(int status) noexcept {
  const auto at = std::ranges::lower_bound(titles, status, {}, &std::pair<int, std::string_view>::first);
  return at != titles.end() && at->first == status ? at->second : "Unknown";
}

response problem(int status, std::string_view detail, http_headers extra) {
  const auto quoted = [](std::string_view s) { return boost::json::serialize(boost::json::string_view(s)); };
  response r;
  r.status = status;
  r.headers = std::move(extra);
  r.headers.emplace_back("Content-Type", "application/problem+json");
  const bool has_retry = std::ranges::any_of(
      r.headers, [](const auto& h) { return h.first == "Retry-After" || h.first == "retry-after"; });
  if ((status == 429 || status == 503) && !has_retry)
    r.headers.emplace_back("Retry-After", "1");
  r.body = R"({"status":)" + std::to_string(status) + R"(,"title":)" + quoted(title_of(status)) + R"(,"detail":)" +
           quoted(detail) + '}';
  return r;
}

} // namespace fondaco::gateway

#include "gateway/http.hpp"

#include "gateway/detail/text.hpp"

namespace fondaco::gateway {

std::optional<std::string_view> header(const request& r, std::string_view name) {
  for (const auto& [key, value] : r.headers)
    if (key == name)
      return value;
  return std::nullopt;
}

bool is_loopback(std::string_view remote) {
  constexpr std::string_view mapped = "::ffff:";
  if (remote.starts_with(mapped))
    remote.remove_prefix(mapped.size());
  return remote.empty() || remote == "unix" || remote == "::1" || remote.starts_with("127.");
}

std::optional<std::string> query_value(const request& r, std::string_view name) {
  std::string_view rest = r.query;
  while (!rest.empty()) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto equals = std::min(pair.find('='), pair.size());
    const auto key = detail::percent_decoded(pair.substr(0, equals), detail::plus::is_space);
    if (key && *key == name)
      return detail::percent_decoded(pair.substr(std::min(pair.size(), equals + 1)), detail::plus::is_space);
  }
  return std::nullopt;
}

response json_response(int status, std::string body) {
  response r;
  r.status = status;
  r.headers.emplace_back("Content-Type", "application/json");
  r.body = std::move(body);
  return r;
}

} // namespace fondaco::gateway

#include "gateway/auth.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "protocols/json/json.hpp"

namespace fondaco::gateway {
namespace {

enum class action : uint8_t { read, write, admin };

struct scope {
  std::string_view prefix;
  std::string_view resource;
  action level;
};

bool is_blank(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return std::isspace(c) != 0; });
}

std::optional<action> parse_action(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "read")
    return action::read;
  if (lower == "write")
    return action::write;
  if (lower == "admin")
    return action::admin;
  return std::nullopt;
}

std::optional<scope> parse_scope(std::string_view text) {
  std::array<std::string_view, 3> segments;
  size_t count = 0;
  while (true) {
    const auto colon = text.find(':');
    if (count == segments.size())
      return std::nullopt;
    segments[count++] = text.substr(0, colon);
    if (is_blank(segments[count - 1]))
      return std::nullopt;
    if (colon == std::string_view::npos)
      break;
    text.remove_prefix(colon + 1);
  }
  if (count < 2)
    return std::nullopt;
  const auto level = parse_action(segments[count - 1]);
  if (!level)
    return std::nullopt;
  return scope{segments[0], count == 3 ? segments[1] : std::string_view("*"), *level};
}

} // namespace

bool satisfies(const std::vector<std::string>& granted, std::string_view required) {
  const auto wanted = parse_scope(required);
  if (!wanted)
    return false;
  return std::ranges::any_of(granted, [&](const std::string& text) {
    const auto held = parse_scope(text);
    return held && held->prefix == wanted->prefix && (held->resource == wanted->resource || held->resource == "*") &&
           held->level >= wanted->level;
  });
}

bool administers(const std::vector<std::string>& granted, std::string_view prefix) {
  return satisfies(granted, std::string(prefix) + ":admin");
}

std::vector<std::string> split_scopes(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto space = text.find(' ');
    if (space != 0)
      out.emplace_back(text.substr(0, space));
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  }
  return out;
}

denied unauthenticated(std::string_view detail) {
  json::object body{{"error", detail}};
  return {401, "application/json", json::write(body)};
}

denied without_participant(std::string_view detail) { return {401, "text/plain", std::string(detail)}; }

denied without_scope(std::string_view scope) {
  return {403, "text/plain", "Required scope '" + std::string(scope) + "' missing"};
}

denied not_owner(std::string_view subject) {
  json::object entry{{"message", "User '" + std::string(subject) + "' is not authorized to access this resource."},
                     {"type", "NotAuthorized"},
                     {"path", nullptr},
                     {"invalidValue", nullptr}};
  json::array body;
  body.emplace_back(std::move(entry));
  return {403, "application/json", json::write(body)};
}

denied keys_unavailable() {
  json::object body{{"error", "The issuer's keys cannot be fetched at the moment"}};
  return {503, "application/json", json::write(body)};
}

task<std::expected<principal, denied>> admit(token_verifier& v, std::shared_ptr<const request> r, std::string scope,
                                             std::optional<tenant> participant) {
  auto verified = co_await v.verify(std::move(r));
  if (!verified)
    co_return std::unexpected(std::move(verified.error()));
  if (!satisfies(verified->scopes, scope))
    co_return std::unexpected(without_scope(scope));
  const auto prefix = std::string_view(scope).substr(0, scope.find(':'));
  if (participant && !administers(verified->scopes, prefix) && verified->participant != participant)
    co_return std::unexpected(not_owner(verified->subject));
  co_return std::move(*verified);
}

response to_response(const denied& d) {
  response out;
  out.status = d.status;
  out.headers.emplace_back("Content-Type", d.content_type);
  if (d.status == 401)
    out.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (d.status == 503)
    out.headers.emplace_back("Retry-After", "10");
  out.body = d.body;
  return out;
}

} // namespace fondaco::gateway

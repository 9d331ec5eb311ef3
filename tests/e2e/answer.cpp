#include "e2e/answer.hpp"

namespace fondaco::e2e {

std::string answer::header(std::string_view name) const {
  for (const auto& [n, v] : headers)
    if (http::same_name(n, name))
      return v;
  return {};
}

json::value answer::value() const {
  boost::system::error_code wrong;
  auto parsed = json::parse(body, wrong);
  check(!wrong, "an answer with status " + std::to_string(status) + " is no JSON: " + body);
  return parsed;
}

json::object answer::object() const {
  auto parsed = value();
  check(parsed.is_object(), "an answer is no JSON object: " + body);
  return parsed.get_object();
}

answer send(const std::string& method, const std::string& url, http::header_list headers, const std::string& body) {
  http::client once;
  auto got = once.exchange(method, url, std::move(headers), body);
  check(got.has_value(), method + " " + url + ": " + (got ? "" : got.error()));
  return {got->status, std::move(got->raw.headers), std::move(got->raw.body)};
}

std::string text_at(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v && v->is_string() ? std::string(v->get_string()) : std::string();
}

json::object object_at(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v && v->is_object() ? v->get_object() : json::object();
}

json::array array_at(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v && v->is_array() ? v->get_array() : json::array();
}

} // namespace fondaco::e2e

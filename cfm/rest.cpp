#include "cfm/rest.hpp"

#include <algorithm>
#include <utility>

namespace fondaco::cfm {

namespace {

const char* phrase(int status) {
  switch (status) {
  case 400: return "Bad Request";
  case 401: return "Unauthorized";
  case 403: return "Forbidden";
  case 404: return "Not Found";
  case 409: return "Conflict";
  case 429: return "Too Many Requests";
  case 503: return "Service Unavailable";
  default: return "Internal Server Error";
  }
}

bool is_empty(const json::value& v) {
  return (v.is_string() && v.get_string().empty()) || (v.is_array() && v.get_array().empty()) ||
         (v.is_object() && v.get_object().empty());
}

} // namespace

gateway::response cfm_error(int status, std::string_view message) {
  auto out = gateway::json_response(
      status, json::write(json::object{{"error", phrase(status)}, {"message", message}, {"code", status}}));
  if (status == 429 || status == 503)
    out.headers.emplace_back("Retry-After", "1");
  return out;
}

gateway::response as_cfm_error(const gateway::response& r) {
  std::string message;
  const auto parsed = json::parse(r.body);
  if (parsed && parsed->is_array())
    for (const auto& item : parsed->get_array())
      if (item.is_object())
        message +=
            (message.empty() ? "" : " ") + std::string(json::string_at(item.get_object(), "message").value_or(""));
  return cfm_error(r.status, message.empty() ? phrase(r.status) : message);
}

actors::task<planes::api::result<gateway::principal>> admit_cfm(cfm_services& s, planes::api::request_ptr r,
                                                                std::string scope) {
  std::string wanted = scope;
  auto admission = planes::api::admit(s, std::move(r), std::move(scope), std::nullopt);
  auto who = co_await std::move(admission);
  // The CFM knows no order of scopes: to write is not to read (CFM reference, section 5).
  if (who && std::ranges::find(who->scopes, wanted) != who->scopes.end())
    co_return std::move(*who);
  if (who || who.error().status == 403)
    co_return std::unexpected(cfm_error(403, "Access not granted: required scope '" + wanted + "' not present"));
  auto& refused = who.error();
  if (refused.status != 401)
    co_return std::unexpected(std::move(refused));
  auto out = cfm_error(401, "missing or invalid bearer token");
  out.headers.emplace_back("WWW-Authenticate", "Bearer");
  co_return std::unexpected(std::move(out));
}

planes::api::result<json::object> read_cfm_body(const gateway::request& r) {
  auto body = json::parse(r.body);
  if (!body)
    return std::unexpected(cfm_error(400, "Invalid JSON: " + body.error().detail));
  if (!body->is_object())
    return std::unexpected(cfm_error(400, "Invalid JSON: the body must be an object."));
  return std::move(body->get_object());
}

json::object without_empty(json::object o) {
  json::object out;
  for (auto& [name, v] : o)
    if (!is_empty(v))
      out.emplace(name, std::move(v));
  return out;
}

} // namespace fondaco::cfm

#include "planes/api/errors.hpp"

#include <utility>

namespace fondaco::planes::api {

gateway::response error_response(int status, std::vector<error_detail> details) {
  json::array body;
  for (auto& d : details) {
    json::object o;
    o["message"] = std::move(d.message);
    o["type"] = std::move(d.type);
    o["path"] = d.path.empty() ? json::value(nullptr) : json::value(std::move(d.path));
    o["invalidValue"] = std::move(d.invalid_value);
    body.push_back(std::move(o));
  }
  auto r = gateway::json_response(status, json::write(body));
  if (status == 429 || status == 503)
    r.headers.emplace_back("Retry-After", "1");
  return r;
}

gateway::response invalid_field(std::string message, std::string path, json::value invalid_value) {
  return error_response(400, {{std::move(message), "ValidationFailure", std::move(path), std::move(invalid_value)}});
}

gateway::response invalid_request(std::string message) {
  return error_response(400, {{std::move(message), "InvalidRequest", "", nullptr}});
}

gateway::response not_found(std::string_view type, std::string_view id) {
  return error_response(404, {{"Object of type " + std::string(type) + " with ID=" + std::string(id) + " was not found",
                               "ObjectNotFound", "", nullptr}});
}

gateway::response conflict(std::string message) {
  return error_response(409, {{std::move(message), "ObjectConflict", "", nullptr}});
}

gateway::response bad_gateway(std::string message) {
  return error_response(502, {{std::move(message), "BadGateway", "", nullptr}});
}

gateway::response from_ask(const actors::ask_error& e, std::string_view type, std::string_view id) {
  using actors::ask_errc;
  switch (e.code) {
  case ask_errc::overloaded: return error_response(429, {{e.why.detail, "TooManyRequests", "", nullptr}});
  case ask_errc::not_owner:
  case ask_errc::quarantined:
  case ask_errc::unavailable:
  case ask_errc::timed_out: return error_response(503, {{e.why.detail, "Unavailable", "", nullptr}});
  case ask_errc::duplicate: return conflict(e.why.detail);
  case ask_errc::refused: break;
  }
  if (e.why.code == "not_found")
    return not_found(type, id);
  if (e.why.remedy == cure::retry)
    return error_response(503, {{e.why.detail, "Unavailable", "", nullptr}});
  bool bad_input = e.why.code == "invalid" || e.why.code == "rejected";
  return bad_input ? invalid_request(e.why.detail) : conflict(e.why.detail);
}

gateway::response from_query(const persistence::query_error& e) {
  if (e.code == persistence::query_errc::unavailable)
    return error_response(503, {{e.detail, "Unavailable", "", nullptr}});
  return invalid_field(e.detail, "filterExpression");
}

} // namespace fondaco::planes::api

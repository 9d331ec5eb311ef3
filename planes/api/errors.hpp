#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/runtime.hpp"
#include "gateway/http.hpp"
#include "persistence/documents.hpp"
#include "protocols/base/fault.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::planes::api {

/// One entry of the error array that the Management API answers with (management API reference, section 6).
struct error_detail {
  std::string message;
  std::string type;
  /// The JSON path of what was wrong; empty for null.
  std::string path;
  /// The offending value, or null.
  json::value invalid_value;
};

/// The error array with a status; 429 and 503 carry Retry-After.
gateway::response error_response(int status, std::vector<error_detail> details);
/// 400 `ValidationFailure` for a field.
gateway::response invalid_field(std::string message, std::string path, json::value invalid_value = nullptr);
/// 400 `InvalidRequest`.
gateway::response invalid_request(std::string message);
/// 404 `Object of type <type> with ID=<id> was not found`.
gateway::response not_found(std::string_view type, std::string_view id);
/// 409 `ObjectConflict`.
gateway::response conflict(std::string message);
/// 502 `BadGateway`.
gateway::response bad_gateway(std::string message);
/// The response to a command that was not answered by its decider: 429, 503, 409 or, by the fault's code, 404 or 400.
gateway::response from_ask(const actors::ask_error& e, std::string_view type, std::string_view id);
/// The response to a query that gave no rows: 400 or 503.
gateway::response from_query(const persistence::query_error& e);

} // namespace fondaco::planes::api

#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http.hpp"
#include "persistence/documents.hpp"
#include "protocols/base/time.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::planes::api {

/// The JSON-LD context of the Management API.
inline constexpr std::string_view management_context = "https://w3id.org/edc/connector/management/v2";

/// The body of a request as an object whose `@context` holds the management context and whose `@type` is one of these;
/// else the response that section 4.1 of the management API reference names.
std::expected<json::object, gateway::response> read_body(const gateway::request& r, std::vector<std::string> types);

/// The body of a request as a plain JSON object, without JSON-LD.
std::expected<json::object, gateway::response> read_plain_body(const gateway::request& r);

/// A QuerySpec from a body (an empty body gives the default one), or a 400.
std::expected<persistence::query_spec, gateway::response> read_query(const gateway::request& r);

/// A QuerySpec from its object, as catalog requests nest it.
std::expected<persistence::query_spec, gateway::response> read_query_object(const json::object& o);

/// 200 with an IdResponse.
gateway::response id_response(std::string_view id, timepoint created_at);

/// 200 with an object that gets the management context.
gateway::response object_response(json::object o);

/// 200 with an array of objects that each get the management context.
gateway::response array_response(std::vector<json::object> objects);

/// A user's id: 1 to 512 bytes without control characters.
bool is_id(std::string_view id);

} // namespace fondaco::planes::api

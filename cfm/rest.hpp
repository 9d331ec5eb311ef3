#pragma once

#include <string>
#include <string_view>

#include "cfm/services.hpp"
#include "gateway/http.hpp"
#include "planes/api/records.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::cfm {

/// CFM's error body (CFM reference, section 4.4): `{"error":"Not Found","message":"...","code":404}`.
gateway::response cfm_error(int status, std::string_view message);

/// The same status and message as an error array of the other admin APIs.
gateway::response as_cfm_error(const gateway::response& r);

/// Token and exact scope, as `provision-manager-api:read`; 401 and 403 in CFM's form.
actors::task<planes::api::result<gateway::principal>> admit_cfm(cfm_services& s, planes::api::request_ptr r,
                                                                std::string scope);

/// The body as an object; 400 if it is none.
planes::api::result<json::object> read_cfm_body(const gateway::request& r);

/// The object without members that are empty strings, arrays or objects, as CFM's answers have it.
json::object without_empty(json::object o);

} // namespace fondaco::cfm

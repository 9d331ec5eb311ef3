#pragma once

#include <string>
#include <string_view>

#include "gateway/http.hpp"

namespace fondaco::gateway {

/// The standard phrase of a status, as `Not Found`; `Unknown` for one that HTTP does not define.
std::string_view title_of(int status) noexcept;

/// A refusal as `application/problem+json`: `{"status":..,"title":..,"detail":..}` (RFC 9457). `detail` is one sentence
/// for the caller and never holds an exception's text or a secret. 429 and 503 get a `Retry-After` of one second if
/// `extra` brings none.
response problem(int status, std::string_view detail, http_headers extra = {});

} // namespace fondaco::gateway

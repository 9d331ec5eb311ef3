#pragma once

#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "conformance/http_client.hpp"
#include "e2e/check.hpp"

namespace fondaco::e2e {

namespace json = boost::json;
namespace http = conformance::http;

/// An HTTP answer.
struct answer {
  int status = 0;
  http::header_list headers;
  std::string body;
  std::string header(std::string_view name) const;
  /// The body as JSON; fails if it is none.
  json::value value() const;
  json::object object() const;
};

/// Sends one request over a connection of its own; fails if there is no answer.
answer send(const std::string& method, const std::string& url, http::header_list headers, const std::string& body = {});

/// A string member; empty if there is none.
std::string text_at(const json::object& o, std::string_view name);
json::object object_at(const json::object& o, std::string_view name);
json::array array_at(const json::object& o, std::string_view name);

} // namespace fondaco::e2e

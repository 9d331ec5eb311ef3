#pragma once

#include <memory>
#include <string>

#include "gateway/http.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::tools {

/// An HTTP answer as the demo reads it.
struct demo_answer {
  /// 0 if there was no answer; `body` then says why.
  int status = 0;
  std::string body;
  /// The body as an object, empty if it is none.
  json::object object() const;
  /// The body as an array, empty if it is none.
  json::array array() const;
};

/// A body that was read to its end: its length and SHA-256 in hex, or what went wrong.
struct demo_pull {
  int status = 0;
  uint64_t bytes = 0;
  std::string sha256;
  std::string error;
};

/// Blocking HTTP for the demo, over the product's own client.
class demo_http {
public:
  demo_http();
  /// Sends a request; a JSON body if it is not empty, a bearer token if it is not empty.
  demo_answer send(const std::string& method, const std::string& url, const std::string& token = {},
                   const std::string& body = {}, const std::string& content_type = "application/json");
  /// Gets a URL with this Authorization header (none if empty) and reads the body to its end with bounded memory.
  demo_pull pull(const std::string& url, const std::string& authorization);

private:
  gateway::server server_{1};
  gateway::client client_;
};

} // namespace fondaco::tools

#pragma once

#include <string>

#include "e2e/answer.hpp"
#include "e2e/node.hpp"

namespace fondaco::e2e {

/// An API client of a node with a token of the node's own endpoint, at any path of its management listener.
class admin {
public:
  /// `scope` is what it asks for; all that the client may have if it is empty.
  explicit admin(const node& n, std::string client = "admin", std::string scope = "");
  /// A call of `path` below the listener's root; a body is JSON.
  answer send(const std::string& method, const std::string& path, const std::string& body = {},
              http::header_list more = {});
  answer send(const std::string& method, const std::string& path, const json::object& body,
              http::header_list more = {});
  /// The same; fails unless it is answered 2xx. An answer without a body gives null.
  json::value call(const std::string& method, const std::string& path, const json::object& body = {});
  const std::string& token();
  /// The management listener's root.
  std::string url() const { return node_.url("management"); }
  /// Forgets the token, as after the node's restart.
  void forget() { token_.clear(); }

private:
  const node& node_;
  std::string client_;
  std::string scope_;
  std::string token_;
  steady::time_point until_{};
};

} // namespace fondaco::e2e

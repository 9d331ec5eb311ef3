#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json.hpp>

#include "conformance/http_client.hpp"
#include "e2e/check.hpp"
#include "e2e/node.hpp"

namespace fondaco::e2e {

namespace json = boost::json;
namespace http = conformance::http;

/// The one dataspace profile of the tests.
inline constexpr const char* profile = "closed";
inline constexpr const char* transfer_type = "HttpData-PULL";

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

/// A body of the Management API: its context and type.
json::object managed(std::string_view type);
/// A DSP message: its context, type and a fresh `@id`.
json::object message(std::string_view type);
/// A DSP message that names both processes.
json::object message(std::string_view type, const std::string& consumer_pid, const std::string& provider_pid);
/// A policy that demands that an operand has a value.
json::object policy(std::string_view operand, std::string_view value);

/// A client of a node's Management API with a token of the node's own endpoint.
class management {
public:
  /// `scope` is what it asks for; all that the client may have if it is empty.
  explicit management(const node& n, std::string client = "admin", std::string scope = "");
  /// A call below `/api/management/v5beta`.
  answer send(const std::string& method, const std::string& path, const std::string& body = {},
              http::header_list more = {});
  answer send(const std::string& method, const std::string& path, const json::object& body,
              http::header_list more = {});
  /// The same; fails unless it is answered 2xx.
  json::value call(const std::string& method, const std::string& path, const json::object& body = {});
  /// The `@id` of the answer to a POST that creates.
  std::string create(const std::string& path, const json::object& body);
  const std::string& token();

private:
  const node& node_;
  std::string client_;
  std::string scope_;
  std::string token_;
  steady::time_point until_{};
};

/// A counterparty's way to a participant's DSP endpoint.
class dsp_client {
public:
  dsp_client(std::string base, std::string token) : base_(std::move(base)), token_(std::move(token)) {}
  answer post(const std::string& path, const json::object& body) const;
  answer post_text(const std::string& path, const std::string& body) const;
  answer get(const std::string& path) const;
  const std::string& base() const { return base_; }
  const std::string& token() const { return token_; }

private:
  http::header_list headers() const;

  std::string base_;
  std::string token_;
};

/// Fails unless an answer is a DSP error of this type, with a reason and these process ids.
void check_dsp_error(const std::string& what, const answer& a, int status, std::string_view type);

} // namespace fondaco::e2e

#pragma once

#include <string>
#include <string_view>

#include "e2e/admin.hpp"

namespace fondaco::e2e {

/// The one dataspace profile of the tests.
inline constexpr const char* profile = "closed";
inline constexpr const char* transfer_type = "HttpData-PULL";

/// A body of the Management API: its context and type.
json::object managed(std::string_view type);
/// A DSP message: its context, type and a fresh `@id`.
json::object message(std::string_view type);
/// A DSP message that names both processes.
json::object message(std::string_view type, const std::string& consumer_pid, const std::string& provider_pid);
/// A policy that demands that an operand has a value.
json::object policy(std::string_view operand, std::string_view value);

/// A client of a node's Management API: paths are below `/api/management/v5beta`.
class management {
public:
  explicit management(const node& n, std::string client = "admin", std::string scope = "")
      : admin_(n, std::move(client), std::move(scope)) {}
  answer send(const std::string& method, const std::string& path, const std::string& body = {},
              http::header_list more = {});
  answer send(const std::string& method, const std::string& path, const json::object& body,
              http::header_list more = {});
  /// The same; fails unless it is answered 2xx.
  json::value call(const std::string& method, const std::string& path, const json::object& body = {});
  /// The `@id` of the answer to a POST that creates.
  std::string create(const std::string& path, const json::object& body);
  const std::string& token() { return admin_.token(); }

private:
  admin admin_;
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

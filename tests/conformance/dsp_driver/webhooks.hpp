#pragma once

#include <map>
#include <mutex>
#include <string>

#include "conformance/dsp_driver/node.hpp"
#include "conformance/http_server.hpp"

namespace fondaco::conformance::driver {

/// The kit's two webhooks, turned into calls of the node's Management API. A 200 means that the node has taken the
/// order.
class webhooks {
public:
  webhooks(node& n, const options& o) : node_(n), options_(o) {}

  /// The node's own ids of the agreements that the kit names.
  void know(std::map<std::string, std::string> local_agreements);
  /// Answers `/negotiations/requests` and `/transfers/requests`; `path` begins after the webhooks' base URL.
  http::reply handle(const http::message& request, const std::string& path);

private:
  result<json::value> start_negotiation(const json::value& order);
  result<json::value> start_transfer(const json::value& order);

  node& node_;
  const options& options_;
  std::mutex mutex_;
  std::map<std::string, std::string> local_agreements_;
};

} // namespace fondaco::conformance::driver

#pragma once

#include <expected>
#include <memory>
#include <string>

#include "tools/fondaco/ctl.hpp"

namespace fondaco::tools {

/// What a node answered to an operator.
struct operator_answer {
  int status = 0;
  std::string body;
};

/// One way to a node's operator routes; calls block.
class operator_client {
public:
  virtual ~operator_client() = default;
  /// GETs a path; a sentence if the node cannot be reached.
  virtual std::expected<operator_answer, std::string> get(const std::string& path) = 0;
  /// GETs a path that shows business data: over a URL with the scope `operator:admin`.
  virtual std::expected<operator_answer, std::string> get_all(const std::string& path) = 0;
  /// POSTs to a path without a body: something is done.
  virtual std::expected<operator_answer, std::string> post(const std::string& path) = 0;
};

/// The client for these options, or why there is none.
std::expected<std::unique_ptr<operator_client>, std::string> make_operator_client(const ctl_options& options);

} // namespace fondaco::tools

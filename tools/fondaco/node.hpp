#pragma once

#include <expected>
#include <memory>
#include <string>

#include "protocols/base/fault.hpp"
#include "tools/fondaco/config.hpp"

namespace fondaco::tools {

/// A running node: the services that its roles need, started in the order of the plan and stopped in reverse.
class node {
public:
  /// A node that has not started.
  explicit node(config c);
  ~node();
  node(const node&) = delete;

  /// Starts what the plan says; on a fault what had started is stopped again.
  std::expected<void, fault> start();

  /// Lets requests under way end, gives the shards up, closes the database; at most `within` a step.
  void stop(milliseconds within);

  /// Where the listeners are bound, a line each: `protocol 127.0.0.1:8282`.
  std::string bound() const;

  /// False once another node has taken its shards over: the process has to end.
  bool owns_shards() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// The services of a node with these roles in their start order, what each requires and provides, and its listeners.
std::string plan(const config& c);

} // namespace fondaco::tools

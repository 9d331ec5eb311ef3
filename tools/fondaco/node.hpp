#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

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

  /// Takes over what may change while the node runs: log level, trusted issuers, and the listeners' certificates, which
  /// are read anew in any case. All of it or, on a fault, nothing. Gives the other keys that differ from the
  /// configuration that runs: they need a restart. Never at the same time as `start` or `stop`.
  std::expected<std::vector<std::string>, fault> reload(const config& fresh);

  /// Where the listeners are bound, a line each: `protocol 127.0.0.1:8282`.
  std::string bound() const;

  /// False once another node has taken its shards over: the process has to end.
  bool owns_shards() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// The names of the listeners that a node with these roles opens.
std::vector<std::string> listeners_of(const config& c);

/// The services of a node with these roles in their start order, what each requires and provides, and its listeners.
std::string plan(const config& c);

} // namespace fondaco::tools

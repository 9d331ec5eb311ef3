#pragma once

#include <memory>
#include <optional>
#include <string>

#include "crash/commit_proxy.hpp"
#include "crash/syscall_killer.hpp"
#include "e2e/node.hpp"

namespace fondaco::crash {

/// The node that is killed at its n-th commit: on SQLite by a tracer at the n-th sync of its files, on PostgreSQL by
/// the wire between them.
class victim {
public:
  /// The node has not been started yet; the count of its commits is kept in a file.
  victim(e2e::node& n, e2e::store_kind kind, std::string count_file);

  e2e::node& at() { return node_; }
  /// Starts the node anew, to be killed at its n-th commit from now; 0: at none. It may be dead already when this
  /// returns.
  void start_to_die(uint64_t at, side when);
  /// The commits since then.
  uint64_t commits() const;
  /// If the node was killed: starts it again to live, and tells what it was killed at.
  std::optional<std::string> revive();

private:
  void stop();

  e2e::node& node_;
  std::string count_file_;
  std::unique_ptr<commit_proxy> proxy_;
};

} // namespace fondaco::crash

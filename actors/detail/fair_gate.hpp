#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "actors/detail/completion.hpp"

namespace fondaco::actors::detail {

/// Where commands wait for their tenant's turn. The tenants that were active a moment ago share a window: each may have
/// its part of it with the entities, and what it asks beyond that waits here, where it costs nobody else anything. A
/// tenant's flood so makes only its own commands wait; one that is alone waits for nobody. The node's own tenants,
/// whose ids begin with a dot, have a window each. Any thread may call.
class fair_gate : public std::enable_shared_from_this<fair_gate> {
public:
  /// Who was active a moment ago is no matter of the time of day.
  using moment = std::chrono::steady_clock::time_point;

  /// At most `waiting_max` commands of a tenant wait or are in service; more are refused.
  fair_gate(size_t window, size_t waiting_max) : window_(window), waiting_max_(waiting_max) {}

  /// Starts a command now, or later, when others of its tenant are answered; false if too many of its tenant are here.
  bool enter(const std::string& owner, const completion_ptr& done, std::function<void()> start, moment now);
  /// Forgets who waits, and starts nobody any more.
  void close();
  /// The commands that wait.
  size_t waiting() const;

private:
  struct waiter {
    completion_ptr done;
    std::function<void()> start;
  };
  struct line {
    size_t serving = 0;
    std::deque<waiter> waiting;
    moment last;
  };

  size_t share(const std::string& owner) const;
  void leave(const std::string& owner);
  void let_in(const completion_ptr& done, const std::string& owner);
  void forget_idle(moment now);

  const size_t window_;
  const size_t waiting_max_;
  mutable std::mutex mutex_;
  std::map<std::string, line> lines_;
  /// Who was active when, the oldest first: a tenant is here once.
  std::deque<std::pair<moment, std::string>> seen_;
  size_t waiting_ = 0;
  bool closed_ = false;
};

} // namespace fondaco::actors::detail

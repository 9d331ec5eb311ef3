#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "actors/runtime.hpp"

namespace fondaco::actors::detail {

using gate = std::shared_ptr<std::atomic<size_t>>;

/// The caller's end of a command: answered exactly once, by the entity, by the deadline, or by being dropped.
class completion {
public:
  completion(std::function<void(ask_result)> done, timepoint deadline, gate node)
      : done_(std::move(done)), deadline_(deadline), node_(std::move(node)) {}
  completion(const completion&) = delete;
  ~completion() { fail(ask_errc::unavailable, "dropped", "The entity stopped before it answered; ask again."); }

  void finish(ask_result result) {
    if (finished_.exchange(true))
      return;
    node_->fetch_sub(1);
    if (tenant_)
      tenant_->fetch_sub(1);
    auto done = std::move(done_);
    done(std::move(result));
  }
  void fail(ask_errc code, std::string name, std::string detail) {
    if (finished_.load())
      return;
    auto remedy = code == ask_errc::refused ? cure::fix_input : cure::retry;
    finish(std::unexpected(ask_error{code, fault{std::move(name), std::move(detail), remedy}}));
  }
  /// Counts the command against its tenant until it is answered.
  void charge(gate tenant) {
    tenant->fetch_add(1);
    tenant_ = std::move(tenant);
  }
  timepoint deadline() const { return deadline_; }
  bool finished() const { return finished_.load(); }

private:
  std::function<void(ask_result)> done_;
  timepoint deadline_;
  gate node_;
  gate tenant_;
  std::atomic<bool> finished_{false};
};

using completion_ptr = std::shared_ptr<completion>;

} // namespace fondaco::actors::detail

#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
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
    end_turn();
    auto done = std::move(done_);
    done(std::move(result));
  }
  void fail(ask_errc code, std::string name, std::string detail) {
    if (finished_.load())
      return;
    auto remedy = code == ask_errc::refused ? cure::fix_input : cure::retry;
    finish(std::unexpected(ask_error{code, fault{std::move(name), std::move(detail), remedy}}));
  }
  /// Called once when the command is answered, or waits for something that is not this node's work.
  void on_turn_over(std::function<void()> f) {
    {
      const std::scoped_lock lock(turn_mutex_);
      turn_over_ = std::move(f);
    }
    if (finished_.load())
      end_turn();
  }
  /// The command waits for the outside world: its tenant's next one may go on.
  void end_turn() {
    std::function<void()> f;
    {
      const std::scoped_lock lock(turn_mutex_);
      f.swap(turn_over_);
    }
    if (f)
      f();
  }
  timepoint deadline() const { return deadline_; }
  bool finished() const { return finished_.load(); }

private:
  std::function<void(ask_result)> done_;
  timepoint deadline_;
  gate node_;
  std::mutex turn_mutex_;
  std::function<void()> turn_over_;
  std::atomic<bool> finished_{false};
};

using completion_ptr = std::shared_ptr<completion>;

} // namespace fondaco::actors::detail

#include "actors/memory_broker.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace fondaco::actors {

namespace {

using steady = std::chrono::steady_clock;

constexpr size_t deliveries_waiting_max = 10'000;

fault not_now(std::string detail) { return {"broker_unavailable", std::move(detail), cure::retry}; }

/// A message on its way to its consumer.
struct under_way {
  broker_message message;
  std::function<void(std::expected<void, fault>)> published;
};

class memory_broker final : public broker {
public:
  explicit memory_broker(milliseconds again_after) : state_(std::make_shared<state>()) {
    state_->again_after = again_after;
  }
  ~memory_broker() override { stop(milliseconds(1000)); }

  void publish(broker_message m, std::function<void(std::expected<void, fault>)> done) override {
    std::optional<fault> refused;
    {
      std::lock_guard lock(state_->mutex);
      if (m.payload.size() > limits::broker_payload_bytes_max)
        refused = fault{"message_too_long", "A message may have at most 786432 bytes.", cure::fix_input};
      else if (!state_->running)
        refused = not_now("The broker does not run yet, or not any more.");
      else if (!state_->consumers.contains(m.subject))
        refused = not_now("Nobody on this node consumes '" + m.subject + "'.");
      else if (state_->due.size() >= deliveries_waiting_max)
        refused = not_now("Too many messages wait to be delivered.");
      else
        state_->due.emplace(steady::now(), std::make_shared<under_way>(under_way{std::move(m), std::move(done)}));
    }
    if (refused)
      done(std::unexpected(std::move(*refused)));
    else
      state_->changed.notify_one();
  }

  void consume(std::string, std::string subject, handler h) override {
    std::lock_guard lock(state_->mutex);
    const bool fresh = state_->consumers.emplace(std::move(subject), std::move(h)).second;
    invariant(fresh && !state_->running, "a subject has one consumer, known before the broker starts");
  }

  std::expected<void, fault> start() override {
    {
      std::lock_guard lock(state_->mutex);
      state_->running = true;
    }
    thread_ = std::thread([s = state_] { s->deliver_all(); });
    return {};
  }

  void stop(milliseconds within) override {
    std::unique_lock lock(state_->mutex);
    state_->running = false;
    state_->changed.notify_all();
    state_->changed.wait_for(lock, within, [this] { return state_->in_handlers == 0; });
    lock.unlock();
    if (thread_.joinable())
      thread_.join();
  }

  bool connected() const override {
    std::lock_guard lock(state_->mutex);
    return state_->running;
  }

private:
  /// Shared with handlers, which may end after the broker.
  struct state : std::enable_shared_from_this<state> {
    mutable std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, handler> consumers;
    std::multimap<steady::time_point, std::shared_ptr<under_way>> due;
    milliseconds again_after{200};
    size_t in_handlers = 0;
    bool running = false;

    void deliver_all() {
      std::unique_lock lock(mutex);
      while (running) {
        if (due.empty()) {
          changed.wait(lock, [this] { return !running || !due.empty(); });
        } else if (due.begin()->first > steady::now()) {
          changed.wait_until(lock, due.begin()->first);
        } else {
          auto next = std::move(due.begin()->second);
          due.erase(due.begin());
          ++in_handlers;
          auto& handle = consumers.at(next->message.subject);
          lock.unlock();
          handle(next->message, [self = shared_from_this(), next](delivery d) { self->handled(next, d); });
          lock.lock();
        }
      }
    }

    void handled(const std::shared_ptr<under_way>& what, delivery d) {
      bool dropped = false;
      {
        std::lock_guard lock(mutex);
        --in_handlers;
        if (d == delivery::again && running) {
          ++what->message.attempt;
          due.emplace(steady::now() + again_after, what);
        } else {
          dropped = d == delivery::again;
        }
      }
      changed.notify_all();
      if (dropped)
        what->published(std::unexpected(not_now("The broker ended before the message was acted on.")));
      else if (d != delivery::again)
        what->published({});
    }
  };

  std::shared_ptr<state> state_;
  std::thread thread_;
};

} // namespace

std::unique_ptr<broker> make_memory_broker(milliseconds again_after_ms) {
  return std::make_unique<memory_broker>(again_after_ms);
}

} // namespace fondaco::actors

#pragma once

#include <condition_variable>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "protocols/base/time.hpp"

namespace fondaco::persistence {

namespace limits {
/// How long a reader waits for a free connection before it gets `unavailable`.
inline constexpr milliseconds pool_wait{5000};
} // namespace limits

/// A bounded set of connections that are opened when needed and lent one at a time; safe from any thread.
/// `Failure` needs a static `exhausted()`: the value for a caller who waited too long.
template <class Connection, class Failure> class bounded_pool {
public:
  /// Opens one connection.
  using opener = std::function<std::expected<Connection, Failure>()>;

  /// A borrowed connection; goes back when this dies.
  class loan {
  public:
    loan(bounded_pool& pool, std::unique_ptr<Connection> c) : pool_(&pool), connection_(std::move(c)) {}
    loan(loan&&) noexcept = default;
    loan& operator=(loan&&) = delete;
    ~loan() {
      if (connection_)
        pool_->give_back(std::move(connection_));
    }
    Connection* operator->() const noexcept { return connection_.get(); }
    Connection& operator*() const noexcept { return *connection_; }

  private:
    bounded_pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  /// A pool of at most `connections_max` connections (at least one).
  bounded_pool(opener open, size_t connections_max)
      : open_(std::move(open)), free_places_(connections_max == 0 ? 1 : connections_max) {}
  bounded_pool(const bounded_pool&) = delete;
  bounded_pool& operator=(const bounded_pool&) = delete;

  /// A free connection, waited for at most `wait`.
  std::expected<loan, Failure> acquire(milliseconds wait = limits::pool_wait) {
    {
      std::unique_lock lock(mutex_);
      if (!returned_.wait_for(lock, wait, [this] { return !idle_.empty() || free_places_ > 0; }))
        return std::unexpected(Failure::exhausted());
      if (!idle_.empty()) {
        auto c = std::move(idle_.back());
        idle_.pop_back();
        return loan(*this, std::move(c));
      }
      --free_places_;
    }
    auto opened = open_();
    if (!opened) {
      std::lock_guard lock(mutex_);
      ++free_places_;
      returned_.notify_one();
      return std::unexpected(std::move(opened.error()));
    }
    return loan(*this, std::make_unique<Connection>(std::move(*opened)));
  }

private:
  void give_back(std::unique_ptr<Connection> c) {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(c));
    returned_.notify_one();
  }

  opener open_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  size_t free_places_;
};

} // namespace fondaco::persistence

#pragma once

#include <chrono>
#include <concepts>
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
/// How long a pool whose database did not answer refuses everybody before one caller may find out whether it does
/// again.
inline constexpr milliseconds pool_rest{1000};
} // namespace limits

/// A connection that knows whether the server at its other end answers.
template <class Connection>
concept can_fall_silent = requires(const Connection& c) {
  { c.is_silent() } -> std::same_as<bool>;
};

/// A bounded set of connections that are opened when needed and lent one at a time; safe from any thread.
/// `Failure` needs a static `exhausted()`, the value for a caller who waited too long, and if connections can fall
/// silent a `resting()`: once one did, callers get it at once, and one caller at a time finds out whether the database
/// answers.
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
      : open_(std::move(open)), places_(connections_max == 0 ? 1 : connections_max), free_places_(places_) {}
  bounded_pool(const bounded_pool&) = delete;
  bounded_pool& operator=(const bounded_pool&) = delete;

  /// A free connection, waited for at most `wait`.
  std::expected<loan, Failure> acquire(milliseconds wait = limits::pool_wait) {
    {
      std::unique_lock lock(mutex_);
      if (!returned_.wait_for(lock, wait, [this] { return rests() || !idle_.empty() || free_places_ > 0; }))
        return std::unexpected(Failure::exhausted());
      if constexpr (can_fall_silent<Connection>) {
        if (rests())
          return std::unexpected(Failure::resting());
      }
      probing_ = silent_;
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
      // While others have a connection, theirs tell how the database is: it may only be full.
      if (silent_ || free_places_ == places_)
        note(true);
      returned_.notify_one();
      return std::unexpected(std::move(opened.error()));
    }
    return loan(*this, std::make_unique<Connection>(std::move(*opened)));
  }

private:
  void give_back(std::unique_ptr<Connection> c) {
    std::lock_guard lock(mutex_);
    if constexpr (can_fall_silent<Connection>)
      note(c->is_silent());
    idle_.push_back(std::move(c));
    returned_.notify_one();
  }

  bool rests() const { return silent_ && (probing_ || std::chrono::steady_clock::now() < rest_until_); }

  void note(bool silent) {
    if constexpr (can_fall_silent<Connection>) {
      probing_ = false;
      silent_ = silent;
      if (!silent)
        return;
      rest_until_ = std::chrono::steady_clock::now() + limits::pool_rest;
      returned_.notify_all();
    }
  }

  opener open_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  const size_t places_;
  size_t free_places_;
  bool silent_ = false;
  bool probing_ = false;
  std::chrono::steady_clock::time_point rest_until_;
};

} // namespace fondaco::persistence

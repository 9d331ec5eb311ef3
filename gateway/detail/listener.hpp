#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

#include <boost/asio/ssl/context.hpp>

#include "gateway/http.hpp"

namespace fondaco::gateway::detail {

class connection;

/// What the server's listeners and connections share, so that a drain knows when the last has gone.
struct house {
  std::mutex mutex;
  std::condition_variable changed;
  /// Accept loops and connections that are still there; guarded by the mutex.
  size_t guests = 0;
  std::unordered_set<connection*> connections;
  std::atomic<bool> draining = false;
};

/// A listener as its connections see it.
struct listener {
  listener(listener_options o, router r, std::shared_ptr<boost::asio::ssl::context> t, std::shared_ptr<house> h)
      : options(std::move(o)), routes(std::move(r)), home(std::move(h)), tls_(std::move(t)) {}

  /// What a new connection's handshake uses; null for plain HTTP.
  std::shared_ptr<boost::asio::ssl::context> tls() const {
    const std::lock_guard lock(tls_mutex_);
    return tls_;
  }
  /// Lets the connections from now on use another one.
  void swap_tls(std::shared_ptr<boost::asio::ssl::context> next) {
    const std::lock_guard lock(tls_mutex_);
    tls_ = std::move(next);
  }

  listener_options options;
  router routes;
  std::shared_ptr<house> home;

  std::atomic<uint64_t> connections = 0;
  std::atomic<uint64_t> connections_open = 0;
  std::atomic<uint64_t> connections_refused = 0;
  std::atomic<uint64_t> requests = 0;
  std::atomic<uint64_t> requests_refused = 0;
  std::atomic<uint64_t> requests_full = 0;
  std::atomic<uint64_t> timeouts = 0;
  std::atomic<uint64_t> answers_broken = 0;
  std::atomic<uint64_t> bytes_out = 0;
  /// Requests in handlers right now, those among them that the client was already told to be late.
  std::atomic<uint64_t> in_handlers = 0;

private:
  mutable std::mutex tls_mutex_;
  std::shared_ptr<boost::asio::ssl::context> tls_;
};

} // namespace fondaco::gateway::detail

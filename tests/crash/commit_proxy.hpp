#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "conformance/http_wire.hpp"
#include "crash/syscall_killer.hpp"

namespace fondaco::crash {

/// A wire between a node and its PostgreSQL server (protocol 3.0, without TLS) that counts what commits: an explicit
/// `commit`, and a writing statement outside of a transaction that is no heartbeat. At the n-th one it calls `strike`,
/// before the server hears of it or after the server did it and before the node hears that; nothing passes afterwards
/// until `arm`.
class commit_proxy {
public:
  /// The server listens on this loopback port.
  explicit commit_proxy(int server_port);
  ~commit_proxy();
  commit_proxy(const commit_proxy&) = delete;

  /// The loopback port that the node connects to.
  int port() const { return port_; }
  /// Counts from the beginning; `at` 0 strikes never. Connections of before are over.
  void arm(uint64_t at, side when, std::function<void()> strike);
  /// The commits since it was armed.
  uint64_t count() const { return count_.load(); }
  /// The statement that it struck at; empty if it did not.
  std::string struck_at() const;

private:
  struct wire;
  void accept();
  bool strikes(side now, const std::string& statement);

  int server_port_;
  int port_ = 0;
  conformance::http::descriptor listener_;
  mutable std::mutex mutex_;
  uint64_t at_ = 0;
  side when_ = side::before;
  std::function<void()> strike_;
  std::string struck_at_;
  std::atomic<uint64_t> count_{0};
  std::atomic<uint64_t> generation_{0};
  std::atomic<bool> dead_{false};
  std::atomic<bool> ending_{false};
  std::list<std::thread> wires_;
  std::thread accepting_;
};

} // namespace fondaco::crash

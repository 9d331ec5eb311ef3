#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "conformance/http_server.hpp"
#include "e2e/api.hpp"

namespace fondaco::e2e {

/// A request that reached a peer.
struct delivery {
  std::string method;
  std::string path;
  std::string authorization;
  std::string body;
  http::header_list headers;
  /// The body as an object; empty if it is none.
  json::object message() const;
  std::string header(std::string_view name) const;
};

/// A door that something waits at until it is opened; it stays open.
class gate {
public:
  void open();
  /// True if it was opened in time.
  bool pass(milliseconds within = milliseconds(60'000));

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// An HTTP server that the test runs: a counterparty, an identity provider or a data source that behaves as it is told.
/// It keeps what it was sent.
class peer {
public:
  using behaviour = std::function<http::reply(const delivery&)>;

  /// Takes every message of the protocol: a first one with 201, anything else with 200.
  peer();
  ~peer();
  peer(const peer&) = delete;

  /// The base that counterparties are given.
  std::string base() const;
  /// `http://127.0.0.1:<port>`.
  std::string root() const;
  /// Changes how it answers from now on.
  void behave(behaviour b);
  void behave_well() { behave(well()); }
  static behaviour well();

  /// What came so far whose path ends so; all of it for an empty end.
  std::vector<delivery> seen(const std::string& path_end = {}) const;
  /// Waits until so many came whose path ends so, and gives the last of those.
  delivery await(const std::string& path_end, size_t count = 1, milliseconds within = wait_within) const;

private:
  http::reply take(const http::message& m);

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  behaviour behaviour_;
  std::vector<delivery> seen_;
  std::unique_ptr<http::server> server_;
};

/// Behaves in another way while it lives, and well again afterwards; opens its gate at the end, so that no handler
/// stays in it.
class behaving {
public:
  behaving(peer& p, peer::behaviour b) : peer_(p) { peer_.behave(std::move(b)); }
  behaving(peer& p, std::shared_ptr<gate> held, peer::behaviour b) : peer_(p), held_(std::move(held)) {
    peer_.behave(std::move(b));
  }
  ~behaving() {
    peer_.behave_well();
    if (held_)
      held_->open();
  }
  behaving(const behaving&) = delete;

private:
  peer& peer_;
  std::shared_ptr<gate> held_;
};

/// A reply with a JSON body.
http::reply json_reply(int status, const json::object& body);

/// The provider's process id that a well-behaved peer chooses.
std::string peer_pid_for(const std::string& consumer_pid);

/// Fails if a message id came with two different bodies, or a message of the protocol came without one.
void check_one_body_per_id(const std::vector<delivery>& all);

} // namespace fondaco::e2e

#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "conformance/http_wire.hpp"
#include "e2e/check.hpp"

namespace fondaco::e2e {

/// What a load was answered.
struct load_tally {
  std::map<int, size_t> by_status;
  /// Answers 429 and 503 without a Retry-After.
  size_t without_retry = 0;
  /// Requests whose connection ended without an answer.
  size_t broken = 0;
  /// How long each answered request took.
  std::vector<double> took_ms;

  size_t answered() const;
  size_t of(int status) const;
  /// The value that so much of the times do not exceed; 0 if there is none.
  double took_ms_at(double quantile) const;
};

/// How a load asks.
struct load_plan {
  int port = 0;
  size_t connections = 1;
  /// Requests a second in all, begun on time if a connection is free; 0: each connection asks again once it is
  /// answered.
  double per_second = 0;
  /// The whole text of the next request.
  std::function<std::string()> next;
};

/// A load of HTTP requests over kept connections, from a thread of its own, from its making to `finish`.
class http_load {
public:
  explicit http_load(load_plan plan);
  ~http_load();
  http_load(const http_load&) = delete;

  load_tally so_far() const;
  /// Ends it once the requests under way are answered, or after a while; gives the tally.
  load_tally finish();

private:
  struct line;
  void run();
  bool open(line& l) const;
  void begin(line& l);
  void read(line& l);
  void note(const std::string& head, double took_ms);

  load_plan plan_;
  mutable std::mutex mutex_;
  load_tally tally_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

/// The text of a request with a JSON body; a GET if there is none.
std::string request_text(const std::string& method, const std::string& path, const std::string& bearer,
                         const std::string& body = {});

} // namespace fondaco::e2e

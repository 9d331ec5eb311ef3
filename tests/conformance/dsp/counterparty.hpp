#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "conformance/dsp/machine.hpp"
#include "conformance/dsp/schema.hpp"
#include "conformance/dsp/settings.hpp"
#include "conformance/http_client.hpp"
#include "conformance/http_server.hpp"

namespace fondaco::conformance::dsp {

/// Attempts of a request that is expected to succeed and met a 4xx; the pause before the second, doubled for the third.
inline constexpr int attempts_max = 3;
inline constexpr std::chrono::milliseconds first_retry_pause{200};
/// The kit's short pause before terminations, verifications and one-shot checks, and its polling interval.
inline constexpr std::chrono::milliseconds short_pause{100};

/// What the status of a POST means (dsp-tck.md, section 7.1).
struct verdict {
  enum class kind : uint8_t { passed, again, failed } what = kind::passed;
  std::string why;
};
/// Judges the answer to attempt number `attempt` (from 1).
verdict judge_post(int status, bool error_expected, int attempt);

/// Waits for this time; nothing ends it early.
void pause(std::chrono::milliseconds time);

/// An event that happens once.
class latch {
public:
  void release();
  [[nodiscard]] bool wait_for(std::chrono::milliseconds limit);

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
};

/// What a case did and saw, in order, with the milliseconds since its start: shown when it fails, or at once with
/// debug. Thread-safe.
class transcript {
public:
  explicit transcript(bool echo) : echo_(echo) {}
  void line(const std::string& what);
  /// A finding that goes beyond what the kit demands.
  void note(const std::string& what);
  [[nodiscard]] std::vector<std::string> lines() const;
  [[nodiscard]] std::vector<std::string> notes() const;

private:
  const bool echo_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_;
  std::vector<std::string> lines_, notes_;
};

/// The callback paths that exist right now. A path is a regular expression; a step registers it just in time, and the
/// first successful call removes it (dsp-tck.md, section 7.3).
class callback_endpoint {
public:
  using handler = std::function<http::reply(const std::string& body)>;
  /// Registers under the path without its trailing slash.
  void expect(const std::string& path, handler h);
  /// Removes what is registered under exactly this path: with a trailing slash nothing is, as in the kit.
  void forget(const std::string& path);
  /// Removes everything and waits until no handler runs any more.
  void clear();
  /// Answers a request; a handler that throws makes the connection close without an answer.
  http::reply dispatch(const http::message& request, transcript& log);

private:
  http::reply run(const handler& h, const std::string& body, transcript& log);

  std::mutex mutex_;
  std::condition_variable idle_;
  size_t running_ = 0;
  std::map<std::string, handler> handlers_;
};

/// What one case runs with.
struct environment {
  const settings& config;
  http::client& http;
  callback_endpoint& callbacks;
  transcript& log;
  /// The id with capitals and underscores, `CN_01_01`, which begins the case's keys.
  std::string key_prefix;
};

/// Sends JSON as the kit does, with its retries, and gives the answer; throws `failure` with the kit's reasons.
http::response post(environment& env, const std::string& url, const json::object& body, bool error_expected = false);
/// The kit's GET: a status other than 2xx fails, unless any answer will do.
http::response get(environment& env, const std::string& url, bool any_status = false);
/// Parses a body that the connector under test sent and refuses what the kit would refuse; `expected_type` only adds a
/// note if another type came.
json::object accept_body(environment& env, const std::string& text, std::string_view expected_type);
/// The same for a process that a GET or a create returned: provider pid and state must be there.
json::object accept_process(environment& env, const std::string& text, std::string_view expected_type);

/// Expectations and waits of one process, in the kit's order: each wait belongs to the oldest expectation that no wait
/// has taken yet.
class step_runner {
public:
  explicit step_runner(environment& env) : env_(env) {}

protected:
  /// Registers a handler now. `act` gives the body of the 200, or none; it may throw.
  void on_callback(const std::string& path, std::string_view type,
                   std::function<std::optional<json::object>(const json::object&)> act);
  /// The same for start, suspension and completion of transfers: `act` gives status and body; what it throws is a 500,
  /// and its 409 ends the expectation like a success.
  void on_fallible_callback(const std::string& path, std::string_view type,
                            std::function<std::pair<int, json::object>(const json::object&)> act);
  /// Waits for the expectation's callback, then polls until the condition holds.
  void wait_until(const std::string& what, const std::function<bool()>& condition);

  environment& env_;

private:
  std::deque<std::shared_ptr<latch>> expected_;
};

} // namespace fondaco::conformance::dsp

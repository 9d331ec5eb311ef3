#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "e2e/process.hpp"

namespace fondaco::e2e {

/// A nats-server with JetStream of its own: of the streams on one server only one can have the CFM's subjects. Its
/// port and its files outlive it.
class nats_process {
public:
  explicit nats_process(const std::string& folder);
  /// Starts it and waits until it takes connections.
  void start();
  void kill();
  /// What its streams still have for somebody, by stream and consumer: messages that nobody took yet, and dead letters.
  /// Empty if there is nothing. Missing acknowledgements do not count: after SIGKILL the server (2.9) waits for some of
  /// messages that it deleted.
  std::string open() const;
  std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

private:
  std::string folder_;
  int port_;
  int monitor_port_;
  child process_;
};

/// What may die: by SIGKILL, and stand up again; `start` waits until it is ready.
struct victim {
  std::string name;
  std::function<void()> kill;
  std::function<void()> start;
};

/// Kills one victim after the other beside the test: everybody as often as everybody else, at moments that a random
/// number chooses among what the test does meanwhile.
class chaos {
public:
  chaos(std::vector<victim> victims, uint64_t seed);
  /// Ends as `halt` does.
  ~chaos();
  chaos(const chaos&) = delete;

  /// Kills each of them `rounds` times while the test comes to `steps` steps.
  void begin(size_t rounds, size_t steps);
  /// The step of the next kill, which may be over; more than any while none is left.
  size_t next_kill();
  /// The test did another step; fails if a victim did not stand up again.
  void step();
  /// Waits until all kills are done; fails if a victim did not stand up again.
  void finish();
  /// Kills nobody any more; all victims stand afterwards.
  void halt() noexcept;
  /// When the last of those that were killed stood again; while nothing is under way.
  steady::time_point last_rise() const { return last_rise_; }
  /// How often each was killed.
  const std::map<std::string, size_t>& kills() const { return kills_; }

private:
  void run(std::vector<std::pair<size_t, const victim*>> plan);
  void rethrow();
  /// Waits up to so long, less if it is halted; gives true if it was.
  bool pause(std::unique_lock<std::mutex>& lock, milliseconds longest);

  std::vector<victim> victims_;
  std::mt19937_64 random_;
  std::map<std::string, size_t> kills_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t steps_ = 0;
  size_t next_kill_ = SIZE_MAX;
  steady::time_point last_rise_ = steady::now();
  bool halted_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

} // namespace fondaco::e2e

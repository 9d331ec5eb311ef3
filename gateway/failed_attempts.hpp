#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "protocols/base/time.hpp"

namespace fondaco::gateway {

namespace limits {
/// How long failed attempts are counted together.
inline constexpr milliseconds failed_attempts_window_ms{60'000};
/// The most failed attempts of one client id from one remote address in a window.
inline constexpr unsigned failed_attempts_of_client_max = 10;
/// The most failed attempts from one remote address in a window, whatever the client id.
inline constexpr unsigned failed_attempts_of_remote_max = 100;
/// The most keys that are counted at the same time; the oldest window gives way.
inline constexpr size_t failed_attempts_keys_max = 4096;
} // namespace limits

/// Counts failed attempts in fixed windows, in bounded memory; any thread may call.
/// A client id is counted together with the remote address, so that a stranger cannot lock a client out from elsewhere.
class failed_attempts {
public:
  /// Counts at most so many keys.
  explicit failed_attempts(size_t keys_max = limits::failed_attempts_keys_max) : keys_max_(keys_max) {}

  /// How long the caller has to wait before its next attempt is looked at; nothing if it may try now.
  std::optional<milliseconds> wait_for(std::string_view client_id, std::string_view remote, timepoint now);
  /// Counts a failed attempt.
  void failed(std::string_view client_id, std::string_view remote, timepoint now);

private:
  struct window {
    std::string key;
    timepoint begin;
    unsigned count = 0;
  };
  using windows = std::list<window>;

  std::optional<milliseconds> over(const std::string& key, unsigned max, timepoint now);
  void count(const std::string& key, timepoint now);

  const size_t keys_max_;
  std::mutex mutex_;
  windows by_age_;
  std::unordered_map<std::string, windows::iterator> by_key_;
};

} // namespace fondaco::gateway

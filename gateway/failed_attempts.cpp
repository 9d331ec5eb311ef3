#include "gateway/failed_attempts.hpp"

#include <algorithm>

#include "protocols/base/hash.hpp"

namespace fondaco::gateway {
namespace {

// Hashed, so that a key's length is bounded whatever the caller sends.
std::string client_key(std::string_view client_id, std::string_view remote) {
  return sha256(std::string(remote) + '\n' + std::string(client_id));
}

std::string remote_key(std::string_view remote) { return sha256(remote); }

} // namespace

std::optional<milliseconds> failed_attempts::wait_for(std::string_view client_id, std::string_view remote,
                                                      timepoint now) {
  const std::lock_guard lock(mutex_);
  const auto of_client = over(client_key(client_id, remote), limits::failed_attempts_of_client_max, now);
  const auto of_remote = over(remote_key(remote), limits::failed_attempts_of_remote_max, now);
  return std::max(of_client, of_remote);
}

void failed_attempts::failed(std::string_view client_id, std::string_view remote, timepoint now) {
  const std::lock_guard lock(mutex_);
  count(client_key(client_id, remote), now);
  count(remote_key(remote), now);
}

std::optional<milliseconds> failed_attempts::over(const std::string& key, unsigned max, timepoint now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end() || found->second->count < max)
    return std::nullopt;
  const auto ends = found->second->begin + limits::failed_attempts_window_ms;
  if (now >= ends)
    return std::nullopt;
  return ends - now;
}

void failed_attempts::count(const std::string& key, timepoint now) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    if (now < found->second->begin + limits::failed_attempts_window_ms) {
      ++found->second->count;
      return;
    }
    by_age_.erase(found->second);
    by_key_.erase(found);
  }
  if (by_age_.size() >= keys_max_) {
    by_key_.erase(by_age_.front().key);
    by_age_.pop_front();
  }
  by_age_.push_back({key, now, 1});
  by_key_.emplace(key, std::prev(by_age_.end()));
}

} // namespace fondaco::gateway

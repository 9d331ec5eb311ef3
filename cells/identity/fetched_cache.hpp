#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "protocols/base/time.hpp"

namespace fondaco::identity {

/// Keeps what was fetched for a bounded time and in a bounded number of bytes. Any thread may call.
template <class T> class fetched_cache {
public:
  /// A cache that holds at most so many bytes.
  explicit fetched_cache(size_t bytes_max) : bytes_max_(bytes_max) {}

  /// What was kept under the key, if its time is not over; else null.
  std::shared_ptr<const T> find(const std::string& key, timepoint now) const {
    std::scoped_lock lock(mutex_);
    const auto found = entries_.find(key);
    return found != entries_.end() && now < found->second.until ? found->second.value : nullptr;
  }
  /// Keeps a value of so many bytes; makes room by dropping what is over, then everything.
  void keep(const std::string& key, std::shared_ptr<const T> value, size_t bytes, timepoint now, timepoint until) {
    std::scoped_lock lock(mutex_);
    drop(entries_.find(key));
    if (bytes_ + bytes > bytes_max_)
      for (auto it = entries_.begin(); it != entries_.end();)
        it = it->second.until <= now ? drop(it) : std::next(it);
    if (bytes_ + bytes > bytes_max_) {
      entries_.clear();
      bytes_ = 0;
    }
    if (bytes > bytes_max_ || until <= now)
      return;
    entries_.emplace(key, entry{std::move(value), bytes, until});
    bytes_ += bytes;
  }

private:
  struct entry {
    std::shared_ptr<const T> value;
    size_t bytes = 0;
    timepoint until;
  };
  using place = typename std::map<std::string, entry>::iterator;
  place drop(place at) {
    if (at == entries_.end())
      return at;
    bytes_ -= at->second.bytes;
    return entries_.erase(at);
  }

  mutable std::mutex mutex_;
  std::map<std::string, entry> entries_;
  size_t bytes_ = 0;
  size_t bytes_max_;
};

} // namespace fondaco::identity

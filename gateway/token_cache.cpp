#include "gateway/token_cache.hpp"

#include <utility>

namespace fondaco::gateway {

std::optional<token_cache::entry> token_cache::find(const std::string& digest, timepoint now) {
  const std::lock_guard lock(mutex_);
  const auto found = by_digest_.find(digest);
  if (found == by_digest_.end())
    return std::nullopt;
  if (now >= found->second->second.until) {
    by_use_.erase(found->second);
    by_digest_.erase(found);
    return std::nullopt;
  }
  by_use_.splice(by_use_.begin(), by_use_, found->second);
  return found->second->second;
}

void token_cache::put(std::string digest, entry e) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_digest_.find(digest); found != by_digest_.end()) {
    found->second->second = std::move(e);
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return;
  }
  if (by_use_.size() >= entries_max_) {
    by_digest_.erase(by_use_.back().first);
    by_use_.pop_back();
  }
  by_use_.emplace_front(digest, std::move(e));
  by_digest_.emplace(std::move(digest), by_use_.begin());
}

size_t token_cache::size() {
  const std::lock_guard lock(mutex_);
  return by_use_.size();
}

} // namespace fondaco::gateway

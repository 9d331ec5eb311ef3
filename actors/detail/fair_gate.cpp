#include "actors/detail/fair_gate.hpp"

#include <algorithm>

namespace fondaco::actors::detail {

namespace {

/// How long a tenant counts as active after its last command.
constexpr milliseconds active_for{1'000};
/// What a tenant may have in service however many others are active.
constexpr size_t share_min = 2;

} // namespace

bool fair_gate::enter(const std::string& owner, const completion_ptr& done, std::function<void()> start, moment now) {
  {
    const std::scoped_lock lock(mutex_);
    forget_idle(now);
    const auto [found, fresh] = lines_.try_emplace(owner);
    auto& mine = found->second;
    if (fresh)
      seen_.emplace_back(now, owner);
    mine.last = now;
    if (mine.serving + mine.waiting.size() >= waiting_max_)
      return false;
    if (closed_)
      return true; // dropped: whoever asks is told by that
    if (mine.serving >= share(owner) || !mine.waiting.empty()) {
      mine.waiting.push_back({done, std::move(start)});
      ++waiting_;
      return true;
    }
    ++mine.serving;
  }
  let_in(done, owner);
  start();
  return true;
}

void fair_gate::let_in(const completion_ptr& done, const std::string& owner) {
  done->on_turn_over([self = weak_from_this(), owner] {
    if (auto gate = self.lock())
      gate->leave(owner);
  });
}

// One place is free; more are when fewer tenants are active than before.
void fair_gate::leave(const std::string& owner) {
  std::deque<waiter> next;
  std::deque<waiter> late;
  {
    const std::scoped_lock lock(mutex_);
    auto found = lines_.find(owner);
    if (found == lines_.end())
      return;
    auto& mine = found->second;
    --mine.serving;
    while (!closed_ && !mine.waiting.empty() && mine.serving < share(owner)) {
      auto w = std::move(mine.waiting.front());
      mine.waiting.pop_front();
      --waiting_;
      if (w.done->finished()) {
        late.push_back(std::move(w)); // its deadline passed: nobody asks any more
        continue;
      }
      ++mine.serving;
      next.push_back(std::move(w));
    }
  }
  for (auto& w : next) {
    let_in(w.done, owner);
    w.start();
  }
}

void fair_gate::close() {
  std::map<std::string, line> gone;
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  for (auto& [owner, mine] : lines_)
    gone[owner].waiting.swap(mine.waiting);
  waiting_ = 0;
}

size_t fair_gate::waiting() const {
  const std::scoped_lock lock(mutex_);
  return waiting_;
}

size_t fair_gate::share(const std::string& owner) const {
  if (lines_.size() <= 1)
    return waiting_max_;
  return owner.starts_with('.') ? window_ : std::max(share_min, window_ / lines_.size());
}

void fair_gate::forget_idle(moment now) {
  while (!seen_.empty() && seen_.front().first + active_for <= now) {
    auto owner = std::move(seen_.front().second);
    seen_.pop_front();
    auto found = lines_.find(owner);
    const auto& mine = found->second;
    if (mine.serving == 0 && mine.waiting.empty() && mine.last + active_for <= now)
      lines_.erase(found);
    else
      seen_.emplace_back(std::max(mine.last, now - active_for + milliseconds(1)), std::move(owner));
  }
}

} // namespace fondaco::actors::detail

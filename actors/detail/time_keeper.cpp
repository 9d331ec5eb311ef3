#include "actors/detail/time_keeper.hpp"

#include <algorithm>
#include <utility>

namespace fondaco::actors::detail {

void time_keeper::begin(std::function<void()> sweep) {
  sweep_ = std::move(sweep);
  last_look_ = last_sweep_ = last_beat_ = last_seen_ = context_->parts.clock.now();
  const std::scoped_lock lock(mutex_);
  ringing_ = true;
}

void time_keeper::look() {
  const auto& limits = context_->parts.limits;
  const auto now = context_->parts.clock.now();
  if (now < last_look_) {
    const auto back = last_look_ - now;
    last_sweep_ -= back;
    last_beat_ -= back;
    last_seen_ -= back;
    set_back(back);
  }
  last_look_ = now;
  fail_overdue(now);
  ring(now);
  if (now - last_sweep_ >= limits.sweep_every_ms) {
    last_sweep_ = now;
    sweep_();
    if (seen_left_.load() || now - last_seen_ >= limits.seen_sweep_every_ms) {
      last_seen_ = now;
      sweep_seen(now);
    }
  }
  if (now - last_beat_ >= limits.lease_ms / 4) {
    last_beat_ = now;
    beat(now);
  }
}

// The clock was set back: what waits for a length of time waits no longer for that.
void time_keeper::set_back(milliseconds by) {
  const auto earlier = [by](auto& all) {
    std::decay_t<decltype(all)> moved;
    for (auto& [at, what] : all)
      moved.emplace_hint(moved.end(), at - by, std::move(what));
    all = std::move(moved);
  };
  const std::scoped_lock lock(mutex_);
  earlier(deadlines_);
  earlier(waiting_);
}

// One at a time: while the journal is silent, the question that it has is enough.
void time_keeper::beat(timepoint now) {
  if (beating_.exchange(true))
    return;
  beat_at_.store(now);
  auto job = [this] {
    auto& p = context_->parts;
    auto beaten = p.journal.heartbeat(p.group, p.node, p.limits.lease_ms);
    answers_.store(beaten.has_value());
    if (!beaten && beaten.error() == persistence::journal_errc::fenced)
      context_->lost.store(true);
    beating_.store(false);
  };
  if (context_->pool->post_first(std::move(job)))
    return;
  answers_.store(false);
  beating_.store(false);
}

// Marks whose time is over go in small steps, so that the journal's writer gets its turn between.
void time_keeper::sweep_seen(timepoint now) {
  if (seen_sweeping_.exchange(true))
    return;
  auto job = [this, now] {
    auto left = context_->parts.limits.seen_rows_per_sweep_max;
    bool full = true;
    while (full && left > 0) {
      auto rows = std::min(left, persistence::limits::read_rows_max);
      auto gone = context_->parts.journal.forget_seen(now, rows);
      full = gone.has_value() && *gone == rows;
      left -= gone.value_or(0);
    }
    seen_left_.store(full);
    seen_sweeping_.store(false);
  };
  if (!context_->pool->post_first(std::move(job)))
    seen_sweeping_.store(false);
}

void time_keeper::watch(const completion_ptr& command) {
  const std::scoped_lock lock(mutex_);
  deadlines_.emplace(command->deadline(), command);
}

void time_keeper::after(milliseconds wait, std::function<void()> done) {
  {
    const std::scoped_lock lock(mutex_);
    if (ringing_) {
      waiting_.emplace(context_->parts.clock.now() + wait, std::move(done));
      return;
    }
  }
  done();
}

// What waits for a moment that has come; at the end everything.
void time_keeper::ring(timepoint now) {
  std::vector<std::function<void()>> due;
  {
    const std::scoped_lock lock(mutex_);
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
      due.push_back(std::move(waiting_.begin()->second));
      waiting_.erase(waiting_.begin());
    }
  }
  for (auto& done : due)
    done();
}

void time_keeper::fail_overdue(timepoint now) {
  std::vector<completion_ptr> overdue;
  {
    const std::scoped_lock lock(mutex_);
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      if (auto c = deadlines_.begin()->second.lock(); c && !c->finished())
        overdue.push_back(std::move(c));
      deadlines_.erase(deadlines_.begin());
    }
  }
  for (auto& c : overdue)
    c->fail(ask_errc::timed_out, "timed_out",
            "No answer came by the deadline; the command may still take effect, so read the state before repeating.");
}

void time_keeper::end() {
  {
    const std::scoped_lock lock(mutex_);
    ringing_ = false;
  }
  ring(timepoint::max());
}

// A journal whose last answer is late does not answer either.
bool time_keeper::journal_answers() const {
  const auto now = context_->parts.clock.now();
  const bool late = beating_.load() && now - beat_at_.load() > context_->parts.limits.lease_ms / 2;
  return answers_.load() && !late;
}

} // namespace fondaco::actors::detail

#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "actors/detail/completion.hpp"
#include "actors/detail/context.hpp"

namespace fondaco::actors::detail {

/// What a runtime does because time passes: fails what is overdue, rings for who waits, renews the lease, has the
/// shards swept and old marks forgotten. Somebody calls `look` again and again; the rest any thread may call.
class time_keeper {
public:
  explicit time_keeper(context_ptr context) : context_(std::move(context)) {}

  /// Begins; `sweep` asks the shards to look for idle, due and overdue entities.
  void begin(std::function<void()> sweep);
  /// Looks at the clock and does what is due; one thread.
  void look();
  /// Fails the command if it is not answered by its deadline.
  void watch(const completion_ptr& command);
  /// Calls `done` when so much time has passed; at once if the time is not kept (any more).
  void after(milliseconds wait, std::function<void()> done);
  /// Ends: who waits is told now.
  void end();
  /// True while the journal answers, and in time.
  bool journal_answers() const;

private:
  void set_back(milliseconds by);
  void beat(timepoint now);
  void sweep_seen(timepoint now);
  void ring(timepoint now);
  void fail_overdue(timepoint now);

  context_ptr context_;
  std::function<void()> sweep_;
  timepoint last_look_, last_sweep_, last_beat_, last_seen_;
  std::mutex mutex_;
  std::multimap<timepoint, std::weak_ptr<completion>> deadlines_;
  std::multimap<timepoint, std::function<void()>> waiting_;
  bool ringing_ = false;
  std::atomic<bool> answers_{true};
  std::atomic<bool> beating_{false};
  std::atomic<timepoint> beat_at_{timepoint{}};
  std::atomic<bool> seen_sweeping_{false};
  std::atomic<bool> seen_left_{false};
};

} // namespace fondaco::actors::detail

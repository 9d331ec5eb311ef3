#include "actors/detail/journal_writer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace fondaco::actors::detail {

caf::behavior journal_writer::make_behavior() {
  return {
      [this](append_message& m) {
        waiting_.push_back(std::move(m));
        if (waiting_.size() >= persistence::limits::batch_entities_max)
          commit();
        else
          arm();
      },
      [this](flush_message) {
        armed_ = false;
        commit();
      },
      [this](write_message& m) {
        commit();
        m.work(context_->parts.journal);
      },
      [this](stop_message) {
        commit();
        quit();
      },
  };
}

// The flush goes behind everything that is already in the mailbox, so a batch is what waited while the last one was
// written; no timer is needed.
void journal_writer::arm() {
  if (!std::exchange(armed_, true))
    send(this, flush_message{});
}

void journal_writer::commit() {
  if (waiting_.empty())
    return;
  auto batch = std::exchange(waiting_, {});
  std::vector<persistence::entity_append> appends;
  appends.reserve(batch.size());
  for (auto& m : batch)
    appends.push_back(std::move(*m.append));
  auto begin = std::chrono::steady_clock::now();
  auto results = context_->parts.journal.append(appends);
  if (auto* observer = context_->parts.observer)
    observer->appended(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), batch.size());
  invariant(results.size() == batch.size(), "the journal answers every append of a batch");
  context_->counters.appends.fetch_add(1);
  note_outcome(results);
  context_->counters.journal_queue.fetch_sub(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    if (results[i])
      context_->counters.events.fetch_add(appends[i].events.size());
    caf::anon_send(batch[i].reply_to, append_answer{std::move(results[i])});
  }
}

// Nothing of the batch could be written, or nobody knows: the store is silent, whatever its other parts answer.
void journal_writer::note_outcome(const std::vector<persistence::append_result>& results) {
  using persistence::journal_errc;
  const bool silent = std::all_of(results.begin(), results.end(), [](const auto& r) {
    return !r && (r.error() == journal_errc::unavailable || r.error() == journal_errc::outcome_unknown);
  });
  context_->append_failed_at.store(silent ? context_->parts.clock.now() : timepoint{});
}

} // namespace fondaco::actors::detail

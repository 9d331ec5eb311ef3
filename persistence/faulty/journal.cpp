#include "persistence/faulty/journal.hpp"

#include <utility>

namespace fondaco::persistence {

fault_when nth(size_t n) { return {n, n, std::nullopt}; }
fault_when first_calls(size_t n) { return {1, n, std::nullopt}; }
fault_when always() { return {}; }
fault_when always_for(tenant owner) { return {1, SIZE_MAX, std::move(owner)}; }

faults& faults::on(journal_op op, fault_when when, journal_fault what) {
  rules_.push_back({op, std::move(when), what});
  return *this;
}

void faulty_journal::set(faults plan) {
  std::lock_guard lock(mutex_);
  plan_ = std::move(plan);
}

namespace {

journal_errc errc_of(journal_fault f) noexcept {
  switch (f) {
  case journal_fault::refused: return journal_errc::rejected;
  case journal_fault::unavailable: return journal_errc::unavailable;
  case journal_fault::fenced: return journal_errc::fenced;
  case journal_fault::lost:
  case journal_fault::done_but_reported_lost: return journal_errc::outcome_unknown;
  }
  return journal_errc::unavailable;
}

} // namespace

std::optional<journal_fault> faulty_journal::hit(journal_op op, const tenant* owner) {
  std::lock_guard lock(mutex_);
  std::optional<journal_fault> what;
  for (auto& r : plan_.rules_) {
    if (r.op != op || (r.when.owner && (!owner || *owner != *r.when.owner)))
      continue;
    ++r.calls;
    if (!what && r.calls >= r.when.first && r.calls <= r.when.last)
      what = r.what;
  }
  return what;
}

template <class T>
std::expected<T, journal_errc> faulty_journal::through(journal_op op, const tenant* owner,
                                                       const std::function<std::expected<T, journal_errc>()>& call) {
  const auto what = hit(op, owner);
  if (!what)
    return call();
  if (*what == journal_fault::done_but_reported_lost)
    (void)call();
  return std::unexpected(errc_of(*what));
}

std::vector<append_result> faulty_journal::append(std::span<const entity_append> batch) {
  std::vector<append_result> results(batch.size(), append_result(appended{}));
  std::vector<entity_append> passed;
  std::vector<std::optional<journal_errc>> reported;
  std::vector<size_t> places;
  for (size_t i = 0; i < batch.size(); ++i) {
    const auto what = hit(journal_op::append, &batch[i].key.owner);
    if (what && *what != journal_fault::done_but_reported_lost) {
      results[i] = std::unexpected(errc_of(*what));
      continue;
    }
    passed.push_back(batch[i]);
    places.push_back(i);
    reported.push_back(what ? std::optional(errc_of(*what)) : std::nullopt);
  }
  const auto done = inner_.append(passed);
  for (size_t i = 0; i < done.size(); ++i)
    results[places[i]] = reported[i] ? append_result(std::unexpected(*reported[i])) : done[i];
  return results;
}

std::expected<void, journal_errc> faulty_journal::move_wake(const entity_key& key, shard_number shard, int64_t epoch,
                                                            std::optional<timepoint> wake) {
  return through<void>(journal_op::move_wake, &key.owner, [&] { return inner_.move_wake(key, shard, epoch, wake); });
}

std::expected<void, journal_errc> faulty_journal::save_snapshot(const snapshot& s) {
  return through<void>(journal_op::snapshot, &s.key.owner, [&] { return inner_.save_snapshot(s); });
}

std::expected<std::optional<snapshot>, journal_errc> faulty_journal::load_snapshot(const entity_key& key) {
  return through<std::optional<snapshot>>(journal_op::read, &key.owner, [&] { return inner_.load_snapshot(key); });
}

std::expected<std::vector<stored_event>, journal_errc> faulty_journal::read_events(const entity_key& key,
                                                                                   int64_t after_seq, size_t rows_max) {
  return through<std::vector<stored_event>>(journal_op::read, &key.owner,
                                            [&] { return inner_.read_events(key, after_seq, rows_max); });
}

std::expected<std::vector<stored_event>, journal_errc>
faulty_journal::read_shard(shard_number shard, int64_t after_position, size_t rows_max) {
  return through<std::vector<stored_event>>(journal_op::read, nullptr,
                                            [&] { return inner_.read_shard(shard, after_position, rows_max); });
}

std::expected<std::optional<entity_row>, journal_errc> faulty_journal::read_row(const entity_key& key) {
  return through<std::optional<entity_row>>(journal_op::read, &key.owner, [&] { return inner_.read_row(key); });
}

std::expected<std::vector<entity_row>, journal_errc> faulty_journal::read_due(shard_number shard, timepoint now,
                                                                              size_t rows_max) {
  return through<std::vector<entity_row>>(journal_op::read, nullptr,
                                          [&] { return inner_.read_due(shard, now, rows_max); });
}

std::expected<std::optional<entity_key>, journal_errc> faulty_journal::resolve_name(std::string_view space,
                                                                                    std::string_view name) {
  return through<std::optional<entity_key>>(journal_op::read, nullptr,
                                            [&] { return inner_.resolve_name(space, name); });
}

std::expected<bool, journal_errc> faulty_journal::was_seen(const tenant& owner, std::string_view id) {
  return through<bool>(journal_op::read, &owner, [&] { return inner_.was_seen(owner, id); });
}

std::expected<bool, journal_errc> faulty_journal::claim_seen(const tenant& owner, std::span<const seen_mark> marks,
                                                             timepoint now) {
  return through<bool>(journal_op::claim, &owner, [&] { return inner_.claim_seen(owner, marks, now); });
}

std::expected<void, journal_errc> faulty_journal::erase(const tenant& owner, std::span<const std::string> erased_kinds,
                                                        bool last) {
  return through<void>(journal_op::erase, &owner, [&] { return inner_.erase(owner, erased_kinds, last); });
}

std::expected<void, journal_errc> faulty_journal::erase_entity(const entity_key& key) {
  return through<void>(journal_op::erase, &key.owner, [&] { return inner_.erase_entity(key); });
}

std::expected<size_t, journal_errc> faulty_journal::forget_seen(timepoint now, size_t rows_max) {
  return inner_.forget_seen(now, rows_max);
}

std::expected<std::vector<lease>, journal_errc> faulty_journal::take_shards(std::string_view group,
                                                                            std::string_view node,
                                                                            std::span<const shard_number> shards,
                                                                            milliseconds ttl) {
  return through<std::vector<lease>>(journal_op::lease, nullptr,
                                     [&] { return inner_.take_shards(group, node, shards, ttl); });
}

std::expected<void, journal_errc> faulty_journal::heartbeat(std::string_view group, std::string_view node,
                                                            milliseconds ttl) {
  return through<void>(journal_op::lease, nullptr, [&] { return inner_.heartbeat(group, node, ttl); });
}

std::expected<void, journal_errc> faulty_journal::release_shards(std::string_view group, std::string_view node) {
  return through<void>(journal_op::lease, nullptr, [&] { return inner_.release_shards(group, node); });
}

std::expected<int64_t, journal_errc> faulty_journal::read_checkpoint(std::string_view consumer, shard_number shard) {
  return through<int64_t>(journal_op::checkpoint, nullptr, [&] { return inner_.read_checkpoint(consumer, shard); });
}

std::expected<void, journal_errc> faulty_journal::write_checkpoint(std::string_view consumer, shard_number shard,
                                                                   int64_t position) {
  return through<void>(journal_op::checkpoint, nullptr,
                       [&] { return inner_.write_checkpoint(consumer, shard, position); });
}

} // namespace fondaco::persistence

#include "sim/store.hpp"

#include <stdexcept>

namespace fondaco::sim {

using namespace persistence;

namespace {

template <class T> using result = std::expected<T, journal_errc>;

persistence::store open_queries(const std::string& group) {
  store_options options;
  options.url = ":memory:";
  options.group = group;
  options.readers = 1;
  auto opened = open_store(options);
  if (!opened)
    throw std::runtime_error(opened.error().detail);
  return std::move(*opened);
}

} // namespace

group_store::group_store(std::string group, timeline& time, record& notes, ledger& book)
    : group_(std::move(group)), time_(time), notes_(notes), book_(book),
      truth_(group_, tables_, [&time] { return time.now(); }), queries_(open_queries(group_)) {}

std::unique_ptr<memory_journal> group_store::open() {
  return std::make_unique<memory_journal>(group_, tables_, [this] { return time_.now(); });
}

void group_store::appended(const std::string& process, const entity_append& a, const append_result& told) {
  const auto events = truth_.read_events(a.key, book_.seen(group_, a.key), persistence::limits::read_rows_max);
  if (told && (events->empty() || events->back().seq != told->seq))
    notes_.blame(time_.now(), "the journal acknowledged events of " + a.key.id + " that are not durable");
  if (events->empty())
    return;
  book_.became_durable(group_, process, a, *events, **truth_.read_row(a.key));
  auto copy = a;
  copy.epoch = query_epoch_;
  auto copied = queries_.journal->append(std::span(&copy, 1)).front();
  if (!copied) { // the first of its shard
    const auto taken = queries_.journal->take_shards(group_, "queries", std::span(&a.shard, 1), milliseconds(1));
    copy.epoch = query_epoch_ = taken.value().front().epoch;
    copied = queries_.journal->append(std::span(&copy, 1)).front();
  }
  if (!copied)
    throw std::runtime_error("the copy of an append was not taken: " + std::string(name_of(copied.error())));
}

process_store::process_store(group_store& group, std::string process, const weather& w, chance& luck)
    : group_(group), process_(std::move(process)), weather_(w), luck_(luck), mine_(group.open()), faulty_(*mine_) {}

std::optional<journal_fault> process_store::fate(bool writes) {
  if (severed_)
    return journal_fault::unavailable;
  if (!trouble_)
    return std::nullopt;
  if (luck_.hits(weather_.store_silent))
    return journal_fault::unavailable;
  if (writes && luck_.hits(weather_.store_unsure))
    return luck_.below(2) == 0 ? journal_fault::lost : journal_fault::done_but_reported_lost;
  return std::nullopt;
}

journal& process_store::through(journal_op op, bool writes) {
  const auto fault = fate(writes);
  faulty_.set(fault ? faults().on(op, always(), *fault) : faults());
  return faulty_;
}

std::vector<append_result> process_store::append(std::span<const entity_append> batch) {
  faults plan;
  for (size_t i = 0; i < batch.size(); ++i)
    if (const auto fault = fate(true))
      plan.on(journal_op::append, nth(i + 1), *fault);
  faulty_.set(std::move(plan));
  auto told = faulty_.append(batch);
  for (size_t i = 0; i < batch.size(); ++i)
    group_.appended(process_, batch[i], told[i]);
  return told;
}

result<std::vector<lease>> process_store::take_shards(std::string_view group, std::string_view node,
                                                      std::span<const shard_number> shards, milliseconds ttl) {
  auto taken = through(journal_op::lease, false).take_shards(group, node, shards, ttl);
  if (taken)
    group_.book().took(group_.group(), process_, *taken);
  return taken;
}

result<void> process_store::move_wake(const entity_key& key, shard_number shard, int64_t epoch,
                                      std::optional<timepoint> wake) {
  return through(journal_op::move_wake, true).move_wake(key, shard, epoch, wake);
}
result<void> process_store::save_snapshot(const snapshot& s) {
  return through(journal_op::snapshot, true).save_snapshot(s);
}
result<std::optional<snapshot>> process_store::load_snapshot(const entity_key& key) {
  return through(journal_op::read, false).load_snapshot(key);
}
result<std::vector<stored_event>> process_store::read_events(const entity_key& key, int64_t after_seq,
                                                             size_t rows_max) {
  return through(journal_op::read, false).read_events(key, after_seq, rows_max);
}
result<std::vector<stored_event>> process_store::read_shard(shard_number shard, int64_t after_position,
                                                            size_t rows_max) {
  return through(journal_op::read, false).read_shard(shard, after_position, rows_max);
}
result<std::optional<entity_row>> process_store::read_row(const entity_key& key) {
  return through(journal_op::read, false).read_row(key);
}
result<std::vector<entity_row>> process_store::read_due(shard_number shard, timepoint now, size_t rows_max) {
  return through(journal_op::read, false).read_due(shard, now, rows_max);
}
result<std::optional<entity_key>> process_store::resolve_name(std::string_view space, std::string_view name) {
  return through(journal_op::read, false).resolve_name(space, name);
}
result<bool> process_store::was_seen(const tenant& owner, std::string_view id) {
  return through(journal_op::read, false).was_seen(owner, id);
}
result<bool> process_store::claim_seen(const tenant& owner, std::span<const seen_mark> marks, timepoint now) {
  return through(journal_op::claim, true).claim_seen(owner, marks, now);
}
result<void> process_store::erase(const tenant& owner, std::span<const std::string> erased_kinds, bool last) {
  return through(journal_op::erase, true).erase(owner, erased_kinds, last);
}
result<void> process_store::erase_entity(const entity_key& key) {
  return through(journal_op::erase, true).erase_entity(key);
}
result<size_t> process_store::forget_seen(timepoint now, size_t rows_max) {
  return through(journal_op::claim, true).forget_seen(now, rows_max);
}
result<void> process_store::heartbeat(std::string_view group, std::string_view node, milliseconds ttl) {
  return through(journal_op::lease, false).heartbeat(group, node, ttl);
}
result<void> process_store::release_shards(std::string_view group, std::string_view node) {
  return through(journal_op::lease, false).release_shards(group, node);
}
result<int64_t> process_store::read_checkpoint(std::string_view consumer, shard_number shard) {
  return through(journal_op::checkpoint, false).read_checkpoint(consumer, shard);
}
result<void> process_store::write_checkpoint(std::string_view consumer, shard_number shard, int64_t position) {
  return through(journal_op::checkpoint, true).write_checkpoint(consumer, shard, position);
}

namespace {
std::unexpected<query_error> no_answer() {
  return std::unexpected(query_error{query_errc::unavailable, "The store does not answer."});
}
} // namespace

std::expected<std::optional<document>, query_error> process_store::get(const entity_key& key) {
  if (silent())
    return no_answer();
  return group_.documents().get(key);
}
std::expected<std::vector<document>, query_error> process_store::query(const tenant& owner, std::string_view kind,
                                                                       const query_spec& spec) {
  if (silent())
    return no_answer();
  return group_.documents().query(owner, kind, spec);
}
std::expected<std::vector<entity_row>, query_error>
process_store::query_entities(const tenant& owner, std::string_view kind, const query_spec& spec) {
  if (silent())
    return no_answer();
  return group_.documents().query_entities(owner, kind, spec);
}
std::expected<std::vector<entity_row>, query_error> process_store::list_entities(std::string_view kind, size_t offset,
                                                                                 size_t limit) {
  if (silent())
    return no_answer();
  return group_.documents().list_entities(kind, offset, limit);
}
std::expected<std::vector<entity_row>, query_error> process_store::find_entities(std::string_view id) {
  if (silent())
    return no_answer();
  return group_.documents().find_entities(id);
}

} // namespace fondaco::sim

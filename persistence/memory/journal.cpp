#include "persistence/memory/journal.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>
#include <tuple>
#include <unordered_map>

#include "persistence/detail/append_check.hpp"

namespace fondaco::persistence {

namespace {

struct shard_row {
  int64_t epoch = 0;
  std::string owner;
};

/// The events of a shard; those of erased entities are gone, their positions stay used.
struct shard_log {
  int64_t last_position = 0;
  std::vector<stored_event> events;
};

struct entity_entry {
  entity_row row;
  std::vector<stored_event> events;
  std::optional<snapshot> kept;
};

using text_pair = std::pair<std::string, std::string>;

} // namespace

struct memory_tables {
  std::mutex mutex;
  std::map<std::pair<std::string, shard_number>, shard_row> shards;
  std::map<text_pair, timepoint> nodes;
  std::map<entity_key, entity_entry> entities;
  std::map<shard_number, shard_log> journal;
  std::map<std::pair<std::string, shard_number>, std::string> chains;
  std::map<entity_key, std::string> documents;
  std::map<text_pair, timepoint> seen;
  std::map<text_pair, entity_key> names;
  std::map<std::pair<std::string, shard_number>, int64_t> checkpoints;
};

std::shared_ptr<memory_tables> make_memory_tables() { return std::make_shared<memory_tables>(); }

memory_journal::memory_journal(std::string group, std::shared_ptr<memory_tables> tables, clock now)
    : group_(std::move(group)), incarnation_(detail::make_incarnation()), tables_(std::move(tables)),
      now_(std::move(now)) {
  if (!now_)
    now_ = [] {
      return timepoint{std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch())};
    };
}

memory_journal::~memory_journal() = default;

std::vector<append_result> memory_journal::append(std::span<const entity_append> batch) {
  std::lock_guard lock(tables_->mutex);
  std::vector<append_result> results;
  results.reserve(batch.size());
  for (const auto& a : batch)
    results.push_back(append_one(a));
  return results;
}

namespace {

std::optional<journal_errc> refusal(memory_tables& t, const std::string& group, const entity_append& a) {
  if (!detail::is_storable(a))
    return journal_errc::rejected;
  const auto shard = t.shards.find({group, a.shard});
  if (shard == t.shards.end() || shard->second.epoch != a.epoch)
    return journal_errc::fenced;
  const auto entity = t.entities.find(a.key);
  if ((entity == t.entities.end() ? 0 : entity->second.row.seq) != a.expected_seq)
    return journal_errc::fenced;
  std::set<std::string_view> marks;
  for (const auto& m : a.seen)
    if (t.seen.contains({a.key.owner.id(), m.id}) || !marks.insert(m.id).second)
      return journal_errc::duplicate;
  for (const auto& n : a.names)
    if (const auto taken = t.names.find({n.space, n.name}); taken != t.names.end() && taken->second != a.key)
      return journal_errc::name_taken;
  return std::nullopt;
}

void write_beside(memory_tables& t, const entity_append& a) {
  for (const auto& m : a.seen)
    t.seen.emplace(text_pair{a.key.owner.id(), m.id}, m.until);
  for (const auto& n : a.names)
    t.names.emplace(text_pair{n.space, n.name}, a.key);
  for (const auto& d : a.documents) {
    const entity_key key{a.key.owner, d.kind, d.id};
    if (d.body)
      t.documents.insert_or_assign(key, *d.body);
    else
      t.documents.erase(key);
  }
}

} // namespace

append_result memory_journal::append_one(const entity_append& a) {
  auto& t = *tables_;
  if (const auto why = refusal(t, group_, a))
    return std::unexpected(*why);
  auto& log = t.journal[a.shard];
  auto& link = t.chains[{a.key.owner.id(), a.shard}];
  auto found = t.entities.find(a.key);
  if (found == t.entities.end())
    found = t.entities.emplace(a.key, entity_entry{{a.key, a.shard, 0, {}, {}, a.at, a.at, {}}, {}, {}}).first;
  auto& [row, events, kept] = found->second;
  for (const auto& e : a.events) {
    ++row.seq;
    link = chain_link(link, a.key, row.seq, e, a.at);
    log.events.push_back({a.key, row.seq, a.shard, ++log.last_position, e, a.at, link});
    events.push_back(log.events.back());
  }
  row.status = a.status;
  row.view = detail::view_of(a);
  row.updated_at = a.at;
  row.wake = a.wake;
  write_beside(t, a);
  return appended{row.seq, log.last_position};
}

std::expected<void, journal_errc> memory_journal::move_wake(const entity_key& key, shard_number shard, int64_t epoch,
                                                            std::optional<timepoint> wake) {
  std::lock_guard lock(tables_->mutex);
  const auto row = tables_->shards.find({group_, shard});
  const auto entity = tables_->entities.find(key);
  if (row != tables_->shards.end() && row->second.epoch == epoch && entity != tables_->entities.end())
    entity->second.row.wake = wake;
  return {};
}

std::expected<void, journal_errc> memory_journal::save_snapshot(const snapshot& s) {
  std::lock_guard lock(tables_->mutex);
  const auto entity = tables_->entities.find(s.key);
  if (entity != tables_->entities.end() && (!entity->second.kept || entity->second.kept->seq < s.seq))
    entity->second.kept = s;
  return {};
}

std::expected<std::optional<snapshot>, journal_errc> memory_journal::load_snapshot(const entity_key& key) {
  std::lock_guard lock(tables_->mutex);
  const auto entity = tables_->entities.find(key);
  return entity == tables_->entities.end() ? std::nullopt : entity->second.kept;
}

namespace {

// The events of an ordered log whose number (their sequence or their position) is beyond `after`.
std::vector<stored_event> part(const std::vector<stored_event>& log, int64_t stored_event::* number, int64_t after,
                               size_t rows_max) {
  const auto begin = std::ranges::upper_bound(log, after, {}, number);
  const auto left = static_cast<size_t>(log.end() - begin);
  return {begin, begin + static_cast<ptrdiff_t>(std::min({left, rows_max, limits::read_rows_max}))};
}

} // namespace

std::expected<std::vector<stored_event>, journal_errc> memory_journal::read_events(const entity_key& key,
                                                                                   int64_t after_seq, size_t rows_max) {
  std::lock_guard lock(tables_->mutex);
  const auto entity = tables_->entities.find(key);
  if (entity == tables_->entities.end())
    return std::vector<stored_event>{};
  return part(entity->second.events, &stored_event::seq, after_seq, rows_max);
}

std::expected<std::vector<stored_event>, journal_errc>
memory_journal::read_shard(shard_number shard, int64_t after_position, size_t rows_max) {
  std::lock_guard lock(tables_->mutex);
  return part(tables_->journal[shard].events, &stored_event::position, after_position, rows_max);
}

std::expected<std::optional<entity_row>, journal_errc> memory_journal::read_row(const entity_key& key) {
  std::lock_guard lock(tables_->mutex);
  const auto entity = tables_->entities.find(key);
  if (entity == tables_->entities.end())
    return std::nullopt;
  return entity->second.row;
}

std::expected<std::vector<entity_row>, journal_errc> memory_journal::read_due(shard_number shard, timepoint now,
                                                                              size_t rows_max) {
  std::lock_guard lock(tables_->mutex);
  std::vector<entity_row> due;
  for (const auto& [key, entity] : tables_->entities)
    if (entity.row.shard == shard && entity.row.wake && *entity.row.wake <= now)
      due.push_back(entity.row);
  std::ranges::stable_sort(due, {}, [](const entity_row& r) { return *r.wake; });
  due.erase(due.begin() + static_cast<ptrdiff_t>(std::min({due.size(), rows_max, limits::read_rows_max})), due.end());
  return due;
}

std::expected<std::optional<entity_key>, journal_errc> memory_journal::resolve_name(std::string_view space,
                                                                                    std::string_view name) {
  std::lock_guard lock(tables_->mutex);
  const auto found = tables_->names.find(text_pair{space, name});
  if (found == tables_->names.end())
    return std::nullopt;
  return found->second;
}

std::expected<bool, journal_errc> memory_journal::was_seen(const tenant& owner, std::string_view id) {
  std::lock_guard lock(tables_->mutex);
  return tables_->seen.contains(text_pair{owner.id(), id});
}

std::expected<bool, journal_errc> memory_journal::claim_seen(const tenant& owner, std::span<const seen_mark> marks,
                                                             timepoint now) {
  if (!detail::is_storable_claim(owner, marks))
    return std::unexpected(journal_errc::rejected);
  if (detail::names_twice(marks))
    return false;
  std::lock_guard lock(tables_->mutex);
  auto& seen = tables_->seen;
  for (const auto& m : marks)
    if (const auto found = seen.find({owner.id(), m.id}); found != seen.end() && found->second > now)
      return false;
  for (const auto& m : marks)
    seen.insert_or_assign({owner.id(), m.id}, m.until);
  return true;
}

namespace {

// Destroys the entities and documents of an owner that a predicate over their keys chooses.
template <class Chosen> void erase_chosen(memory_tables& t, const tenant& owner, Chosen chosen) {
  std::erase_if(t.names, [&](const auto& n) { return chosen(n.second); });
  std::erase_if(t.documents, [&](const auto& d) { return chosen(d.first); });
  for (auto& [shard, log] : t.journal)
    std::erase_if(log.events, [&](const stored_event& e) { return chosen(e.key); });
  std::erase_if(t.entities, [&](const auto& e) { return chosen(e.first); });
  std::erase_if(t.chains, [&](const auto& c) {
    return c.first.first == owner.id() && std::ranges::none_of(t.entities, [&](const auto& e) {
             return e.first.owner == owner && e.second.row.shard == c.first.second;
           });
  });
}

} // namespace

std::expected<void, journal_errc> memory_journal::erase(const tenant& owner, std::span<const std::string> erased_kinds,
                                                        bool last) {
  if (!detail::is_storable_scope(owner, erased_kinds))
    return std::unexpected(journal_errc::rejected);
  std::lock_guard lock(tables_->mutex);
  erase_chosen(*tables_, owner, [&](const entity_key& k) {
    return k.owner == owner && std::ranges::find(erased_kinds, k.kind) != erased_kinds.end();
  });
  if (last)
    std::erase_if(tables_->seen, [&](const auto& m) { return m.first.first == owner.id(); });
  return {};
}

std::expected<void, journal_errc> memory_journal::erase_entity(const entity_key& key) {
  if (!detail::is_storable_scope(key.owner, std::array{key.kind, key.id}))
    return std::unexpected(journal_errc::rejected);
  std::lock_guard lock(tables_->mutex);
  erase_chosen(*tables_, key.owner, [&](const entity_key& k) { return k == key; });
  return {};
}

std::expected<size_t, journal_errc> memory_journal::forget_seen(timepoint now, size_t rows_max) {
  std::lock_guard lock(tables_->mutex);
  size_t count = 0;
  std::erase_if(tables_->seen, [&](const auto& mark) { return mark.second <= now && count < rows_max && ++count > 0; });
  return count;
}

std::expected<std::vector<lease>, journal_errc> memory_journal::take_shards(std::string_view group,
                                                                            std::string_view node,
                                                                            std::span<const shard_number> shards,
                                                                            milliseconds ttl) {
  std::lock_guard lock(tables_->mutex);
  const auto now = now_();
  tables_->nodes[{std::string(group), std::string(node)}] = now + ttl;
  const auto me = detail::owner_name(node, incarnation_);
  std::vector<lease> taken;
  for (const auto number : std::set<shard_number>(shards.begin(), shards.end())) {
    auto& row = tables_->shards[{std::string(group), number}];
    if (row.owner != me) {
      const auto holder =
          row.owner.substr(0, row.owner.size() - std::min<size_t>(row.owner.size(), detail::incarnation_suffix_bytes));
      const auto living = tables_->nodes.find({std::string(group), holder});
      if (!row.owner.empty() && holder != node && living != tables_->nodes.end() && living->second > now)
        continue;
      row.owner = me;
      ++row.epoch;
    }
    taken.push_back({number, row.epoch});
  }
  return taken;
}

std::expected<void, journal_errc> memory_journal::heartbeat(std::string_view group, std::string_view node,
                                                            milliseconds ttl) {
  std::lock_guard lock(tables_->mutex);
  tables_->nodes[{std::string(group), std::string(node)}] = now_() + ttl;
  return {};
}

std::expected<void, journal_errc> memory_journal::release_shards(std::string_view group, std::string_view node) {
  std::lock_guard lock(tables_->mutex);
  const auto me = detail::owner_name(node, incarnation_);
  for (auto& [key, row] : tables_->shards)
    if (key.first == group && row.owner == me)
      row.owner.clear();
  return {};
}

std::expected<int64_t, journal_errc> memory_journal::read_checkpoint(std::string_view consumer, shard_number shard) {
  std::lock_guard lock(tables_->mutex);
  const auto found = tables_->checkpoints.find({std::string(consumer), shard});
  return found == tables_->checkpoints.end() ? 0 : found->second;
}

std::expected<void, journal_errc> memory_journal::write_checkpoint(std::string_view consumer, shard_number shard,
                                                                   int64_t position) {
  std::lock_guard lock(tables_->mutex);
  auto& kept = tables_->checkpoints[{std::string(consumer), shard}];
  kept = std::max(kept, position);
  return {};
}

std::optional<std::string> memory_journal::document_body(const entity_key& key) const {
  std::lock_guard lock(tables_->mutex);
  const auto found = tables_->documents.find(key);
  if (found == tables_->documents.end())
    return std::nullopt;
  return found->second;
}

} // namespace fondaco::persistence

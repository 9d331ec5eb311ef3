#include "persistence/postgres/append.hpp"

#include <set>
#include <tuple>

#include "persistence/detail/append_check.hpp"
#include "persistence/schema.hpp"

namespace fondaco::persistence::postgres {

size_t append_writer::key_hash::operator()(const entity_key& k) const noexcept {
  const std::hash<std::string> hash;
  return (hash(k.owner.id()) * 31 + hash(k.kind)) * 31 + hash(k.id);
}

namespace {

// What two entities of one statement must not share: PostgreSQL changes a row once a statement.
class statement_rows {
public:
  bool take(const entity_append& a) {
    if (const auto known = epochs_.find(a.shard); known != epochs_.end() && known->second != a.epoch)
      return false;
    const auto& owner = a.key.owner.id();
    if (entities_.contains({owner, a.key.kind, a.key.id}))
      return false;
    for (const auto& d : a.documents)
      if (documents_.contains({owner, d.kind, d.id}))
        return false;
    epochs_.emplace(a.shard, a.epoch);
    entities_.emplace(owner, a.key.kind, a.key.id);
    for (const auto& d : a.documents)
      documents_.emplace(owner, d.kind, d.id);
    return true;
  }

private:
  using row = std::tuple<std::string_view, std::string_view, std::string_view>;
  std::map<shard_number, int64_t> epochs_;
  std::set<row> entities_, documents_;
};

bool is_ours_to_mend(const failure& f) noexcept { return !f.unknown && errc_of(f) == journal_errc::rejected; }

} // namespace

std::vector<append_result> append_writer::write(std::span<const entity_append> batch) {
  batch_ = batch;
  results_.assign(batch.size(), std::unexpected(journal_errc::rejected));
  if (entities_.size() > limits::append_memory_rows_max)
    entities_.clear();
  if (links_.size() > limits::append_memory_rows_max)
    links_.clear();
  indices some;
  statement_rows rows;
  const auto flush = [&] {
    write_some(some);
    some.clear();
    rows = {};
  };
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!detail::is_storable(batch[i]))
      continue;
    if (batch[i].epoch < 1) {
      results_[i] = std::unexpected(journal_errc::fenced);
      continue;
    }
    if (some.size() >= limits::batch_entities_max || !rows.take(batch[i])) {
      flush();
      rows.take(batch[i]);
    }
    some.push_back(i);
  }
  flush();
  return std::move(results_);
}

void append_writer::fail(const indices& some, journal_errc why) {
  for (const size_t i : some)
    results_[i] = std::unexpected(why);
}

// A bad row fails the statement, and with it everybody's: halves are tried until the culprit stands alone. What a
// writer remembers can be out of date, so the culprit gets a second try without it.
void append_writer::write_some(const indices& some) {
  if (some.empty())
    return;
  auto tried = attempt(some);
  if (tried)
    return;
  forget(some);
  if (!is_ours_to_mend(tried.error()))
    return fail(some, errc_of(tried.error()));
  if (some.size() > 1) {
    const auto middle = some.begin() + static_cast<ptrdiff_t>(some.size() / 2);
    write_some({some.begin(), middle});
    return write_some({middle, some.end()});
  }
  if (append_errc_of(tried.error()) == journal_errc::fenced) {
    tried = attempt(some);
    if (tried)
      return;
    forget(some);
  }
  fail(some, append_errc_of(tried.error()));
}

outcome<void> append_writer::attempt(const indices& some) {
  new_links_.clear();
  if (auto ok = recall_entities(some); !ok)
    return ok;
  if (auto ok = recall_links(some); !ok)
    return ok;
  indices found;
  for (const size_t i : some)
    if (batch_[i].expected_seq == 0 || entities_.contains(batch_[i].key))
      found.push_back(i);
    else
      results_[i] = std::unexpected(journal_errc::fenced);
  if (found.empty())
    return {};
  append_arrays arrays;
  if (auto ok = add_entities(found, arrays); !ok)
    return ok;
  const auto rows = std::move(arrays).execute(connection_, group_);
  if (!rows)
    return std::unexpected(rows.error());
  acknowledge(found, *rows);
  return {};
}

// Keys and wake-ups of entities that this writer did not write last in this epoch.
outcome<void> append_writer::recall_entities(const indices& some) {
  array ord(type::int4), owner(type::text), kind(type::text), id(type::text);
  for (const size_t i : some) {
    const auto& a = batch_[i];
    const auto known = entities_.find(a.key);
    if (a.expected_seq == 0 || (known != entities_.end() && known->second.epoch == a.epoch))
      continue;
    ord.add(static_cast<int64_t>(i));
    owner.add(a.key.owner.id());
    kind.add(a.key.kind);
    id.add(a.key.id);
  }
  if (ord.size() == 0)
    return {};
  parameters p;
  p.add(std::move(ord)).add(std::move(owner)).add(std::move(kind)).add(std::move(id));
  const auto rows = connection_.read("select u.ord, e.key, w.due from unnest($1, $2, $3, $4) u(ord, tenant, kind, id) "
                                     "join entity e on e.tenant = u.tenant and e.kind = u.kind and e.id = u.id "
                                     "left join wake w on w.entity = e.key",
                                     p);
  if (!rows)
    return std::unexpected(rows.error());
  for (int r = 0; r < rows->rows(); ++r) {
    const auto& a = batch_[static_cast<size_t>(rows->integer(r, 0))];
    entities_[a.key] = {rows->integer(r, 1), a.epoch,
                        rows->is_null(r, 2) ? std::nullopt : std::optional(rows->integer(r, 2))};
  }
  return {};
}

// The last links of tenants that had another writer, or none, in this epoch of their shard.
outcome<void> append_writer::recall_links(const indices& some) {
  array owner(type::text), shard(type::int4);
  for (const size_t i : some) {
    const auto& a = batch_[i];
    auto& known = links_[{a.key.owner.id(), a.shard}];
    if (known.epoch == a.epoch)
      continue;
    known = {a.epoch, {}};
    owner.add(a.key.owner.id());
    shard.add(int64_t{a.shard});
  }
  if (owner.size() == 0)
    return {};
  parameters p;
  p.add(std::move(owner)).add(std::move(shard));
  const auto rows = connection_.read("select c.tenant, c.shard, c.chain from unnest($1, $2) u(tenant, shard) "
                                     "join tenant_chain c on c.tenant = u.tenant and c.shard = u.shard",
                                     p);
  if (!rows)
    return std::unexpected(rows.error());
  for (int r = 0; r < rows->rows(); ++r)
    links_[{std::string(rows->text(r, 0)), static_cast<shard_number>(rows->integer(r, 1))}].link = rows->text(r, 2);
  return {};
}

outcome<int64_t> append_writer::next_key() {
  if (next_key_ == keys_end_) {
    const auto block = connection_.read("select nextval(pg_get_serial_sequence('entity', 'key'))", {});
    if (!block)
      return std::unexpected(block.error());
    next_key_ = block->integer(0, 0);
    keys_end_ = next_key_ + limits::entity_keys_block;
  }
  return next_key_++;
}

outcome<void> append_writer::add_entities(const indices& some, append_arrays& arrays) {
  for (const size_t i : some) {
    const auto& a = batch_[i];
    if (a.expected_seq != 0) {
      const auto& known = entities_.at(a.key);
      const auto due = a.wake ? std::optional(to_epoch_ms(*a.wake)) : std::nullopt;
      arrays.add_update(a, known.key);
      if (due != known.due)
        arrays.add_wake(a.shard, known.key, due);
      add_entity(a, known.key, arrays);
      continue;
    }
    const auto key = next_key();
    if (!key)
      return std::unexpected(key.error());
    entities_[a.key] = {*key, 0, std::nullopt};
    arrays.add_new(a, *key);
    if (a.wake)
      arrays.add_wake(a.shard, *key, to_epoch_ms(*a.wake));
    add_entity(a, *key, arrays);
  }
  for (const auto& [key, link] : new_links_)
    arrays.add_link(key.first, key.second, links_.at(key).link, link);
  return {};
}

void append_writer::add_entity(const entity_append& a, int64_t key, append_arrays& arrays) {
  const link_key where{a.key.owner.id(), a.shard};
  auto& link = new_links_.try_emplace(where, links_.at(where).link).first->second;
  int64_t offset = arrays.add_shard(a);
  int64_t seq = a.expected_seq;
  for (const auto& e : a.events) {
    link = chain_link(link, a.key, ++seq, e, a.at);
    arrays.add_event(a, key, offset++, seq, e, link);
  }
  arrays.add_beside(a);
}

void append_writer::acknowledge(const indices& some, const result& rows) {
  std::map<shard_number, int64_t> positions;
  for (int r = 0; r < rows.rows(); ++r)
    positions.emplace(static_cast<shard_number>(rows.integer(r, 0)), rows.integer(r, 1));
  for (const size_t i : some) {
    const auto& a = batch_[i];
    const auto position = positions.find(a.shard);
    if (position == positions.end()) {
      results_[i] = std::unexpected(journal_errc::fenced);
      entities_.erase(a.key);
      links_.erase({a.key.owner.id(), a.shard});
      continue;
    }
    const auto events = static_cast<int64_t>(a.events.size());
    position->second += events;
    results_[i] = appended{a.expected_seq + events, position->second};
    auto& known = entities_.at(a.key);
    known.epoch = a.epoch;
    known.due = a.wake ? std::optional(to_epoch_ms(*a.wake)) : std::nullopt;
  }
  for (auto& [key, link] : new_links_)
    if (positions.contains(key.second))
      links_.at(key).link = std::move(link);
}

void append_writer::forget(const indices& some) {
  for (const size_t i : some) {
    entities_.erase(batch_[i].key);
    links_.erase({batch_[i].key.owner.id(), batch_[i].shard});
  }
}

void append_writer::forget(const tenant& owner) {
  std::erase_if(entities_, [&](const auto& e) { return e.first.owner == owner; });
  std::erase_if(links_, [&](const auto& l) { return l.first.first == owner.id(); });
}

std::expected<void, journal_errc> append_writer::move_wake(const entity_key& key, shard_number shard, int64_t epoch,
                                                           std::optional<timepoint> wake) {
  entities_.erase(key);
  parameters p;
  p.add(key.owner.id()).add(key.kind).add(key.id).add(group_).add_int4(shard).add(epoch);
  const std::string ours = "from entity e where e.tenant = $1 and e.kind = $2 and e.id = $3 and exists "
                           "(select 1 from shard h where h.\"group\" = $4 and h.shard = $5 and h.epoch = $6)";
  if (wake)
    p.add(to_epoch_ms(*wake));
  const auto moved = wake ? connection_.execute("insert into wake(entity, shard, due) select e.key, e.shard, $7 " +
                                                    ours + " on conflict (entity) do update set due = excluded.due",
                                                p)
                          : connection_.execute("delete from wake where entity = (select e.key " + ours + ")", p);
  if (!moved)
    return std::unexpected(errc_of(moved.error()));
  return {};
}

} // namespace fondaco::persistence::postgres

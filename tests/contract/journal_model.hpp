#pragma once

#include <algorithm>
#include <set>

#include "tests/contract/journal_support.hpp"

namespace fondaco::contract {

/// What a journal has to hold, in the plainest form that says it: maps in memory, without a database, a cache or a
/// thread. It knows no fault: who asks it says what became durable.
class journal_model {
public:
  struct entity {
    entity_row row;
    std::vector<stored_event> events;
    std::optional<snapshot> kept;
  };
  using named = std::pair<std::string, std::string>;

  std::map<shard_number, int64_t> epochs;
  std::map<entity_key, entity> entities;
  /// The events of each shard in their order.
  std::map<shard_number, std::vector<stored_event>> shards;
  std::map<std::pair<std::string, shard_number>, std::string> links;
  std::map<named, timepoint> seen;
  std::map<named, entity_key> names;
  std::map<entity_key, std::string> documents;
  std::map<named, int64_t> checkpoints;

  int64_t seq_of(const entity_key& key) const {
    const auto found = entities.find(key);
    return found == entities.end() ? 0 : found->second.row.seq;
  }

  /// Why this part of a batch may not become durable; every reason that it has.
  std::set<journal_errc> refusals(const entity_append& a) const {
    std::set<journal_errc> out;
    const auto epoch = epochs.find(a.shard);
    if (epoch == epochs.end() || epoch->second != a.epoch || seq_of(a.key) != a.expected_seq)
      out.insert(journal_errc::fenced);
    std::set<std::string> own;
    for (const auto& m : a.seen)
      if (seen.contains({a.key.owner.id(), m.id}) || !own.insert(m.id).second)
        out.insert(journal_errc::duplicate);
    for (const auto& n : a.names)
      if (const auto taken = names.find({n.space, n.name}); taken != names.end() && taken->second != a.key)
        out.insert(journal_errc::name_taken);
    return out;
  }

  /// This part became durable.
  appended apply(const entity_append& a) {
    auto& log = shards[a.shard];
    auto& link = links[{a.key.owner.id(), a.shard}];
    auto& e = entities.try_emplace(a.key, entity{{a.key, a.shard, 0, {}, {}, a.at, a.at, {}}, {}, {}}).first->second;
    for (const auto& one : a.events) {
      link = chain_link(link, a.key, ++e.row.seq, one, a.at);
      log.push_back({a.key, e.row.seq, a.shard, static_cast<int64_t>(log.size()) + 1, one, a.at, link});
      e.events.push_back(log.back());
    }
    e.row.status = a.status;
    e.row.view = a.view;
    e.row.updated_at = a.at;
    e.row.wake = a.wake;
    for (const auto& m : a.seen)
      seen.emplace(named{a.key.owner.id(), m.id}, m.until);
    for (const auto& n : a.names)
      names.emplace(named{n.space, n.name}, a.key);
    for (const auto& d : a.documents) {
      const entity_key key{a.key.owner, d.kind, d.id};
      documents.erase(key);
      if (d.body)
        documents.emplace(key, *d.body);
    }
    return {e.row.seq, log.back().position};
  }

  /// The entities of a shard that are due, the longest due first; those of one moment in any order.
  std::vector<entity_row> due(shard_number shard, timepoint now) const {
    std::vector<entity_row> out;
    for (const auto& [key, e] : entities)
      if (e.row.shard == shard && e.row.wake && *e.row.wake <= now)
        out.push_back(e.row);
    std::ranges::stable_sort(out, {}, [](const entity_row& r) { return *r.wake; });
    return out;
  }
};

} // namespace fondaco::contract

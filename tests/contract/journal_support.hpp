#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "persistence/journal.hpp"

namespace fondaco::contract {

using namespace fondaco::persistence;

/// A moment of the tests.
inline constexpr timepoint t0 = from_epoch_ms(1'800'000'000'000);

/// A journal that owns shards, with the epochs that it got.
struct owner {
  std::unique_ptr<persistence::journal> journal;
  std::vector<lease> leases;

  /// The epoch of a shard, 0 if it is not owned.
  int64_t epoch(shard_number shard) const {
    for (const auto& l : leases)
      if (l.shard == shard)
        return l.epoch;
    return 0;
  }
};

/// A journal whose node holds these shards for an hour.
inline owner own(std::unique_ptr<journal> j, std::string_view node, std::vector<shard_number> shards) {
  auto taken = j->take_shards("default", node, shards, std::chrono::hours(1));
  REQUIRE(taken.has_value());
  REQUIRE(taken->size() == shards.size());
  return {std::move(j), std::move(*taken)};
}

/// An event whose payload tells it from others.
inline event_record event(const std::string& type, const std::string& note = {}) {
  return {type, 1, 'j', R"({"note":")" + note + R"("})", "cause-" + note};
}

/// An append of `events` events to an entity of a tenant.
inline entity_append make_append(const owner& o, const std::string& who, const std::string& id, int64_t expected_seq,
                                 size_t events = 1, shard_number shard = 1) {
  entity_append a{.key = {tenant(who), "negotiation", id},
                  .shard = shard,
                  .epoch = o.epoch(shard),
                  .expected_seq = expected_seq,
                  .events = {},
                  .status = "requested",
                  .view = R"({"counterparty":"did:web:peer"})",
                  .wake = std::nullopt,
                  .seen = {},
                  .names = {},
                  .documents = {},
                  .at = t0 + milliseconds(expected_seq)};
  for (size_t i = 0; i < events; ++i)
    a.events.push_back(event("negotiation.changed", id + "-" + std::to_string(expected_seq + int64_t(i) + 1)));
  return a;
}

/// The outcome of one append.
inline append_result append_one(journal& j, const entity_append& a) {
  auto results = j.append(std::span(&a, 1));
  REQUIRE(results.size() == 1);
  return results.front();
}

/// `acknowledged`, or the error's name: what a failed check prints.
inline std::string word(const append_result& r) { return r ? "acknowledged" : std::string(name_of(r.error())); }

/// All events of a shard, read in small parts.
inline std::vector<stored_event> whole_shard(journal& j, shard_number shard) {
  std::vector<stored_event> all;
  for (;;) {
    auto part = j.read_shard(shard, all.empty() ? 0 : all.back().position, 7);
    REQUIRE(part.has_value());
    if (part->empty())
      return all;
    all.insert(all.end(), part->begin(), part->end());
  }
}

/// The first event of a shard whose link does not follow from what comes before it, or nothing if the chain holds.
inline std::optional<int64_t> broken_link(const std::vector<stored_event>& events) {
  std::map<std::string, std::string> links;
  for (const auto& e : events) {
    auto& link = links[e.key.owner.id()];
    link = chain_link(link, e.key, e.seq, e.event, e.at);
    if (link != e.chain)
      return e.position;
  }
  return std::nullopt;
}

/// True as soon as `holds` does, false if it still does not after ten seconds.
inline bool eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds())
    if (std::chrono::steady_clock::now() > deadline)
      return false;
  return true;
}

} // namespace fondaco::contract

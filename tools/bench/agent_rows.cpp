#include "tools/bench/agent_rows.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "actors/ports/clock.hpp"
#include "cells/participants/vpa.hpp"
#include "persistence/store.hpp"

namespace fondaco::bench {

namespace {

using participants::vpa;
using persistence::entity_append;

constexpr size_t batch_agents = 500;

entity_append made(size_t n, const std::vector<int64_t>& epochs, timepoint now) {
  entity_append out{.key = agent_key(n)};
  const vpa::create command{out.key.id, "control-plane", ""};
  const auto decided = vpa::decide({}, command, now);
  invariant(decided && decided->events.size() == 1, "an agent is made by one event");
  const auto state = vpa::evolve({}, decided->events.front());
  out.shard = shard_of(out.key.owner, agent_shards);
  out.epoch = epochs.at(out.shard);
  out.events = {vpa::encode(decided->events.front())};
  out.status = vpa::status(state);
  out.view = vpa::view(state);
  out.at = now;
  return out;
}

} // namespace

persistence::entity_key agent_key(size_t n) {
  return {tenant("participant-" + std::to_string(n)), std::string(vpa::kind), "control-plane"};
}

measured<void> register_agents(const std::string& store_url, size_t agents) {
  auto opened = persistence::open_store({.url = store_url, .readers = 1});
  if (!opened)
    return std::unexpected(opened.error().detail);
  auto& journal = *opened->journal;
  std::vector<shard_number> shards(agent_shards);
  std::iota(shards.begin(), shards.end(), shard_number{0});
  const auto leases = journal.take_shards("default", "bench", shards, std::chrono::hours(1));
  if (!leases || leases->size() != shards.size())
    return std::unexpected("the shards of the scratch store cannot be taken");
  std::vector<int64_t> epochs(agent_shards);
  for (const auto& l : *leases)
    epochs.at(l.shard) = l.epoch;
  const actors::system_clock clock;
  std::vector<entity_append> batch;
  for (size_t n = 0; n < agents;) {
    batch.clear();
    for (const auto end = std::min(agents, n + batch_agents); n < end; ++n)
      batch.push_back(made(n, epochs, clock.now()));
    for (const auto& r : journal.append(batch))
      if (!r)
        return std::unexpected("an append was refused: " + std::string(name_of(r.error())));
  }
  if (auto released = journal.release_shards("default", "bench"); !released)
    return std::unexpected("the shards of the scratch store cannot be given up");
  return {};
}

} // namespace fondaco::bench

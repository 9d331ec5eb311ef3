#include "tools/bench/agents.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <unordered_map>

#include <malloc.h>
#include <unistd.h>

#include "actors/runtime.hpp"
#include "cells/participants/kinds.hpp"
#include "cells/participants/vpa.hpp"
#include "persistence/store.hpp"
#include "tools/bench/agent_rows.hpp"

namespace fondaco::bench {

namespace {

using steady = std::chrono::steady_clock;
using participants::vpa;

/// Commands that are under way at the same time.
constexpr size_t window = 512;
constexpr milliseconds command_within{60'000};
constexpr milliseconds passivated_within{120'000};
constexpr milliseconds look_again{200};
/// The node and its shards.
constexpr size_t few = 1 + agent_shards;

double seconds_since(steady::time_point begin) { return std::chrono::duration<double>(steady::now() - begin).count(); }

double resident_bytes() {
  ::malloc_trim(0);
  size_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double heap_bytes() { return static_cast<double>(::mallinfo2().uordblks); }

/// The machine's clock, and hours that are over at once.
class leaping_clock final : public actors::clock {
public:
  timepoint now() const override { return system_.now() + milliseconds(leapt_ms_.load()); }
  void leap(milliseconds by) { leapt_ms_ += by.count(); }

private:
  actors::system_clock system_;
  std::atomic<int64_t> leapt_ms_{0};
};

/// Each agent gets a command that changes nothing: so it comes into memory, and answers.
measured<double> wake_all(actors::runtime& r, size_t agents) {
  std::mutex mutex;
  std::condition_variable changed;
  size_t under_way = 0;
  std::string wrong;
  const auto begin = steady::now();
  for (size_t i = 0; i < agents; ++i) {
    const auto key = agent_key(i);
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return under_way < window; });
    ++under_way;
    lock.unlock();
    r.ask(key, r.shard_for(key.owner), std::any(vpa::command(vpa::thaw_it{})), command_within,
          [&](actors::ask_result got) {
            std::lock_guard inside(mutex);
            if (!got && wrong.empty())
              wrong = "an agent did not answer: " + got.error().why.detail;
            --under_way;
            changed.notify_all();
          });
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return under_way == 0; });
  if (!wrong.empty())
    return std::unexpected(wrong);
  return static_cast<double>(agents) / seconds_since(begin);
}

// So many actors are in memory: each agent is one, and has an entity besides.
bool wait_until_alive(const actors::runtime& r, size_t agents) {
  const auto until = steady::now() + passivated_within;
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable never;
  const auto arrived = [&] { return r.counters().entities_live == agents && (agents > 0 || r.tree().size() <= few); };
  while (!arrived() && steady::now() < until)
    never.wait_for(lock, look_again);
  return arrived();
}

measured<double> read_all(persistence::journal& j, size_t agents) {
  const auto begin = steady::now();
  for (size_t i = 0; i < agents; ++i) {
    const auto events = j.read_events(agent_key(i), 0, 1);
    if (!events || events->size() != 1)
      return std::unexpected("an agent's event cannot be read");
  }
  return static_cast<double>(agents) / seconds_since(begin);
}

// The state alone, without anybody who answers for it.
double map_bytes(size_t agents) {
  const auto before = resident_bytes();
  std::unordered_map<std::string, vpa::state> all;
  for (size_t i = 0; i < agents; ++i) {
    auto& s = all[agent_key(i).owner.id()];
    s.exists = true;
    s.id = agent_key(i).id;
  }
  return (resident_bytes() - before) / static_cast<double>(agents);
}

struct seen {
  double activations = 0;
  double reads = 0;
  double resident = 0;
  /// What is left when all have passivated: what the heap has in use, and what it has not given back.
  double passivated_heap = 0;
  double passivated_resident = 0;
};

measured<seen> look(const std::string& store_url, size_t agents) {
  auto opened = persistence::open_store({.url = store_url});
  if (!opened)
    return std::unexpected(opened.error().detail);
  leaping_clock clock;
  actors::system_random random;
  actors::runtime_limits limits;
  limits.passivate_after_ms = std::chrono::hours(1);
  actors::runtime r({*opened->journal, clock, random, "default", "bench", agent_shards, 2, limits, nullptr},
                    cells::participant_kinds());
  if (auto started = r.start(); !started)
    return std::unexpected(started.error().detail);
  seen out;
  const auto reads = read_all(*opened->journal, agents);
  if (!reads)
    return std::unexpected(reads.error());
  out.reads = *reads;
  const auto before = resident_bytes();
  const auto heap_before = heap_bytes();
  const auto woken = wake_all(r, agents);
  if (!woken)
    return std::unexpected(woken.error());
  out.activations = *woken;
  if (!wait_until_alive(r, agents))
    return std::unexpected(std::to_string(r.counters().entities_live) + " agents are in memory");
  out.resident = (resident_bytes() - before) / static_cast<double>(agents);
  clock.leap(std::chrono::hours(2));
  if (!wait_until_alive(r, 0))
    return std::unexpected(std::to_string(r.counters().entities_live) + " agents did not passivate");
  out.passivated_heap = (heap_bytes() - heap_before) / static_cast<double>(agents);
  out.passivated_resident = (resident_bytes() - before) / static_cast<double>(agents);
  r.stop(command_within);
  return out;
}

} // namespace

std::vector<measured<figure>> measure_agents(const std::string& folder) {
  std::error_code failed;
  std::filesystem::remove_all(folder, failed);
  std::filesystem::create_directories(folder, failed);
  const auto store = folder + "/fondaco.db";
  constexpr auto agents = limits::resident_agents;
  if (auto made = register_agents(store, agents); !made)
    return {std::unexpected(made.error())};
  const auto plain = map_bytes(agents);
  const auto got = look(store, agents);
  if (!got)
    return {std::unexpected(got.error())};
  figure memory;
  memory.name = "a resident idle participant agent, of " + std::to_string(agents);
  memory.unit = "bytes";
  memory.value = got->resident;
  memory.reference = "an entry of a hash map with the same state";
  memory.reference_unit = "bytes";
  memory.reference_value = plain;
  memory.ratio = got->resident / plain;
  memory.notes.push_back("aim " + rounded(limits::agent_bytes_aim) + " bytes");
  memory.notes.push_back("when all have passivated the heap has " + rounded(got->passivated_heap) +
                         " bytes each in use, and keeps " + rounded(got->passivated_resident) +
                         " resident for those that come");
  figure speed;
  speed.name = "activations of participant agents on SQLite";
  speed.unit = "activations/s";
  speed.value = got->activations;
  speed.reference = "reads of the same agents' events, one after the other";
  speed.reference_unit = "reads/s";
  speed.reference_value = got->reads;
  speed.ratio = got->activations / got->reads;
  return {memory, speed};
}

} // namespace fondaco::bench

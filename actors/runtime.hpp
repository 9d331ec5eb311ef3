#pragma once

#include <any>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/entity_kind.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/observer.hpp"
#include "actors/ports/task.hpp"
#include "persistence/journal.hpp"

namespace fondaco::actors {

/// How commands are bounded and entities kept; every value has a default that suits a node of a few cores.
struct runtime_limits {
  /// Commands of one tenant that may be under way or wait for their turn; more are answered `overloaded`.
  size_t tenant_commands_max = 1024;
  /// Commands that the tenants of the last second share if they are several: each may have its part of them with its
  /// entities, and two in any case; the rest waits its turn.
  size_t window_commands = 32;
  /// Commands that wait in one entity while an append or an exchange with the peer is in flight.
  size_t entity_stash_max = 64;
  /// Commands of the whole node that may be under way.
  size_t node_commands_max = 20'000;
  /// Recoveries from the journal at the same time.
  size_t recoveries_max = 50;
  /// How long an idle entity stays in memory.
  milliseconds passivate_after_ms{120'000};
  /// How often shards look for idle, due and overdue entities.
  milliseconds sweep_every_ms{1000};
  /// The lease on a shard; a dead node's shards are free after it.
  milliseconds lease_ms{10'000};
  /// The first delay after a failed effect, doubled up to the cap, with jitter.
  milliseconds retry_first_ms{500};
  milliseconds retry_cap_ms{300'000};
  /// How often a snapshot is kept, in events.
  int64_t snapshot_every_events = 100;
  /// How many failed activations in a row quarantine an entity.
  unsigned activation_failures_max = 5;
  /// How often the journal's marks of messages and tokens whose time is over are forgotten.
  milliseconds seen_sweep_every_ms{60'000};
  /// The most marks that one such sweep takes; if more are left, the next follows after `sweep_every_ms`.
  size_t seen_rows_per_sweep_max = 10'000;
  /// How many forgotten tenants and entities are remembered, so that nothing starts them again; the oldest goes first.
  size_t forgotten_max = 100'000;
  /// How many dead letters a node lists; what fails beyond them is tried again all the same.
  size_t dead_letters_max = 10'000;
};

/// Why a command was not answered by a decider.
enum class ask_errc : uint8_t {
  /// The decider refused the command; `fault` says why.
  refused = 1,
  /// A bound is reached: the caller may try again after a moment (429).
  overloaded,
  /// This node does not own the entity's shard (421).
  not_owner,
  /// The entity cannot be read by this node, or fails each time: an operator has to look (503).
  quarantined,
  /// The store does not answer (503).
  unavailable,
  /// The deadline passed; the command may still take effect (503).
  timed_out,
  /// The same message id was acted on before and the entity has no answer left (409).
  duplicate,
};

/// A command that was not answered by a decider.
struct ask_error {
  ask_errc code = ask_errc::refused;
  fault why;
};

/// A decider's answer, or why there is none.
using ask_result = std::expected<std::any, ask_error>;

/// An entity as the operator's tools list it.
struct live_entity {
  persistence::entity_key key;
  shard_number shard = 0;
  std::string status;
  int64_t seq = 0;
  std::optional<timepoint> wake;
  /// What it waits for, in words: an append, an effect's key, a command.
  std::string waiting_on;
};

/// An effect whose last try failed, or an entity that does not start: what waits for a better time or an operator.
struct dead_letter {
  persistence::entity_key key;
  shard_number shard = 0;
  /// The effect's key; empty if the entity itself does not start.
  std::string effect;
  /// The tries since this node began to fail at it.
  unsigned attempts = 0;
  timepoint first_failed_at;
  timepoint last_failed_at;
  /// When it is tried again without an operator; nothing if it is put aside.
  std::optional<timepoint> next_try;
  /// Why the last try failed: a sentence without secrets.
  std::string error;
};

/// An actor as the operator's tools draw it.
struct live_actor {
  /// The path from the root, as `node/shard-3/tenant-a/negotiation/<id>`.
  std::string path;
  size_t mailbox = 0;
  unsigned restarts = 0;
  bool quarantined = false;
};

/// What the runtime has counted since its start.
struct runtime_counters {
  uint64_t commands = 0;
  uint64_t refusals = 0;
  uint64_t appends = 0;
  uint64_t events = 0;
  uint64_t fenced = 0;
  uint64_t recoveries = 0;
  uint64_t passivations = 0;
  uint64_t effects = 0;
  uint64_t effect_failures = 0;
  uint64_t overloaded = 0;
  uint64_t dead_letters = 0;
  uint64_t quarantined = 0;
  uint64_t entities_live = 0;
  uint64_t journal_queue = 0;
  /// Commands refused because too many of the node, of their tenant or of their entity were under way.
  uint64_t node_full = 0;
  uint64_t tenant_full = 0;
  uint64_t stash_full = 0;
  /// Commands that wait for their tenant's turn.
  uint64_t tenant_waiting = 0;
  /// Recoveries and other reads of the runtime that wait, those that found no place, and the most at the same time.
  uint64_t recoveries_waiting = 0;
  uint64_t recoveries_full = 0;
  uint64_t recoveries_running_max = 0;
  /// Effects whose last try failed and entities that do not start, as `dead_letters` lists them.
  uint64_t letters_waiting = 0;
};

/// Who turns a runtime's wheel.
enum class drive : uint8_t {
  /// Threads of its own, as in a node.
  threads,
  /// Whoever calls it, step by step on one thread, who so chooses the order of all that happens: to play several nodes
  /// in one process, as the simulator (tests/sim) does.
  caller,
};

/// The node's actor system: owns shards, drives entities. CAF is behind it and nowhere else.
class runtime {
public:
  /// What a runtime stands on; everything outlives it.
  struct parts {
    persistence::journal& journal;
    actors::clock& clock;
    random_source& random;
    std::string group = "default";
    std::string node = "node-1";
    uint32_t shards = 32;
    size_t threads = 2;
    runtime_limits limits;
    /// Told what happens; null if nobody wants to know.
    runtime_observer* observer = nullptr;
    actors::drive drive = actors::drive::threads;
  };

  /// A runtime that knows these kinds and does nothing yet.
  runtime(parts p, std::vector<entity_kind> kinds);
  ~runtime();
  runtime(const runtime&) = delete;

  /// Takes the group's shards and wakes what is due; a fault if another node holds them past the lease.
  std::expected<void, fault> start();

  /// Refuses new commands, lets those under way end (at most `within`; with `drive::caller` as far as they come without
  /// the outside world), gives the shards up.
  void stop(milliseconds within);

  /// The shard that a tenant's entities live in.
  shard_number shard_for(const tenant& owner) const;

  /// The count of the group's shards.
  uint32_t shards() const;

  /// A fresh version 7 id in the tenant's shard.
  uuid fresh_id(const tenant& owner);

  /// Sends a command to an entity and calls `done` exactly once, on any thread, by the deadline.
  void ask(persistence::entity_key key, shard_number shard, std::any command, milliseconds within,
           std::function<void(ask_result)> done);

  /// Drops a tenant's entities of these kinds from memory, without a word to anyone, so that their rows can be erased;
  /// what they had under way ends as if the node had crashed, but an append that is with the journal is waited for.
  /// Calls `done` exactly once, on any thread, when none is left in memory. This process starts none of them again: a
  /// command to one is refused with `not_found`.
  void forget(tenant owner, std::vector<std::string> kinds, std::function<void()> done);

  /// The same for one entity.
  void forget(persistence::entity_key key, std::function<void()> done);

  /// Calls `done` once, on any thread, when so much time has passed (within a tenth of a second), or when the runtime
  /// stops.
  void after(milliseconds wait, std::function<void()> done);

  /// With `drive::caller`: how many pieces of work could be done next. Each actor that has a message is one, and the
  /// reads that wait are one together.
  size_t work_ready() const;

  /// With `drive::caller`: does the piece of work at this place, smaller than `work_ready()`.
  void do_work(size_t which);

  /// With `drive::caller`: looks at the clock and makes ready what is due.
  void look_at_clock();

  /// True if this node runs entities of the kind.
  bool knows(std::string_view kind) const;

  /// The entities in memory, at most `rows_max`.
  std::vector<live_entity> entities(size_t rows_max) const;

  /// What fails on this node, at most `rows_max`, by tenant, kind, id and effect.
  std::vector<dead_letter> dead_letters(size_t rows_max) const;

  /// Has what failed of an entity tried again at once; one that was put aside is started again. False if this node does
  /// not run the shard now.
  bool redrive(persistence::entity_key key, shard_number shard);

  /// The actor tree.
  std::vector<live_actor> tree() const;

  /// The counters.
  runtime_counters counters() const;

  /// True while the node holds its shards and its journal answers.
  bool ready() const;

  /// True once another node has taken a shard over: this process has to end.
  bool lost() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Asks an entity of decider D and waits without a thread; goes on in `on`.
template <class D>
task<std::expected<typename D::reply, ask_error>> ask(runtime& r, executor& on, persistence::entity_key key,
                                                      shard_number shard, typename D::command command,
                                                      milliseconds within) {
  callback_awaiter<ask_result> waiting(on, [&](std::function<void(ask_result)> done) {
    r.ask(std::move(key), shard, std::any(std::move(command)), within, std::move(done));
  });
  ask_result result = co_await waiting;
  if (!result)
    co_return std::unexpected(std::move(result.error()));
  co_return std::any_cast<typename D::reply>(std::move(*result));
}

/// Waits so long without a thread; goes on in `on`.
inline task<bool> pause(runtime& r, executor& on, milliseconds length) {
  callback_awaiter<bool> waiting(on, [&](std::function<void(bool)> done) { r.after(length, [done] { done(true); }); });
  co_return co_await waiting;
}

/// Forgets a tenant's entities of these kinds (`runtime::forget`) and waits until none is left in memory.
inline task<bool> forget(runtime& r, executor& on, tenant owner, std::vector<std::string> kinds) {
  callback_awaiter<bool> waiting(on, [&](std::function<void(bool)> done) {
    r.forget(std::move(owner), std::move(kinds), [done] { done(true); });
  });
  co_return co_await waiting;
}

/// The same for one entity.
inline task<bool> forget(runtime& r, executor& on, persistence::entity_key key) {
  callback_awaiter<bool> waiting(
      on, [&](std::function<void(bool)> done) { r.forget(std::move(key), [done] { done(true); }); });
  co_return co_await waiting;
}

/// A bounded pool of threads that may block: the only place for calls that read the store or the vault. Tenants take
/// turns, so that one's flood costs the others a job and not its queue; and however many jobs a tenant has, as many
/// places as it holds stay free for the others.
class reader_pool {
public:
  /// A pool of so many threads whose queue holds so many jobs; without threads the jobs run when `run_one` is called.
  reader_pool(size_t threads, size_t jobs_max);
  ~reader_pool();
  reader_pool(const reader_pool&) = delete;
  /// Queues a job that belongs to no tenant; false if the queue is full.
  bool post(std::function<void()> job);
  /// Queues a tenant's job; false if the queue is full, or the tenant has its share of it.
  bool post(const tenant& owner, std::function<void()> job);
  /// Queues a job of the node itself, such as its lease's, before all that waits; false if the queue is full.
  bool post_first(std::function<void()> job);
  /// Runs the next job on the caller's thread; false if none waits.
  bool run_one();
  /// Runs what is queued, then ends the threads; later jobs are refused.
  void close();
  /// Jobs that wait.
  size_t waiting() const;
  /// Jobs that were refused since the start because the queue, or a tenant's share of it, was full.
  uint64_t refused() const;
  /// The most jobs that ran at the same time since the start.
  size_t running_max() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Logs why a job of the pool did not give a result.
void note_failed_job(const char* why);

/// Runs a blocking function in the pool and waits without a thread; nothing if the pool's queue is full, or if the
/// function threw because it cannot do its work now: the caller answers that it may be asked again.
/// The tenant is whose turn it takes; work without one belongs to nobody.
template <class F>
auto in_pool(reader_pool& pool, executor& on, std::optional<tenant> owner, F work)
    -> task<std::optional<decltype(work())>> {
  using result = decltype(work());
  callback_awaiter<std::optional<result>> waiting(on, [&](std::function<void(std::optional<result>)> done) {
    auto shared = std::make_shared<std::function<void(std::optional<result>)>>(std::move(done));
    auto job = [shared, work] {
      std::optional<result> out;
      try {
        out.emplace(work());
      } catch (const std::exception& e) {
        note_failed_job(e.what());
      }
      (*shared)(std::move(out));
    };
    if (!(owner ? pool.post(*owner, std::move(job)) : pool.post(std::move(job))))
      (*shared)(std::nullopt);
  });
  co_return co_await waiting;
}

/// The same for work that belongs to no tenant.
template <class F> auto in_pool(reader_pool& pool, executor& on, F work) -> task<std::optional<decltype(work())>> {
  return in_pool(pool, on, std::nullopt, std::move(work));
}

} // namespace fondaco::actors

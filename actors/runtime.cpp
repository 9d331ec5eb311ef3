#include "actors/runtime.hpp"

#include <algorithm>
#include <condition_variable>
#include <numeric>
#include <thread>
#include <utility>

#include <caf/scheduler/test_coordinator.hpp>

#include "actors/detail/fair_gate.hpp"
#include "actors/detail/journal_writer.hpp"
#include "actors/detail/shard_actor.hpp"
#include "actors/detail/time_keeper.hpp"

namespace fondaco::actors {

namespace {

constexpr size_t pool_threads = 4;
constexpr size_t pool_jobs_max = 100'000;
constexpr auto look_every = milliseconds(100);

caf::actor_system_config& configure(caf::actor_system_config& config, const runtime::parts& p) {
  // The default work stealing starves every other actor once as many actors as threads are busy. CAF names the one that
  // has no threads after its first use.
  config.set("scheduler.policy", p.drive == drive::caller ? caf::atom("testing") : caf::atom("sharing"));
  config.set("scheduler.max-throughput", 100);
  config.set("scheduler.max-threads", p.threads);
  return config;
}

size_t pool_threads_of(const runtime::parts& p) {
  return p.drive == drive::caller ? 0 : std::min(pool_threads, p.limits.recoveries_max);
}

} // namespace

struct runtime::impl {
  impl(parts p, std::vector<entity_kind> kinds)
      : context(std::make_shared<detail::node_context>(p)), system(configure(config, p)), keeper(context) {
    for (auto& k : kinds) {
      auto name = k.name;
      invariant(context->kinds.emplace(name, std::move(k)).second, "every kind of entity is registered once");
    }
    context->pool = std::make_unique<reader_pool>(pool_threads_of(p), pool_jobs_max);
    looked_at = p.clock.now();
    const auto& limits = context->parts.limits;
    turns = std::make_shared<detail::fair_gate>(limits.window_commands, limits.tenant_commands_max);
  }

  bool by_caller() const { return context->parts.drive == drive::caller; }

  caf::scheduler::test_coordinator& coordinator() {
    invariant(by_caller(), "only a runtime without threads is driven by its caller");
    return static_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  }

  // The fair gate's time, which nobody sets: the caller's clock is the only one that a caller drives.
  detail::fair_gate::moment moment() const {
    if (by_caller())
      return detail::fair_gate::moment(context->parts.clock.now().time_since_epoch());
    return std::chrono::steady_clock::now();
  }

  // All that can be done without the outside world and without time.
  void do_all() {
    do
      coordinator().run();
    while (context->pool->run_one());
  }

  // One thread keeps time.
  void keep_time() {
    std::unique_lock lock(mutex);
    while (!closing) {
      ticker.wait_for(lock, look_every, [&] { return closing; });
      lock.unlock();
      keeper.look();
      lock.lock();
    }
  }

  void forget(std::shared_ptr<detail::forgetting> who) {
    context->gone.add(who->owner, who->kinds, who->id);
    context->letters.forget(who->owner, who->kinds, who->id);
    if (context->draining.load() || !started.load())
      return;
    for (auto& [number, shard] : shards)
      caf::anon_send(shard, detail::forget_message{who});
  }

  // Effects that are under way get the chance to report, so that the next owner need not ask the peers.
  void wait_for_work(milliseconds within) {
    auto end = std::chrono::steady_clock::now() + within;
    std::unique_lock lock(mutex);
    while ((node_gate->load() > 0 || context->effects_running.load() > 0) && std::chrono::steady_clock::now() < end)
      ticker.wait_for(lock, std::chrono::milliseconds(10));
    closing = true;
    lock.unlock();
    ticker.notify_all();
    ticking.join();
  }

  void stop_actors(milliseconds within) {
    for (auto& [number, shard] : shards)
      caf::anon_send(shard, detail::stop_message{});
    if (by_caller()) {
      do_all();
      shards.clear();
      caf::anon_send(context->writer, detail::stop_message{});
      do_all();
      context->writer = nullptr;
      return;
    }
    caf::scoped_actor self(system);
    for (auto& [number, shard] : shards)
      self->monitor(shard);
    auto left = shards.size();
    auto end = std::chrono::steady_clock::now() + within;
    while (left > 0 && std::chrono::steady_clock::now() < end) {
      self->receive([&](const caf::down_msg&) { --left; }, caf::after(std::chrono::milliseconds(100)) >> [] {});
    }
    shards.clear();
    // The writer outlives the entities: what they asked it to write is written.
    self->monitor(context->writer);
    caf::anon_send(context->writer, detail::stop_message{});
    bool gone = false;
    while (!gone && std::chrono::steady_clock::now() < end + within)
      self->receive([&](const caf::down_msg&) { gone = true; }, caf::after(std::chrono::milliseconds(100)) >> [] {});
    context->writer = nullptr;
  }

  detail::context_ptr context;
  caf::actor_system_config config;
  caf::actor_system system;
  std::map<shard_number, caf::actor> shards;
  std::shared_ptr<detail::fair_gate> turns;
  detail::gate node_gate = std::make_shared<std::atomic<size_t>>(0);
  detail::time_keeper keeper;
  timepoint looked_at;
  std::mutex mutex;
  std::condition_variable ticker;
  bool closing = false;
  std::atomic<bool> started{false};
  std::thread ticking;
};

runtime::runtime(parts p, std::vector<entity_kind> kinds) : impl_(std::make_unique<impl>(p, std::move(kinds))) {}

runtime::~runtime() { stop(milliseconds(5000)); }

std::expected<void, fault> runtime::start() {
  auto& i = *impl_;
  auto& c = *i.context;
  invariant(!i.started.load(), "a runtime is started once");
  std::vector<shard_number> wanted(c.parts.shards);
  std::iota(wanted.begin(), wanted.end(), shard_number{0});
  auto beaten = c.parts.journal.heartbeat(c.parts.group, c.parts.node, c.parts.limits.lease_ms);
  auto leases = beaten ? c.parts.journal.take_shards(c.parts.group, c.parts.node, wanted, c.parts.limits.lease_ms)
                       : std::unexpected(beaten.error());
  if (!leases)
    return std::unexpected(
        fault{"journal_unavailable", "The journal does not answer; check the database.", cure::retry});
  if (leases->size() != wanted.size())
    return std::unexpected(fault{"shards_held",
                                 "Another node of group '" + c.parts.group + "' holds " +
                                     std::to_string(wanted.size() - leases->size()) +
                                     " of its shards; stop it, or wait until its lease ends.",
                                 cure::retry});
  c.writer = i.by_caller() ? i.system.spawn<detail::journal_writer>(i.context)
                           : i.system.spawn<detail::journal_writer, caf::detached>(i.context);
  for (const auto& l : *leases)
    i.shards.emplace(l.shard, i.system.spawn<detail::shard_actor>(i.context, l.shard, l.epoch));
  i.started.store(true);
  i.keeper.begin([&i] {
    for (auto& [number, shard] : i.shards)
      caf::anon_send(shard, detail::sweep_message{});
  });
  if (!i.by_caller())
    i.ticking = std::thread([&i] { i.keep_time(); });
  return {};
}

void runtime::stop(milliseconds within) {
  auto& i = *impl_;
  if (!i.started.exchange(false))
    return;
  i.context->draining.store(true);
  if (i.by_caller())
    i.do_all();
  else
    i.wait_for_work(within);
  i.keeper.end();
  i.turns->close();
  i.stop_actors(within);
  {
    std::unique_lock closed(i.context->outside->mutex);
    i.context->outside->open = false;
  }
  i.context->pool->close();
  if (!i.context->lost.load())
    (void)i.context->parts.journal.release_shards(i.context->parts.group, i.context->parts.node);
}

shard_number runtime::shard_for(const tenant& owner) const { return shard_of(owner, impl_->context->parts.shards); }

uint32_t runtime::shards() const { return impl_->context->parts.shards; }

uuid runtime::fresh_id(const tenant& owner) {
  auto& p = impl_->context->parts;
  return make_uuid(p.clock.now(), shard_for(owner), p.random.next());
}

void runtime::ask(persistence::entity_key key, shard_number shard, std::any command, milliseconds within,
                  std::function<void(ask_result)> done) {
  auto& i = *impl_;
  auto& c = *i.context;
  c.counters.commands.fetch_add(1);
  if (c.parts.observer)
    c.parts.observer->commanded(key.owner.id());
  i.node_gate->fetch_add(1);
  auto deadline = c.parts.clock.now() + within;
  auto answer = std::make_shared<detail::completion>(std::move(done), deadline, i.node_gate);
  if (i.node_gate->load() > c.parts.limits.node_commands_max) {
    c.counters.overloaded.fetch_add(1);
    c.counters.node_full.fetch_add(1);
    return answer->fail(ask_errc::overloaded, "node_busy", "Too many commands are under way; ask again later.");
  }
  // The flags first: once they are set, the shards go.
  bool serving = !c.draining.load() && i.started.load();
  auto owner = serving ? i.shards.find(shard) : i.shards.end();
  if (!serving || owner == i.shards.end())
    return answer->fail(ask_errc::not_owner, "not_owner", "This node does not own the entity's shard now.");
  i.keeper.watch(answer);
  auto tenant_id = key.owner.id();
  auto start = [to = owner->second, key = std::move(key), shard, answer,
                what = std::make_shared<std::any>(std::move(command))]() mutable {
    caf::anon_send(to, detail::command_message{std::move(key), shard, std::move(what), std::move(answer)});
  };
  if (i.turns->enter(tenant_id, answer, std::move(start), i.moment()))
    return;
  c.counters.overloaded.fetch_add(1);
  c.counters.tenant_full.fetch_add(1);
  answer->fail(ask_errc::overloaded, "tenant_busy",
               "Too many commands of this participant context are under way; ask again later.");
}

void runtime::forget(tenant owner, std::vector<std::string> kinds, std::function<void()> done) {
  auto who = std::make_shared<detail::forgetting>(std::move(done));
  who->owner = owner.id();
  who->kinds = std::move(kinds);
  impl_->forget(std::move(who));
}

void runtime::forget(persistence::entity_key key, std::function<void()> done) {
  auto who = std::make_shared<detail::forgetting>(std::move(done));
  who->owner = key.owner.id();
  who->kinds = {std::move(key.kind)};
  who->id = std::move(key.id);
  impl_->forget(std::move(who));
}

void runtime::after(milliseconds wait, std::function<void()> done) { impl_->keeper.after(wait, std::move(done)); }

size_t runtime::work_ready() const { return impl_->coordinator().jobs.size() + (impl_->context->pool->waiting() > 0); }

void runtime::do_work(size_t which) {
  auto& jobs = impl_->coordinator().jobs;
  invariant(which < work_ready(), "only work that is ready can be done");
  if (which == jobs.size()) {
    impl_->context->pool->run_one();
    return;
  }
  const auto chosen = jobs.begin() + static_cast<ptrdiff_t>(which);
  std::rotate(jobs.begin(), chosen, chosen + 1);
  impl_->coordinator().run_once();
}

void runtime::look_at_clock() {
  auto& i = *impl_;
  const auto now = i.context->parts.clock.now();
  const auto passed = now - i.looked_at;
  i.looked_at = now;
  if (passed > milliseconds(0))
    i.coordinator().advance_time(passed);
  if (i.started.load())
    i.keeper.look();
}

bool runtime::knows(std::string_view kind) const { return impl_->context->kinds.contains(kind); }

std::vector<live_entity> runtime::entities(size_t rows_max) const { return impl_->context->live.entities(rows_max); }

std::vector<dead_letter> runtime::dead_letters(size_t rows_max) const { return impl_->context->letters.list(rows_max); }

bool runtime::redrive(persistence::entity_key key, shard_number shard) {
  auto& i = *impl_;
  if (i.context->draining.load() || i.context->lost.load() || !i.started.load())
    return false;
  const auto owner = i.shards.find(shard);
  if (owner == i.shards.end())
    return false;
  caf::anon_send(owner->second, detail::command_message{std::move(key), shard, nullptr, nullptr, true});
  return true;
}

std::vector<live_actor> runtime::tree() const { return impl_->context->live.actors(); }

runtime_counters runtime::counters() const {
  const auto& c = impl_->context->counters;
  return {c.commands,
          c.refusals,
          c.appends,
          c.events,
          c.fenced,
          c.recoveries,
          c.passivations,
          c.effects,
          c.effect_failures,
          c.overloaded,
          c.dead_letters,
          c.quarantined,
          impl_->context->live.size(),
          c.journal_queue,
          c.node_full,
          c.tenant_full,
          c.stash_full,
          impl_->turns->waiting(),
          impl_->context->pool->waiting(),
          impl_->context->pool->refused(),
          impl_->context->pool->running_max(),
          impl_->context->letters.size()};
}

// A journal that failed an append may have been mended since: a node that gets no work would never find out, so after a
// lease it says that it is ready for some.
bool runtime::ready() const {
  const auto& i = *impl_;
  const auto& c = *i.context;
  const auto now = c.parts.clock.now();
  const auto failed = c.append_failed_at.load();
  const bool refuses = failed != timepoint{} && now >= failed && now - failed < c.parts.limits.lease_ms;
  return i.started.load() && !c.draining.load() && !c.lost.load() && i.keeper.journal_answers() && !refuses;
}

bool runtime::lost() const { return impl_->context->lost.load(); }

} // namespace fondaco::actors

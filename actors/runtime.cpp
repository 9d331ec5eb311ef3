#include "actors/runtime.hpp"

#include <algorithm>
#include <condition_variable>
#include <numeric>
#include <thread>
#include <utility>

#include "actors/detail/fair_gate.hpp"
#include "actors/detail/journal_writer.hpp"
#include "actors/detail/shard_actor.hpp"

namespace fondaco::actors {

namespace {

constexpr size_t pool_threads = 4;
constexpr size_t pool_jobs_max = 100'000;
constexpr auto deadline_sweep = milliseconds(100);

caf::actor_system_config& configure(caf::actor_system_config& config, size_t threads) {
  // The default work stealing starves every other actor once as many actors as threads are busy.
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-throughput", 100);
  config.set("scheduler.max-threads", threads);
  return config;
}

} // namespace

struct runtime::impl {
  impl(parts p, std::vector<entity_kind> kinds)
      : context(std::make_shared<detail::node_context>(p)), system(configure(config, p.threads)) {
    for (auto& k : kinds) {
      auto name = k.name;
      invariant(context->kinds.emplace(name, std::move(k)).second, "every kind of entity is registered once");
    }
    context->pool =
        std::make_unique<reader_pool>(std::min(pool_threads, context->parts.limits.recoveries_max), pool_jobs_max);
    const auto& limits = context->parts.limits;
    turns = std::make_shared<detail::fair_gate>(limits.window_commands, limits.tenant_commands_max);
  }

  // One thread keeps time: it fails what is overdue, renews the lease and asks the shards to sweep.
  void keep_time() {
    auto last_sweep = context->parts.clock.now();
    auto last_beat = last_sweep;
    auto last_seen = last_sweep;
    auto last_look = last_sweep;
    std::unique_lock lock(mutex);
    while (!closing) {
      ticker.wait_for(lock, deadline_sweep, [&] { return closing; });
      lock.unlock();
      auto now = context->parts.clock.now();
      if (now < last_look) {
        const auto back = last_look - now;
        last_sweep -= back;
        last_beat -= back;
        last_seen -= back;
        set_back(back);
      }
      last_look = now;
      fail_overdue(now);
      ring(now);
      if (now - last_sweep >= context->parts.limits.sweep_every_ms) {
        last_sweep = now;
        for (auto& [number, shard] : shards)
          caf::anon_send(shard, detail::sweep_message{});
        if (seen_left.load() || now - last_seen >= context->parts.limits.seen_sweep_every_ms) {
          last_seen = now;
          sweep_seen(now);
        }
      }
      if (now - last_beat >= context->parts.limits.lease_ms / 4) {
        last_beat = now;
        beat(now);
      }
      lock.lock();
    }
  }

  // The clock was set back: what waits for a length of time waits no longer for that.
  void set_back(milliseconds by) {
    const auto earlier = [by](auto& all) {
      std::decay_t<decltype(all)> moved;
      for (auto& [at, what] : all)
        moved.emplace_hint(moved.end(), at - by, std::move(what));
      all = std::move(moved);
    };
    std::scoped_lock lock(deadlines_mutex);
    earlier(deadlines);
    earlier(waiting);
  }

  // One at a time: while the journal is silent, the question that it has is enough.
  void beat(timepoint now) {
    if (beating.exchange(true))
      return;
    beat_at.store(now);
    auto job = [this] {
      auto beaten =
          context->parts.journal.heartbeat(context->parts.group, context->parts.node, context->parts.limits.lease_ms);
      journal_answers.store(beaten.has_value());
      if (!beaten && beaten.error() == persistence::journal_errc::fenced)
        context->lost.store(true);
      beating.store(false);
    };
    if (context->pool->post_first(std::move(job)))
      return;
    journal_answers.store(false);
    beating.store(false);
  }

  // Marks whose time is over go in small steps, so that the journal's writer gets its turn between.
  void sweep_seen(timepoint now) {
    if (seen_sweeping.exchange(true))
      return;
    auto job = [this, now] {
      auto left = context->parts.limits.seen_rows_per_sweep_max;
      bool full = true;
      while (full && left > 0) {
        auto rows = std::min(left, persistence::limits::read_rows_max);
        auto gone = context->parts.journal.forget_seen(now, rows);
        full = gone.has_value() && *gone == rows;
        left -= gone.value_or(0);
      }
      seen_left.store(full);
      seen_sweeping.store(false);
    };
    if (!context->pool->post_first(std::move(job)))
      seen_sweeping.store(false);
  }

  void forget(std::shared_ptr<detail::forgetting> who) {
    context->gone.add(who->owner, who->kinds, who->id);
    context->letters.forget(who->owner, who->kinds, who->id);
    if (context->draining.load() || !started.load())
      return;
    for (auto& [number, shard] : shards)
      caf::anon_send(shard, detail::forget_message{who});
  }

  // What waits for a moment that has come; at the end of the runtime everything.
  void ring(timepoint now) {
    std::vector<std::function<void()>> due;
    {
      std::scoped_lock lock(deadlines_mutex);
      while (!waiting.empty() && waiting.begin()->first <= now) {
        due.push_back(std::move(waiting.begin()->second));
        waiting.erase(waiting.begin());
      }
    }
    for (auto& done : due)
      done();
  }

  void fail_overdue(timepoint now) {
    std::vector<detail::completion_ptr> overdue;
    {
      std::scoped_lock lock(deadlines_mutex);
      while (!deadlines.empty() && deadlines.begin()->first <= now) {
        if (auto c = deadlines.begin()->second.lock(); c && !c->finished())
          overdue.push_back(std::move(c));
        deadlines.erase(deadlines.begin());
      }
    }
    for (auto& c : overdue)
      c->fail(ask_errc::timed_out, "timed_out",
              "No answer came by the deadline; the command may still take effect, so read the state before repeating.");
  }

  void stop_actors(milliseconds within) {
    for (auto& [number, shard] : shards)
      caf::anon_send(shard, detail::stop_message{});
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
  std::mutex deadlines_mutex;
  std::multimap<timepoint, std::weak_ptr<detail::completion>> deadlines;
  std::multimap<timepoint, std::function<void()>> waiting;
  bool ringing = false;
  std::mutex mutex;
  std::condition_variable ticker;
  bool closing = false;
  std::atomic<bool> started{false};
  std::atomic<bool> journal_answers{true};
  std::atomic<bool> beating{false};
  std::atomic<timepoint> beat_at{timepoint{}};
  std::atomic<bool> seen_sweeping{false};
  std::atomic<bool> seen_left{false};
  std::thread time_keeper;
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
  c.writer = i.system.spawn<detail::journal_writer, caf::detached>(i.context);
  for (const auto& l : *leases)
    i.shards.emplace(l.shard, i.system.spawn<detail::shard_actor>(i.context, l.shard, l.epoch));
  i.started.store(true);
  i.ringing = true;
  i.time_keeper = std::thread([&i] { i.keep_time(); });
  return {};
}

void runtime::stop(milliseconds within) {
  auto& i = *impl_;
  if (!i.started.exchange(false))
    return;
  i.context->draining.store(true);
  // Effects that are under way get the chance to report, so that the next owner need not ask the peers.
  auto end = std::chrono::steady_clock::now() + within;
  std::unique_lock lock(i.mutex);
  while ((i.node_gate->load() > 0 || i.context->effects_running.load() > 0) && std::chrono::steady_clock::now() < end)
    i.ticker.wait_for(lock, std::chrono::milliseconds(10));
  i.closing = true;
  lock.unlock();
  i.ticker.notify_all();
  i.time_keeper.join();
  {
    std::scoped_lock ended(i.deadlines_mutex);
    i.ringing = false;
  }
  i.ring(timepoint::max());
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
  {
    std::scoped_lock lock(i.deadlines_mutex);
    i.deadlines.emplace(deadline, answer);
  }
  auto tenant_id = key.owner.id();
  auto start = [to = owner->second, key = std::move(key), shard, answer,
                what = std::make_shared<std::any>(std::move(command))]() mutable {
    caf::anon_send(to, detail::command_message{std::move(key), shard, std::move(what), std::move(answer)});
  };
  if (i.turns->enter(tenant_id, answer, std::move(start), std::chrono::steady_clock::now()))
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

void runtime::after(milliseconds wait, std::function<void()> done) {
  auto& i = *impl_;
  {
    std::scoped_lock lock(i.deadlines_mutex);
    if (i.ringing) {
      i.waiting.emplace(i.context->parts.clock.now() + wait, std::move(done));
      return;
    }
  }
  done();
}

bool runtime::knows(std::string_view kind) const { return impl_->context->kinds.contains(kind); }

std::vector<live_entity> runtime::entities(size_t rows_max) const { return impl_->context->live.entities(rows_max); }

std::vector<dead_letter> runtime::dead_letters(size_t rows_max) const { return impl_->context->letters.list(rows_max); }

void runtime::redrive(persistence::entity_key key, shard_number shard) {
  auto& i = *impl_;
  if (i.context->draining.load() || !i.started.load())
    return;
  if (const auto owner = i.shards.find(shard); owner != i.shards.end())
    caf::anon_send(owner->second, detail::command_message{std::move(key), shard, nullptr, nullptr, true});
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

// A journal whose last answer is late does not answer either. One that failed an append may have been mended since: a
// node that gets no work would never find out, so after a lease it says that it is ready for some.
bool runtime::ready() const {
  const auto& i = *impl_;
  const auto& c = *i.context;
  const auto now = c.parts.clock.now();
  const auto lease = c.parts.limits.lease_ms;
  const auto failed = c.append_failed_at.load();
  const bool late = i.beating.load() && now - i.beat_at.load() > lease / 2;
  const bool refuses = failed != timepoint{} && now >= failed && now - failed < lease;
  return i.started.load() && !c.draining.load() && !c.lost.load() && i.journal_answers.load() && !late && !refuses;
}

bool runtime::lost() const { return impl_->context->lost.load(); }

} // namespace fondaco::actors

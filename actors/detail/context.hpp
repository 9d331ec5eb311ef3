#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include <caf/all.hpp>

#include "actors/detail/completion.hpp"
#include "actors/detail/dead_letters.hpp"
#include "actors/runtime.hpp"

namespace fondaco::actors::detail {

/// The counters of `runtime_counters`, countable from any thread.
struct atomic_counters {
  std::atomic<uint64_t> commands{0}, refusals{0}, appends{0}, events{0}, fenced{0}, recoveries{0}, passivations{0},
      effects{0}, effect_failures{0}, overloaded{0}, dead_letters{0}, quarantined{0}, journal_queue{0}, node_full{0},
      tenant_full{0}, stash_full{0};
};

/// What the operator's tools see of the live actors; written by the actors, read by any thread.
class registry {
public:
  void put(const std::string& path, live_entity e, size_t stash) {
    std::scoped_lock lock(mutex_);
    entities_.insert_or_assign(path, slot{std::move(e), stash});
  }
  void erase(const std::string& path) {
    std::scoped_lock lock(mutex_);
    entities_.erase(path);
    actors_.erase(path);
  }
  void note_actor(live_actor a) {
    std::scoped_lock lock(mutex_);
    auto path = a.path;
    actors_.insert_or_assign(std::move(path), std::move(a));
  }
  std::vector<live_entity> entities(size_t rows_max) const {
    std::scoped_lock lock(mutex_);
    std::vector<live_entity> out;
    for (const auto& [path, slot] : entities_) {
      if (out.size() == rows_max)
        break;
      out.push_back(slot.entity);
    }
    return out;
  }
  std::vector<live_actor> actors() const {
    std::scoped_lock lock(mutex_);
    std::map<std::string, live_actor> all(actors_.begin(), actors_.end());
    for (const auto& [path, slot] : entities_)
      all[path] = live_actor{path, slot.stash, 0, false};
    std::vector<live_actor> out;
    for (auto& [path, actor] : all)
      out.push_back(std::move(actor));
    return out;
  }
  size_t size() const {
    std::scoped_lock lock(mutex_);
    return entities_.size();
  }

private:
  struct slot {
    live_entity entity;
    size_t stash = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, slot> entities_;
  std::map<std::string, live_actor> actors_;
};

/// Who was forgotten for good: nobody starts these entities again. Written before the shards are told, so that an agent
/// that was told, or that was made later, knows.
class forgotten {
public:
  explicit forgotten(size_t max) : max_(max) {}
  void add(const std::string& owner, const std::vector<std::string>& kinds, const std::optional<std::string>& id) {
    std::unique_lock lock(mutex_);
    for (const auto& kind : kinds) {
      name n{owner, kind, id.value_or("")};
      if (!names_.insert(n).second)
        continue;
      order_.push_back(std::move(n));
      if (order_.size() > max_) {
        names_.erase(order_.front());
        order_.pop_front();
      }
    }
    any_.store(!names_.empty());
  }
  bool holds(const persistence::entity_key& key) const {
    if (!any_.load())
      return false;
    std::shared_lock lock(mutex_);
    return names_.contains({key.owner.id(), key.kind, ""}) || names_.contains({key.owner.id(), key.kind, key.id});
  }

private:
  using name = std::tuple<std::string, std::string, std::string>;
  size_t max_;
  mutable std::shared_mutex mutex_;
  std::set<name> names_;
  std::deque<name> order_;
  std::atomic<bool> any_{false};
};

/// Lets callbacks from outside reach actors only while the actor system lives.
struct outside_gate {
  std::shared_mutex mutex;
  bool open = true;
};

/// What every actor of a node shares.
struct node_context {
  explicit node_context(runtime::parts p)
      : parts(std::move(p)), gone(parts.limits.forgotten_max), letters(parts.limits.dead_letters_max) {}
  runtime::parts parts;
  forgotten gone;
  letter_box letters;
  std::map<std::string, entity_kind, std::less<>> kinds;
  atomic_counters counters;
  registry live;
  std::unique_ptr<reader_pool> pool;
  caf::actor writer;
  std::shared_ptr<outside_gate> outside = std::make_shared<outside_gate>();
  std::atomic<size_t> effects_running{0};
  std::atomic<bool> draining{false};
  std::atomic<bool> lost{false};
  /// When the journal's writer last found that nothing can be written; zero once something was.
  std::atomic<timepoint> append_failed_at{timepoint{}};
};

using context_ptr = std::shared_ptr<node_context>;

} // namespace fondaco::actors::detail

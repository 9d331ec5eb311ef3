#pragma once

#include <any>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/all.hpp>

#include "actors/detail/completion.hpp"
#include "actors/entity_kind.hpp"
#include "persistence/journal.hpp"

namespace fondaco::actors::detail {

/// A command on its way to an entity; without a completion it only wakes the entity.
struct command_message {
  persistence::entity_key key;
  shard_number shard = 0;
  std::shared_ptr<std::any> command;
  completion_ptr done;
  /// An operator's wake-up: what was put off is due now, and what was put aside is started again.
  bool at_once = false;
};

/// What the reader pool found of an entity.
struct recovered_message {
  std::shared_ptr<std::unique_ptr<entity_state>> state;
  int64_t seq = 0;
  int64_t snapshot_seq = 0;
  std::optional<persistence::journal_errc> error;
  bool unreadable = false;
};

struct append_message {
  std::shared_ptr<persistence::entity_append> append;
  caf::actor reply_to;
};

struct append_answer {
  persistence::append_result result;
};

/// Any other write, run by the writer between batches.
struct write_message {
  std::function<void(persistence::journal&)> work;
};

struct flush_message {};

struct effect_done_message {
  std::string key;
  std::shared_ptr<std::any> outcome;
};

struct tick_message {
  uint64_t generation = 0;
};

/// Whoever is to be forgotten; told once all who hold it have let go of it.
struct forgetting {
  explicit forgetting(std::function<void()> d) : done(std::move(d)) {}
  forgetting(const forgetting&) = delete;
  ~forgetting() { done(); }

  std::string owner;
  std::vector<std::string> kinds;
  /// One entity of the only kind, instead of all.
  std::optional<std::string> id;
  std::function<void()> done;
};

/// Drops what it names from memory.
struct forget_message {
  std::shared_ptr<const forgetting> who;
};

struct sweep_message {};
struct stop_message {};
struct retire_message {};

/// An entity that was asked to retire cannot: it is busy.
struct busy_message {
  std::string slot;
  /// It need not be asked again before.
  timepoint until;
};

/// An agent has no entity in memory, after so many messages of its shard.
struct vacant_message {
  std::string owner;
  uint64_t received = 0;
};

/// The shard does not know the agent any more.
struct let_go_message {};

/// An entity that ended owing something is to be started again.
struct revive_message {
  persistence::entity_key key;
};

/// The rows that a shard found due.
struct due_message {
  std::shared_ptr<std::vector<persistence::entity_row>> rows;
  bool more = false;
};

/// A shard learned that another node owns it.
struct fenced_message {
  shard_number shard = 0;
};

} // namespace fondaco::actors::detail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::command_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::recovered_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::append_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::append_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::write_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::flush_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::effect_done_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::tick_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::forget_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::sweep_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::stop_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::retire_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::busy_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::vacant_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::let_go_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::revive_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::due_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fondaco::actors::detail::fenced_message)

#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "actors/entity_kind.hpp"
#include "actors/runtime.hpp"

namespace fondaco::actors::detail {

/// What fails on a node, kept over the passivation of the entities: written by the actors, read by any thread. It is
/// memory only, since whatever is owed fails again, or not, after a restart.
class letter_box {
public:
  explicit letter_box(size_t max) : max_(max) {}

  /// A try of an effect failed (or, with an empty effect, a start of the entity).
  void failed(const persistence::entity_key& key, shard_number shard, const std::string& effect, std::string error,
              timepoint now, std::optional<timepoint> next_try);
  /// The effect is done, or owed no more.
  void done(const persistence::entity_key& key, const std::string& effect);
  /// The entity was read back and owes these effects: what else was kept of it is over.
  void keep_only(const persistence::entity_key& key, const std::vector<erased_effect>& owed);
  /// Drops what is kept of a tenant's entities of these kinds, or of one of them.
  void forget(const std::string& owner, const std::vector<std::string>& kinds, const std::optional<std::string>& id);
  /// The letters, at most `rows_max`.
  std::vector<dead_letter> list(size_t rows_max) const;
  size_t size() const;

private:
  using name = std::pair<persistence::entity_key, std::string>;
  size_t max_;
  mutable std::mutex mutex_;
  std::map<name, dead_letter> letters_;
};

} // namespace fondaco::actors::detail

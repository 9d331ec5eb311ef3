#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "actors/ports/clock.hpp"
#include "persistence/journal.hpp"

namespace fondaco::bench {

namespace limits {
/// The entities of a batch, one event each.
inline constexpr size_t batch_entities = 100;
/// The participant contexts that they belong to.
inline constexpr size_t mix_tenants = 16;
/// The shards of the group, as a node has them by default.
inline constexpr uint32_t mix_shards = 32;
} // namespace limits

/// Batches of a consumer's negotiations, an event each: of the six events from requesting to finalized one makes the
/// entity, each moves its wake-up, two mark a message as seen, one claims the agreement's name and three write its
/// document. The entities of a batch are spread evenly over the six; one that is finalized is replaced by a new one.
class negotiation_mix {
public:
  /// A mix for a node that holds these shards, which must be 0 to `mix_shards` - 1.
  explicit negotiation_mix(std::span<const persistence::lease> leases);

  /// The next batch; lives until the next call.
  std::span<const persistence::entity_append> next();

  /// The number of the entity at this place of the last batch: all differ, and each stays with its entity.
  int64_t entity_number(size_t place) const { return numbers_[place]; }

private:
  struct negotiation {
    persistence::entity_key key;
    shard_number shard = 0;
    int64_t number = 0;
    int64_t seq = 0;
    size_t step = 0;
    std::string agreement;
  };

  negotiation begin(size_t place, size_t step);
  void write(const negotiation& n, persistence::entity_append& out);

  actors::system_clock clock_;
  std::mt19937_64 random_{20260131};
  std::vector<int64_t> epochs_;
  std::vector<negotiation> negotiations_;
  std::vector<int64_t> numbers_;
  std::vector<persistence::entity_append> batch_;
  int64_t next_number_ = 1;
};

} // namespace fondaco::bench

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "cells/services.hpp"
#include "persistence/journal.hpp"
#include "protocols/base/time.hpp"

namespace fondaco::control_plane {

namespace limits {
/// How many counterparties' counts are kept; beyond it all are counted afresh.
inline constexpr size_t first_contact_counts_max = 10'000;
/// How long a count is added to before it is taken from the store again.
inline constexpr milliseconds first_contact_recount_ms{600'000};
/// How long a counterparty that is over its bound is refused without a look into the store.
inline constexpr milliseconds first_contact_refusal_ms{1000};
} // namespace limits

/// Bounds the open processes that one counterparty has begun with one participant context
/// (`cell_settings::open_processes_per_counterparty_max`). Counts in the store are dear, so one is kept and added to:
/// it never says less than there are. Any thread may call.
class first_contacts {
public:
  /// What a first message may do.
  enum class verdict : uint8_t { admitted, too_many, unavailable };

  /// Judges a first message of `counterparty` that would make the entity with this key; a repeat, whose entity is
  /// there, is always admitted. Blocks: for the reader pool.
  verdict admit(cells::cell_services& s, const persistence::entity_key& key, const std::string& counterparty);

private:
  using count_key = std::tuple<tenant, std::string, std::string>;
  struct count {
    size_t open = 0;
    timepoint at;
  };

  std::mutex mutex_;
  std::map<count_key, count> counts_;
};

} // namespace fondaco::control_plane

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "actors/entity_kind.hpp"
#include "cells/services.hpp"
#include "gateway/http.hpp"
#include "persistence/documents.hpp"

namespace fondaco::cells::kinds {
/// A first request that was refused and so made no process; id: the consumer's process id, or the correlation id of a
/// catalog request. `counterPartyId`, `profile`, `message`, `reasons`, `at`, `correlationId`.
inline constexpr const char* refused_request = "refused_request";
} // namespace fondaco::cells::kinds

namespace fondaco::control_plane {

namespace limits {
/// The most refused requests that one tenant keeps in a minute; more are in the log only.
inline constexpr size_t refused_requests_per_minute_max = 60;
/// How many tenants' counts are kept; beyond it all are counted afresh.
inline constexpr size_t refused_request_counts_max = 10'000;
} // namespace limits

/// A first request of a caller that proved who it is.
struct refused_request {
  std::string id;
  std::string counterparty_id;
  std::string profile;
  /// The message's type.
  std::string message;
  /// Sentences that the counterparty was told too.
  std::vector<std::string> reasons;
  std::string correlation_id;
};

/// Keeps refused first requests, so that `why` explains them at the side that refused. Bounded by tenant and minute.
/// Any thread may call.
class refused_requests {
public:
  /// Keeps the refusal; false if it is only logged: over the bound, with an id that cannot be one, with one that
  /// another counterparty's refusal has, or since the store does not answer. Changes nothing for the caller.
  gateway::task<bool> keep(cells::cell_services& s, tenant owner, refused_request r);

private:
  bool has_room(const tenant& owner, timepoint now);

  struct minute_count {
    int64_t minute = 0;
    size_t kept = 0;
  };
  std::mutex mutex_;
  std::map<tenant, minute_count> counts_;
};

/// The record of a refused request.
actors::entity_kind refused_request_kind();

/// What a kept refusal says, in sentences, the oldest first.
std::vector<std::string> explain_refusal(const persistence::document& kept);

} // namespace fondaco::control_plane

#include "cells/control_plane/first_contacts.hpp"

#include <algorithm>
#include <expected>

namespace fondaco::control_plane {

namespace {

/// How many processes of the kind the counterparty has begun and not ended, at most `most`.
std::expected<size_t, persistence::query_error> count_open(cells::cell_services& s, const persistence::entity_key& key,
                                                           const std::string& counterparty, size_t most) {
  persistence::query_spec spec;
  spec.filter.push_back({"counterPartyId", "=", json::value(std::string_view(counterparty))});
  spec.filter.push_back({"type", "=", json::value("PROVIDER")});
  spec.filter.push_back({"dspState", "not in", json::array{"FINALIZED", "COMPLETED", "TERMINATED"}});
  while (spec.offset < most) {
    spec.limit = std::min(most - spec.offset, persistence::limits::read_rows_max);
    const auto rows = s.documents.query_entities(key.owner, key.kind, spec);
    if (!rows)
      return std::unexpected(rows.error());
    spec.offset += rows->size();
    if (rows->size() < spec.limit)
      break;
  }
  return spec.offset;
}

} // namespace

first_contacts::verdict first_contacts::admit(cells::cell_services& s, const persistence::entity_key& key,
                                              const std::string& counterparty) {
  const auto most = s.settings.open_processes_per_counterparty_max;
  const auto now = s.clock.now();
  const count_key who{key.owner, key.kind, counterparty};
  bool full = false;
  {
    std::scoped_lock lock(mutex_);
    if (const auto known = counts_.find(who); known != counts_.end()) {
      auto& c = known->second;
      if (c.open < most && now - c.at < limits::first_contact_recount_ms) {
        ++c.open;
        return verdict::admitted;
      }
      full = c.open >= most && now - c.at < limits::first_contact_refusal_ms;
    }
  }
  if (!full) {
    const auto open = count_open(s, key, counterparty, most);
    if (!open)
      return verdict::unavailable;
    std::scoped_lock lock(mutex_);
    if (counts_.size() >= limits::first_contact_counts_max)
      counts_.clear();
    full = *open >= most;
    counts_.insert_or_assign(who, count{full ? *open : *open + 1, now});
  }
  if (!full)
    return verdict::admitted;
  const auto row = s.journal.read_row(key);
  if (!row)
    return verdict::unavailable;
  return *row ? verdict::admitted : verdict::too_many;
}

} // namespace fondaco::control_plane

#include "tools/fondaco/restored_messages.hpp"

#include <algorithm>
#include <any>
#include <numeric>
#include <utility>
#include <vector>

#include "actors/entity_kind.hpp"
#include "cells/control_plane/negotiation.hpp"
#include "cells/control_plane/transfer_process.hpp"
#include "persistence/copy.hpp"

namespace fondaco::tools {

namespace {

using control_plane::negotiation;
using control_plane::transfer_process;
using persistence::journal;

constexpr auto lease = milliseconds(60'000);
constexpr const char* node_name = "restore";
constexpr const char* unknown_answer =
    "nothing that is known here: this node was restored from a backup, so the state is asked for first.";

/// A message of ours that may have been taken since the backup; empty if there is none.
template <class D> std::string doubtful_message(const std::vector<actors::erased_effect>& owed) {
  for (const auto& e : owed) {
    const auto& body = std::any_cast<const typename D::effect&>(e.body);
    if constexpr (requires { body.signal; })
      if (body.signal)
        continue; // the data plane is asked anyway before a signal is repeated
    const bool ends = dsp::name_of(body.envelope.type).find("Termination") != std::string_view::npos;
    if (!body.probe && !body.probe_path.empty() && !ends)
      return body.message_id;
  }
  return {};
}

std::expected<bool, fault> replay(journal& j, const persistence::entity_key& key, actors::entity_state& s,
                                  int64_t& seq) {
  for (size_t got = persistence::limits::read_rows_max; got == persistence::limits::read_rows_max;) {
    const auto page = j.read_events(key, seq, persistence::limits::read_rows_max);
    if (!page)
      return std::unexpected(fault{"store_unavailable", "the restored store does not answer", cure::retry});
    got = page->size();
    for (const auto& e : *page) {
      if (!s.replay(e.event))
        return false; // nobody will send anything of it either
      seq = e.seq;
    }
  }
  return true;
}

/// True if the entity had a message that is in question now.
template <class D>
std::expected<bool, fault> question(journal& j, const persistence::entity_row& row, int64_t epoch, timepoint now) {
  actors::typed_state<D> state(row.key);
  int64_t seq = 0;
  const auto readable = replay(j, row.key, state, seq);
  if (!readable || !*readable)
    return readable;
  const auto id = doubtful_message<D>(state.owed());
  if (id.empty())
    return false;
  const typename D::command unsure = typename D::not_delivered{id, unknown_answer, false};
  auto decided = state.decide(std::any(unsure), now);
  if (!decided || decided->records.empty())
    return false;
  const persistence::entity_append append{row.key,
                                          row.shard,
                                          epoch,
                                          seq,
                                          std::move(decided->records),
                                          decided->status,
                                          decided->view,
                                          decided->wake,
                                          std::move(decided->seen),
                                          std::move(decided->names),
                                          std::move(decided->documents),
                                          now};
  if (!j.append(std::span(&append, 1)).front())
    return std::unexpected(
        fault{"store_unavailable", "the restored store took no event; restore it anew", cure::retry});
  return true;
}

} // namespace

std::expected<int64_t, fault> question_messages(const persistence::store_options& options, uint32_t shards,
                                                timepoint now) {
  std::vector<persistence::entity_row> waiting;
  {
    auto reader = persistence::open_reader(options);
    if (!reader)
      return std::unexpected(std::move(reader.error()));
    auto read = persistence::read_waiting(**reader, [&](persistence::entity_row row) {
      if (row.key.kind == negotiation::kind || row.key.kind == transfer_process::kind)
        waiting.push_back(std::move(row));
    });
    if (!read)
      return std::unexpected(std::move(read.error()));
  }
  auto store = persistence::open_store(options);
  if (!store)
    return std::unexpected(std::move(store.error()));
  std::vector<shard_number> wanted(shards);
  std::iota(wanted.begin(), wanted.end(), shard_number{0});
  auto& j = *store->journal;
  const auto leases = j.take_shards(options.group, node_name, wanted, lease);
  if (!leases || leases->size() != wanted.size())
    return std::unexpected(fault{"store_unavailable", "the restored store gives no shards", cure::retry});
  int64_t questioned = 0;
  for (const auto& row : waiting) {
    const auto held = std::ranges::find(*leases, row.shard, &persistence::lease::shard);
    if (held == leases->end())
      return std::unexpected(fault{"shards_differ",
                                   "the backup has more shards than the configuration: set limits.shards as it was",
                                   cure::fix_input});
    auto done = row.key.kind == negotiation::kind ? question<negotiation>(j, row, held->epoch, now)
                                                  : question<transfer_process>(j, row, held->epoch, now);
    if (!done)
      return std::unexpected(std::move(done.error()));
    questioned += *done ? 1 : 0;
  }
  (void)j.release_shards(options.group, node_name);
  return questioned;
}

} // namespace fondaco::tools

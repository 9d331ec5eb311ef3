#include <utility>

#include "sim/world.hpp"

namespace fondaco::sim {

namespace {

using control_plane::negotiation;
using control_plane::transfer_process;

void blame(world& w, std::string what) { w.notes().blame(w.time().now(), std::move(what)); }

std::string name_of(const shadow& s) {
  return s.group + "'s " + s.key.kind + " " + s.key.id + " (" + s.dsp_state() + ")";
}

std::string waits_for(const shadow& s) {
  if (const auto* n = std::get_if<negotiation::state>(&s.state))
    return control_plane::waiting_on(*n);
  return control_plane::waiting_on(std::get<transfer_process::state>(s.state));
}

/// A process that the other side never heard of can only have come to nothing.
void judge_lonely(world& w, const shadow& s) {
  if (s.dsp_state() != "TERMINATED")
    blame(w, name_of(s) + " has no other side");
}

void judge_pair(world& w, const shadow& s, const shadow& other) {
  if (s.dsp_state() != other.dsp_state())
    blame(w, name_of(s) + " and " + name_of(other) + " do not agree");
  if (s.dsp_state() == "FINALIZED" &&
      std::get<negotiation::state>(s.state).agreement != std::get<negotiation::state>(other.state).agreement)
    blame(w, name_of(s) + " and " + name_of(other) + " agreed on different things");
}

/// The flow has to stand where its transfer stands.
void judge_flow(world& w, const shadow& s, data_plane& plane) {
  const auto flow = plane.state_of(s.key.id);
  if (s.is_negotiation() || s.role() != dsp::role::provider || !flow)
    return;
  const auto wanted = s.dsp_state() == "COMPLETED" ? dps::flow_state::completed : dps::flow_state::terminated;
  if (*flow != wanted && *flow != dps::flow_state::completed)
    blame(w, name_of(s) + " left its data flow " + std::string(dps::name_of(*flow)));
}

/// Positions and numbers have no gap, and each link of the audit chain follows from the one before.
void judge_journal(world& w, group& g) {
  for (shard_number shard = 0; shard < 4; ++shard) {
    int64_t position = 0;
    std::map<std::string, std::string> links;
    std::map<persistence::entity_key, int64_t> seqs;
    for (;;) {
      const auto events = g.store().truth().read_shard(shard, position, persistence::limits::read_rows_max);
      if (events->empty())
        break;
      for (const auto& e : *events) {
        auto& link = links[e.key.owner.id()];
        link = persistence::chain_link(link, e.key, e.seq, e.event, e.at);
        if (e.position != ++position || e.seq != ++seqs[e.key] || e.chain != link)
          return blame(w, "the journal of " + g.name() + " is not whole at position " + std::to_string(e.position));
      }
    }
  }
}

/// What an entity's row says is what its events say.
template <class D> void judge_row(world& w, group& g, const shadow& s) {
  const auto row = g.store().truth().read_row(s.key);
  if (!*row || (*row)->seq != s.seq || (*row)->status != D::status(std::get<typename D::state>(s.state)))
    blame(w, name_of(s) + " has a row that says something else");
}

} // namespace

void judge(world& w) {
  for (const auto& [key, s] : w.book().shadows()) {
    if (!s.rests()) {
      blame(w, name_of(s) + " does not come to its end; it waits for " + waits_for(s));
      continue;
    }
    if (const auto* other = w.book().other_side(s))
      judge_pair(w, s, *other);
    else
      judge_lonely(w, s);
    for (const auto& g : w.groups())
      if (g->name() == s.group) {
        judge_flow(w, s, g->plane());
        s.is_negotiation() ? judge_row<negotiation>(w, *g, s) : judge_row<transfer_process>(w, *g, s);
      }
  }
  for (const auto& g : w.groups())
    judge_journal(w, *g);
}

} // namespace fondaco::sim

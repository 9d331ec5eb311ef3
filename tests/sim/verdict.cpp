#include <utility>

#include "sim/play.hpp"
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
  if (s.is_negotiation() || s.role() != dsp::role::provider || !flow || plane.started_too_late(s.key.id))
    return;
  const auto wanted = s.dsp_state() == "COMPLETED" ? dps::flow_state::completed : dps::flow_state::terminated;
  if (*flow != wanted && *flow != dps::flow_state::completed)
    blame(w, name_of(s) + " left its data flow " + std::string(dps::name_of(*flow)));
}

/// An orchestration that was asked for has ended, its end was heard of, and it is what its agents did.
void judge_errand(world& w, const group& g, const std::string& id) {
  const auto* e = w.book().find_errand(g.name(), id);
  const auto name = g.name() + "'s orchestration " + id;
  if (!e)
    return blame(w, name + " was handed in and is lost");
  if (!e->rests())
    return blame(w, name + " does not come to its end");
  const bool well = e->state.at == cfm::orchestration::phase::completed;
  if (g.agents().heard(id) != well)
    blame(w, name + (g.agents().heard(id) ? " was told to have ended otherwise" : " ended and nobody was told"));
  for (const auto& p : e->state.activities)
    if (p.at == cfm::activity_phase::done && !g.agents().completed(id, p.id))
      blame(w, name + " took " + p.id + " for complete, which no agent did");
  if (well && std::ranges::any_of(e->state.activities, [](const auto& p) { return p.at != cfm::activity_phase::done; }))
    blame(w, name + " is complete without all its activities");
  if (!well && e->state.terms.compensates)
    judge_errand(w, g, cfm::compensation_id(id));
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

void judge(world& w, const play& wishes) {
  for (const auto& [name, id] : wishes.handed_in())
    for (const auto& g : w.groups())
      if (g->name() == name)
        judge_errand(w, *g, id);
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

#pragma once

#include "sim/chance.hpp"

namespace fondaco::sim {

/// How bad a run's world is; each seed has a weather of its own, so that single faults and mixtures both come. Counts
/// are in a thousand.
struct weather {
  /// HTTP exchanges and messages of the broker: no connection; lost on the way; answer lost; delivered twice; later
  /// than the sender waits.
  unsigned refused = 0, lost = 0, answer_lost = 0, repeated = 0, late = 0;
  /// The longest ordinary way of a message.
  milliseconds way_max{40};
  /// Calls of the store: not done and said so; not done or done, and nobody knows.
  unsigned store_silent = 0, store_unsure = 0;
  /// Of every half second and node: the process is killed; it freezes; it is drained and stopped.
  unsigned killed = 0, frozen = 0, drained = 0;
  /// True: each group has a second node that takes over.
  bool pairs = false;
  /// Of a data plane's starts, those that it answers later.
  unsigned plane_later = 0;
  /// Of the runs of activities: the agent falls silent; it wants to be asked again; it fails for good.
  unsigned agent_silent = 0, agent_later = 0, agent_fails = 0;

  static weather of(chance& c) {
    weather w;
    const auto sometimes = [&c](unsigned most) {
      return c.below(3) > 0 ? 0u : static_cast<unsigned>(1 + c.below(most));
    };
    w.refused = sometimes(150);
    w.lost = sometimes(150);
    w.answer_lost = sometimes(150);
    w.repeated = sometimes(200);
    w.late = sometimes(60);
    w.way_max = c.below(3) > 0 ? milliseconds(40) : milliseconds(40 + c.below(4000));
    w.store_silent = sometimes(100);
    w.store_unsure = sometimes(100);
    w.killed = sometimes(40);
    w.frozen = sometimes(20);
    w.drained = sometimes(20);
    w.pairs = c.below(2) == 0;
    w.plane_later = sometimes(500);
    w.agent_silent = sometimes(200);
    w.agent_later = sometimes(500);
    w.agent_fails = sometimes(200);
    return w;
  }
};

} // namespace fondaco::sim

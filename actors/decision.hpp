#pragma once

#include <optional>
#include <string>
#include <vector>

#include "persistence/journal.hpp"
#include "protocols/base/fault.hpp"

namespace fondaco::actors {

/// What a decider made of a command: the events to journal and the answer to give once they are durable.
template <class D> struct decision {
  /// Empty for a command that changes nothing (a repeat, a read).
  std::vector<typename D::event> events;
  typename D::reply reply;
  /// Replay marks, public names and documents that are written with the events.
  std::vector<persistence::seen_mark> seen;
  std::vector<persistence::name_claim> names;
  std::vector<persistence::document_write> documents;
};

/// Why a decider gave no decision.
struct refusal {
  fault why;
  /// True if the command came early: the shell holds it until our own exchange with the peer is over, then asks again.
  bool hold = false;
};

/// What the outside world is still owed, as a decider sees it; each kind of entity has its own `body`.
template <class Body> struct owed_effect {
  /// Names the effect among all of its entity: the same key is the same effect, also after a crash.
  std::string key;
  /// Not to be run before this moment.
  timepoint not_before;
  Body body;
};

} // namespace fondaco::actors

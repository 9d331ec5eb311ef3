#include "conformance/dsp/machine.hpp"

#include <algorithm>
#include <initializer_list>

namespace fondaco::conformance::dsp {

namespace {

template <class State> bool among(State s, std::initializer_list<State> states) {
  return std::ranges::find(states, s) != states.end();
}

} // namespace

std::string_view name_of(negotiation_state s) {
  constexpr std::string_view names[] = {"INITIALIZED", "REQUESTED", "OFFERED",   "ACCEPTED",
                                        "AGREED",      "VERIFIED",  "FINALIZED", "TERMINATED"};
  return names[static_cast<size_t>(s)];
}

std::string_view name_of(transfer_state s) {
  constexpr std::string_view names[] = {"INITIALIZED", "REQUESTED", "STARTED", "SUSPENDED", "COMPLETED", "TERMINATED"};
  return names[static_cast<size_t>(s)];
}

bool may_follow(negotiation_state from, negotiation_state to) {
  using enum negotiation_state;
  switch (from) {
  case initialized: return among(to, {requested, offered, terminated});
  case requested: return among(to, {offered, agreed, terminated});
  case offered: return among(to, {requested, offered, accepted, terminated});
  case accepted: return among(to, {agreed, terminated});
  case agreed: return among(to, {verified, terminated});
  case verified: return among(to, {finalized, terminated});
  case finalized:
  case terminated: return false;
  }
  return false;
}

bool may_follow(transfer_state from, transfer_state to) {
  using enum transfer_state;
  switch (from) {
  case initialized: return to == requested;
  case requested:
  case suspended: return among(to, {started, terminated});
  case started: return among(to, {suspended, terminated, completed});
  case completed:
  case terminated: return false;
  }
  return false;
}

} // namespace fondaco::conformance::dsp

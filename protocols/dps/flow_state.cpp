#include "protocols/dps/flow_state.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace fondaco::dps {

namespace {

using fs = flow_state;
using sig = flow_signal;

inline constexpr dsp::role C = dsp::role::consumer;
inline constexpr dsp::role P = dsp::role::provider;
inline constexpr answer now = answer::now;
inline constexpr answer later = answer::later;

struct transition {
  dsp::role side;
  std::optional<flow_state> from;
  flow_signal signal;
  answer how;
  flow_state to;
};

/// A flow that is INITIALIZED has had no signal yet. That nothing but `terminate` is missing here is the rule that a
/// flow can be terminated in any live state, and that an error on the wire moves none.
constexpr std::array<transition, 20> transitions{{
    {C, std::nullopt, sig::prepare, now, fs::prepared},    {C, std::nullopt, sig::prepare, later, fs::preparing},
    {C, fs::initialized, sig::prepare, now, fs::prepared}, {C, fs::initialized, sig::prepare, later, fs::preparing},
    {C, fs::preparing, sig::prepared, now, fs::prepared},  {C, fs::prepared, sig::started, now, fs::started},
    {C, fs::started, sig::started, now, fs::started},      {C, fs::started, sig::suspend, now, fs::suspended},
    {C, fs::suspended, sig::resume, now, fs::started},     {C, fs::started, sig::completed, now, fs::completed},
    {P, std::nullopt, sig::start, now, fs::started},       {P, std::nullopt, sig::start, later, fs::starting},
    {P, fs::initialized, sig::start, now, fs::started},    {P, fs::initialized, sig::start, later, fs::starting},
    {P, fs::prepared, sig::start, now, fs::started},       {P, fs::prepared, sig::start, later, fs::starting},
    {P, fs::starting, sig::started, now, fs::started},     {P, fs::started, sig::suspend, now, fs::suspended},
    {P, fs::suspended, sig::resume, now, fs::started},     {P, fs::started, sig::completed, now, fs::completed},
}};

constexpr std::array<std::string_view, 8> state_names{"INITIALIZED", "PREPARING", "PREPARED",  "STARTING",
                                                      "STARTED",     "SUSPENDED", "COMPLETED", "TERMINATED"};
constexpr std::array<std::string_view, 9> signal_names{"prepare", "prepared",  "start",     "started", "suspend",
                                                       "resume",  "completed", "terminate", "errored"};

bool same_word(std::string_view token, std::string_view word) noexcept {
  return std::ranges::equal(token, word,
                            [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

} // namespace

std::string_view name_of(flow_state s) noexcept { return state_names.at(std::to_underlying(s)); }

std::string_view name_of(flow_signal s) noexcept { return signal_names.at(std::to_underlying(s)); }

std::optional<flow_state> parse_flow_state(std::string_view name) noexcept {
  if (name == "INITIATING")
    return flow_state::initialized;
  auto found = std::ranges::find(state_names, name);
  return found == state_names.end() ? std::nullopt
                                    : std::optional<flow_state>(static_cast<flow_state>(found - state_names.begin()));
}

std::optional<flow_state> next_state(dsp::role side, std::optional<flow_state> from, flow_signal signal,
                                     answer how) noexcept {
  if (signal == flow_signal::terminate && how == answer::now && from && !is_final(*from))
    return flow_state::terminated;
  if (signal == flow_signal::errored && from && !is_final(*from))
    return from;
  auto row = std::ranges::find_if(transitions, [&](const transition& t) {
    return t.side == side && t.from == from && t.signal == signal && t.how == how;
  });
  return row == transitions.end() ? std::nullopt : std::optional<flow_state>(row->to);
}

bool is_repeat(flow_state in, flow_signal signal) noexcept {
  switch (signal) {
  case flow_signal::suspend: return in == flow_state::suspended;
  case flow_signal::completed: return in == flow_state::completed;
  case flow_signal::terminate: return in == flow_state::terminated;
  case flow_signal::prepared: return in == flow_state::prepared;
  case flow_signal::started: return in == flow_state::started;
  default: return false;
  }
}

std::optional<direction> direction_of(std::string_view profile) noexcept {
  for (;;) {
    auto dash = profile.rfind('-');
    auto token = dash == std::string_view::npos ? profile : profile.substr(dash + 1);
    if (same_word(token, "pull"))
      return direction::pull;
    if (same_word(token, "push"))
      return direction::push;
    if (dash == std::string_view::npos)
      return std::nullopt;
    profile = profile.substr(0, dash);
  }
}

bool is_pull(std::string_view profile) noexcept { return direction_of(profile) == direction::pull; }

} // namespace fondaco::dps

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cells/codec/dsp_names.hpp"
#include "planes/codec/fields.hpp"
#include "planes/codec/path.hpp"
#include "protocols/base/time.hpp"
#include "protocols/dsp/messages.hpp"

namespace fondaco::control_plane {

namespace limits {
/// How many message ids a process remembers, so that a repeat gets the same answer.
inline constexpr size_t accepted_message_ids_max = 32;
/// How many causes a process keeps; the first half stays, newer ones push each other out.
inline constexpr size_t causes_max = 16;
/// The longest text of a cause in bytes; longer ones are cut.
inline constexpr size_t cause_bytes_max = 1024;
} // namespace limits

/// How a process deals with time; from the participant context's configuration, kept from the process's beginning.
struct process_settings {
  /// How long a message that we send on our own initiative waits after its occasion.
  milliseconds reaction_delay_ms{0};
  /// How long a message or signal is tried before the process ends.
  milliseconds send_window_ms{4 * 3'600'000};
  /// How long the counterparty may be silent before the process ends.
  milliseconds idle_max_ms{7 * 86'400'000};
  /// How long a message that the peer refused waits before it is sent again; doubled each time.
  milliseconds refusal_delay_ms{1000};
  /// How many times a peer may refuse a message before the process ends (a refusal can be a race at the peer's).
  int64_t refusals_max = 3;
  /// False: nothing is sent without an operator's order.
  bool automatic = true;

  bool operator==(const process_settings&) const = default;
  static void each(auto& s, auto&& f) {
    f("reaction_delay_ms", s.reaction_delay_ms);
    f("send_window_ms", s.send_window_ms);
    f("idle_max_ms", s.idle_max_ms);
    f("refusal_delay_ms", s.refusal_delay_ms);
    f("refusals_max", s.refusals_max);
    f("automatic", s.automatic);
  }
};

/// Who gave a cause.
enum class cause_side : uint8_t { local, peer, data_plane };
/// `local`, `peer` or `data_plane`.
std::string_view name_of(cause_side s) noexcept;

/// One link of the chain that says why a process is where it is.
struct process_cause {
  cause_side side = cause_side::local;
  /// A sentence; never holds a secret.
  std::string text;

  bool operator==(const process_cause&) const = default;
  static void each(auto& s, auto&& f) {
    f("side", s.side);
    f("text", s.text);
  }
};

/// Adds a cause within the limits.
void add_cause(std::vector<process_cause>& chain, process_cause cause);

/// The causes as the JSON array that views show: `[{"side":..,"text":..}]`.
json::array causes_json(const std::vector<process_cause>& chain);

/// Remembers a message id within the limit; an empty one is not remembered.
void remember_message(std::vector<std::string>& ids, const std::string& id);

/// The id of the n-th message of a process: a function of its id, so that a replay or a second decision gives the same.
std::string derive_message_id(std::string_view process_id, int64_t number);

/// The id of something else that a process makes once, as its agreement; carries the shard of the process's id.
std::string derive_part_id(std::string_view process_id, std::string_view part);

using planes::path_segment;

/// The other side of a process.
constexpr dsp::role other(dsp::role r) noexcept {
  return r == dsp::role::consumer ? dsp::role::provider : dsp::role::consumer;
}

/// `4 h`, `90 s`, `250 ms`: a length of time for a sentence.
std::string in_words(milliseconds length);

/// The sentence for a termination: the code and reasons that the peer gave.
std::string termination_text(std::string_view code, const std::vector<std::string>& reasons);

} // namespace fondaco::control_plane

namespace fondaco::planes {
template <> struct enumerators<control_plane::cause_side> {
  using enum control_plane::cause_side;
  static constexpr enumerator<control_plane::cause_side> all[] = {
      {local, "local"}, {peer, "peer"}, {data_plane, "data_plane"}};
};
} // namespace fondaco::planes

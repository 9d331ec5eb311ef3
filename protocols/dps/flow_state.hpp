#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocols/dsp/messages.hpp"

namespace fondaco::dps {

/// The states of a data flow (Data Plane Signaling 1.0, states; `INITIALIZED` and so on on the wire).
enum class flow_state : uint8_t {
  initialized,
  preparing,
  prepared,
  starting,
  started,
  suspended,
  completed,
  terminated
};

/// What moves a data flow: calls of the control plane and callbacks of the data plane alike.
enum class flow_signal : uint8_t {
  /// The call that makes a consumer's flow.
  prepare,
  /// The callback at the end of an asynchronous prepare.
  prepared,
  /// The call that makes a provider's flow.
  start,
  /// To a consumer's plane the call that the transfer has started; from a provider's the end of an asynchronous start.
  started,
  suspend,
  resume,
  /// The call, or the callback that the wire transfer has ended.
  completed,
  terminate,
  /// The callback of an error on the wire: changes no state.
  errored,
};

/// How a plane answers: at once (200), or later by a callback (202). Only `prepare` and `start` may be answered later.
enum class answer : bool { now, later };

/// `INITIALIZED` and so on.
std::string_view name_of(flow_state s) noexcept;
/// The state with this name; also `INITIATING`, which some planes say for INITIALIZED; nothing if there is none.
std::optional<flow_state> parse_flow_state(std::string_view name) noexcept;
/// `prepare` and so on, as in the paths.
std::string_view name_of(flow_signal s) noexcept;

/// True for COMPLETED and TERMINATED, which nothing leaves.
constexpr bool is_final(flow_state s) noexcept { return s == flow_state::completed || s == flow_state::terminated; }

/// True for PREPARING and STARTING: the plane will call back. Planes differ in the HTTP status that goes with it, so
/// the state decides.
constexpr bool is_pending(flow_state s) noexcept { return s == flow_state::preparing || s == flow_state::starting; }

/// The state that a signal leads to on the data plane of a side (`std::nullopt`: before the first signal); nothing if
/// it may not come there (Data Plane Signaling 1.0, the two state machines).
std::optional<flow_state> next_state(dsp::role side, std::optional<flow_state> from, flow_signal signal,
                                     answer how = answer::now) noexcept;

/// True if a signal asks for what already is, which is answered 200 and changes nothing: suspend in SUSPENDED,
/// completed in COMPLETED, terminate in TERMINATED, prepared in PREPARED, started in STARTED.
bool is_repeat(flow_state in, flow_signal signal) noexcept;

/// Who opens the connection for the data: pull is opened by the consumer, push by the provider.
enum class direction : uint8_t { pull, push };

/// The direction of a transfer profile or type: the last of its tokens between `-` that is `pull` or `push`, in any
/// case
/// (`HttpData-PULL-Websocket` and `https://w3id.org/dspace-sig/profile/http-pull` are pulls); nothing if it has none.
std::optional<direction> direction_of(std::string_view profile) noexcept;

/// True if the profile's direction is pull.
bool is_pull(std::string_view profile) noexcept;

} // namespace fondaco::dps

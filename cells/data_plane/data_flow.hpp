#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/decision.hpp"
#include "cells/data_plane/data_flow_events.hpp"
#include "persistence/journal.hpp"
#include "protocols/dps/messages.hpp"

namespace fondaco::data_plane {

/// Why a data flow refused a signal; the codes of its faults.
enum class data_flow_errc : uint8_t {
  /// There is no such flow (404).
  not_found = 1,
  /// The state machine does not allow this signal here (409). The sender must read the flow's status first.
  illegal_transition,
  /// A flow with this id exists and another message made it (409). The sender must choose another id.
  already_exists,
  /// An address is missing or not allowed, or a member is empty (400). The sender must correct it.
  bad_message,
};

/// The enumerator's name in snake_case.
std::string_view name_of(data_flow_errc e) noexcept;

/// A data flow on the side of the data plane, pure: Data Plane Signaling 1.0, sections 2.1 to 2.3 of the reference. The
/// edge makes tokens and addresses; what comes here is the SHA-256 of a token and texts sealed by the vault.
struct data_flow {
  static constexpr std::string_view kind = "data_flow";
  using notice = flow_notice;

  /// What is true of a flow after its events.
  struct state {
    bool exists = false;
    flow_terms terms;
    dps::flow_state at = dps::flow_state::initialized;
    /// The SHA-256 of the token that pulls need, in hex; empty while no pull is allowed.
    std::string token_digest;
    /// The address that we gave or got, sealed.
    std::string sealed_address;
    /// Where the data comes from, sealed; forgotten at the end.
    std::string sealed_source;
    /// The last message of each signal, so that its repeat gets the same answer.
    std::vector<flow_message> messages;
    /// Callbacks that the control plane has not taken yet, in order.
    std::vector<notice> notices;
    int64_t ids = 0;
    std::string error_detail;
    timepoint created_at;
    timepoint updated_at;
    timepoint reviewed_at;

    bool operator==(const state&) const = default;
    static void each(auto& s, auto&& f);
  };

  /// `prepare` (makes us the consumer's plane) or `start` (the provider's).
  struct open {
    dps::flow_signal signal = dps::flow_signal::start;
    flow_terms terms;
    std::string message_id;
    /// True if the message has an address (a push's start).
    bool has_address = false;
    std::string token_digest;
    /// A pull's start: the address to answer with. A push's start: the address in the message.
    std::string sealed_address;
    std::string sealed_source;
  };
  /// started, suspend, resume, terminate or completed.
  struct signal {
    dps::flow_signal type = dps::flow_signal::suspend;
    std::string message_id;
    /// True if the message has an address.
    bool has_address = false;
    /// A resume of a pull's provider: the new token's digest and the address to answer with. Else the address in the
    /// message, if it has one.
    std::string token_digest;
    std::string sealed_address;
    std::string reason;
  };
  /// The wire transfer ended (`completed`) or failed for good (`errored`): the control plane is told.
  struct report {
    dps::flow_signal type = dps::flow_signal::completed;
    std::string text;
  };
  /// The control plane took a callback.
  struct delivered {
    std::string notice_id;
  };
  /// The control plane did not take a callback; not `transient`: it refused it (4xx).
  struct not_delivered {
    std::string notice_id;
    std::string cause;
    bool transient = true;
  };
  /// Time passed.
  struct time_passed {};

  using command = std::variant<open, signal, report, delivered, not_delivered, time_passed>;
  using event = data_flow_event;

  /// A callback to the control plane: `POST <base_url><path>` with a DataFlowStatusMessage.
  struct effect {
    dps::status_message message;
    std::string base_url;
    std::string path;
    /// The participant whose flow it is.
    std::string participant_id;
    /// The trace of the message that made the flow; empty for none.
    std::string traceparent;
  };

  struct reply {
    std::string flow_id;
    dps::flow_state at = dps::flow_state::initialized;
    /// The address to answer with, sealed; empty for none.
    std::string sealed_address;
    /// True if this command made the flow.
    bool created = false;
  };

  static std::expected<actors::decision<data_flow>, actors::refusal> decide(const state& s, const command& c,
                                                                            timepoint now);
  static state evolve(state s, const event& e);
  static std::vector<actors::owed_effect<effect>> owed(const state& s);
  static std::optional<timepoint> wake_at(const state& s);
  /// What time gives: the end of a callback's window, or a review.
  static std::optional<command> tick(const state& s, timepoint now);
  static persistence::event_record encode(const event& e);
  static std::optional<event> decode(const persistence::event_record& record);
  static std::string freeze(const state& s);
  static std::optional<state> thaw(std::string_view text);
  /// The wire name of the state, as STARTED.
  static std::string status(const state& s);
  /// The JSON object that the pull proxy and lists read: `tokenDigest` and `source` (sealed) only while pulls are
  /// allowed; `traceparent` is the trace that the flow began in.
  static std::string view(const state& s);
};

/// True if the outcome says that the callback failed for now.
bool is_transient(const data_flow::command& outcome);

/// The namespace of public names in which a flow claims its token's digest: the pull proxy finds the flow by it.
inline constexpr std::string_view token_name_space = "edr_token";

} // namespace fondaco::data_plane

#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/decision.hpp"
#include "cells/control_plane/negotiation_events.hpp"
#include "cells/control_plane/process.hpp"
#include "persistence/journal.hpp"
#include "protocols/dsp/messages.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane {

/// Why a negotiation refused a command; the codes of its faults.
enum class negotiation_errc : uint8_t {
  /// There is no such negotiation for this caller (404): unknown, removed, or another counterparty's.
  not_found = 1,
  /// The state table does not allow this message or order here (400). The sender must read the state first.
  illegal_transition,
  /// A member of the message is missing or wrong (400). The sender must correct it.
  bad_message,
  /// The process ids of the message are not those of this negotiation (400). The sender must correct them.
  pid_mismatch,
  /// The offer is not one that we make, or its policy refuses this counterparty (400); the detail says why.
  offer_refused,
  /// The agreement is not what was last offered (400). The provider must send one that is, or terminate.
  agreement_differs,
  /// The request id was used with another content (409). The caller must choose a new one.
  idempotency_key_reused,
  /// A negotiation with this id exists (409). The caller must choose another id.
  already_exists,
  /// A message of ours is on its way (409). The caller may try again when it was answered.
  busy,
  /// Only a terminated negotiation without an agreement can be removed (409).
  not_removable,
};

/// The enumerator's name in snake_case.
std::string_view name_of(negotiation_errc e) noexcept;

/// A contract negotiation of either side, pure: DSP 2025-1, section 7; blueprint, section 3.
struct negotiation {
  static constexpr std::string_view kind = "negotiation";
  using outgoing = negotiation_outgoing;

  /// What is true of a negotiation after its events.
  struct state {
    bool exists = false;
    bool removed = false;
    dsp::role self = dsp::role::consumer;
    /// Our process id; the entity's id.
    std::string id;
    std::string peer_pid;
    std::string counterparty_id;
    /// The base that messages to the counterparty go to.
    std::string counterparty_address;
    /// Our own base, which the first message names.
    std::string callback_address;
    /// Our own participant id.
    std::string participant_id;
    std::string profile;
    std::string asset_id;
    /// The last offer of either side.
    json::object offer;
    /// Provider: the rules that an agreement will have.
    json::object terms;
    std::string agreement_id;
    json::object agreement;
    /// The state that both sides know; nothing before the first message was answered.
    std::optional<dsp::negotiation_state> dsp_state;
    std::optional<outgoing> outbox;
    std::vector<std::string> accepted_message_ids;
    std::optional<dsp::negotiation_message> last_received;
    std::vector<process_cause> causes;
    std::string error_detail;
    timepoint created_at;
    timepoint updated_at;
    json::value callback_addresses;
    std::string request_id;
    std::string request_digest;
    json::object claims;
    process_settings settings;
    /// How many messages of ours were chosen so far.
    int64_t messages = 0;
    /// The trace that the negotiation began in (W3C traceparent); empty for none.
    std::string traceparent;

    bool operator==(const state&) const = default;
    static void each(auto& s, auto&& f);
  };

  /// Begins a negotiation by our own first message: a request (consumer) or an offer (provider).
  struct initiate {
    std::string id;
    dsp::role self = dsp::role::consumer;
    std::string counterparty_id;
    std::string counterparty_address;
    std::string callback_address;
    std::string participant_id;
    std::string profile;
    std::string asset_id;
    json::object offer;
    /// Provider only: the rules that an agreement will have.
    json::object terms;
    /// As the client gave them; null for none.
    json::value callback_addresses;
    /// The idempotency key of the request and the digest of its content; empty for none.
    std::string request_id;
    std::string request_digest;
    process_settings settings;
    /// The trace of the request; empty for none.
    std::string traceparent;
  };
  /// What the edge found out about an offer that a consumer asks for.
  struct offer_verdict {
    bool allowed = false;
    std::vector<std::string> reasons;
    std::string asset_id;
    /// The contract policy whose rules an agreement will have.
    json::object terms;
  };
  /// A counterparty's first message: a request makes us provider, an offer makes us consumer. Its id is derived from
  /// the counterparty and its process id, so that a repeat comes to the same negotiation.
  struct receive_initial {
    std::string id;
    dsp::negotiation_envelope envelope;
    /// The authenticated sender.
    std::string counterparty_id;
    std::string participant_id;
    std::string callback_address;
    std::string profile;
    /// For a request only.
    offer_verdict verdict;
    json::object claims;
    process_settings settings;
    /// Replay marks of the token that came with it.
    std::vector<persistence::seen_mark> marks;
    /// The trace of the message; empty for none.
    std::string traceparent;
  };
  /// Any further message of the counterparty.
  struct receive_message {
    dsp::negotiation_envelope envelope;
    std::string counterparty_id;
    /// For a counter-offer (request) only.
    offer_verdict verdict;
    /// What the token said about the sender; kept if not empty.
    json::object claims;
    std::vector<persistence::seen_mark> marks;
  };
  /// An operator's order to send a message that the state table allows (approval, counter-offer).
  struct send {
    dsp::negotiation_message type = dsp::negotiation_message::accepted;
    /// The offer, for a request or an offer.
    json::object offer;
    /// Provider: the rules that an agreement will have; kept as they are if empty.
    json::object terms;
  };
  /// An operator's order to end the negotiation.
  struct terminate {
    std::string reason;
    std::string code;
  };
  /// An operator's order to forget the negotiation.
  struct remove {};
  /// The peer took our message.
  struct delivered {
    std::string message_id;
    /// The peer's process id, from the answer to a first message.
    std::string peer_pid;
  };
  /// The peer did not take our message, or we cannot know.
  struct not_delivered {
    std::string message_id;
    std::string cause;
    /// True: no answer or 5xx, tried again. False: the peer refused it (4xx), its state is asked for next.
    bool transient = true;
  };
  /// What the peer says of the negotiation's state, after it refused a message of ours.
  struct probe_result {
    std::string message_id;
    /// The state's name; nothing if the peer did not tell.
    std::optional<std::string> peer_state;
    /// Why the peer did not tell.
    std::string cause;
    /// True if it may tell later.
    bool transient = false;
  };
  /// Time passed.
  struct time_passed {};

  using command = std::variant<initiate, receive_initial, receive_message, send, terminate, remove, delivered,
                               not_delivered, probe_result, time_passed>;
  using event = negotiation_event;

  /// A message to send, or (`probe`) the peer's state to ask for.
  struct effect {
    bool probe = false;
    std::string message_id;
    dsp::negotiation_envelope envelope;
    /// The peer's base URL without a trailing slash; `path` and `probe_path` are appended.
    std::string base_url;
    std::string path;
    /// Where the peer tells the state; empty while its process id is unknown.
    std::string probe_path;
    std::string counterparty_id;
    std::string profile;
    std::string traceparent;
  };

  struct reply {
    std::string id;
    dsp::process_view view;
    /// True if this command made the negotiation.
    bool created = false;
  };

  static std::expected<actors::decision<negotiation>, actors::refusal> decide(const state& s, const command& c,
                                                                              timepoint now);
  static state evolve(state s, const event& e);
  static std::vector<actors::owed_effect<effect>> owed(const state& s);
  static std::optional<timepoint> wake_at(const state& s);
  /// What time gives: the end of a window or of patience.
  static std::optional<command> tick(const state& s, timepoint now);
  static persistence::event_record encode(const event& e);
  static std::optional<event> decode(const persistence::event_record& record);
  static std::string freeze(const state& s);
  static std::optional<state> thaw(std::string_view text);
  /// The name that the management API shows, as REQUESTING or AGREED.
  static std::string status(const state& s);
  /// The JSON object that lists show and queries filter by.
  static std::string view(const state& s);
};

/// What the counterparty is told of the negotiation's state.
dsp::process_view dsp_view(const negotiation::state& s);

/// True if the outcome says that the effect failed for now, so that the shell waits before it runs what is owed again.
bool is_transient(const negotiation::command& outcome);

/// What the negotiation waits for, as a sentence; empty if it has ended.
std::string waiting_on(const negotiation::state& s);

/// The state that a message leads to.
constexpr dsp::negotiation_state target_of(dsp::negotiation_message m) noexcept {
  return static_cast<dsp::negotiation_state>(m);
}
static_assert(target_of(dsp::negotiation_message::request) == dsp::negotiation_state::requested);
static_assert(target_of(dsp::negotiation_message::offer) == dsp::negotiation_state::offered);
static_assert(target_of(dsp::negotiation_message::accepted) == dsp::negotiation_state::accepted);
static_assert(target_of(dsp::negotiation_message::agreement) == dsp::negotiation_state::agreed);
static_assert(target_of(dsp::negotiation_message::verification) == dsp::negotiation_state::verified);
static_assert(target_of(dsp::negotiation_message::finalized) == dsp::negotiation_state::finalized);
static_assert(target_of(dsp::negotiation_message::termination) == dsp::negotiation_state::terminated);

} // namespace fondaco::control_plane

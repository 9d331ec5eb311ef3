#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/decision.hpp"
#include "cells/control_plane/process.hpp"
#include "cells/control_plane/transfer_events.hpp"
#include "persistence/journal.hpp"
#include "protocols/dps/messages.hpp"
#include "protocols/dsp/messages.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane {

/// Why a transfer refused a command; the codes of its faults.
enum class transfer_errc : uint8_t {
  /// There is no such transfer for this caller (404): unknown, another counterparty's, or another data plane's.
  not_found = 1,
  /// The state table does not allow this message, order or callback here (400; 409 for orders and callbacks).
  illegal_transition,
  /// A member of the message is missing or wrong (400). The sender must correct it.
  bad_message,
  /// The process ids of the message are not those of this transfer (400). The sender must correct them.
  pid_mismatch,
  /// The agreement does not allow this counterparty this transfer now (409); the detail says why.
  agreement_refused,
  /// No data plane serves this transfer type (400). The operator has to register one.
  no_data_plane,
  /// The request id was used with another content (409). The caller must choose a new one.
  idempotency_key_reused,
  /// A transfer with this id exists (409). The caller must choose another id.
  already_exists,
};

/// The enumerator's name in snake_case.
std::string_view name_of(transfer_errc e) noexcept;

/// A transfer process of either side, pure: DSP 2025-1, section 8; Data Plane Signaling 1.0, sequences. Addresses of
/// data are sealed by the edge before they come here and opened by whoever runs an effect.
struct transfer_process {
  static constexpr std::string_view kind = "transfer_process";

  /// What is true of a transfer after its events.
  struct state {
    bool exists = false;
    transfer_terms terms;
    std::string peer_pid;
    /// The state that both sides know; nothing before the request was answered.
    std::optional<dsp::transfer_state> dsp_state;
    transfer_queue queue;
    /// The signal that our data plane will answer by a callback.
    std::optional<dps::flow_signal> awaited_flow;
    /// True: our start was taken and the peer's start with its new address is to come.
    bool awaits_address = false;
    /// The data plane's own id of the flow, if it is not ours.
    std::string flow_id;
    /// The address of the data; dropped while suspended and for good at the end.
    std::string sealed_address;
    std::vector<std::string> accepted_message_ids;
    std::optional<dsp::transfer_message> last_received;
    std::vector<process_cause> causes;
    std::string error_detail;
    timepoint created_at;
    timepoint updated_at;
    timepoint reviewed_at;

    bool operator==(const state&) const = default;
    static void each(auto& s, auto&& f);
  };

  /// Begins a transfer as consumer. `terms.plane` may be missing: a consumer that only pulls needs none.
  struct initiate {
    transfer_terms terms;
  };
  /// A consumer's request: makes us provider. The entity's id is derived from the consumer and its process id.
  struct receive_request {
    dsp::transfer_envelope envelope;
    /// What the edge resolved: the agreement's asset, the format, the chosen plane, the authenticated consumer.
    /// `format`, `agreement_id` and `counterparty_address` are taken from the envelope.
    transfer_terms terms;
    /// True if the agreement is this consumer's and its policy holds now.
    bool allowed = false;
    std::vector<std::string> reasons;
    /// The consumer's address of a push, sealed.
    std::string sealed_address;
    std::vector<persistence::seen_mark> marks;
  };
  /// Any further message of the counterparty.
  struct receive_message {
    dsp::transfer_envelope envelope;
    std::string counterparty_id;
    /// The envelope's address, sealed; empty for none.
    std::string sealed_address;
    std::vector<persistence::seen_mark> marks;
  };
  /// An operator's orders. `start` resumes a suspended transfer, or starts a requested one that was held.
  struct start {};
  struct suspend {
    std::string reason;
  };
  struct complete {};
  struct terminate {
    std::string reason;
    std::string code;
  };
  /// The peer took our message.
  struct delivered {
    std::string message_id;
    std::string peer_pid;
  };
  /// The peer did not take our message, or we cannot know.
  struct not_delivered {
    std::string message_id;
    std::string cause;
    /// True: no answer or 5xx, tried again. False: the peer refused it (4xx), its state is asked for next.
    bool transient = true;
  };
  /// What the peer says of the transfer's state, after it refused a message of ours.
  struct probe_result {
    std::string message_id;
    std::optional<std::string> peer_state;
    std::string cause;
    bool transient = false;
  };
  /// Our data plane took a signal.
  struct signal_taken {
    std::string message_id;
    /// True if it answered PREPARING or STARTING.
    bool pending = false;
    std::string flow_id;
    std::string sealed_address;
  };
  /// Our data plane did not take a signal. False `transient`: it refused it (4xx).
  struct signal_failed {
    std::string message_id;
    std::string cause;
    bool transient = true;
  };
  /// A callback of our data plane: prepared, started, completed or errored.
  struct flow_report {
    std::string dataplane_id;
    dps::flow_signal signal = dps::flow_signal::started;
    std::string sealed_address;
    /// What went wrong, for errored.
    std::string text;
  };
  /// Time passed.
  struct time_passed {};

  using command =
      std::variant<initiate, receive_request, receive_message, start, suspend, complete, terminate, delivered,
                   not_delivered, probe_result, signal_taken, signal_failed, flow_report, time_passed>;
  using event = transfer_event;

  /// A message to the peer, its state to ask for (`probe`), or (`signal` set) a call to our data plane.
  struct effect {
    bool probe = false;
    std::string message_id;
    /// The message; its address is `sealed_address`, opened.
    dsp::transfer_envelope envelope;
    std::optional<dps::flow_signal> signal;
    /// The body of prepare and start, without the address.
    dps::data_flow_request request;
    /// Why, for suspend and terminate.
    std::string reason;
    /// To open and send as the message's or signal's address; empty for none.
    std::string sealed_address;
    /// The peer's or the data plane's base URL without a trailing slash; `path` and `probe_path` are appended.
    std::string base_url;
    std::string path;
    std::string probe_path;
    std::string counterparty_id;
    std::string profile;
    std::string dataplane_id;
    std::string traceparent;
  };

  struct reply {
    std::string id;
    dsp::process_view view;
    /// True if this command made the transfer.
    bool created = false;
  };

  static std::expected<actors::decision<transfer_process>, actors::refusal> decide(const state& s, const command& c,
                                                                                   timepoint now);
  static state evolve(state s, const event& e);
  static std::vector<actors::owed_effect<effect>> owed(const state& s);
  static std::optional<timepoint> wake_at(const state& s);
  /// What time gives: the end of a window or of patience, or a review.
  static std::optional<command> tick(const state& s, timepoint now);
  static persistence::event_record encode(const event& e);
  static std::optional<event> decode(const persistence::event_record& record);
  static std::string freeze(const state& s);
  static std::optional<state> thaw(std::string_view text);
  /// The name that the management API shows, as STARTING or SUSPENDING_REQUESTED.
  static std::string status(const state& s);
  /// The JSON object that lists show and queries filter by; `sealedAddress` is there while there is an address.
  static std::string view(const state& s);
};

/// What the counterparty is told of the transfer's state.
dsp::process_view dsp_view(const transfer_process::state& s);

/// True if the outcome says that the effect failed for now, so that the shell waits before it runs what is owed again.
bool is_transient(const transfer_process::command& outcome);

/// What the transfer waits for, as a sentence; empty if it has ended.
std::string waiting_on(const transfer_process::state& s);

/// True if our data plane is the one that makes the data's address: the provider's of a pull, the consumer's of a push.
bool owns_address(const transfer_terms& terms);

/// The state that a message leads to.
constexpr dsp::transfer_state target_of(dsp::transfer_message m) noexcept {
  return static_cast<dsp::transfer_state>(m);
}
static_assert(target_of(dsp::transfer_message::request) == dsp::transfer_state::requested);
static_assert(target_of(dsp::transfer_message::start) == dsp::transfer_state::started);
static_assert(target_of(dsp::transfer_message::suspension) == dsp::transfer_state::suspended);
static_assert(target_of(dsp::transfer_message::completion) == dsp::transfer_state::completed);
static_assert(target_of(dsp::transfer_message::termination) == dsp::transfer_state::terminated);

} // namespace fondaco::control_plane

#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/decision.hpp"
#include "cells/issuer_service/issuance_events.hpp"
#include "persistence/journal.hpp"

namespace fondaco::issuer_service {

namespace limits {
/// How long a delivery that the holder refused waits before it is sent a second and last time: a holder may get it
/// before it has seen our answer to its request.
inline constexpr milliseconds delivery_again_after_ms{60'000};
/// How many times a holder may refuse a delivery in a way that may be a race at its side.
inline constexpr int64_t delivery_refusals_max = 2;
} // namespace limits

/// Why an issuance refused a command; the codes of its faults.
enum class issuance_errc : uint8_t {
  /// There is no such issuance or credential (404).
  not_found = 1,
  /// An issuance with this id exists (409): the holder's process id is in use. The holder must choose another.
  already_exists,
  /// A member of the command is missing or wrong (400). The caller must correct it.
  invalid,
};

/// The enumerator's name in snake_case.
std::string_view name_of(issuance_errc e) noexcept;

/// Where an issuance is (identity API reference, section 8.5; `rejected` is ours).
enum class issuance_state : uint8_t { approved, delivered, errored, rejected };
/// `APPROVED` and so on.
std::string_view name_of(issuance_state s) noexcept;

/// What becomes of a holder's request for credentials, pure (DCP reference, section 6). Its id is the issuer's process
/// id; it lives in its tenant's shard. It writes the documents `issued_credential` of what it made.
struct issuance {
  static constexpr std::string_view kind = "issuance";

  /// What is true of an issuance after its events.
  struct state {
    bool exists = false;
    issuance_state at = issuance_state::approved;
    std::string id;
    std::string participant_context;
    std::string holder_pid;
    std::string holder_id;
    std::string holder_did;
    std::string sealed_token;
    json::object claims;
    std::vector<planned_credential> plan;
    /// The ids of the definitions that a rejected request asked for.
    std::vector<std::string> definitions;
    /// Empty until they are made.
    std::vector<made_credential> credentials;
    /// When we stop trying.
    timepoint window_until;
    /// The delivery is not sent before this moment.
    timepoint deliver_at;
    int64_t refusals = 0;
    /// True while the holder is to be told that it gets nothing.
    bool telling = false;
    /// The last failure that was journaled.
    std::string failure;
    std::vector<control_plane::process_cause> causes;
    std::string error_detail;
    timepoint created_at;
    timepoint updated_at;
    std::string traceparent;

    bool operator==(const state&) const = default;
    static void each(auto& s, auto&& f);
  };

  /// A holder asks.
  struct begin {
    std::string id;
    std::string participant_context;
    std::string holder_pid;
    std::string holder_id;
    std::string holder_did;
    std::string sealed_token;
    json::object claims;
    std::vector<planned_credential> plan;
    milliseconds window_ms{24 * 3'600'000};
    std::string traceparent;
    /// Why the request is not granted; if there is anything, there is no plan and `definitions` says what was asked
    /// for.
    std::vector<std::string> reasons;
    std::vector<std::string> definitions;
  };
  /// The credentials were made; one for each that was planned, in this order.
  struct made {
    std::vector<made_credential> credentials;
  };
  /// They could not be made.
  struct making_failed {
    std::string cause;
    /// True: tried again. False: the issuance ends, and the holder is told.
    bool transient = true;
  };
  /// The holder took what was sent: the credentials, or the word that there are none.
  struct delivered {};
  /// How a delivery failed.
  enum class trouble : uint8_t {
    /// Tried again soon.
    transient,
    /// The holder refused it, maybe because it was too early: tried once more after a while.
    refusal,
    /// The issuance ends.
    permanent,
  };
  struct delivery_failed {
    std::string cause;
    trouble how = trouble::transient;
    /// True if the holder gave the cause.
    bool said_by_peer = false;
  };
  /// A credential's bits say something else now.
  struct mark {
    std::string credential_id;
    credential_state status = credential_state::revoked;
  };
  /// Time passed.
  struct time_passed {};

  using command = std::variant<begin, made, making_failed, delivered, delivery_failed, mark, time_passed>;
  using event = issuance_event;

  /// Make the credentials, deliver them, or tell the holder that there are none.
  struct effect {
    enum class act : uint8_t { make, deliver, reject };
    act what = act::make;
    std::string id;
    std::string holder_pid;
    std::string holder_did;
    std::string sealed_token;
    std::vector<planned_credential> plan;
    std::vector<made_credential> credentials;
    std::string reason;
    std::string traceparent;
  };

  struct reply {
    std::string id;
    issuance_state at = issuance_state::approved;
  };

  static std::expected<actors::decision<issuance>, actors::refusal> decide(const state& s, const command& c,
                                                                           timepoint now);
  static state evolve(state s, const event& e);
  static std::vector<actors::owed_effect<effect>> owed(const state& s);
  static std::optional<timepoint> wake_at(const state& s);
  static std::optional<command> tick(const state& s, timepoint now);
  static persistence::event_record encode(const event& e);
  static std::optional<event> decode(const persistence::event_record& record);
  static std::string freeze(const state& s);
  static std::optional<state> thaw(std::string_view text);
  /// `APPROVED`, `DELIVERED`, `ERRORED` or `REJECTED`.
  static std::string status(const state& s);
  /// `holderId`, `holderDid`, `holderPid`, `claims`, `credentialDefinitions`, `credentialFormats`, `credentials`,
  /// `errorDetail`, `createdAt`, `stateTimestamp`, `causes`, `waitingOn`.
  static std::string view(const state& s);
};

/// True if the outcome says that the effect failed for now, so that the shell waits before it runs what is owed again.
bool is_transient(const issuance::command& outcome);

/// What the issuance waits for, as a sentence; empty if it has ended.
std::string waiting_on(const issuance::state& s);

/// The document of a credential (identity API reference, section 9.4): VerifiableCredentialResource without its raw
/// form, `statusPlaces`, and its state as section 8.6 numbers it.
std::string issued_credential_body(const issuance::state& s, const made_credential& c);

} // namespace fondaco::issuer_service

#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/decision.hpp"
#include "cells/credential_service/credential_request_events.hpp"
#include "persistence/journal.hpp"

namespace fondaco::credential_service {

namespace limits {
/// How long after its answer an issuer that delivered nothing is asked how far it is; doubled each time.
inline constexpr milliseconds poll_first_ms{60'000};
/// The longest time between two such questions.
inline constexpr milliseconds poll_cap_ms{3'600'000};
/// How many ids of delivered credentials a request remembers; the oldest goes first.
inline constexpr size_t delivered_ids_max = 64;
} // namespace limits

/// Why a credential request refused a command; the codes of its faults.
enum class request_errc : uint8_t {
  /// There is no such request to this issuer (404).
  not_found = 1,
  /// A request with this holder process id exists (409). The caller must choose another id.
  already_exists,
  /// The request id was used with another content (409). The caller must choose a new one.
  idempotency_key_reused,
  /// The request cannot take this now (400): it was not sent yet, or has ended.
  illegal_state,
  /// A member of the command is missing or wrong (400). The caller must correct it.
  bad_request,
};

/// The enumerator's name in snake_case.
std::string_view name_of(request_errc e) noexcept;

/// Where a credential request is (identity API reference, section 8.4).
enum class request_state : uint8_t { created, requesting, requested, issued, error };
/// `CREATED` and so on.
std::string_view name_of(request_state s) noexcept;

/// A holder's request for credentials at one issuer, pure (DCP reference, section 6; identity API reference, section
/// 8.4). Its id is the holder's process id; it lives in its tenant's shard.
struct credential_request {
  static constexpr std::string_view kind = "credential_request";

  /// What is true of a request after its events.
  struct state {
    bool exists = false;
    request_state at = request_state::created;
    /// The holder's process id; the entity's id.
    std::string id;
    std::string issuer_did;
    /// The issuer's process id; empty until it is known.
    std::string issuer_pid;
    std::vector<requested_credential> wanted;
    request_origin origin = request_origin::api;
    std::string request_id;
    std::string request_digest;
    /// When we stop waiting.
    timepoint window_until;
    timepoint poll_at;
    int64_t polls = 0;
    /// The ids of the credentials that arrived.
    std::vector<std::string> credentials;
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

  /// Begins a request.
  struct begin {
    std::string id;
    std::string issuer_did;
    std::vector<requested_credential> wanted;
    request_origin origin = request_origin::api;
    /// How long it may take until a credential is there.
    milliseconds window_ms{24 * 3'600'000};
    /// The idempotency key of the client's request and the digest of its content; empty for none.
    std::string request_id;
    std::string request_digest;
    /// Keeps the idempotency key to this request.
    std::vector<persistence::name_claim> names;
    std::string traceparent;
  };
  /// The issuer was found, and its metadata completed what is asked for.
  struct prepared {
    std::vector<requested_credential> wanted;
  };
  /// What a step could not do.
  enum class step : uint8_t { prepare, request };
  struct step_failed {
    step which = step::prepare;
    std::string cause;
    /// True: tried again. False: the request ends.
    bool transient = true;
    /// True if the issuer gave the cause.
    bool said_by_peer = false;
  };
  /// The issuer took the request.
  struct accepted {
    /// Empty if it did not name its process.
    std::string issuer_pid;
  };
  /// What the issuer says of the request's state.
  struct poll_result {
    /// Which question this answers: `state::polls` when it was asked.
    int64_t number = 0;
    /// `RECEIVED`, `ISSUED` or `REJECTED`; empty if it did not tell.
    std::string status;
    /// Why it did not tell.
    std::string cause;
  };
  /// Credentials were delivered, verified and kept.
  struct receive_credentials {
    std::string issuer_did;
    std::string issuer_pid;
    std::vector<std::string> credentials;
  };
  /// The issuer refuses to issue.
  struct receive_rejection {
    std::string issuer_did;
    std::string issuer_pid;
    std::string reason;
  };
  /// Time passed.
  struct time_passed {};

  using command = std::variant<begin, prepared, step_failed, accepted, poll_result, receive_credentials,
                               receive_rejection, time_passed>;
  using event = credential_request_event;

  /// Find the issuer and complete what is asked for, send the request, or ask how far it is.
  struct effect {
    enum class act : uint8_t { prepare, request, poll };
    act what = act::prepare;
    std::string id;
    std::string issuer_did;
    std::string issuer_pid;
    std::vector<requested_credential> wanted;
    request_origin origin = request_origin::api;
    int64_t poll_number = 0;
    std::string traceparent;
  };

  struct reply {
    std::string id;
    request_state at = request_state::created;
    /// True if this command made the request.
    bool created = false;
  };

  static std::expected<actors::decision<credential_request>, actors::refusal> decide(const state& s, const command& c,
                                                                                     timepoint now);
  static state evolve(state s, const event& e);
  static std::vector<actors::owed_effect<effect>> owed(const state& s);
  static std::optional<timepoint> wake_at(const state& s);
  static std::optional<command> tick(const state& s, timepoint now);
  static persistence::event_record encode(const event& e);
  static std::optional<event> decode(const persistence::event_record& record);
  static std::string freeze(const state& s);
  static std::optional<state> thaw(std::string_view text);
  /// `CREATED`, `REQUESTING`, `REQUESTED`, `ISSUED` or `ERROR`.
  static std::string status(const state& s);
  /// `issuerDid`, `issuerPid`, `typesAndFormats`, `credentials`, `origin`, `errorDetail`, `causes`, `waitingOn`.
  static std::string view(const state& s);
};

/// True if the outcome says that the effect failed for now, so that the shell waits before it runs what is owed again.
bool is_transient(const credential_request::command& outcome);

/// What the request waits for, as a sentence; empty if it has ended.
std::string waiting_on(const credential_request::state& s);

} // namespace fondaco::credential_service

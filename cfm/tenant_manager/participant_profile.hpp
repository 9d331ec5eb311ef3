#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/decision.hpp"
#include "cfm/messages.hpp"
#include "cfm/tenant_manager/participant_profile_events.hpp"

namespace fondaco::cfm {

namespace limits {
/// The most causes that a profile keeps.
inline constexpr size_t profile_causes_max = 16;
/// The longest cause that a profile keeps, in bytes.
inline constexpr size_t profile_cause_bytes_max = 2048;
/// The longest terms of a profile and the longest output of its deployment that are kept, in bytes of JSON: both travel
/// in the manifest of its disposal.
inline constexpr size_t profile_terms_bytes_max = 96u << 10;
inline constexpr size_t profile_output_bytes_max = 64u << 10;
/// The most orchestrations whose end a profile remembers, so that an end that is told twice changes nothing.
inline constexpr size_t profile_answers_max = 32;
} // namespace limits

/// The VPAs of every profile, in this order.
inline constexpr std::string_view vpa_types[] = {"cfm.connector", "cfm.credentialservice", "cfm.dataplane",
                                                 "cfm.issuer"};

/// Why a participant profile refused a command; the codes of its faults.
enum class profile_errc : uint8_t {
  /// There is no such profile (404).
  not_found = 1,
  /// A profile with this id was made by another request (409). The caller must choose another idempotency key.
  already_exists,
  /// The profile is not in a state for this (409); the detail names the state and what is waited for.
  wrong_state,
};
/// The enumerator's name in snake_case.
std::string_view name_of(profile_errc e) noexcept;

/// Where a profile's VPAs are.
enum class profile_phase : uint8_t { pending, active, error, disposing, disposed, removed };
/// As CFM names the state of VPAs: `pending`, `active`, `error`, `disposing`, `disposed`.
std::string_view name_of(profile_phase p) noexcept;

/// A participant profile: one identity of an organisation in one or more dataspaces, deployed and disposed of by
/// orchestrations (CFM reference, sections 3.3 and 7).
struct participant_profile {
  static constexpr std::string_view kind = "participant_profile";

  struct state {
    bool exists = false;
    std::string id;
    profile_terms terms;
    profile_phase at = profile_phase::pending;
    /// The orchestration that is under way, or was the last one.
    std::string manifest_id;
    bool manifest_owed = false;
    /// Why the broker did not take it yet.
    std::string put_off_by;
    /// The digest of the request that made the profile.
    std::string digest;
    /// Orchestrations whose end is known, the oldest first.
    std::vector<std::string> answered;
    /// True if the deployment was undone before its failure was told.
    bool undone = false;
    /// What the deployment put out (`cfm.vpa.state`).
    json::object vpa_state;
    bool failed = false;
    std::string error_detail;
    std::vector<std::string> causes;
    timepoint created_at;
    /// Since when its VPAs are in their state.
    timepoint changed_at;

    bool operator==(const state&) const = default;
    static void each(auto& s, auto&& f);
  };

  /// Makes the profile and deploys it; the same request again changes nothing.
  struct deploy {
    std::string id;
    profile_terms terms;
    std::string manifest_id;
    std::string request_id;
    /// The digest of the request; empty if it has no idempotency key: a repeat is then known by its terms.
    std::string digest;
    /// Public names that the profile takes (its identifier).
    std::vector<persistence::name_claim> names;
  };
  /// Disposes of an active or failed profile; of one that is disposed of, removes it.
  struct dispose {
    std::string manifest_id;
    std::string request_id;
  };
  /// An orchestration's end.
  struct respond {
    orchestration_response response;
  };
  /// The broker took the manifest.
  struct published {
    std::string manifest_id;
  };
  /// It did not, for now.
  struct not_published {
    std::string cause;
  };

  using command = std::variant<deploy, dispose, respond, published, not_published>;
  using event = profile_event;

  /// The manifest for the broker.
  struct effect {
    orchestration_manifest manifest;
  };

  struct reply {
    std::string id;
    bool created = false;
    /// The profile as the API shows it.
    std::string shown;
    /// True if it was removed: what is left of it can be erased.
    bool removed = false;
  };

  static std::expected<actors::decision<participant_profile>, actors::refusal> decide(const state& s, const command& c,
                                                                                      timepoint now);
  static state evolve(state s, const event& e);
  static std::vector<actors::owed_effect<effect>> owed(const state& s);
  static std::optional<timepoint> wake_at(const state& s);
  static persistence::event_record encode(const event& e);
  static std::optional<event> decode(const persistence::event_record& record);
  static std::string freeze(const state& s);
  static std::optional<state> thaw(std::string_view text);
  /// PENDING, ACTIVE, ERROR, DISPOSING, DISPOSED or REMOVED.
  static std::string status(const state& s);
  /// As the API shows it, with `causes` and `waitingOn` for operators.
  static std::string view(const state& s);
};

} // namespace fondaco::cfm

namespace fondaco::planes {
template <> struct enumerators<cfm::profile_phase> {
  using enum cfm::profile_phase;
  static constexpr enumerator<cfm::profile_phase> all[] = {{pending, "pending"},   {active, "active"},
                                                           {error, "error"},       {disposing, "disposing"},
                                                           {disposed, "disposed"}, {removed, "removed"}};
};
} // namespace fondaco::planes

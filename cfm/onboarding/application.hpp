#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/decision.hpp"
#include "cfm/onboarding/application_events.hpp"

namespace fondaco::cfm {

namespace limits {
/// The most documents of an application.
inline constexpr size_t application_documents_max = 32;
/// The most causes that an application keeps.
inline constexpr size_t application_causes_max = 16;
/// The longest reason of a decision, in bytes.
inline constexpr size_t decision_reason_bytes_max = 2048;
} // namespace limits

/// Why an application refused a command; the codes of its faults.
enum class application_errc : uint8_t {
  /// There is no such application (404).
  not_found = 1,
  /// An application with this id and other terms exists (409).
  already_exists,
  /// The application is not in a state for this (409); the detail names the state.
  wrong_state,
  /// Too many documents, or a decision without a reason (400).
  bad_application,
};
/// The enumerator's name in snake_case.
std::string_view name_of(application_errc e) noexcept;

/// Where an application is.
enum class application_phase : uint8_t { submitted, rejected, provisioning, active, failed };

/// An organisation's application to a dataspace: its documents, the decision with its reason, and, once approved, the
/// way of its provisioning at the tenant manager.
struct application {
  static constexpr std::string_view kind = "application";

  struct state {
    bool exists = false;
    std::string id;
    application_terms terms;
    std::vector<application_document> documents;
    application_phase at = application_phase::submitted;
    std::string decided_by;
    std::string reason;
    std::string tenant_id;
    std::string profile_id;
    std::string participant_context_id;
    /// How often a failed provisioning was taken up again.
    int64_t retries = 0;
    std::vector<std::string> causes;
    timepoint created_at;
    timepoint updated_at;

    bool operator==(const state&) const = default;
    static void each(auto& s, auto&& f);
  };

  /// An organisation applies; again with the same terms changes nothing.
  struct submit {
    std::string id;
    application_terms terms;
    std::string request_id;
  };
  /// Adds a document, or replaces the one of its name, before the decision.
  struct attach {
    application_document document;
    std::string request_id;
  };
  /// Decides; the same decision again changes nothing.
  struct decide_on {
    bool approved = false;
    std::string by;
    std::string reason;
    std::string request_id;
  };
  /// Takes a failed provisioning up again.
  struct retry {
    std::string request_id;
  };
  /// A step is done.
  struct step_done {
    std::string step;
    std::string id;
  };
  /// A step is not done: it goes on (no detail), failed for now, or for good.
  struct step_open {
    std::string step;
    std::string detail;
    bool for_good = false;
  };

  using command = std::variant<submit, attach, decide_on, retry, step_done, step_open>;
  using event = application_event;

  /// A call of the tenant manager: `tenant` (make it), `profile` (deploy it) or `active` (is it there yet?).
  struct effect {
    std::string step;
    std::string id;
    application_terms terms;
    std::string tenant_id;
    std::string profile_id;
    /// Each try deploys a profile of its own.
    int64_t retries = 0;
  };

  struct reply {
    std::string id;
    /// True if this command made the application.
    bool created = false;
    timepoint created_at;
  };

  static std::expected<actors::decision<application>, actors::refusal> decide(const state& s, const command& c,
                                                                              timepoint now);
  static state evolve(state s, const event& e);
  static std::vector<actors::owed_effect<effect>> owed(const state& s);
  static std::optional<timepoint> wake_at(const state& s);
  static persistence::event_record encode(const event& e);
  static std::optional<event> decode(const persistence::event_record& record);
  static std::string freeze(const state& s);
  static std::optional<state> thaw(std::string_view text);
  /// SUBMITTED, REJECTED, PROVISIONING, ACTIVE or FAILED.
  static std::string status(const state& s);
  /// As `GET /applications/{id}` shows it, with `causes` and `waitingOn` for operators.
  static std::string view(const state& s);
};

} // namespace fondaco::cfm

namespace fondaco::planes {
template <> struct enumerators<cfm::application_phase> {
  using enum cfm::application_phase;
  static constexpr enumerator<cfm::application_phase> all[] = {{submitted, "submitted"},
                                                               {rejected, "rejected"},
                                                               {provisioning, "provisioning"},
                                                               {active, "active"},
                                                               {failed, "failed"}};
};
} // namespace fondaco::planes

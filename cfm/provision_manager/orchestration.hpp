#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/decision.hpp"
#include "cfm/provision_manager/orchestration_events.hpp"

namespace fondaco::cfm {

namespace limits {
/// The most activities of an orchestration.
inline constexpr size_t orchestration_activities_max = 256;
/// The longest processing data of an orchestration, in bytes of JSON.
inline constexpr size_t processing_data_bytes_max = 256u << 10;
/// The longest detail of a failure that is kept, in bytes.
inline constexpr size_t failure_detail_bytes_max = 1024;
/// The first delay after a failed try, doubled with each, and its cap.
inline constexpr milliseconds activity_retry_first_ms{500};
inline constexpr milliseconds activity_retry_cap_ms{30'000};
} // namespace limits

/// Why an orchestration refused a command; the codes of its faults.
enum class orchestration_errc : uint8_t {
  /// There is no such orchestration (404).
  not_found = 1,
  /// Another manifest with this id was acted on (409). The sender must choose another id.
  already_exists,
  /// The manifest or the definition cannot be run (400); the detail says why: no activity, a cycle, an unknown
  /// dependency, too much.
  bad_manifest,
  /// The result is for an activity or run that the orchestration does not wait for: it is dropped.
  stale_result,
};
/// The enumerator's name in snake_case.
std::string_view name_of(orchestration_errc e) noexcept;

/// The steps of a definition: each activity in the latest step that its dependants allow, by id inside a step (CFM
/// reference, section 9). The fault names an unknown dependency, a repeated id or a cycle.
std::expected<std::vector<std::vector<std::string>>, fault> steps_of(const std::vector<activity>& activities);

/// Where an activity of an orchestration is.
enum class activity_phase : uint8_t { waiting, due, running, done, failed };

/// An orchestration: the activities of a definition, step after step, each run by its agent until it is complete; a
/// failure ends it after the step's other activities, and may start its compensation (CFM reference, sections 9 to 11).
struct orchestration {
  static constexpr std::string_view kind = "orchestration";

  /// How far an activity is.
  struct progress {
    std::string id;
    activity_phase at = activity_phase::waiting;
    int64_t run = 0;
    int64_t failures = 0;
    /// When the first run was due.
    timepoint since;
    /// Due: when it may run. Running: when its agent counts as silent.
    timepoint next_at;
    std::string detail;

    bool operator==(const progress&) const = default;
    static void each(auto& s, auto&& f);
  };

  /// The numbers are CFM's.
  enum class phase : uint8_t { initialized = 0, running = 1, completed = 2, errored = 3 };

  struct state {
    bool exists = false;
    orchestration_events::started terms;
    phase at = phase::initialized;
    timepoint changed_at;
    std::vector<std::vector<std::string>> steps;
    int64_t step = 0;
    std::vector<progress> activities;
    json::object processing_data;
    json::object output_data;
    /// What went wrong, the first thing first.
    std::vector<std::string> failures;
    bool response_owed = false;
    bool compensation_owed = false;

    bool operator==(const state&) const = default;
    static void each(auto& s, auto&& f);
  };

  /// Begins; the same manifest again changes nothing.
  struct start {
    orchestration_manifest manifest;
    std::string definition_id;
    /// Empty if there is no definition of this type: the orchestration then fails at once.
    std::vector<activity> activities;
    bool compensates = false;
    int64_t attempts_max = 10;
    milliseconds window_ms{3'600'000};
    milliseconds silence_ms{60'000};
  };
  /// An agent's answer.
  struct answer {
    activity_result result;
  };
  /// The broker took a run, the response or the compensation's manifest.
  struct published {
    /// The owed effect's key.
    std::string key;
  };
  /// It did not, for now.
  struct not_published {
    std::string key;
    std::string cause;
  };
  /// Time passed.
  struct time_passed {};

  using command = std::variant<start, answer, published, not_published, time_passed>;
  using event = orchestration_event;

  /// A message for the broker.
  struct effect {
    std::string key;
    std::string subject;
    std::string id;
    std::string payload;
    /// How long after it is sent it counts; zero: for ever. A run that is taken up later, as after its agent's crash,
    /// would meet what later runs, or the disposal, have done.
    milliseconds valid_for{0};
  };

  struct reply {
    std::string id;
    /// True if this command began it.
    bool created = false;
    /// The orchestration as the API shows it.
    std::string shown;
  };

  static std::expected<actors::decision<orchestration>, actors::refusal> decide(const state& s, const command& c,
                                                                                timepoint now);
  static state evolve(state s, const event& e);
  static std::vector<actors::owed_effect<effect>> owed(const state& s);
  static std::optional<timepoint> wake_at(const state& s);
  /// What time gives: a run that is due, an agent that is silent.
  static std::optional<command> tick(const state& s, timepoint now);
  static persistence::event_record encode(const event& e);
  static std::optional<event> decode(const persistence::event_record& record);
  static std::string freeze(const state& s);
  static std::optional<state> thaw(std::string_view text);
  /// INITIALIZED, RUNNING, COMPLETED or ERRORED.
  static std::string status(const state& s);
  /// As `GET /orchestrations/{id}` shows it, with `causes` and `waitingOn` for operators.
  static std::string view(const state& s);
};

/// The id of the orchestration that disposes of what a failed one had made: a function of its id.
std::string compensation_id(std::string_view orchestration_id);

} // namespace fondaco::cfm

namespace fondaco::planes {
template <> struct enumerators<cfm::activity_phase> {
  using enum cfm::activity_phase;
  static constexpr enumerator<cfm::activity_phase> all[] = {
      {waiting, "waiting"}, {due, "due"}, {running, "running"}, {done, "done"}, {failed, "failed"}};
};
template <> struct enumerators<cfm::orchestration::phase> {
  using enum cfm::orchestration::phase;
  static constexpr enumerator<cfm::orchestration::phase> all[] = {
      {initialized, "initialized"}, {running, "running"}, {completed, "completed"}, {errored, "errored"}};
};
} // namespace fondaco::planes

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cfm/messages.hpp"
#include "planes/codec/fields.hpp"

namespace fondaco::cfm {

/// The events of an orchestration. Each says in `at` when it was decided and in `cause` which message made it.
namespace orchestration_events {

/// The orchestration began, with the definition's activities in their steps.
struct started {
  static constexpr std::string_view what = "started";
  timepoint at;
  std::string cause;
  std::string id;
  std::string correlation_id;
  std::string type;
  std::string definition_id;
  std::vector<activity> activities;
  json::object payload;
  /// True if a failure is followed by the dispose orchestration of the same template.
  bool compensates = false;
  int64_t attempts_max = 10;
  milliseconds window_ms{0};
  milliseconds silence_ms{0};

  bool operator==(const started&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("id", s.id);
    f("correlation_id", s.correlation_id);
    f("type", s.type);
    f("definition_id", s.definition_id);
    f("activities", s.activities);
    f("payload", s.payload);
    f("compensates", s.compensates);
    f("attempts_max", s.attempts_max);
    f("window_ms", s.window_ms);
    f("silence_ms", s.silence_ms);
  }
};

/// The broker has a run of an activity: its agent is waited for.
struct handed_over {
  static constexpr std::string_view what = "handed_over";
  timepoint at;
  std::string cause;
  std::string activity_id;
  int64_t run = 1;

  bool operator==(const handed_over&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("activity_id", s.activity_id);
    f("run", s.run);
  }
};

/// An agent completed an activity.
struct completed {
  static constexpr std::string_view what = "completed";
  timepoint at;
  std::string cause;
  std::string activity_id;
  json::object values;
  json::object output;

  bool operator==(const completed&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("activity_id", s.activity_id);
    f("values", s.values);
    f("output", s.output);
  }
};

/// An activity is to run again at `next_at`: it goes on elsewhere, or it failed for now (`counts`).
struct put_off {
  static constexpr std::string_view what = "put_off";
  timepoint at;
  std::string cause;
  std::string activity_id;
  bool counts = false;
  timepoint next_at;
  json::object values;
  json::object output;
  std::string detail;

  bool operator==(const put_off&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("activity_id", s.activity_id);
    f("counts", s.counts);
    f("next_at", s.next_at);
    f("values", s.values);
    f("output", s.output);
    f("detail", s.detail);
  }
};

/// An activity failed for good, or the orchestration cannot begin (no activity).
struct failed {
  static constexpr std::string_view what = "failed";
  timepoint at;
  std::string cause;
  std::string activity_id;
  std::string detail;
  json::object values;
  json::object output;

  bool operator==(const failed&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("activity_id", s.activity_id);
    f("detail", s.detail);
    f("values", s.values);
    f("output", s.output);
  }
};

/// The broker has the response, or the manifest of the compensation.
struct reported {
  static constexpr std::string_view what = "reported";
  timepoint at;
  std::string cause;
  /// `response` or `compensation`.
  std::string message;

  bool operator==(const reported&) const = default;
  static void each(auto& s, auto&& f) {
    f("at", s.at);
    f("cause", s.cause);
    f("message", s.message);
  }
};

} // namespace orchestration_events

/// One event of an orchestration.
using orchestration_event =
    std::variant<orchestration_events::started, orchestration_events::handed_over, orchestration_events::completed,
                 orchestration_events::put_off, orchestration_events::failed, orchestration_events::reported>;

} // namespace fondaco::cfm

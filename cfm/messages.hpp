#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/fault.hpp"
#include "protocols/base/time.hpp"
#include "protocols/json/json.hpp"

/// The messages between the CFM's parts, in CFM's own JSON (CFM reference, sections 2, 3.7, 3.8 and 12).
namespace fondaco::cfm {

/// Orchestration types.
inline constexpr std::string_view deploy_type = "cfm.orchestration.vpa.deploy";
inline constexpr std::string_view dispose_type = "cfm.orchestration.vpa.dispose";

/// Keys of payloads and processing data.
namespace keys {
inline constexpr std::string_view participant_id = "cfm.participant.id";
inline constexpr std::string_view vpa_data = "cfm.vpa.data";
inline constexpr std::string_view credentials = "cfm.vpa.credentials";
inline constexpr std::string_view vpa_state = "cfm.vpa.state";
inline constexpr std::string_view participant_context_id = "participantContextId";
inline constexpr std::string_view holder_pid = "holderPid";
inline constexpr std::string_view credential_request = "credentialRequest";
} // namespace keys

/// Subjects of the stream; a durable consumer's name is the subject's last token.
namespace subjects {
inline constexpr std::string_view manifest = "event.cfm-orchestration";
inline constexpr std::string_view response = "event.cfm-orchestration-response";
/// The answer of an agent of ours to the provision manager.
inline constexpr std::string_view result = "event.cfm-activity-result";
/// `event.<type>`, dots of the type as dashes.
std::string of_activity(std::string_view activity_type);
/// The durable name of a subject's consumer.
std::string durable(std::string_view subject);
} // namespace subjects

/// Starts an orchestration; its id is the orchestration's.
struct orchestration_manifest {
  std::string id;
  std::string correlation_id;
  std::string orchestration_type;
  json::object payload;
  bool operator==(const orchestration_manifest&) const = default;
};

/// How an orchestration ended.
struct orchestration_response {
  std::string id;
  std::string manifest_id;
  std::string correlation_id;
  std::string orchestration_type;
  bool success = false;
  std::string error_detail;
  json::object properties;
  bool operator==(const orchestration_response&) const = default;
};

/// One activity of an orchestration definition.
struct activity {
  std::string id;
  std::string type;
  /// The orchestration type it belongs to.
  std::string discriminator;
  std::vector<std::string> depends_on;
  bool operator==(const activity&) const = default;
  static void each(auto& s, auto&& f) {
    f("id", s.id);
    f("type", s.type);
    f("discriminator", s.discriminator);
    f("dependsOn", s.depends_on);
  }
};

/// Asks an agent to run an activity: CFM's ActivityMessage with what the agent works on.
struct activity_message {
  std::string orchestration_id;
  activity what;
  /// Counts the runs of this activity, from 1; the result says which run it answers.
  int64_t run = 1;
  json::object processing_data;
};

/// What became of a run (CFM reference, section 9).
enum class activity_outcome : uint8_t {
  /// Done: go on.
  complete,
  /// It goes on elsewhere: run it again after `wait_ms`, which is no failed try.
  schedule,
  /// It failed for now: run it again.
  retry,
  /// It failed for good.
  fatal,
};

/// An agent's answer.
struct activity_result {
  std::string orchestration_id;
  std::string activity_id;
  int64_t run = 1;
  activity_outcome outcome = activity_outcome::complete;
  milliseconds wait_ms{0};
  /// Keys of the processing data that the run set; no secrets.
  json::object values;
  /// Keys of the orchestration's output that the run set.
  json::object output;
  /// Why it failed or waits, in a sentence; empty if it is complete.
  std::string detail;
};

std::string write(const orchestration_manifest& m);
std::string write(const orchestration_response& m);
std::string write(const activity_message& m);
std::string write(const activity_result& m);

/// The fault names the field that is missing or wrong.
std::expected<orchestration_manifest, fault> read_manifest(std::string_view text);
/// The same from an object, as `POST /orchestrations` has it.
std::expected<orchestration_manifest, fault> read_manifest(const json::object& body);
std::expected<orchestration_response, fault> read_response(std::string_view text);
std::expected<activity_message, fault> read_activity_message(std::string_view text);
std::expected<activity_result, fault> read_activity_result(std::string_view text);

} // namespace fondaco::cfm

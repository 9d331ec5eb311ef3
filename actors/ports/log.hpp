#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fondaco {

/// How bad a log line is.
enum class severity : uint8_t { debug, info, warning, error };

/// What a log line is about, so that each kind can be kept and searched apart.
enum class log_category : uint8_t { application, audit, dsp, dps, dcp };

/// A line of the log: what happened, and the ids that find it again. Never give it a secret.
struct log_line {
  severity level = severity::info;
  /// The part of the system, as `control_plane`.
  std::string component;
  log_category category = log_category::application;
  /// What happened, as a plain sentence.
  std::string message;
  /// Further fields by their names: participant_context, vpa, tenant, entity_id, counterparty, contract_id,
  /// correlation_id, trace_id and what else is known. Empty values are left out.
  std::vector<std::pair<std::string, std::string>> fields;
};

/// Writes a line to the process's log (JSON, one line each, on standard error); any thread may call.
void write_log(log_line line);

/// Sends lines elsewhere (a test's vector); an empty function restores standard error. Not for concurrent use.
void redirect_log(std::function<void(const log_line&)> sink);

/// The JSON text of a line, with its time, as the log has it.
std::string render_log(const log_line& line, std::string_view rfc3339_time);

/// Drops lines below this severity from now on.
void set_log_level(severity lowest);

} // namespace fondaco

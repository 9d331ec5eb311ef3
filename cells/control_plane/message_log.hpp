#pragma once

#include <string>
#include <string_view>

#include "actors/ports/log.hpp"
#include "protocols/base/ids.hpp"

namespace fondaco::control_plane {

/// What the log says of one message of a protocol; empty values are left out. Never a body, never a token.
struct message_note {
  log_category category = log_category::dsp;
  /// True for a message that came in.
  bool received = false;
  std::string message;
  std::string participant_context;
  std::string profile;
  std::string counterparty;
  std::string entity_id;
  std::string contract_id;
  std::string correlation_id;
  /// What became of it, as `201` or `no_answer`.
  std::string outcome;
  /// Why it was refused, as the counterparty was told.
  std::string reason;
};

/// Writes one line; a warning if the outcome is a server's error or no HTTP status at all.
void note(message_note n);

/// The traceparent of what a process sends: of the trace that the process began in (`origin`), so that everything from
/// the catalog to the byte is found together; without one, of a trace that is the process's id. Empty if neither is
/// one.
std::string traceparent_of(std::string_view origin, std::string_view process_id, uint64_t span);

} // namespace fondaco::control_plane

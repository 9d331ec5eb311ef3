#include "cells/control_plane/message_log.hpp"

#include <utility>

#include "cells/span.hpp"
#include "protocols/base/hash.hpp"

namespace fondaco::control_plane {

void note(message_note n) {
  const bool fine = !n.outcome.empty() && n.outcome[0] >= '2' && n.outcome[0] <= '4';
  log_line line;
  line.level = fine ? severity::info : severity::warning;
  line.component = "control_plane";
  line.category = n.category;
  line.message = n.received ? "a message was received" : "a message was sent";
  line.fields = {{"message_type", std::move(n.message)},
                 {"participant_context", std::move(n.participant_context)},
                 {"profile", std::move(n.profile)},
                 {"counterparty", std::move(n.counterparty)},
                 {"entity_id", std::move(n.entity_id)},
                 {"contract_id", std::move(n.contract_id)},
                 {"correlation_id", std::move(n.correlation_id)},
                 {"outcome", std::move(n.outcome)},
                 {"reason", std::move(n.reason)}};
  write_log(std::move(line));
}

std::string traceparent_of(std::string_view origin, std::string_view process_id, uint64_t span) {
  if (auto continued = cells::child_of(origin, span); !continued.empty())
    return continued;
  const auto id = parse_uuid(process_id);
  if (!id)
    return {};
  const std::string trace(reinterpret_cast<const char*>(id->bytes().data()), id->bytes().size());
  return cells::child_of("00-" + hex(trace) + "-0000000000000000-01", span);
}

} // namespace fondaco::control_plane

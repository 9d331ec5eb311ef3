#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/base/time.hpp"

namespace fondaco::actors {

/// A finished piece of work on a trace (OpenTelemetry's span).
struct span {
  /// What was done, as `negotiation` or `credential.presentation`.
  std::string name;
  /// The W3C traceparent of the work that this span belongs to; its span id is the parent.
  std::string traceparent;
  timepoint begin;
  timepoint end;
  /// participant_context, counterparty, entity_id and what else is known; never a secret.
  std::vector<std::pair<std::string, std::string>> attributes;
  /// Why it failed; empty if it did not.
  std::string failure;
};

/// Where finished spans go: an exporter in a node, a vector in a test. Any thread may call, and a call must not block.
class tracer {
public:
  virtual ~tracer() = default;
  /// Takes a finished span; a full queue drops it and counts the loss.
  virtual void finished(span s) = 0;
};

} // namespace fondaco::actors

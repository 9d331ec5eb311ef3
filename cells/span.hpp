#pragma once

#include <string>
#include <string_view>

#include "planes/services.hpp"

namespace fondaco::cells {

/// A piece of work on a trace while it is under way; the tracer is told when it ends, at the latest when this dies.
/// Does nothing where there is no tracer or no trace. Not for concurrent use.
class work_span {
public:
  /// Begins now; `traceparent` names the trace and the parent.
  work_span(const planes::node_services& s, std::string name, std::string traceparent);
  ~work_span() { end(); }
  work_span(const work_span&) = delete;

  /// Adds an attribute; an empty value is left out. Never a secret.
  work_span& with(std::string name, std::string value);
  /// Says why the work failed; the last word counts.
  void fail(std::string why);
  /// Ends now; what is said later is not heard.
  void end();

private:
  const actors::clock& clock_;
  actors::tracer* to_;
  actors::span span_;
};

/// The 32 hex digits of a traceparent's trace id, which is the correlation id of what belongs to it; empty if it is
/// none.
std::string trace_id_of(std::string_view traceparent);

/// A traceparent of the same trace with another span as parent; empty if the given one is none.
std::string child_of(std::string_view traceparent, uint64_t span);

} // namespace fondaco::cells

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cfm/messages.hpp"
#include "cfm/services.hpp"
#include "planes/api/records.hpp"

namespace fondaco::cfm {

/// What an orchestration runs, as it is when it begins.
struct definition {
  std::string id;
  std::vector<activity> activities;
  /// True if its template has a dispose orchestration, which a failure is followed by.
  bool compensates = false;
};

/// The definition of an orchestration type, or nothing. Blocks: for the reader pool; a silent store throws.
std::optional<definition> read_definition(cfm_services& s, const std::string& type);

/// Adds the routes of activity and orchestration definitions.
void add_definition_routes(gateway::router& to, cfm_services& s);

} // namespace fondaco::cfm

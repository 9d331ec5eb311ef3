#pragma once

#include <map>
#include <string>

#include "actors/entity_kind.hpp"

namespace fondaco::tools {

/// Every kind of entity that this program knows, whatever the roles of a node, by its name; none of them can run an
/// effect: they are for folding histories.
const std::map<std::string, actors::entity_kind>& all_kinds();

} // namespace fondaco::tools

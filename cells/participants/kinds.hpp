#pragma once

#include <vector>

#include "cells/services.hpp"

namespace fondaco::cells {

/// The kinds of entities that belong to participant contexts in every role: the records (assets, policy definitions,
/// configurations and so on) and the virtual participant agents. They owe the world nothing.
std::vector<actors::entity_kind> participant_kinds();

} // namespace fondaco::cells

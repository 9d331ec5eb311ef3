#pragma once

#include <vector>

#include "actors/entity_kind.hpp"
#include "cells/services.hpp"

namespace fondaco::cells {

/// The kinds of entities that a control plane keeps, with their effects: negotiations and transfer processes, and
/// the records of refused requests. `s` is
/// called when an effect runs, so that the kinds can be made before the runtime that the services name.
std::vector<actors::entity_kind> control_plane_kinds(services_ref s);

} // namespace fondaco::cells

#pragma once

#include <vector>

#include "cells/services.hpp"

namespace fondaco::cells {

/// The kinds of entities that the data plane's role owns: data flows.
std::vector<actors::entity_kind> data_plane_kinds(services_ref s);

} // namespace fondaco::cells

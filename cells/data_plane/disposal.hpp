#pragma once

#include <string>

#include "cells/services.hpp"
#include "planes/api/records.hpp"

namespace fondaco::data_plane {

/// Ends the participant's flows that are still open, and their pulls; gives how many are open all the same (a node that
/// does not run data flows has none). No control plane is told: it is the one that asked, or is gone.
planes::api::task<planes::api::result<size_t>> end_flows(cells::cell_services& s, tenant owner, std::string reason);

/// Ends the participant's flows and erases what this data plane has of it: true, or false if it never had anything.
planes::api::task<planes::api::result<bool>> remove_participant(cells::cell_services& s, tenant owner,
                                                                std::string reason);

} // namespace fondaco::data_plane

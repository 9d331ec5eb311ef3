#pragma once

#include <memory>

#include "cells/control_plane/refused_requests.hpp"
#include "cells/services.hpp"
#include "gateway/http.hpp"

namespace fondaco::cells {

/// Adds the Dataspace Protocol's endpoints of every participant context and profile, `/api/dsp/{pc}/{profile}/...`, and
/// the version documents, `/api/dsp/{pc}/.well-known/dspace-version` (DSP reference, sections 5.1 and 5.2).
void add_dsp_routes(gateway::router& to, cell_services& s);

} // namespace fondaco::cells

namespace fondaco::control_plane {

/// The version document, and P1 and P2. First requests that are refused go to `refusals`; so below.
void add_catalog_routes(gateway::router& to, cells::cell_services& s, std::shared_ptr<refused_requests> refusals);
/// P3 to P8 and C1 to C6.
void add_negotiation_routes(gateway::router& to, cells::cell_services& s, std::shared_ptr<refused_requests> refusals);
/// P9 to P14 and C7 to C11.
void add_transfer_routes(gateway::router& to, cells::cell_services& s, std::shared_ptr<refused_requests> refusals);

} // namespace fondaco::control_plane

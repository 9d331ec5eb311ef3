#pragma once

#include "cells/services.hpp"
#include "gateway/http.hpp"

namespace fondaco::cells {

/// Adds the data plane's side of Data Plane Signaling below `/api/dataplane/{participant context}`: prepare, start,
/// started, suspend, resume, completed, terminate, status; and `DELETE /api/dataplane/{participant context}`, which
/// ends its flows and erases what this node has of them (204; 404 if it never had any). A caller with a bearer token
/// needs the scope `data-plane:write`; one without is let in from this machine only, anybody else is answered 401.
void add_data_plane_signaling_routes(gateway::router& to, cell_services& s);

/// Adds the door for pulls: `GET /api/public/{flow}` and anything below it, with the token of the EDR.
void add_public_routes(gateway::router& to, cell_services& s);

} // namespace fondaco::cells

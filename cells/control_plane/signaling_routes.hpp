#pragma once

#include "cells/services.hpp"
#include "gateway/http.hpp"

namespace fondaco::cells {

/// Adds what data planes call (DPS reference, section 4): the callbacks
/// `POST /api/signaling/transfers/{id}/dataflow/{prepared,started,completed,errored}` and
/// `GET /api/signaling/transfers/{id}/agreement`. `{id}` is our transfer process. A plane that was registered without
/// `authorization` has nothing to prove itself by, so it is let in from this machine only; anybody else is answered
/// 401.
void add_control_plane_signaling_routes(gateway::router& to, cell_services& s);

} // namespace fondaco::cells

#include "cells/control_plane/dsp_routes.hpp"

namespace fondaco::cells {

void add_dsp_routes(gateway::router& to, cell_services& s) {
  control_plane::add_catalog_routes(to, s);
  control_plane::add_negotiation_routes(to, s);
  control_plane::add_transfer_routes(to, s);
}

} // namespace fondaco::cells

#include "cells/control_plane/dsp_routes.hpp"

namespace fondaco::cells {

void add_dsp_routes(gateway::router& to, cell_services& s) {
  const auto refusals = std::make_shared<control_plane::refused_requests>();
  control_plane::add_catalog_routes(to, s, refusals);
  control_plane::add_negotiation_routes(to, s, refusals);
  control_plane::add_transfer_routes(to, s, refusals);
}

} // namespace fondaco::cells

#include "cells/control_plane/management.hpp"
#include "cells/control_plane/management/resource.hpp"

namespace fondaco::cells {

void add_management_routes(gateway::router& to, cell_services& s) {
  using namespace control_plane::management;
  add_asset_routes(to, s);
  add_policy_definition_routes(to, s);
  add_contract_definition_routes(to, s);
  add_catalog_routes(to, s);
  add_negotiation_routes(to, s);
  add_agreement_routes(to, s);
  add_transfer_routes(to, s);
  add_edr_routes(to, s);
  add_data_plane_routes(to, s);
  add_profile_routes(to, s);
  add_participant_routes(to, s);
  add_config_routes(to, s);
  add_api_client_routes(to, s);
}

} // namespace fondaco::cells

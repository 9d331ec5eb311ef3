#include "cells/identity/routes.hpp"

#include "cells/identity/route_groups.hpp"

namespace fondaco::cells {

void add_identity_routes(gateway::router& to, cell_services& s) {
  identity::add_participant_routes(to, s);
  identity::add_key_routes(to, s);
  identity::add_document_routes(to, s);
  identity::add_sts_routes(to, s);
}

} // namespace fondaco::cells

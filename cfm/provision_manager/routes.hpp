#pragma once

#include <vector>

#include "actors/entity_kind.hpp"
#include "cfm/services.hpp"
#include "gateway/http.hpp"

namespace fondaco::cfm {

/// CFM's Provision Manager API below `/api/v1alpha1` (CFM reference, section 8): activity and orchestration
/// definitions, orchestrations; scopes `provision-manager-api:read|write`; `GET /health` without a token is not here,
/// since the node has its own. For the management listener.
void add_provision_manager_routes(gateway::router& to, cfm_services& s);

/// The records of definitions and `orchestration`, which runs activities.
std::vector<actors::entity_kind> provision_manager_kinds(services_ref s);

/// Consumes manifests and the results of activities. Before the broker starts.
void add_provision_manager_consumers(actors::broker& to, services_ref s);

} // namespace fondaco::cfm

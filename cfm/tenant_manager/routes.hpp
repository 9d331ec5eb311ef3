#pragma once

#include <vector>

#include "actors/entity_kind.hpp"
#include "cfm/services.hpp"
#include "gateway/http.hpp"

namespace fondaco::cfm {

/// CFM's Tenant Manager API below `/api/v1alpha1` (CFM reference, section 4): tenants, cells, dataspace profiles,
/// participant profiles; scopes `tenant-manager-api:read|write`. For the management listener.
void add_tenant_manager_routes(gateway::router& to, cfm_services& s);

/// The records of the tenant manager and `participant_profile`, which deploys and disposes of VPAs.
std::vector<actors::entity_kind> tenant_manager_kinds(services_ref s);

/// Consumes the responses of orchestrations. Before the broker starts.
void add_tenant_manager_consumers(actors::broker& to, services_ref s);

} // namespace fondaco::cfm

#pragma once

#include <vector>

#include "actors/entity_kind.hpp"
#include "cfm/services.hpp"
#include "gateway/http.hpp"

namespace fondaco::cfm {

/// The onboarding service, `/api/onboarding/v1/applications`: an application with its documents, its decision and
/// reason, the way of its provisioning. Scopes `onboarding-api:read|write`; `onboarding-api:admin` decides. For the
/// management listener.
void add_onboarding_routes(gateway::router& to, cfm_services& s);

/// `application`: what an organisation applied for; once approved, it makes the tenant and participant profile at the
/// tenant manager's REST API and waits until they are active.
std::vector<actors::entity_kind> onboarding_kinds(services_ref s);

} // namespace fondaco::cfm

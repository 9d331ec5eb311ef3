#pragma once

#include "cfm/admin_client.hpp"
#include "cfm/onboarding/application.hpp"

namespace fondaco::cfm {

/// Makes one step of an approved application at the tenant manager's REST API; every step can be repeated.
actors::task<application::command> provision(cfm_services& s, admin_client& admin, application::effect e);

} // namespace fondaco::cfm

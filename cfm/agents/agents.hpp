#pragma once

#include "cfm/services.hpp"

namespace fondaco::cfm {

/// The activity agents that a node of the role `agents` runs, one consumer an activity type: `context-activity`
/// (chooses the participant context id), `identityhub-activity`, `edcv-activity`, `registration-activity`,
/// `siglet-activity` (data plane) and `onboarding-activity` (requests credentials and waits for them), each for deploy
/// and dispose. They reach cells by the admin APIs only, and every step can be repeated. Before the broker starts.
void add_agents(actors::broker& to, services_ref s);

} // namespace fondaco::cfm

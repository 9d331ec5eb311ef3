#pragma once

#include "actors/entity_kind.hpp"
#include "actors/ports/task.hpp"
#include "cells/issuer_service/issuance.hpp"
#include "cells/services.hpp"
#include "protocols/dcp/messages.hpp"

namespace fondaco::issuer_service {

/// Runs what an issuance owes: makes its credentials, delivers them, or tells the holder that there are none; gives the
/// command that tells the outcome.
actors::task<issuance::command> run_effect(cells::cell_services& s, actors::effect_run run, issuance::effect e);

/// Offers credentials to a holder (DCP reference, section 6.3); a fault says what the holder answered.
actors::task<std::expected<void, fault>> send_offer(cells::cell_services& s, tenant owner, std::string own_did,
                                                    std::string holder_did,
                                                    std::vector<dcp::credential_object> credentials);

} // namespace fondaco::issuer_service

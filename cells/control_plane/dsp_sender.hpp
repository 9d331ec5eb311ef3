#pragma once

#include <memory>

#include "actors/entity_kind.hpp"
#include "actors/ports/task.hpp"
#include "cells/control_plane/negotiation.hpp"
#include "cells/control_plane/transfer_process.hpp"
#include "cells/services.hpp"

namespace fondaco::control_plane {

class plane_tokens;

/// Sends a negotiation's message to the counterparty, or asks for its state, with a token that is made or configured
/// for it; gives the command that tells the outcome: `delivered`, `not_delivered` or `probe_result`. A first message
/// counts as delivered only if the answer names the counterparty's process.
actors::task<negotiation::command> send_negotiation(cells::cell_services& s, persistence::entity_key key,
                                                    negotiation::effect e);

/// The same for a transfer's message; a signal goes to its data plane (`signal_plane`).
actors::task<transfer_process::command> send_transfer(cells::cell_services& s, std::shared_ptr<plane_tokens> tokens,
                                                      actors::effect_run run, transfer_process::effect e);

} // namespace fondaco::control_plane

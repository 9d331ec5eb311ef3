#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cells/control_plane/dsp_identity.hpp"
#include "cells/control_plane/refused_requests.hpp"

/// What the routes of negotiations and transfers share.
namespace fondaco::control_plane {

/// What a route came to: its answer and the process that it was about, if it is known.
struct dsp_outcome {
  gateway::response answer;
  std::string entity_id;
};

/// What a route does once it knows who calls; the caller outlives it.
using dsp_step = std::function<gateway::task<dsp_outcome>(request_ptr, const dsp_caller&)>;

/// Lets the caller in, takes the step, and writes the message's log line and span. A first request (a path without a
/// process id) of a caller that proved who it is and was not let in goes to `refusals`.
gateway::task<gateway::response> serve_dsp(cells::cell_services& s, request_ptr r, dsp_part part, dsp_step how,
                                           std::string message, std::shared_ptr<refused_requests> refusals);

/// Keeps the refusal of a first request by a caller that was let in, if it came by its credentials.
gateway::task<bool> keep_refusal(cells::cell_services& s, std::shared_ptr<refused_requests> refusals, request_ptr r,
                                 dsp_caller caller, std::string message, std::vector<std::string> reasons);

/// ContractNegotiation or TransferProcess of the path's `{pid}`: 404 if it is unknown, another counterparty's, or not
/// known to both sides yet.
gateway::task<dsp_outcome> read_process_state(cells::cell_services& s, request_ptr r, const dsp_caller& caller,
                                              dsp_part part, std::string_view kind);

} // namespace fondaco::control_plane

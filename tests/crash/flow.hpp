#pragma once

#include <map>
#include <string>

#include "load/ledger.hpp"

namespace fondaco::crash {

/// What a flow left in the histories of both nodes: for each entity, named by its side and kind, its state and the
/// events in their order, those with a cause marked `*`, without the attempts to send that failed.
using traces = std::map<std::string, std::string>;

/// The main job between the two participants of a market, by a client that repeats what was not answered, each creation
/// with an Idempotency-Key: a catalog, a negotiation to FINALIZED on both sides, a transfer to STARTED, the pull of the
/// whole file, the transfer's end on both sides. Fails with what it saw if a step does not come to its end.
traces run_flow(load::tenants& market, const std::string& key);

} // namespace fondaco::crash

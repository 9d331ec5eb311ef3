#pragma once

#include "cells/services.hpp"
#include "gateway/http.hpp"

/// The parts that `add_identity_routes` is made of.
namespace fondaco::identity {

/// Participant contexts (identity API reference, section 4.1).
void add_participant_routes(gateway::router& to, cells::cell_services& s);
/// Key pairs (section 4.2).
void add_key_routes(gateway::router& to, cells::cell_services& s);
/// DID documents, as their participant manages them (section 4.3).
void add_document_routes(gateway::router& to, cells::cell_services& s);
/// The STS (section 6), and the renewal of its secrets.
void add_sts_routes(gateway::router& to, cells::cell_services& s);

} // namespace fondaco::identity

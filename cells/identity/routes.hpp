#pragma once

#include "cells/services.hpp"
#include "gateway/http.hpp"

namespace fondaco::cells {

/// The Identity API's participant contexts, key pairs and DIDs (identity API reference, sections 4.1 to 4.3), below
/// `/api/identity/v1beta/`; and the STS at `/api/sts/token` (section 6). For the management listener.
void add_identity_routes(gateway::router& to, cell_services& s);

/// `GET /{path}/did.json` and `GET /.well-known/did.json`: published documents, by the DID that Host and path make.
/// For the protocol listener.
void add_did_routes(gateway::router& to, cell_services& s);

} // namespace fondaco::cells

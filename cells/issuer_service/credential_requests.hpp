#pragma once

#include "cells/credential_service/dcp_edge.hpp"
#include "cells/services.hpp"

namespace fondaco::issuer_service {

/// Takes a holder's CredentialRequestMessage (DCP reference, section 6.4; identity API reference, section 9.1): holder
/// registered, definitions known, attestations, rules, mappings; then an issuance begins and 201 names it in
/// `Location`. A request that is not granted is kept too, so that `why` explains it, and answered 403.
planes::api::task<planes::api::response> take_request(cells::cell_services& s, planes::api::request_ptr r,
                                                      credential_service::message_trail& trail);

} // namespace fondaco::issuer_service

#pragma once

#include <vector>

#include "actors/entity_kind.hpp"
#include "cells/services.hpp"
#include "gateway/http.hpp"

namespace fondaco::cells {

namespace kinds {
/// A credential that a participant holds; id: the credential's. VerifiableCredentialResource (identity API reference,
/// section 4.4), `rawVc` sealed as `sealedRawVc`.
inline constexpr const char* verifiable_credential = "verifiable_credential";
} // namespace kinds

/// Credentials and credential requests of the Identity API (identity API reference, section 4.4). For the management
/// listener.
void add_credential_routes(gateway::router& to, cell_services& s);

/// DCP's credential service: `/api/credentials/v1/participants/{p}/{presentations/query,credentials,offers}`. For the
/// protocol listener.
void add_credential_service_routes(gateway::router& to, cell_services& s);

/// Credentials (records) and holder credential requests (`credential_request`, which asks the issuer and waits).
std::vector<actors::entity_kind> credential_service_kinds(services_ref s);

/// Where peers reach a participant's credential service: `<protocol_url>/api/credentials/v1/participants/<pc>`.
std::string credential_service_base(const cell_settings& settings, const tenant& owner);

} // namespace fondaco::cells

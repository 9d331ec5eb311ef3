#pragma once

#include <string>
#include <vector>

#include "actors/entity_kind.hpp"
#include "cells/services.hpp"
#include "gateway/http.hpp"

namespace fondaco::cells {

/// What an issuer keeps; bodies as the Issuer Admin API shows them (identity API reference, section 5).
namespace kinds {
inline constexpr const char* attestation_definition = "attestation_definition";
inline constexpr const char* credential_definition = "credential_definition";
inline constexpr const char* holder = "holder";
/// A credential that was issued, by its credential's id: who, what, its places in status lists. Written by issuances:
/// no entity of its own.
inline constexpr const char* issued_credential = "issued_credential";
/// A status list, an entity; the name (`status_list`, id) resolves its public URL.
inline constexpr const char* status_list = "status_list";
/// A request of a holder and what became of it, an entity.
inline constexpr const char* issuance = "issuance";
} // namespace kinds

/// The Issuer Admin API, `/api/issuer/v1beta/participants/{p}/...`. For the management listener.
void add_issuer_admin_routes(gateway::router& to, cell_services& s);

/// DCP's issuer service `/api/issuance/v1beta/participants/{p}/{credentials,requests/{id},metadata}` and the status
/// lists `/statuslist/{id}`. For the protocol listener.
void add_issuer_routes(gateway::router& to, cell_services& s);

/// The records above, `status_list`, and `issuance` (makes credentials and delivers them).
std::vector<actors::entity_kind> issuer_service_kinds(services_ref s);

/// All kinds of entities and documents that a participant has in this role, for its disposal.
std::vector<std::string> issuer_service_kind_names();

/// Where holders reach an issuer: `<protocol_url>/api/issuance/v1beta/participants/<pc>`.
std::string issuer_service_base(const cell_settings& settings, const tenant& owner);

} // namespace fondaco::cells

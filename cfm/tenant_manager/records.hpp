#pragma once

#include <string_view>

#include "cfm/services.hpp"
#include "gateway/http.hpp"
#include "planes/api/records.hpp"

namespace fondaco::cfm {

/// Adds the routes of cells and dataspace profiles.
void add_cell_routes(gateway::router& to, cfm_services& s);

/// Adds the routes of tenants.
void add_tenant_routes(gateway::router& to, cfm_services& s);

/// Adds the routes of participant profiles.
void add_profile_routes(gateway::router& to, cfm_services& s);

/// Destroys an entity of the CFM: its events, its row, its names and its document. Again is no error.
actors::task<planes::api::result<bool>> erase_for_good(cfm_services& s, persistence::entity_key key);

/// The CFM's response to a record that was not written, read or removed.
gateway::response as_record_error(const gateway::response& r);

/// 400 for a body's member: its path, and what is allowed.
gateway::response invalid(std::string_view path, std::string_view what);

/// The scopes of the Tenant Manager API.
inline constexpr const char* tenant_read_scope = "tenant-manager-api:read";
inline constexpr const char* tenant_write_scope = "tenant-manager-api:write";

} // namespace fondaco::cfm

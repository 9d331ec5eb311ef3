#pragma once

#include <optional>
#include <string>

#include "cells/control_plane/management/edge.hpp"
#include "cells/control_plane/management/query_fields.hpp"
#include "gateway/http.hpp"

namespace fondaco::control_plane::management {

/// A kind of thing that tenants keep: what differs between assets, policy definitions and contract definitions. One
/// static object each.
struct resource {
  const char* kind;
  /// The name in errors, as `Asset`.
  const char* type;
  /// The segment of the path, as `assets`.
  const char* path;
  const char* read_scope;
  const char* write_scope;
  const char* remove_scope;
  const field_map& (*fields)();
  /// The document that a body makes, with the `@id` that it gives (if any); 400 for what is wrong.
  result<json::object> (*read)(cell_services& s, const gateway::request& r);
  /// What is checked or sealed before the document is written, or null. Blocks: runs in the reader pool.
  std::optional<response> (*prepare)(cell_services& s, const tenant& owner, json::object& document);
  /// The reason not to remove it, or null. Blocks: runs in the reader pool.
  std::optional<response> (*keep)(cell_services& s, const tenant& owner, const std::string& id);
  /// The object that answers show.
  json::object (*show)(const persistence::document& d);
};

/// POST: 200 with an IdResponse, 409 if it exists.
task<response> create_resource(cell_services& s, const resource& what, request_ptr r);
/// POST request: 200 with an array.
task<response> query_resources(cell_services& s, const resource& what, request_ptr r);
/// GET {id}.
task<response> get_resource(cell_services& s, const resource& what, request_ptr r);
/// PUT {id} or, where the path has no id, PUT with `@id` in the body: 204.
task<response> replace_resource(cell_services& s, const resource& what, request_ptr r);
/// DELETE {id}: 204.
task<response> remove_resource(cell_services& s, const resource& what, request_ptr r);

/// Adds the routes of a resource; `put_by_path` if PUT has the id in its path.
void add_resource_routes(gateway::router& to, cell_services& s, const resource& what, bool put_by_path);

/// The paths of a participant's routes begin so.
inline const std::string participant_base = "/api/management/v5beta/participants/{pc}/";
/// The paths of all other routes begin so.
inline const std::string management_base = "/api/management/v5beta/";

/// Adds the routes of one resource file each.
void add_asset_routes(gateway::router& to, cell_services& s);
void add_policy_definition_routes(gateway::router& to, cell_services& s);
void add_contract_definition_routes(gateway::router& to, cell_services& s);
void add_catalog_routes(gateway::router& to, cell_services& s);
void add_negotiation_routes(gateway::router& to, cell_services& s);
void add_agreement_routes(gateway::router& to, cell_services& s);
void add_transfer_routes(gateway::router& to, cell_services& s);
void add_edr_routes(gateway::router& to, cell_services& s);
void add_data_plane_routes(gateway::router& to, cell_services& s);
void add_profile_routes(gateway::router& to, cell_services& s);
void add_participant_routes(gateway::router& to, cell_services& s);
void add_config_routes(gateway::router& to, cell_services& s);
void add_api_client_routes(gateway::router& to, cell_services& s);

} // namespace fondaco::control_plane::management

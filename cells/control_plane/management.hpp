#pragma once

#include <expected>
#include <optional>

#include "cells/services.hpp"
#include "gateway/http.hpp"
#include "persistence/documents.hpp"
#include "persistence/vault.hpp"
#include "protocols/json/json.hpp"

/// The Management API of a control plane, `/api/management/v5beta/...` (management API reference, sections 3 to 7):
/// paths, bodies and statuses are the peers' own. What it keeps are documents, written through record entities:
///
/// kind                  id                    body
/// `asset`               the asset's           `@type` (Asset or CatalogAsset), `properties`, `privateProperties`?,
///                                             `dataplaneMetadata`?, `dataAddress`? (without its secrets),
///                                             `sealedDataAddress`? (the whole address, if it has secrets), `lookup`
/// `policy_definition`   the definition's      `policy` (canonical), `privateProperties`?
/// `contract_definition` the definition's      `accessPolicyId`, `contractPolicyId`, `assetsSelector` (Criterion[]),
///                                             `privateProperties`?
/// `data_plane`          `dataplaneId`         `dataplaneId`, `endpoint` (without `/dataflows`), `transferTypes` and
///                                             `profiles` (the same), `labels`, `authorization`? (sealed)
/// `participant_context` the context's         `identity`, `properties`, `state`; a copy in `node_tenant` makes the
/// list `participant_config`  the context's         `entries`, `privateEntries` (each value sealed) `api_client`
/// `client_id`           `gateway::to_json`; in `node_tenant`
///
/// Removing a participant context (`DELETE participants/{id}`) terminates its negotiations and transfers and waits for
/// their peers; 503 with Retry-After while some are still ending, and the same request goes on; `?force=true` does not
/// wait. Then its agent is disposed of for good, so its id cannot be used again, and all that the node has of it is
/// erased (decision 7). That an `identity` is not used twice is checked against the list
/// before the write: two requests at the same moment can both pass.
namespace fondaco::cells {

/// Adds the Management API's routes.
void add_management_routes(gateway::router& to, cell_services& s);

} // namespace fondaco::cells

namespace fondaco::control_plane {

/// A criterion over assets as a path into asset documents: `id`, `createdAt`, `properties...`, `privateProperties...`
/// and `dataAddress...` are taken as they are; any other name is looked up in the public properties, then in the
/// private ones. Names may have the EDC namespace or the prefix `edc:`. For catalog filters and assets selectors alike.
persistence::criterion asset_criterion(persistence::criterion c);

/// The data address of an asset's document, its secrets opened; nothing if it has none. Blocks (vault).
std::expected<std::optional<json::object>, persistence::vault_errc>
asset_address(persistence::vault& vault, const tenant& owner, const json::object& asset);

} // namespace fondaco::control_plane

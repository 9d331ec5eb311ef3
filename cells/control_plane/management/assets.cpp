#include <algorithm>
#include <utility>

#include "cells/control_plane/management.hpp"
#include "cells/control_plane/management/resource.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/body_check.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane {

namespace api = planes::api;

namespace management {

namespace {

constexpr const char* sealed_member = "sealedDataAddress";
constexpr const char* lookup_member = "lookup";

// What compaction does to a map of the EDC vocabulary: bare names, no nulls, no arrays of one.
json::object compacted(const json::object& given) {
  json::object out;
  for (const auto& [key, v] : given) {
    const auto name = without_edc(key);
    if (v.is_null() || out.contains(name))
      continue;
    const auto* list = v.if_array();
    out.emplace(name, list && list->size() == 1 ? list->front() : v);
  }
  return out;
}

bool is_catalog(const json::object& properties) {
  const auto* v = properties.if_contains("isCatalog");
  return v && (*v == json::value(true) || *v == json::value("true"));
}

// The addresses of EDC's data planes keep their secrets in members of such names.
bool is_secret_name(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  for (std::string_view part : {"authcode", "secret", "password", "token", "apikey", "accesskey", "authorization"})
    if (lower.find(part) != std::string::npos)
      return true;
  return lower.starts_with("header:");
}

void check_properties(body_check& check, const json::object& body, const json::object* properties,
                      const json::object* hidden, bool catalog) {
  if (!properties)
    return;
  if (const auto* conforms = properties->if_contains("conformsTo"); conforms && !conforms->is_string())
    check.refuse("properties.conformsTo must be a string", "properties.conformsTo", *conforms);
  if (catalog) {
    check.text(*properties, "endpointURL", need::required, "properties");
    check.text(*properties, "format", need::required, "properties");
  }
  if (const auto* flag = body.if_contains("isCatalog"); flag && !flag->is_bool())
    check.refuse("isCatalog must be true or false", "isCatalog", *flag);
  if (!hidden)
    return;
  const auto open = compacted(*properties), closed = compacted(*hidden);
  for (const auto& member : closed)
    if (open.contains(member.key()))
      return check.refuse("Duplicate keys in properties and private properties are not allowed",
                          "privateProperties." + std::string(member.key()));
}

result<json::object> read_asset(cell_services&, const gateway::request& r) {
  auto body = api::read_body(r, {"Asset", "CatalogAsset"});
  if (!body)
    return body;
  const bool catalog = json::string_at(*body, "@type") == "CatalogAsset";
  body_check check;
  auto id = check.text(*body, "@id", need::optional);
  const auto* properties = check.object(*body, "properties", need::required);
  const auto* hidden = check.object(*body, "privateProperties", need::optional);
  const auto* address = check.object(*body, "dataAddress", need::optional);
  if (address)
    check.text(compacted(*address), "type", need::required, "dataAddress");
  const auto* metadata = check.dataplane_metadata(*body);
  check_properties(check, *body, properties, hidden, catalog);
  if (check.failed())
    return std::unexpected(check.response());
  json::object out, open = compacted(*properties), closed = hidden ? compacted(*hidden) : json::object();
  if (catalog)
    open["isCatalog"] = true;
  open.erase("id");
  if (!id.empty())
    out["@id"] = id;
  out["@type"] = catalog || is_catalog(open) || is_catalog(closed) ? "CatalogAsset" : "Asset";
  auto lookup = closed;
  for (const auto& [key, v] : open)
    lookup[key] = v;
  out["properties"] = std::move(open);
  if (hidden)
    out["privateProperties"] = std::move(closed);
  if (metadata)
    out["dataplaneMetadata"] = *metadata;
  if (address)
    out["dataAddress"] = compacted(*address);
  out[lookup_member] = std::move(lookup);
  return out;
}

std::optional<response> seal_address(cell_services& s, const tenant& owner, json::object& asset) {
  const auto* address = json::object_at(asset, "dataAddress");
  if (!address)
    return std::nullopt;
  json::object open;
  for (const auto& [key, v] : *address)
    if (!is_secret_name(key))
      open.emplace(key, v);
  if (open.size() == address->size())
    return std::nullopt;
  auto sealed = s.vault.seal(owner, json::write(*address));
  if (!sealed)
    return vault_unavailable();
  asset[sealed_member] = *sealed;
  asset["dataAddress"] = std::move(open);
  return std::nullopt;
}

std::optional<response> referenced(cell_services& s, const tenant& owner, const std::string& id) {
  persistence::query_spec spec;
  spec.filter.push_back({"assetId", "=", json::value(id)});
  spec.limit = 1;
  auto found = s.documents.query(owner, cells::kinds::contract_agreement, spec);
  if (!found)
    return api::from_query(found.error());
  if (found->empty())
    return std::nullopt;
  return api::conflict("Asset " + id +
                       " cannot be deleted as it is referenced by at least one contract agreement or an "
                       "ongoing negotiation");
}

json::object show_asset(const persistence::document& d) {
  const auto stored = stored_object(d.body);
  json::object out;
  out["@id"] = d.key.id;
  out["@type"] = json::string_at(stored, "@type").value_or("Asset");
  json::object properties;
  if (const auto* given = json::object_at(stored, "properties"))
    properties = *given;
  properties["id"] = d.key.id;
  out["properties"] = std::move(properties);
  for (const char* member : {"privateProperties", "dataAddress", "dataplaneMetadata"})
    if (const auto* v = stored.if_contains(member))
      out[member] = *v;
  return out;
}

const resource asset_resource{cells::kinds::asset, "Asset",        "assets",     "assets:read",
                              "assets:write",      "assets:write", asset_fields, read_asset,
                              seal_address,        referenced,     show_asset};

} // namespace

void add_asset_routes(gateway::router& to, cell_services& s) { add_resource_routes(to, s, asset_resource, false); }

} // namespace management

std::expected<std::optional<json::object>, persistence::vault_errc>
asset_address(persistence::vault& vault, const tenant& owner, const json::object& asset) {
  if (const auto sealed = json::string_at(asset, management::sealed_member)) {
    auto opened = vault.open(owner, *sealed);
    if (!opened)
      return std::unexpected(opened.error());
    return management::stored_object(*opened);
  }
  const auto* address = json::object_at(asset, "dataAddress");
  return address ? std::optional(*address) : std::nullopt;
}

} // namespace fondaco::control_plane

#include "cells/issuer_service/issuer_records.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "cells/issuer_service/routes.hpp"
#include "planes/api/records.hpp"

namespace fondaco::issuer_service {

namespace {

namespace api = planes::api;
namespace kinds = cells::kinds;
using cells::cell_services;

// Ends a job of the reader pool, whose caller then answers that it may be asked again.
using store_silent = std::runtime_error;

std::optional<json::object> read_body(cell_services& s, const persistence::entity_key& key) {
  auto found = s.documents.get(key);
  if (!found)
    throw store_silent("the issuer's records cannot be read");
  return *found ? std::optional(api::stored_object((*found)->body)) : std::nullopt;
}

std::vector<persistence::document> query(cell_services& s, const tenant& owner, const char* kind,
                                         const persistence::query_spec& spec) {
  auto found = s.documents.query(owner, kind, spec);
  if (!found)
    throw store_silent("the issuer's records cannot be read");
  return std::move(*found);
}

holder_record to_holder(std::string id, const json::object& body) {
  holder_record out{std::move(id), std::string(json::string_at(body, "did").value_or("")), {}};
  if (const auto* properties = json::object_at(body, "properties"))
    out.properties = *properties;
  return out;
}

definition to_definition(const json::object& body) {
  api::body_check check;
  auto d = read_definition(body, check);
  invariant(!check.failed(), "a credential definition is kept as it can be read");
  return d;
}

} // namespace

std::optional<holder_record> read_holder(cell_services& s, const tenant& owner, const std::string& id) {
  const auto body = read_body(s, {owner, kinds::holder, id});
  return body ? std::optional(to_holder(id, *body)) : std::nullopt;
}

std::optional<holder_record> find_holder(cell_services& s, const tenant& owner, const std::string& did) {
  // Mostly the holder's id is its DID: then nothing has to be searched.
  if (auto same = read_holder(s, owner, did); same && same->did == did)
    return same;
  persistence::query_spec spec;
  spec.filter.push_back({"did", "=", json::value(did)});
  spec.limit = 1;
  const auto found = query(s, owner, kinds::holder, spec);
  if (found.empty())
    return std::nullopt;
  return to_holder(found.front().key.id, api::stored_object(found.front().body));
}

std::optional<definition> read_stored_definition(cell_services& s, const tenant& owner, const std::string& id) {
  const auto body = read_body(s, {owner, kinds::credential_definition, id});
  return body ? std::optional(to_definition(*body)) : std::nullopt;
}

std::vector<definition> read_definitions(cell_services& s, const tenant& owner) {
  persistence::query_spec all;
  all.limit = persistence::limits::read_rows_max;
  std::vector<definition> out;
  for (const auto& d : query(s, owner, kinds::credential_definition, all))
    out.push_back(to_definition(api::stored_object(d.body)));
  return out;
}

bool has_attestation(cell_services& s, const tenant& owner, const std::string& id) {
  return read_body(s, {owner, kinds::attestation_definition, id}).has_value();
}

attested_claims read_claims(cell_services& s, const tenant& owner, const std::vector<definition>& wanted,
                            const holder_record& about) {
  std::vector<std::string> ids;
  for (const auto& d : wanted)
    for (const auto& id : d.attestations)
      if (std::ranges::find(ids, id) == ids.end())
        ids.push_back(id);
  attested_claims out;
  for (const auto& id : ids) {
    const auto attestation = read_body(s, {owner, kinds::attestation_definition, id});
    if (!attestation || json::string_at(*attestation, "attestationType") != holder_attestation) {
      out.failures.push_back("The attestation '" + id + "' cannot be had.");
      continue;
    }
    for (const auto& [name, v] : about.properties)
      out.claims[name] = v;
  }
  return out;
}

} // namespace fondaco::issuer_service

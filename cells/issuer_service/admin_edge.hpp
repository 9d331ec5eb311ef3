#pragma once

#include <string>

#include "cells/services.hpp"
#include "planes/api/body_check.hpp"
#include "planes/api/errors.hpp"
#include "planes/api/records.hpp"

/// The edge that the routes of the Issuer Admin API share (identity API reference, section 5).
namespace fondaco::issuer_service {

namespace api = planes::api;
using api::request_ptr;
using api::response;
using api::result;
using api::task;
using cells::cell_services;

/// Where the Issuer Admin API's routes begin.
inline constexpr std::string_view admin_base = "/api/issuer/v1beta/participants/{p}";

/// The types as errors name them.
inline constexpr const char* attestation_type = "AttestationDefinition";
inline constexpr const char* definition_type = "CredentialDefinition";
inline constexpr const char* holder_type = "Holder";
inline constexpr const char* issuance_type = "IssuanceProcess";
inline constexpr const char* credential_type = "VerifiableCredentialResource";

/// Who does something, for which issuer.
struct entrant {
  tenant owner;
  std::string did;
  gateway::principal who;
};

/// Token, scope (`holders:read`, without the API's prefix) and ownership of the path's participant, before any look-up:
/// 401 or 403; then 404 if this node keeps no identity of it.
task<result<entrant>> enter_admin(cell_services& s, request_ptr r, const char* scope);

/// How a kind of record is served.
struct record_routes {
  const char* kind;
  /// As errors name it.
  const char* type;
  /// The segment of the path, which is also the scope's resource: `holders`.
  const char* segment;
  json::object (*show)(const persistence::document& d);
  /// Has `GET /<segment>/{id}`.
  bool has_get = true;
};

/// Adds `GET {id}`, `DELETE {id}` and `POST query` of a kind of record; the routes outlive what they are given.
void add_record_routes(gateway::router& to, cell_services& s, const record_routes& what);

/// The document that the path's last segment names: by the decoded segment, else by the segment as it was sent, since
/// some clients do not encode the `%` of their ids (identity API reference, section 5.3). 404 for `type`.
task<result<persistence::document>> need_record(cell_services& s, request_ptr r, tenant owner, const char* kind,
                                                const char* type);

/// 201 with the `Location` of what was made.
response created(const tenant& owner, const char* segment, const std::string& id);

/// `participantContextId`, `createdAt` and `lastModifiedAt`, which every record shows.
void add_origin(json::object& o, const persistence::document& d);

/// A line of the audit log.
void note_change(const gateway::request& r, const entrant& e, const std::string& what);

/// The groups of routes that the API is made of.
void add_attestation_routes(gateway::router& to, cell_services& s);
void add_definition_routes(gateway::router& to, cell_services& s);
void add_holder_routes(gateway::router& to, cell_services& s);
void add_process_routes(gateway::router& to, cell_services& s);
void add_issued_credential_routes(gateway::router& to, cell_services& s);

} // namespace fondaco::issuer_service

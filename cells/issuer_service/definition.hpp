#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "cells/issuer_service/claims.hpp"
#include "cells/issuer_service/issuance_events.hpp"
#include "planes/api/body_check.hpp"
#include "protocols/base/ids.hpp"
#include "protocols/dcp/messages.hpp"
#include "protocols/vc/credential.hpp"

namespace fondaco::issuer_service {

namespace limits {
/// How long a credential is valid whose definition does not say: a year, in seconds.
inline constexpr int64_t validity_default_s = 365LL * 86'400;
/// The longest validity that a definition may ask for: a hundred years, in seconds.
inline constexpr int64_t validity_s_max = 100LL * 366 * 86'400;
/// The longest credential type, in bytes.
inline constexpr size_t type_bytes_max = 256;
} // namespace limits

/// A credential definition (identity API reference, section 5.2).
struct definition {
  /// Empty in a body that lets us choose.
  std::string id;
  std::string credential_type;
  vc::profile form = vc::profile::vc11_jwt;
  std::string schema_url;
  int64_t validity_s = limits::validity_default_s;
  std::vector<std::string> attestations;
  std::vector<std::string> contexts;
  std::vector<claim_rule> rules;
  std::vector<claim_mapping> mappings;
  /// `revocation` and `suspension`: the lists in which its credentials get a place. Our addition; `revocation` alone by
  /// default, since some readers take only one entry.
  std::vector<std::string> status_purposes;
};

/// Reads a CredentialDefinitionDto, or a stored body; what is wrong goes to `check`.
definition read_definition(const json::object& body, planes::api::body_check& check);

/// What is kept of the dto, with the definition's id: its own members, with `format` as the stored name and the
/// defaults written out.
json::object definition_body(const json::object& dto, const definition& d);

/// What the issuer's metadata says of it (DCP reference, section 6.7).
dcp::credential_object to_credential_object(const definition& d);

/// Why a request is not granted, in sentences for the holder; empty if all rules hold.
std::vector<std::string> failed_rules(const std::vector<definition>& wanted, const json::object& claims);

/// The credentials to be made for a holder; their ids are functions of the issuance's, so that a repeat makes the same.
/// An error is a sentence for the holder.
std::expected<std::vector<planned_credential>, std::string>
plan_credentials(const std::vector<definition>& wanted, const json::object& claims, const uuid& issuance_id);

} // namespace fondaco::issuer_service

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cells/control_plane/management/edge.hpp"
#include "persistence/documents.hpp"

namespace fondaco::control_plane::management {

/// Where the filter and sort fields of an entity are found in what is stored (management API reference, section 5.2).
struct field_map {
  /// The entity's name in errors.
  std::string_view type;
  /// The first names that are known; empty if any is.
  std::vector<std::string_view> known;
  /// The stored path of a path; null if they are the same.
  std::vector<std::string> (*stored)(std::vector<std::string> path) = nullptr;
  /// The name of a numeric state code; null if the entity has no states.
  std::string_view (*state_name)(int64_t code) = nullptr;
};

/// A query over one tenant's entities.
struct query_plan {
  persistence::query_spec spec;
  /// True if it asks for another participant's entities, which no answer ever holds.
  bool nothing = false;
};

/// The query over what is stored, or 400 for a field that the entity does not have.
result<query_plan> plan_query(persistence::query_spec given, const tenant& owner, const field_map& fields);

/// The same for the QuerySpec in a request's body.
result<query_plan> plan_query(const gateway::request& r, const tenant& owner, const field_map& fields);

/// The path that these names make, each in quotes.
std::string quoted_path(const std::vector<std::string>& names);

/// The fields of each entity.
const field_map& asset_fields();
const field_map& policy_definition_fields();
const field_map& contract_definition_fields();
const field_map& negotiation_fields();
const field_map& agreement_fields();
const field_map& transfer_fields();
const field_map& edr_fields();

/// A name without the EDC namespace or its prefix `edc:`.
std::string_view without_edc(std::string_view name) noexcept;

} // namespace fondaco::control_plane::management

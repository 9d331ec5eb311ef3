#pragma once

#include <string>
#include <string_view>

#include "protocols/odrl/policy.hpp"

namespace fondaco::odrl {

/// The IRI under which EDC peers write `inForceDate`.
inline constexpr std::string_view edc_in_force_date = "https://w3id.org/edc/v0.0.1/ns/inForceDate";

/// The prefix of operands that name an attribute of the counterparty.
inline constexpr std::string_view attribute_prefix = "attribute.";

/// The attribute with this name; failing that, the value at the dotted path; null if there is none.
const json::value* attribute_at(const json::object& attributes, std::string_view name) noexcept;

/// What stands against a demand on this operand, as a clause: `the counterparty's region is "us"`; for operands that
/// are not built in `it does not hold`.
std::string found_clause(std::string_view left_operand, const evaluation_context& context);

} // namespace fondaco::odrl

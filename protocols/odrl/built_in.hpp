#pragma once

#include <optional>
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

/// The name of the attribute that holds the counterparty's verified credentials.
inline constexpr std::string_view credentials_attribute = "vc";

/// What a left operand on a credential names.
struct credential_operand {
  /// The credential's type, as `MembershipCredential`.
  std::string type;
  /// The same with the IRI that it was written in; the type if it was written bare.
  std::string full_type;
  /// The dotted path of a claim of its subject; empty for the credential itself.
  std::string claim;
};
/// Reads `<Type>Credential[.<path>]`, bare or at the end of an IRI; nothing for any other left operand.
std::optional<credential_operand> read_credential_operand(std::string_view left_operand);

/// The function of a left operand on a credential; an empty one for any other.
policy_function credential_function(std::string_view left_operand);

/// What stands against a demand on a credential, as a clause.
std::string credential_clause(const credential_operand& operand, const evaluation_context& context);

/// What stands against a demand on this operand, as a clause: `the counterparty's region is "us"`; for operands that
/// are not built in `it does not hold`.
std::string found_clause(std::string_view left_operand, const evaluation_context& context);

} // namespace fondaco::odrl

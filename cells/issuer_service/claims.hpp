#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/json/json.hpp"

/// Rules and mappings of credential definitions, pure (identity API reference, sections 9.2 and 9.3). Errors are
/// sentences that the holder may read: they name claims, never their values.
namespace fondaco::issuer_service {

namespace limits {
/// The most rules, mappings, attestations or further contexts of one definition.
inline constexpr size_t definition_entries_max = 64;
/// The deepest path of a claim or an output, in names.
inline constexpr size_t path_names_max = 16;
} // namespace limits

/// How a claim is compared with a rule's value.
enum class rule_operator : uint8_t { eq, neq, gt, geq, lt, leq };
/// `EQ` and so on.
std::string_view name_of(rule_operator o) noexcept;

/// A condition on the claims about a holder.
struct claim_rule {
  /// A dotted path, as `onboarding.signedDocuments`.
  std::string claim;
  rule_operator op = rule_operator::eq;
  json::value value;
};

/// Where a claim goes in the credential.
struct claim_mapping {
  /// A dotted path in the claims.
  std::string input;
  /// `credentialSubject.<path>`, `name` or `description`.
  std::string output;
  bool required = false;
};

/// What the mappings make of the claims.
struct mapped_claims {
  /// The subject without its id.
  json::object subject;
  std::string name;
  std::string description;
};

/// The claim at a dotted path; null if there is none.
const json::value* claim_at(const json::object& claims, std::string_view path);

/// The rule that `{"type":"expression","configuration":{"claim","operator","value"}}` says; the operator in any case.
std::expected<claim_rule, std::string> read_rule(const json::value& v);

/// The mapping that `{"input","output","required"}` says.
std::expected<claim_mapping, std::string> read_mapping(const json::value& v);

/// Holds if the claim is there and compares so: `EQ` and `NEQ` as texts, the others integers with integers.
std::expected<void, std::string> check_rule(const claim_rule& rule, const json::object& claims);

/// Puts the claims where the mappings say; objects that meet are merged. Fails if a required claim is missing, if
/// something on the way of an output is no object, or if a name or description is no string.
std::expected<mapped_claims, std::string> map_claims(const std::vector<claim_mapping>& mappings,
                                                     const json::object& claims);

} // namespace fondaco::issuer_service

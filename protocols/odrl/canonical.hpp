#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "protocols/base/fault.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::limits {
/// The deepest nesting of constraints in a rule, in levels.
inline constexpr size_t policy_depth_max = 16;
/// The most rules in one of a policy's lists, or duties of a permission.
inline constexpr size_t policy_rules_max = 256;
/// The most constraints in one list.
inline constexpr size_t policy_constraints_max = 256;
} // namespace fondaco::limits

namespace fondaco::odrl {

/// Why a policy cannot be taken or judged.
enum class policy_errc : uint8_t {
  /// A member has no place in a policy, so it would be dropped, which could weaken it. The author must leave it out.
  unknown_member = 1,
  /// A member appears under two spellings. The author must choose one.
  ambiguous_member,
  /// A required member is missing or empty. The author must add it.
  missing_member,
  /// A member is of the wrong kind or not among the allowed values. The author must correct it.
  wrong_member,
  /// The policy nests deeper or lists more than the limits. The author must make it smaller.
  too_large,
  /// A constraint is of a kind that cannot be judged at one moment. The author must express it otherwise.
  cannot_be_judged,
  /// The counterparty or the moment lacks what the constraint asks for, or the two cannot be compared.
  not_comparable,
};

/// The enumerator's name.
std::string_view name_of(policy_errc e) noexcept;

/// A fault of this kind; its cure is to fix the policy.
fault make_fault(policy_errc e, std::string detail);

/// The operators that a constraint may have, bare (ODRL 2.2, section 3.4, as DSP 2025-1 lists them).
inline constexpr std::array<std::string_view, 12> operators{
    "eq", "neq", "gt", "gteq", "lt", "lteq", "isA", "isAnyOf", "isAllOf", "isNoneOf", "isPartOf", "hasPart"};

/// The same policy spelled as DSP 2025-1 compacts it, with nothing dropped: bare names without `odrl:` or its IRI,
/// `uid` and `type` as `@id` and `@type`, arrays for rules and constraints, bare actions and operators, scalars out of
/// their `{"@id"}` and `{"@value"}`. What has no known form stays as it came, for `read_policy` to refuse.
std::expected<json::object, fault> canonical_policy(const json::object& body);

} // namespace fondaco::odrl

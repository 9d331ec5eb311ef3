#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/fault.hpp"
#include "protocols/base/time.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::limits {
/// The most reasons of a verdict or a validation.
inline constexpr size_t verdict_reasons_max = 32;
/// The longest of them in bytes; a longer one is cut and ends in three dots.
inline constexpr size_t verdict_reason_bytes_max = 1024;
} // namespace fondaco::limits

namespace fondaco::odrl {

/// An ODRL constraint: atomic, or a logical node over others (DSP 2025-1, section 10; ODRL 2.2, section 2.5).
struct constraint {
  enum class shape : uint8_t { atomic, all_of, any_of, one_of };
  shape form = shape::atomic;
  std::string left_operand;
  std::string op;
  json::value right_operand;
  std::vector<constraint> children;
  bool operator==(const constraint&) const = default;
};

/// A permission, prohibition or duty.
struct rule {
  std::string action;
  std::vector<constraint> constraints;
  /// The duties that a permission depends on; empty in other rules.
  std::vector<rule> duties;
  bool operator==(const rule&) const = default;
};

/// A policy: a set, an offer or an agreement.
struct policy {
  std::string id;
  /// `Set`, `Offer` or `Agreement`.
  std::string type;
  std::string target;
  std::string assigner;
  std::string assignee;
  std::string timestamp;
  std::vector<std::string> profiles;
  std::vector<rule> permissions;
  std::vector<rule> prohibitions;
  std::vector<rule> obligations;
  bool operator==(const policy&) const = default;
};

/// Reads a policy; the fault names the path of what was wrong. Nothing inside a policy is dropped: an unknown term, an
/// unknown operator or a rule without an action is refused, since dropping a constraint would weaken an offer.
std::expected<policy, fault> read_policy(const json::object& body);

/// The policy in the compacted form of DSP 2025-1; empty rule lists are left out. A number or boolean as right operand
/// is written as a string, since the schema has no other scalar there; `same_rules` and `evaluate` take the two for
/// one.
json::object write_policy(const policy& p);

/// True if two policies demand the same, whatever the order of their members: compared as an agreement is compared with
/// the last offer (type, id, target, assignee, timestamp and, where one is missing, assigner are left aside).
bool same_rules(const policy& a, const policy& b);

/// What a policy is judged by: the counterparty's attributes and the moment.
struct evaluation_context {
  /// The scope, as `catalog`, `contract.negotiation` or `transfer.process`.
  std::string scope;
  std::string counterparty_id;
  /// The attributes that the dataspace profile or the counterparty's credentials gave.
  json::object attributes;
  timepoint now;
};

/// Judges one atomic constraint: true if it holds; a fault if it cannot be judged.
using policy_function = std::function<std::expected<bool, fault>(std::string_view op, const json::value& right_operand,
                                                                 const evaluation_context&)>;

/// The table of policy functions by left operand and the actions that are known.
class policy_functions {
public:
  /// Binds a left operand.
  void bind(std::string left_operand, policy_function f);
  /// Binds every left operand with this prefix (what follows it is the attribute's name).
  void bind_prefix(std::string prefix, std::function<policy_function(std::string_view rest)> make);
  /// Binds every left operand for which `make` gives a function; asked last.
  void bind_pattern(std::function<policy_function(std::string_view left_operand)> make);
  /// Allows an action, besides `use`.
  void allow_action(std::string action);
  /// The function of a left operand, or an empty one.
  policy_function find(std::string_view left_operand) const;
  bool knows_action(std::string_view action) const;

private:
  std::map<std::string, policy_function, std::less<>> exact_;
  std::vector<std::pair<std::string, std::function<policy_function(std::string_view)>>> prefixes_;
  std::vector<std::function<policy_function(std::string_view)>> patterns_;
  std::vector<std::string> actions_{"use", "odrl:use", "http://www.w3.org/ns/odrl/2/use"};
};

/// The functions that every node has: `attribute.<name>` compares an attribute of the counterparty (all operators of
/// DSP 2025-1), `counterPartyId`, `inForceDate` (gteq, lteq, gt, lt, eq on RFC 3339 moments), and those on verified
/// credentials (the attribute `vc`, a list of what `vc::to_model` gives): `<Type>Credential` is `active` if there is
/// one of the type, `<Type>Credential.<path>` is a claim of its subject (all operators); either also at the end of an
/// IRI.
policy_functions built_in_functions();

/// What a policy says to a counterparty.
struct verdict {
  bool allowed = false;
  /// Why not, as sentences that name the constraint, what was demanded and what was found; empty if allowed.
  std::vector<std::string> reasons;
};

/// Judges whether a counterparty may use what a policy is on: every permission's constraints must hold, and no
/// prohibition of `use` may hold. Prohibitions of other known actions, obligations and duties are promises that the
/// counterparty makes by agreeing: they never refuse by their constraints. But an operand without a function or an
/// unknown action refuses wherever it stands, in promises too, since nobody should sign what cannot be read. A
/// constraint that cannot be judged (a missing attribute, say) refuses, also in a prohibition; in `or` another part
/// that holds decides, in `and` one that does not. What the operators mean: `operators.hpp`.
verdict evaluate(const policy& p, const policy_functions& functions, const evaluation_context& context);

/// What is wrong with a policy before anybody is judged by it: unbound operands, unknown actions; empty if nothing.
std::vector<std::string> validate(const policy& p, const policy_functions& functions);

} // namespace fondaco::odrl

#include <algorithm>
#include <vector>

#include "protocols/odrl/built_in.hpp"
#include "protocols/odrl/canonical.hpp"
#include "protocols/odrl/operators.hpp"

namespace fondaco::odrl {

namespace {

constexpr std::string_view suffix = "Credential";
/// What a credential that is there is compared as.
constexpr std::string_view active = "active";

bool is_name(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
  });
}

bool is_of_type(const json::object& credential, const credential_operand& operand) {
  const auto matches = [&](const json::value& v) {
    return v.is_string() && (v.get_string() == operand.type || v.get_string() == operand.full_type);
  };
  const auto* types = credential.if_contains("type");
  if (!types)
    return false;
  const auto* list = types->if_array();
  return list ? std::ranges::any_of(*list, matches) : matches(*types);
}

/// The counterparty's verified credentials of the type.
std::vector<const json::object*> of_type(const credential_operand& operand, const json::object& attributes) {
  std::vector<const json::object*> out;
  if (const auto* all = json::array_at(attributes, credentials_attribute))
    for (const auto& v : *all)
      if (const auto* o = v.if_object(); o && is_of_type(*o, operand))
        out.push_back(o);
  return out;
}

/// The claim in every subject of the credentials that has it.
std::vector<const json::value*> claims_in(const std::vector<const json::object*>& credentials,
                                          const std::string& path) {
  std::vector<const json::value*> out;
  const auto look = [&](const json::value& subject) {
    const auto* o = subject.if_object();
    if (const auto* found = o ? attribute_at(*o, path) : nullptr)
      out.push_back(found);
  };
  for (const auto* c : credentials) {
    const auto* subjects = c->if_contains("credentialSubject");
    if (const auto* list = subjects ? subjects->if_array() : nullptr)
      std::ranges::for_each(*list, look);
    else if (subjects)
      look(*subjects);
  }
  return out;
}

std::unexpected<fault> missing(std::string what) {
  return std::unexpected(make_fault(policy_errc::not_comparable, std::move(what)));
}

std::string without(const credential_operand& operand) {
  return "the counterparty presented no verified " + operand.type;
}

std::string without_claim(const credential_operand& operand) {
  return "the counterparty's " + operand.type + " says nothing of " + operand.claim;
}

std::expected<bool, fault> judge_presence(const credential_operand& operand, std::string_view op,
                                          const json::value& demanded, const evaluation_context& context) {
  json::array found;
  if (!of_type(operand, context.attributes).empty())
    found.emplace_back(active);
  return compare(op, found, demanded);
}

/// Of several claims one has to fulfil the demand; but what must not be has to be in none of them.
std::expected<bool, fault> judge_claim(const credential_operand& operand, std::string_view op,
                                       const json::value& demanded, const evaluation_context& context) {
  const auto credentials = of_type(operand, context.attributes);
  if (credentials.empty())
    return missing(without(operand));
  const auto claims = claims_in(credentials, operand.claim);
  if (claims.empty())
    return missing(without_claim(operand));
  const bool all = op == "neq" || op == "isNoneOf";
  for (const auto* found : claims) {
    const auto holds = compare(op, *found, demanded);
    if (!holds || *holds != all)
      return holds;
  }
  return all;
}

} // namespace

std::optional<credential_operand> read_credential_operand(std::string_view left_operand) {
  const auto local_at = left_operand.find_last_of("/#");
  const auto local = local_at == std::string_view::npos ? left_operand : left_operand.substr(local_at + 1);
  const auto dot = local.find('.');
  const auto written = local.substr(0, dot);
  // A compact IRI keeps its prefix before the type.
  const auto type = written.substr(written.find_last_of(':') + 1);
  if (type.size() <= suffix.size() || !type.ends_with(suffix) || !is_name(type))
    return std::nullopt;
  credential_operand out;
  out.type = type;
  out.full_type = left_operand.substr(0, left_operand.size() - local.size() + written.size());
  if (dot != std::string_view::npos)
    out.claim = local.substr(dot + 1);
  if (dot != std::string_view::npos && out.claim.empty())
    return std::nullopt;
  return out;
}

policy_function credential_function(std::string_view left_operand) {
  auto operand = read_credential_operand(left_operand);
  if (!operand)
    return {};
  return [operand = std::move(*operand)](std::string_view op, const json::value& demanded,
                                         const evaluation_context& context) {
    return operand.claim.empty() ? judge_presence(operand, op, demanded, context)
                                 : judge_claim(operand, op, demanded, context);
  };
}

std::string credential_clause(const credential_operand& operand, const evaluation_context& context) {
  const auto credentials = of_type(operand, context.attributes);
  if (credentials.empty())
    return without(operand);
  if (operand.claim.empty())
    return "the counterparty's " + operand.type + " is verified, which reads \"active\"";
  const auto claims = claims_in(credentials, operand.claim);
  if (claims.empty())
    return without_claim(operand);
  std::string out = "the counterparty's " + operand.type + " says that " + operand.claim + " is ";
  for (const auto* found : claims)
    out += (found == claims.front() ? "" : " and ") + json::write(*found);
  return out;
}

} // namespace fondaco::odrl

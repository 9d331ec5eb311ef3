#include "protocols/odrl/built_in.hpp"

#include "protocols/odrl/canonical.hpp"
#include "protocols/odrl/operators.hpp"

namespace fondaco::odrl {

namespace {

policy_function attribute_function(std::string_view rest) {
  return [name = std::string(rest)](std::string_view op, const json::value& demanded,
                                    const evaluation_context& context) -> std::expected<bool, fault> {
    const auto* found = attribute_at(context.attributes, name);
    if (!found)
      return std::unexpected(make_fault(policy_errc::not_comparable, "the counterparty has no attribute " + name));
    return compare(op, *found, demanded);
  };
}

bool is_order(std::string_view op) { return op == "gt" || op == "gteq" || op == "lt" || op == "lteq"; }

std::expected<bool, fault> counterparty(std::string_view op, const json::value& demanded,
                                        const evaluation_context& context) {
  if (is_order(op))
    return std::unexpected(make_fault(policy_errc::not_comparable,
                                      "participant ids have no order, so " + std::string(op) + " cannot apply"));
  return compare(op, json::value(context.counterparty_id), demanded);
}

std::expected<bool, fault> in_force(std::string_view op, const json::value& demanded,
                                    const evaluation_context& context) {
  const auto* one = &demanded;
  if (const auto* list = one->if_array(); list && list->size() == 1)
    one = &list->front();
  const auto* text = one->if_string();
  auto moment = text ? parse_rfc3339(std::string_view(text->data(), text->size())) : std::nullopt;
  if (!moment)
    return std::unexpected(make_fault(policy_errc::not_comparable,
                                      "inForceDate takes an RFC 3339 moment with an offset, as 2026-01-31T12:00:00Z"));
  if (op != "eq" && !is_order(op))
    return std::unexpected(
        make_fault(policy_errc::not_comparable, "inForceDate takes eq, gt, gteq, lt and lteq, not " + std::string(op)));
  return compare(op, json::value(to_epoch_ms(context.now)), json::value(to_epoch_ms(*moment)));
}

} // namespace

const json::value* attribute_at(const json::object& attributes, std::string_view name) noexcept {
  if (const auto* exact = attributes.if_contains(name))
    return exact->is_null() ? nullptr : exact;
  auto dot = name.find('.');
  if (dot == std::string_view::npos)
    return nullptr;
  const auto* inner = json::object_at(attributes, name.substr(0, dot));
  return inner ? attribute_at(*inner, name.substr(dot + 1)) : nullptr;
}

std::string found_clause(std::string_view left_operand, const evaluation_context& context) {
  if (left_operand.starts_with(attribute_prefix)) {
    auto name = left_operand.substr(attribute_prefix.size());
    if (const auto* found = attribute_at(context.attributes, name))
      return "the counterparty's " + std::string(name) + " is " + json::write(*found);
  }
  if (left_operand == "counterPartyId")
    return "the counterparty is " + json::write(json::value(context.counterparty_id));
  if (left_operand == "inForceDate" || left_operand == edc_in_force_date)
    return "it is " + to_rfc3339(context.now);
  if (const auto operand = read_credential_operand(left_operand))
    return credential_clause(*operand, context);
  return "it does not hold";
}

policy_functions built_in_functions() {
  policy_functions out;
  out.bind_prefix(std::string(attribute_prefix), attribute_function);
  out.bind("counterPartyId", counterparty);
  out.bind("inForceDate", in_force);
  out.bind(std::string(edc_in_force_date), in_force);
  out.bind_pattern(credential_function);
  return out;
}

} // namespace fondaco::odrl

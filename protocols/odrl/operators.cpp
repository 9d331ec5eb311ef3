#include "protocols/odrl/operators.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <compare>
#include <optional>
#include <span>

#include "protocols/base/time.hpp"
#include "protocols/jsonld/lenient.hpp"
#include "protocols/odrl/canonical.hpp"

namespace fondaco::odrl {

namespace {

using values = std::span<const json::value>;

values values_of(const json::value& v) {
  const auto* list = v.if_array();
  return list ? values(list->data(), list->size()) : values(&v, 1);
}

/// 64 bits of mantissa, so that every integer of JSON keeps its value.
std::optional<long double> number_of(const json::value& v, bool also_text) {
  if (const auto* i = v.if_int64())
    return static_cast<long double>(*i);
  if (const auto* u = v.if_uint64())
    return static_cast<long double>(*u);
  if (const auto* d = v.if_double())
    return static_cast<long double>(*d);
  const auto* s = v.if_string();
  if (!also_text || !s || s->empty() || (s->front() != '-' && (s->front() < '0' || s->front() > '9')))
    return std::nullopt;
  long double out = 0;
  auto [end, error] = std::from_chars(s->data(), s->data() + s->size(), out);
  if (error != std::errc{} || end != s->data() + s->size() || !std::isfinite(out))
    return std::nullopt;
  return out;
}

bool same_value(const json::value& a, const json::value& b) {
  if (a.is_number() || b.is_number()) {
    auto x = number_of(a, true), y = number_of(b, true);
    return x && y && *x == *y;
  }
  if (a.is_bool() != b.is_bool() && (a.is_string() || b.is_string()))
    return scalar_text(a) == scalar_text(b);
  return a == b;
}

bool holds(values in, const json::value& one) {
  return std::ranges::any_of(in, [&](const json::value& v) { return same_value(v, one); });
}

bool holds_all(values in, values wanted) {
  return std::ranges::all_of(wanted, [&](const json::value& v) { return holds(in, v); });
}

bool holds_any(values in, values wanted) {
  return std::ranges::any_of(wanted, [&](const json::value& v) { return holds(in, v); });
}

std::optional<std::partial_ordering> order_of(const json::value& a, const json::value& b) {
  auto x = number_of(a, true), y = number_of(b, true);
  if (x && y)
    return *x <=> *y;
  const auto* s = a.if_string();
  const auto* t = b.if_string();
  if (!s || !t)
    return std::nullopt;
  auto left = std::string_view(s->data(), s->size()), right = std::string_view(t->data(), t->size());
  auto from = parse_rfc3339(left), to = parse_rfc3339(right);
  if (from && to)
    return *from <=> *to;
  if (x.has_value() != y.has_value() || from.has_value() != to.has_value())
    return std::nullopt;
  return left <=> right;
}

std::expected<bool, fault> ordered(std::string_view op, values found, values demanded) {
  std::optional<std::partial_ordering> order;
  if (found.size() == 1 && demanded.size() == 1)
    order = order_of(found.front(), demanded.front());
  if (!order)
    return std::unexpected(make_fault(policy_errc::not_comparable,
                                      "the value that was found and the one demanded have no "
                                      "order; " +
                                          std::string(op) + " takes two numbers, two moments or two strings"));
  if (op == "gt")
    return *order > 0;
  if (op == "gteq")
    return *order >= 0;
  return op == "lt" ? *order < 0 : *order <= 0;
}

} // namespace

std::string scalar_text(const json::value& v) {
  if (const auto* s = v.if_string())
    return std::string(s->data(), s->size());
  if (const auto* d = v.if_double(); d && std::trunc(*d) == *d && std::abs(*d) < 9.0e15)
    return std::to_string(static_cast<int64_t>(*d));
  return json::write(v);
}

std::expected<bool, fault> compare(std::string_view op, const json::value& found, const json::value& demanded) {
  auto have = values_of(found), want = values_of(demanded);
  if (op == "eq")
    return holds_all(have, want) && holds_all(want, have);
  if (op == "neq")
    return !(holds_all(have, want) && holds_all(want, have));
  if (op == "gt" || op == "gteq" || op == "lt" || op == "lteq")
    return ordered(op, have, want);
  if (op == "isA" && want.size() == 1)
    return holds(have, want.front());
  if (op == "isA")
    return std::unexpected(make_fault(policy_errc::not_comparable, "isA takes a single value, not a list"));
  if (op == "isAnyOf")
    return holds_any(have, want);
  if (op == "isAllOf" || op == "hasPart")
    return !want.empty() && holds_all(have, want);
  if (op == "isNoneOf")
    return !holds_any(have, want);
  if (op == "isPartOf")
    return !have.empty() && holds_all(want, have);
  return std::unexpected(make_fault(policy_errc::not_comparable, "the operator " + std::string(op) + " is not known"));
}

} // namespace fondaco::odrl

#include "protocols/vc/json_values.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "protocols/base/fault.hpp"

namespace fondaco::vc {

namespace {

// Wide enough for every integer of 64 bits.
static_assert(std::numeric_limits<long double>::digits >= 64);

long double number(const json::value& v) {
  if (v.is_int64())
    return static_cast<long double>(v.get_int64());
  if (v.is_uint64())
    return static_cast<long double>(v.get_uint64());
  return static_cast<long double>(v.get_double());
}

} // namespace

std::partial_ordering order_of(const json::value& a, const json::value& b) {
  invariant(a.is_number() && b.is_number(), "only numbers have an order");
  return number(a) <=> number(b);
}

bool same_value(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number())
    return order_of(a, b) == 0;
  if (const auto* list = a.if_array())
    return b.is_array() && std::ranges::equal(*list, b.get_array(), same_value);
  const auto* o = a.if_object();
  if (!o)
    return a == b;
  const auto* other = b.if_object();
  return other && o->size() == other->size() && std::ranges::all_of(*o, [&](const auto& member) {
           const auto* found = other->if_contains(member.key());
           return found && same_value(member.value(), *found);
         });
}

bool has_type(const json::value& v, std::string_view type) {
  switch (v.kind()) {
  case boost::json::kind::object: return type == "object";
  case boost::json::kind::array: return type == "array";
  case boost::json::kind::string: return type == "string";
  case boost::json::kind::bool_: return type == "boolean";
  case boost::json::kind::null: return type == "null";
  case boost::json::kind::double_:
    return type == "number" || (type == "integer" && std::floor(v.get_double()) == v.get_double());
  case boost::json::kind::int64:
  case boost::json::kind::uint64: return type == "number" || type == "integer";
  }
  return false;
}

size_t characters(std::string_view utf8) {
  return static_cast<size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

} // namespace fondaco::vc

#pragma once

#include <compare>
#include <cstddef>
#include <string_view>

#include "protocols/json/json.hpp"

/// JSON values as JSON Schema compares them; only the sources of this folder include it.
namespace fondaco::vc {

/// How two numbers lie, by their mathematical value: 1 and 1.0 are the same. Exact for all integers.
std::partial_ordering order_of(const json::value& a, const json::value& b);
/// True if both are the same value; the order of an object's members does not matter.
bool same_value(const json::value& a, const json::value& b);
/// True if the value is of this JSON Schema type; `integer` takes 1.0.
bool has_type(const json::value& v, std::string_view type);
/// The Unicode characters of a UTF-8 text.
size_t characters(std::string_view utf8);

} // namespace fondaco::vc

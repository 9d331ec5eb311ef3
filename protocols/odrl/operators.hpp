#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "protocols/base/fault.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::odrl {

/// What the operators mean here, for `found` (the counterparty's value) and `demanded` (the right operand). A value
/// counts as a list of one, and a list of one as its value, because JSON-LD keeps no difference.
///
/// | operator | holds if |
/// |---|---|
/// | `eq`, `neq` | the lists hold (do not hold) the same values, whatever their order |
/// | `gt` `gteq` `lt` `lteq` | both are single and: both numbers, or both RFC 3339 moments, or both other strings,
/// compared byte by byte | | `isA` | found holds the demanded value, which is single | | `isAnyOf` | found holds at
/// least one of the demanded values | | `isAllOf`, `hasPart` | found holds all of the demanded values | | `isNoneOf` |
/// found holds none of the demanded values | | `isPartOf` | found is not empty and all that it holds is demanded |
///
/// Two values are the same if they are the same JSON; numbers by value; and since the wire of DSP 2025-1 has only
/// strings for them, a number also equals a string that writes it, and a boolean `"true"` or `"false"`. Two strings are
/// the same only byte by byte. Parts of strings are never compared.
/// A fault says what could not be compared, as a clause: an unknown operator, or two that have no order.
std::expected<bool, fault> compare(std::string_view op, const json::value& found, const json::value& demanded);

/// The text of a scalar as the wire has it: a string as it is, anything else as JSON, whole doubles without fraction.
std::string scalar_text(const json::value& v);

} // namespace fondaco::odrl

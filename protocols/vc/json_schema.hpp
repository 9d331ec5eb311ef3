#pragma once

#include <cstddef>
#include <expected>

#include "protocols/base/fault.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::vc {

namespace limits {
/// How deep schemas may lead into each other while one instance is judged.
inline constexpr size_t schema_depth_max = 128;
/// How many rules and members may be judged for one instance: a schema that refers to itself can ask for any number.
inline constexpr size_t schema_steps_max = 100'000;
/// The longest path that a fault repeats, in bytes.
inline constexpr size_t schema_path_bytes_max = 256;
} // namespace limits

/// True if the instance satisfies the JSON schema (the assertions that drafts 4 to 2020-12 share: type, required,
/// properties, additionalProperties, minProperties, maxProperties, items, enum, const, minimum, maximum, their
/// exclusive forms, minLength, maxLength, minItems, maxItems, allOf, anyOf, oneOf, not, local `$ref`; annotations,
/// among them `format`, are ignored). A keyword that would have to be judged and is not known here is a fault
/// `unsupported`, never a silent yes, and so is one of the wrong shape or one that asks for too much; a violation is
/// `schema_violated` and names the path.
std::expected<void, fault> check_schema(const json::value& schema, const json::value& instance);

} // namespace fondaco::vc

#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

namespace fondaco::conformance::dsp {

namespace json = boost::json;

/// Every violation of the 2025-1 JSON Schema of the body's `@type` (dsp.md, section 15), each a sentence that names the
/// field; empty if there is none. A type without a schema has only the rules of every message.
std::vector<std::string> violations(const json::value& body);

/// True if the kit holds this `@type` to its schema; the others it only expands (dsp-tck.md, section 7.2).
bool checked_by_kit(std::string_view type);

/// What makes the kit refuse a body: not an object, no string `@type`, a context that it does not know or that does not
/// bring the DSP terms, and, for the types that it checks, every schema violation.
std::vector<std::string> refusals(const json::value& body, const std::set<std::string>& known_contexts);

/// The violations of a version document, which is plain JSON.
std::vector<std::string> version_violations(const json::value& body);

/// The `@id` of a property as the kit's expansion gives it (`"x"`, `{"@id":"x"}` or an array that begins so); empty if
/// there is none.
std::string id_of(const json::object& body, std::string_view key);
/// The same for a literal (`"x"` or `{"@value":"x"}`).
std::string literal_of(const json::object& body, std::string_view key);

} // namespace fondaco::conformance::dsp

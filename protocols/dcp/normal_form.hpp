#pragma once

#include <string_view>

#include "protocols/json/json.hpp"

/// What JSON-LD lets a sender of DCP write in several ways, read as one (DCP reference, section 8; no expansion).
namespace fondaco::dcp {

/// The IRI that the terms of DCP begin with.
inline constexpr std::string_view term_iri = "https://w3id.org/dspace-dcp/v1.0/";

/// The object of a message: the body, or the one item of an array that expansion made. Null if it is neither.
const json::object* message_object(const json::value& body) noexcept;

/// A message with plain terms: `dcp:` prefixes and full IRIs shortened, `@type` and `@id` named `type` and `id`,
/// wrappers
/// (`@value`, `@id`, `@set`, `@list`) taken off. Of two names that then are the same, the first stays. Values of JSON
/// literals (`@json`) stay as they are.
json::object normal_form(const json::object& message);

/// The member that this term names, however it is written, with its value as it came; null if it is missing or null.
/// For values that are JSON literals, of which nothing may be renamed; their own wrapper is taken off.
const json::value* find_literal(const json::object& o, std::string_view term) noexcept;

/// The items of a member that `find_literal` finds, as they came: of an array, of `@set` and `@list`, of a JSON literal
/// with an array, or the one value.
json::array literal_items(const json::object& o, std::string_view term);

/// A value of a vocabulary (`ISSUED`) without its prefix or the IRI that it was resolved against.
std::string_view bare_word(std::string_view text) noexcept;

} // namespace fondaco::dcp

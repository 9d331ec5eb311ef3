#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocols/json/json.hpp"

/// What JSON-LD lets a peer write in several ways, read as one (DSP 2025-1 sent by JSON-LD processors; no expansion).
namespace fondaco::jsonld {

/// The prefix IRIs that peers write out (DSP 2025-1 context).
inline constexpr std::string_view odrl_iri = "http://www.w3.org/ns/odrl/2/";
inline constexpr std::string_view dspace_iri = "https://w3id.org/dspace/2025/1/";

/// The value inside `{"@id": x}`, `{"@value": x}` and `[x]`, however they nest; the value itself if it is none of
/// these, or if the wrapper holds anything besides JSON-LD keywords (nothing is dropped).
const json::value& unwrapped(const json::value& v) noexcept;

/// The string that a scalar holds in any of its wrappers; nothing if it is not a string.
std::optional<std::string_view> text_of(const json::value& v) noexcept;

/// The term without its prefix (`odrl:use` and `http://www.w3.org/ns/odrl/2/use` give `use`); the term if it has none.
std::string_view bare(std::string_view term, std::string_view prefix, std::string_view iri) noexcept;

/// The same for ODRL and for DSP terms.
std::string_view bare_odrl(std::string_view term) noexcept;
std::string_view bare_dspace(std::string_view term) noexcept;

/// True for an object in expanded form: without a `@context` it needs none, since its `@type` is a whole IRI of DSP.
bool is_expanded(const json::object& o) noexcept;

/// The object with its members' names without the IRI of DSP; of two that then are the same, the first stays.
json::object bare_members(const json::object& o);

/// What a value is, for a sentence: `a string`, `an array` and so on. Never the value itself, which may be a secret.
std::string_view kind_of(const json::value& v) noexcept;

/// True for an absolute http or https URL with a host and without user information, query, fragment or blanks: one that
/// paths can be appended to.
bool is_base_url(std::string_view text) noexcept;

/// The text without the slashes at its end, so that what was read once reads as the same again.
std::string_view without_trailing_slash(std::string_view text) noexcept;

} // namespace fondaco::jsonld

#pragma once

#include <expected>
#include <string_view>

#include "protocols/dsp/messages.hpp"
#include "protocols/jsonld/fields.hpp"

/// What the readers and writers of all messages share.
namespace fondaco::dsp {

/// The object of a root message whose `@context` and `@type` are right; `@type` also with the `dspace:` prefix or IRI.
std::expected<const json::object*, fault> read_root(const json::value& body, std::string_view type);

/// The start of a root message: `@context`, `@type`, and `@id` if there is one.
json::object write_root(std::string_view type, std::string_view message_id = {});

/// Adds a member unless the text is empty.
void put(json::object& out, std::string_view name, std::string_view text);

/// Adds `code` and `reason` where they are not empty.
void put_cause(json::object& out, std::string_view code, const std::vector<std::string>& reasons);

/// The policy without empty lists, which the schema refuses.
json::object without_empty_lists(const json::object& policy);

/// Reads an address that is a member of something: its `where` names it in faults.
std::expected<data_address, fault> read_data_address(const json::object& o, std::string where);

} // namespace fondaco::dsp

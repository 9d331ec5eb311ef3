#pragma once

#include <string>

#include "cells/operator/door.hpp"
#include "persistence/journal.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::cells {

/// What stands in an export in the place of a secret.
inline constexpr const char* left_out = "(left out)";

/// A JSON text without what could be a secret: members whose names speak of one lose their texts, also in JSON that is
/// the text of a member. A text that is no JSON is left out as a whole.
json::value without_secrets(const std::string& text);

/// Adds `GET /operator/entities/{id}/export`: every tenant's entity of that id with the payloads of its events and its
/// snapshot, without secrets. It shows business data, so it needs the scope `operator:admin`.
void add_export_route(gateway::router& to, cell_services& s, operator_door door);

} // namespace fondaco::cells

#pragma once

#include <string>
#include <vector>

#include "persistence/documents.hpp"
#include "protocols/base/time.hpp"

namespace fondaco::cells {

/// Why an entity is where it is, in sentences: what it waits for, when it is looked at again, and the causes that both
/// sides gave, the oldest first. `kept` is the document of a record that explains itself (`explains_itself`), or null.
std::vector<std::string> explain(const persistence::entity_row& row, timepoint now,
                                 const persistence::document* kept = nullptr);

/// True for an entity whose document, not its row, says what happened: a refused request.
bool explains_itself(const persistence::entity_row& row);

/// What the entity waits for, as its row says; empty if it waits for nothing.
std::string waiting_on(const persistence::entity_row& row);

} // namespace fondaco::cells

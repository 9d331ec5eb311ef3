#pragma once

#include <string>
#include <vector>

#include "cells/services.hpp"
#include "persistence/journal.hpp"
#include "planes/api/records.hpp"

namespace fondaco::cells {

/// What a role of this node disposes of when a participant context leaves it.
struct disposal_plan {
  /// The id of the role's agent, which is also its type: `control-plane`, `credential-service` and so on.
  std::string agent_id;
  /// The kinds of entities and documents of the role; never the agents' own.
  std::vector<std::string> kinds;
  /// The kind whose entity with the context's own id is there until all else is gone, as `participant_context`: as long
  /// as it is, a disposal has not come to its end. Empty for a role that has none.
  std::string context_kind;
  /// What other tenants keep about this one, as its entry in the node's list.
  std::vector<persistence::entity_key> entries;
  /// Why, as the agent's tombstone says it.
  std::string reason;
};

/// True if the role still has something of the participant context: its context, or an agent that is not disposed of.
/// A caller answers 404 if not, and leaves no tombstone for an id that nobody ever had.
planes::api::task<planes::api::result<bool>> has_role(cell_services& s, tenant owner, std::string agent_id,
                                                      std::string context_kind);

/// True if the role's agent is disposed of: then what it ran is not running any more, and the rest is to be erased.
planes::api::task<planes::api::result<bool>> is_disposed(cell_services& s, tenant owner, std::string agent_id);

/// Disposes of a participant context in one role (decision 7): its agent is disposed of for good, its entities leave
/// memory and are never started again by this process, their rows and documents are erased. If no other agent of the
/// tenant at this node is left, its data key and secrets are shredded and its seen marks erased: then it gives true.
/// Running work has to end before. An error is a 503; each step can be done again, so the next call takes up what was
/// interrupted.
planes::api::task<planes::api::result<bool>> dispose_role(cell_services& s, tenant owner, disposal_plan plan);

} // namespace fondaco::cells

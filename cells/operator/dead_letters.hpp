#pragma once

#include "cells/operator/door.hpp"

namespace fondaco::cells {

/// Adds `GET /operator/dead-letters`, which lists what fails on this node, and `POST /operator/dead-letters/redrive`
/// and `POST /operator/dead-letters/{id}/redrive`, which have it all, or one entity's, tried again at once and answer
/// with what was.
void add_dead_letter_routes(gateway::router& to, cell_services& s, operator_door door);

} // namespace fondaco::cells

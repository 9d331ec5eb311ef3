#pragma once

#include <string>
#include <string_view>

#include "actors/entity_kind.hpp"
#include "actors/ports/task.hpp"
#include "cells/credential_service/credential_request.hpp"
#include "cells/services.hpp"

namespace fondaco::credential_service {

/// Does what a credential request owes: finds the issuer's IssuerService and completes what is asked for from its
/// metadata, sends the request, or asks how far it is (DCP reference, sections 6.4, 6.6 and 6.7). Gives the command
/// that tells the outcome.
actors::task<credential_request::command> run_effect(cells::cell_services& s, actors::effect_run run,
                                                     credential_request::effect e);

/// True if the issuer counts for a credential type in a dataspace profile of this node that trusts by DCP (in a node
/// without one: in any profile).
bool is_trusted(const cells::cell_services& s, std::string_view issuer, std::string_view credential_type);

/// The issuer's process id in the answer to a request: the last segment of `Location`, else what the body says (DCP
/// reference, section 6.4); empty if it names none.
std::string issuer_pid_of(const actors::http_answer& answer);

} // namespace fondaco::credential_service

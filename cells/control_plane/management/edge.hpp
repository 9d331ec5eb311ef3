#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cells/control_plane/process.hpp"
#include "cells/participants/directory.hpp"
#include "cells/services.hpp"
#include "planes/api/body_check.hpp"
#include "planes/api/records.hpp"

namespace fondaco::control_plane::management {

using cells::cell_services;
// The edge that the Management API shares with the other admin APIs.
using gateway::response;
using gateway::task;
using planes::api::body_check;
using planes::api::busy;
using planes::api::change_record;
using planes::api::creation;
using planes::api::key_claim;
using planes::api::need;
using planes::api::need_document;
using planes::api::need_row;
using planes::api::no_content;
using planes::api::path_value;
using planes::api::query_documents;
using planes::api::query_rows;
using planes::api::read_creation;
using planes::api::read_document;
using planes::api::record_change;
using planes::api::record_write;
using planes::api::remove_record;
using planes::api::request_ptr;
using planes::api::result;
using planes::api::route;
using planes::api::shard_of_id;
using planes::api::stored_object;
using planes::api::vault_unavailable;
using planes::api::write_mode;
using planes::api::write_record;

/// The first part of every participant route: token and scope (`assets:write`), then ownership, then the participant
/// context of the path exists; gives that context.
task<result<tenant>> enter(cell_services& s, request_ptr r, const char* scope);

/// The same, and reads the participant context with its configuration.
task<result<cells::participant>> enter_with_config(cell_services& s, request_ptr r, const char* scope);

/// The first part of an administrator's route.
task<result<gateway::principal>> enter_as_admin(cell_services& s, request_ptr r);

/// The profile that a body names by `profile` or `protocol`, if it is one of the participant's and known; else 400.
result<std::string> read_profile(const cell_services& s, const cells::participant& p, const json::object& body);

/// How the participant's processes deal with time.
process_settings settings_of(const cell_services& s, const cells::participant& p);

/// The response to a refused process command: 400 for what was wrong in the body, else as `planes::api::from_ask`.
response from_process(const actors::ask_error& e, std::string_view type, std::string_view id);

/// A line of the audit log: who changed what.
void note_change(const gateway::request& r, const gateway::principal& who, const std::string& what,
                 const std::string& participant_context);

} // namespace fondaco::control_plane::management

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cells/identity/caller.hpp"
#include "cells/services.hpp"
#include "gateway/http.hpp"
#include "planes/api/records.hpp"
#include "protocols/base/fault.hpp"
#include "protocols/json/json.hpp"

/// What the routes of DCP's credential service have in common (DCP reference, sections 2.1 and 3.1). Errors are the
/// arrays of the Identity API.
namespace fondaco::credential_service {

using gateway::response;
using gateway::task;
using planes::api::request_ptr;
using planes::api::result;

/// A message whose sender is known: to whom it came and from whom.
struct dcp_caller {
  tenant owner;
  std::string own_did;
  identity::proven_caller peer;
};

/// What the log and the span say of a message that came in; filled while it is answered.
struct message_trail {
  std::string message;
  std::string counterparty;
  std::string entity_id;
};

/// 401 with `WWW-Authenticate`.
response unproven(std::string_view detail);
/// 403, 404 or any other refusal with one sentence.
response refused(int status, std::string type, std::string detail);
/// 503 with Retry-After.
response unavailable(std::string detail);
/// What a fault of a reader of messages is answered with: 501 for a presentation definition, else 400.
response bad_message(const fault& f);

/// The bearer token, which has to be there before anything else is looked at.
result<std::string> need_bearer(const gateway::request& r);
/// The JSON of the body.
result<json::value> read_json(const gateway::request& r);
/// Proves the token to be meant for the participant of the path; 401 too if there is none, so that nobody learns who is
/// here.
task<result<dcp_caller>> enter(cells::cell_services& s, request_ptr r, std::string token, bool needs_access_token);

/// How a message is answered; the trail outlives the work.
using dcp_step = task<response> (*)(cells::cell_services& s, request_ptr r, message_trail& trail);

/// Answers a message, with its line in the log and, if it has a name, its span.
task<response> serve(cells::cell_services& s, request_ptr r, std::string message, std::string span_name, dcp_step step);

/// The routes of this folder.
task<response> answer_query(cells::cell_services& s, request_ptr r, message_trail& trail);
task<response> take_credentials(cells::cell_services& s, request_ptr r, message_trail& trail);
task<response> take_offer(cells::cell_services& s, request_ptr r, message_trail& trail);

} // namespace fondaco::credential_service

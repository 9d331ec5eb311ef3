#include <algorithm>
#include <memory>
#include <utility>

#include "actors/ports/log.hpp"
#include "cells/control_plane/peer_exchange.hpp"
#include "cells/credential_service/dcp_edge.hpp"
#include "cells/identity/keys.hpp"
#include "cells/issuer_service/credential_requests.hpp"
#include "cells/issuer_service/issuance.hpp"
#include "cells/issuer_service/issuer_records.hpp"
#include "cells/issuer_service/routes.hpp"
#include "cells/issuer_service/status_lists.hpp"
#include "cells/span.hpp"
#include "planes/api/errors.hpp"
#include "protocols/dcp/messages.hpp"

namespace fondaco::issuer_service {

namespace {

namespace api = planes::api;
namespace cs = credential_service;
using api::request_ptr;
using api::response;
using api::task;
using cells::cell_services;

constexpr const char* context_type = "ParticipantContext";
constexpr const char* request_type = "CredentialRequest";

std::string reasons_of(const response& out) {
  std::string why;
  if (out.status >= 400)
    for (const auto& reason : control_plane::error_reasons(out.body))
      why += (why.empty() ? "" : " ") + reason;
  return why;
}

void note_received(const gateway::request& r, const cs::message_trail& trail, const response& out,
                   const std::string& reason) {
  write_log({out.status < 500 ? severity::info : severity::warning,
             "issuer_service",
             log_category::dcp,
             "a message was received",
             {{"message_type", trail.message},
              {"participant_context", api::path_value(r, "p")},
              {"counterparty", trail.counterparty},
              {"entity_id", trail.entity_id},
              {"correlation_id", r.correlation_id},
              {"outcome", std::to_string(out.status)},
              {"reason", reason}}});
}

/// Answers a message, with its line in the log and, if it begins something, its span.
task<response> serve(cell_services& s, request_ptr r, const char* message, cs::dcp_step step) {
  cells::work_span span(s, "credential.issuance", r->method == "POST" ? r->traceparent : std::string());
  cs::message_trail trail;
  trail.message = message;
  auto answering = step(s, r, trail);
  auto out = co_await std::move(answering);
  const auto reason = reasons_of(out);
  span.with("message_type", message).with("participant_context", api::path_value(*r, "p"));
  span.with("counterparty", trail.counterparty).with("entity_id", trail.entity_id);
  if (out.status >= 400)
    span.fail(std::to_string(out.status) + (reason.empty() ? "" : ": " + reason));
  note_received(*r, trail, out, reason);
  co_return out;
}

/// What the holder may know of an issuance's state (DCP reference, section 6.6).
std::string public_status(const std::string& status) {
  if (status == name_of(issuance_state::approved))
    return "RECEIVED";
  return status == name_of(issuance_state::delivered) ? "ISSUED" : "REJECTED";
}

task<response> tell_status(cell_services& s, request_ptr r, cs::message_trail& trail) {
  auto token = cs::need_bearer(*r);
  if (!token)
    co_return std::move(token.error());
  trail.entity_id = api::path_value(*r, "id");
  auto entering = cs::enter(s, r, std::move(*token), false);
  auto caller = co_await std::move(entering);
  if (!caller)
    co_return std::move(caller.error());
  trail.counterparty = caller->peer.did;
  persistence::entity_key key{caller->owner, cells::kinds::issuance, trail.entity_id};
  auto reading = api::need_row(s, std::move(key), request_type);
  auto row = co_await std::move(reading);
  if (!row)
    co_return std::move(row.error());
  const auto view = api::stored_object(row->view);
  // Another's request is not there for this caller.
  if (json::string_at(view, "holderDid") != caller->peer.did)
    co_return api::not_found(request_type, trail.entity_id);
  dcp::credential_status status;
  status.issuer_pid = row->key.id;
  status.holder_pid = json::string_at(view, "holderPid").value_or("");
  status.status = public_status(row->status);
  co_return gateway::json_response(200, json::write(dcp::write(status)));
}

std::optional<dcp::issuer_metadata> read_metadata(cell_services& s, const tenant& owner) {
  auto own = identity::read_own_did(s, owner);
  if (!own)
    return std::nullopt;
  dcp::issuer_metadata out{std::move(*own), {}};
  for (const auto& d : read_definitions(s, owner))
    out.credentials_supported.push_back(to_credential_object(d));
  return out;
}

/// Public: a token is not looked at, whether it holds or not.
task<response> tell_metadata(cell_services& s, request_ptr r, cs::message_trail&) {
  const tenant owner(api::path_value(*r, "p"));
  auto reading = actors::in_pool(s.pool, s.edge, owner, [&s, owner] { return read_metadata(s, owner); });
  auto metadata = co_await std::move(reading);
  if (!metadata)
    co_return api::busy();
  if (!*metadata)
    co_return api::not_found(context_type, owner.id());
  co_return gateway::json_response(200, json::write(dcp::write(**metadata)));
}

} // namespace

} // namespace fondaco::issuer_service

namespace fondaco::cells {

namespace {

namespace is = issuer_service;

void add(gateway::router& to, cell_services& s, const char* method, const char* path, const char* message,
         credential_service::dcp_step step) {
  to.add(method, std::string("/api/issuance/v1beta/participants/{p}/") + path,
         [&s, message, step](planes::api::request_ptr r) { return is::serve(s, std::move(r), message, step); });
}

} // namespace

void add_issuer_routes(gateway::router& to, cell_services& s) {
  add(to, s, "POST", "credentials", "CredentialRequestMessage", is::take_request);
  add(to, s, "GET", "requests/{id}", "CredentialStatus", is::tell_status);
  add(to, s, "GET", "metadata", "IssuerMetadata", is::tell_metadata);
  auto publisher = std::make_shared<is::status_list_publisher>(s);
  to.add("GET", "/statuslist/{id}",
         [publisher](planes::api::request_ptr r) { return publisher->answer(std::move(r)); });
}

} // namespace fondaco::cells

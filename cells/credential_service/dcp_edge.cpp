#include "cells/credential_service/dcp_edge.hpp"

#include <utility>

#include "actors/ports/log.hpp"
#include "cells/control_plane/peer_exchange.hpp"
#include "cells/credential_service/routes.hpp"
#include "cells/identity/keys.hpp"
#include "cells/span.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/errors.hpp"
#include "protocols/dcp/messages.hpp"

namespace fondaco::credential_service {

namespace api = planes::api;

response unproven(std::string_view detail) { return gateway::to_response(gateway::unauthenticated(detail)); }

response refused(int status, std::string type, std::string detail) {
  return api::error_response(status, {{std::move(detail), std::move(type), "", nullptr}});
}

response unavailable(std::string detail) { return refused(503, "Unavailable", std::move(detail)); }

response bad_message(const fault& f) {
  if (f.code == dcp::name_of(dcp::dcp_errc::definition_unsupported))
    return refused(501, "NotImplemented", f.detail);
  return refused(400, "ValidationFailure", f.detail);
}

result<std::string> need_bearer(const gateway::request& r) {
  auto token = identity::dcp_bearer(r);
  if (!token)
    return std::unexpected(unproven("The Authorization header must be 'Bearer ' and a self-issued token."));
  return std::move(*token);
}

result<json::value> read_json(const gateway::request& r) {
  auto body = api::read_plain_body(r);
  if (!body)
    return std::unexpected(std::move(body.error()));
  return json::value(std::move(*body));
}

task<result<dcp_caller>> enter(cells::cell_services& s, request_ptr r, std::string token, bool needs_access_token) {
  const tenant owner(api::path_value(*r, "p"));
  auto reading = actors::in_pool(s.pool, s.edge, owner, [&s, owner] { return identity::read_own_did(s, owner); });
  auto own = co_await std::move(reading);
  if (!own)
    co_return std::unexpected(api::busy());
  if (!*own)
    co_return std::unexpected(unproven("The token is not meant for a participant of this service."));
  auto own_did = std::move(**own);
  auto proving = identity::prove_caller(s, owner, own_did, std::move(token), needs_access_token);
  auto peer = co_await std::move(proving);
  if (!peer && peer.error().remedy == cure::retry)
    co_return std::unexpected(unavailable(peer.error().detail));
  if (!peer)
    co_return std::unexpected(unproven(peer.error().detail));
  dcp_caller out{owner, std::move(own_did), std::move(*peer)};
  co_return std::move(out);
}

namespace {

std::string reason_of(const response& out) {
  if (out.status < 400)
    return {};
  std::string why;
  for (const auto& reason : control_plane::error_reasons(out.body))
    why += (why.empty() ? "" : " ") + reason;
  return why;
}

void note_received(const gateway::request& r, const message_trail& trail, const response& out,
                   const std::string& reason) {
  write_log({out.status < 500 ? severity::info : severity::warning,
             "credential_service",
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

} // namespace

task<response> serve(cells::cell_services& s, request_ptr r, std::string message, std::string span_name,
                     dcp_step step) {
  cells::work_span span(s, span_name, span_name.empty() ? std::string() : r->traceparent);
  message_trail trail;
  trail.message = std::move(message);
  auto answering = step(s, r, trail);
  auto out = co_await std::move(answering);
  const auto reason = reason_of(out);
  span.with("message_type", trail.message).with("direction", "received");
  span.with("participant_context", api::path_value(*r, "p")).with("counterparty", trail.counterparty);
  if (out.status >= 400)
    span.fail(std::to_string(out.status) + (reason.empty() ? "" : ": " + reason));
  note_received(*r, trail, out, reason);
  co_return out;
}

} // namespace fondaco::credential_service

namespace fondaco::cells {

namespace {

namespace cs = credential_service;

void add(gateway::router& to, cell_services& s, const char* path, const char* message, const char* span,
         cs::dcp_step step) {
  to.add("POST", std::string("/api/credentials/v1/participants/{p}/") + path,
         [&s, message, span, step](cs::request_ptr r) { return cs::serve(s, std::move(r), message, span, step); });
}

} // namespace

void add_credential_service_routes(gateway::router& to, cell_services& s) {
  add(to, s, "presentations/query", "PresentationQueryMessage", "credential.presentation", cs::answer_query);
  add(to, s, "credentials", "CredentialMessage", "", cs::take_credentials);
  add(to, s, "offers", "CredentialOfferMessage", "", cs::take_offer);
}

} // namespace fondaco::cells

#include "cells/control_plane/signaling_routes.hpp"

#include <optional>
#include <string>
#include <utility>

#include "cells/control_plane/data_planes.hpp"
#include "cells/control_plane/management/edge.hpp"
#include "cells/control_plane/message_log.hpp"
#include "cells/control_plane/plane_access.hpp"
#include "cells/control_plane/transfer_process.hpp"
#include "cells/control_plane/transfer_request.hpp"
#include "planes/api/errors.hpp"

namespace fondaco::control_plane {

namespace {

using cells::cell_services;
using dps::flow_signal;
using gateway::request;
using gateway::response;
using gateway::task;
using request_ptr = std::shared_ptr<const request>;

response refusal(int status, const char* type, const std::string& detail) {
  return planes::api::error_response(status, {{detail, type, "", nullptr}});
}

response unknown_transfer() { return refusal(404, "not_found", "There is no such transfer."); }
response busy() { return refusal(503, "unavailable", "The request cannot be served now; send it again."); }

response unauthenticated() {
  auto out = refusal(401, "unauthenticated", "This data plane has to prove itself to send from another machine.");
  out.headers.emplace_back("WWW-Authenticate", "Bearer");
  return out;
}

/// A transfer as its row and its data plane's registration tell it.
struct known_transfer {
  persistence::entity_key key;
  std::string dataplane_id;
  std::string contract_id;
  /// False: the plane was registered with an authorization, which it would have to prove.
  bool open = false;
};

/// The transfer with this id, whosesoever; an error if the store does not answer.
std::expected<std::optional<known_transfer>, fault> find_transfer(cell_services& s, const std::string& id) {
  const auto rows = s.documents.find_entities(id);
  if (!rows)
    return std::unexpected(fault{"unavailable", rows.error().detail, cure::retry});
  for (const auto& row : *rows) {
    if (row.key.kind != transfer_process::kind)
      continue;
    const auto view = management::stored_object(row.view);
    known_transfer out{row.key, std::string(json::string_at(view, "dataplaneId").value_or("")),
                       std::string(json::string_at(view, "contractId").value_or("")), false};
    if (out.dataplane_id.empty())
      return std::nullopt;
    const auto closed = wants_authorization(s, row.key.owner, out.dataplane_id);
    if (!closed)
      return std::unexpected(closed.error());
    out.open = !*closed;
    return out;
  }
  return std::nullopt;
}

/// The transfer that a data plane speaks of, if it may.
task<std::expected<known_transfer, response>> enter(cell_services& s, request_ptr r) {
  if (gateway::header(*r, "forwarded") || gateway::header(*r, "x-forwarded-for") || !gateway::is_loopback(r->remote))
    co_return std::unexpected(unauthenticated());
  const auto id = management::path_value(*r, "id");
  if (!management::shard_of_id(s, id))
    co_return std::unexpected(unknown_transfer());
  auto finding = actors::in_pool(s.pool, s.edge, [&s, id] { return find_transfer(s, id); });
  auto found = co_await std::move(finding);
  if (!found || !*found)
    co_return std::unexpected(busy());
  if (!**found)
    co_return std::unexpected(unknown_transfer());
  if (!(**found)->open)
    co_return std::unexpected(unauthenticated());
  co_return std::move(***found);
}

response noted(response out, const request& r, const std::string& what, const known_transfer* transfer) {
  message_note n;
  n.category = log_category::dps;
  n.received = true;
  n.message = what;
  n.entity_id = management::path_value(r, "id");
  n.correlation_id = r.correlation_id;
  n.outcome = std::to_string(out.status);
  if (transfer) {
    n.participant_context = transfer->key.owner.id();
    n.counterparty = transfer->dataplane_id;
    n.contract_id = transfer->contract_id;
  }
  note(std::move(n));
  return out;
}

/// The status message of a callback; a body may be left out where nothing is needed of it.
std::expected<dps::status_message, fault> read_callback(const request& r, flow_signal signal) {
  if (r.body.empty() && signal == flow_signal::completed)
    return dps::status_message{};
  const auto body = json::parse(r.body);
  if (!body)
    return std::unexpected(
        fault{"malformed", "The body is not acceptable JSON: " + body.error().detail, cure::fix_input});
  return dps::read_status(*body);
}

task<response> report(cell_services& s, request_ptr r, const known_transfer& transfer, flow_signal signal) {
  auto message = read_callback(*r, signal);
  if (!message)
    co_return refusal(400, "bad_message", message.error().detail);
  transfer_process::flow_report c;
  c.dataplane_id = transfer.dataplane_id;
  c.signal = signal;
  if (signal == flow_signal::errored)
    c.text = message->error.empty() ? "The data plane reported an error without saying which." : message->error;
  if (message->data_address) {
    auto sealing = actors::in_pool(s.pool, s.edge, transfer.key.owner,
                                   [&s, owner = transfer.key.owner, address = message->data_address] {
                                     return seal_address(s.vault, owner, address);
                                   });
    auto sealed = co_await std::move(sealing);
    if (!sealed || !*sealed)
      co_return busy();
    c.sealed_address = std::move(**sealed);
  }
  const auto shard = management::shard_of_id(s, transfer.key.id);
  invariant(shard.has_value(), "only an id of ours was looked up");
  transfer_process::command command = std::move(c);
  auto asking =
      actors::ask<transfer_process>(s.runtime, s.edge, transfer.key, *shard, std::move(command), s.command_timeout_ms);
  const auto reply = co_await std::move(asking);
  if (!reply && reply.error().code != actors::ask_errc::refused)
    co_return planes::api::from_ask(reply.error(), "TransferProcess", transfer.key.id);
  if (!reply && reply.error().why.code == name_of(transfer_errc::not_found))
    co_return unknown_transfer();
  if (!reply)
    co_return refusal(409, "illegal_transition", reply.error().why.detail);
  co_return gateway::json_response(200, "");
}

task<response> receive_callback(cell_services& s, request_ptr r, flow_signal signal) {
  auto entering = enter(s, r);
  const auto transfer = co_await std::move(entering);
  const std::string what(dps::name_of(signal));
  if (!transfer)
    co_return noted(transfer.error(), *r, what, nullptr);
  auto reporting = report(s, r, *transfer, signal);
  auto out = co_await std::move(reporting);
  co_return noted(std::move(out), *r, what, &*transfer);
}

task<response> read_agreement(cell_services& s, request_ptr r) {
  auto entering = enter(s, r);
  const auto transfer = co_await std::move(entering);
  if (!transfer)
    co_return noted(transfer.error(), *r, "agreement", nullptr);
  const persistence::entity_key key{transfer->key.owner, cells::kinds::contract_agreement, transfer->contract_id};
  auto reading = actors::in_pool(s.pool, s.edge, key.owner, [&s, key] { return s.documents.get(key); });
  const auto row = co_await std::move(reading);
  if (!row || !*row)
    co_return noted(busy(), *r, "agreement", &*transfer);
  const auto document = **row ? document_body(***row) : json::object{};
  const auto* policy = json::object_at(document, "policy");
  if (!policy)
    co_return noted(refusal(404, "not_found", "There is no agreement of this transfer."), *r, "agreement", &*transfer);
  json::object body;
  body["@context"] = json::array{dsp::context_url};
  body["@type"] = "Agreement";
  for (const auto& [name, value] : *policy)
    if (!body.contains(name))
      body.emplace(name, value);
  co_return noted(gateway::json_response(200, json::write(body)), *r, "agreement", &*transfer);
}

} // namespace

} // namespace fondaco::control_plane

namespace fondaco::cells {

void add_control_plane_signaling_routes(gateway::router& to, cell_services& s) {
  using dps::flow_signal;
  using request_ptr = std::shared_ptr<const gateway::request>;
  const std::string base = "/api/signaling/transfers/{id}/";
  for (const auto signal : {flow_signal::prepared, flow_signal::started, flow_signal::completed, flow_signal::errored})
    to.add("POST", base + "dataflow/" + std::string(dps::name_of(signal)),
           [&s, signal](request_ptr r) { return control_plane::receive_callback(s, std::move(r), signal); });
  to.add("GET", base + "agreement", [&s](request_ptr r) { return control_plane::read_agreement(s, std::move(r)); });
}

} // namespace fondaco::cells

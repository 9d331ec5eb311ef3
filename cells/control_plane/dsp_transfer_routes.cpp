#include <optional>
#include <utility>

#include "cells/control_plane/dsp_process_routes.hpp"
#include "cells/control_plane/dsp_routes.hpp"
#include "cells/control_plane/first_contacts.hpp"
#include "cells/control_plane/management/edge.hpp"
#include "cells/control_plane/transfer_process.hpp"
#include "cells/control_plane/transfer_request.hpp"

namespace fondaco::control_plane {

namespace {

using cells::cell_services;
using dsp::transfer_message;
using gateway::response;
using gateway::task;

constexpr auto part = dsp_part::transfer;

using outcome = dsp_outcome;

persistence::entity_key key_of(const tenant& owner, std::string id) {
  return {owner, std::string(transfer_process::kind), std::move(id)};
}

task<std::expected<transfer_process::reply, actors::ask_error>>
ask_transfer(cell_services& s, persistence::entity_key key, shard_number shard, transfer_process::command command) {
  auto asking =
      actors::ask<transfer_process>(s.runtime, s.edge, std::move(key), shard, std::move(command), s.command_timeout_ms);
  co_return co_await std::move(asking);
}

/// What the store and the vault say of a first request; nothing if one of them does not answer.
struct first_look {
  first_contacts::verdict room = first_contacts::verdict::unavailable;
  std::optional<transfer_look> agreement;
  std::string sealed_address;
};

first_look look_at_request(cell_services& s, first_contacts& contacts, const persistence::entity_key& key,
                           const dsp_caller& caller, const dsp::transfer_envelope& m) {
  first_look out;
  out.room = contacts.admit(s, key, caller.peer.id);
  if (out.room != first_contacts::verdict::admitted)
    return out;
  auto agreement = look_at_agreement(s, key.owner, caller.peer, caller.profile, m.agreement_id, m.format);
  auto sealed = seal_address(s.vault, key.owner, m.address);
  if (!agreement || !sealed) {
    out.room = first_contacts::verdict::unavailable;
    return out;
  }
  out.agreement = std::move(*agreement);
  out.sealed_address = std::move(*sealed);
  return out;
}

transfer_process::receive_request first_command(const cell_services& s, const dsp_caller& caller,
                                                dsp::transfer_envelope m, const std::string& id,
                                                const first_look& look) {
  transfer_process::receive_request c;
  auto& t = c.terms;
  t.self = dsp::role::provider;
  t.id = id;
  t.counterparty_id = caller.peer.id;
  t.callback_address = cells::dsp_base(s.settings, caller.self.owner, caller.profile);
  t.participant_id = caller.self.identity;
  t.profile = caller.profile;
  t.asset_id = look.agreement->asset_id;
  t.plane = look.agreement->plane;
  t.signaling_address = s.settings.signaling_url + "/api/signaling";
  t.claims = caller.peer.attributes;
  t.metadata = look.agreement->metadata;
  t.labels = look.agreement->labels;
  t.settings = management::settings_of(s, caller.self);
  c.allowed = look.agreement->allowed;
  c.reasons = look.agreement->reasons;
  c.sealed_address = look.sealed_address;
  // From here on the address is known in its sealed form only.
  m.address.reset();
  c.envelope = std::move(m);
  return c;
}

/// What first requests share: bounds, and where the refused ones are kept.
struct first_requests {
  std::shared_ptr<first_contacts> contacts;
  std::shared_ptr<refused_requests> refusals;
};

task<outcome> receive_request(cell_services& s, first_requests shared, request_ptr r, const dsp_caller& caller) {
  auto body = read_dsp_body(*r, part);
  if (!body)
    co_return outcome{std::move(body.error()), ""};
  const auto pids = pids_of(*body);
  const auto m = dsp::read_transfer(*body, transfer_message::request);
  if (!m)
    co_return outcome{dsp_error(part, 400, m.error().detail, pids), ""};
  const auto& owner = caller.self.owner;
  const auto shard = s.runtime.shard_for(owner);
  const auto id = derive_uuid(shard, {owner.id(), caller.profile, caller.peer.id, m->consumer_pid, "transfer"}).text();
  const auto key = key_of(owner, id);
  auto looking = actors::in_pool(s.pool, s.edge, key.owner, [&s, contacts = shared.contacts, key, caller, m = *m] {
    return look_at_request(s, *contacts, key, caller, m);
  });
  const auto look = co_await std::move(looking);
  if (!look || look->room == first_contacts::verdict::unavailable)
    co_return outcome{dsp_unavailable(part, pids), ""};
  if (look->room == first_contacts::verdict::too_many)
    co_return outcome{dsp_error(part, 429, "Too many of your transfers are open here; end some first.", pids), ""};
  if (!look->agreement->known)
    co_return outcome{
        dsp_error(part, 404, "The agreement is not one that you have with this participant, or not valid.", pids), ""};
  auto first = first_command(s, caller, *m, id, *look);
  first.terms.traceparent = r->traceparent;
  transfer_process::command command = std::move(first);
  auto asking = ask_transfer(s, key, shard, std::move(command));
  const auto reply = co_await std::move(asking);
  if (!reply && reply.error().why.code == name_of(transfer_errc::agreement_refused)) {
    auto keeping = keep_refusal(s, shared.refusals, r, caller, "TransferRequestMessage", look->agreement->reasons);
    co_await std::move(keeping);
    co_return outcome{dsp_error(part, 409, look->agreement->reasons, pids), ""};
  }
  if (!reply)
    co_return outcome{dsp_refusal(part, reply.error(), pids), ""};
  const auto view = json::write(dsp::write_transfer_process(reply->view));
  co_return outcome{gateway::json_response(reply->created ? 201 : 200, view), id};
}

task<outcome> receive_update(cell_services& s, request_ptr r, const dsp_caller& caller, transfer_message type) {
  const auto id = path_param(*r, "pid");
  auto body = read_dsp_body(*r, part);
  if (!body)
    co_return outcome{std::move(body.error()), id};
  const auto pids = pids_of(*body);
  auto m = dsp::read_transfer(*body, type);
  if (!m)
    co_return outcome{dsp_error(part, 400, m.error().detail, pids), id};
  if (id != m->consumer_pid && id != m->provider_pid)
    co_return outcome{dsp_error(part, 400, "The process id of the path is not one of the message's.", pids), id};
  const auto shard = management::shard_of_id(s, id);
  if (!shard)
    co_return outcome{dsp_error(part, 404, "There is no such transfer.", pids), id};
  transfer_process::receive_message c;
  c.counterparty_id = caller.peer.id;
  if (m->address) {
    auto sealing =
        actors::in_pool(s.pool, s.edge, caller.self.owner, [&s, owner = caller.self.owner, address = m->address] {
          return seal_address(s.vault, owner, address);
        });
    auto sealed = co_await std::move(sealing);
    if (!sealed || !*sealed)
      co_return outcome{dsp_unavailable(part, pids), id};
    c.sealed_address = std::move(**sealed);
    m->address.reset();
  }
  c.envelope = std::move(*m);
  transfer_process::command command = std::move(c);
  auto asking = ask_transfer(s, key_of(caller.self.owner, id), *shard, std::move(command));
  const auto reply = co_await std::move(asking);
  if (!reply)
    co_return outcome{dsp_refusal(part, reply.error(), pids), id};
  co_return outcome{dsp_done(), id};
}

} // namespace

void add_transfer_routes(gateway::router& to, cell_services& s, std::shared_ptr<refused_requests> refusals) {
  const std::string base = "/api/dsp/{pc}/{profile}/transfers/";
  const auto add = [&](const char* method, const std::string& path, std::string message, dsp_step how) {
    to.add(method, base + path, [&s, how, message, refusals](request_ptr r) {
      return serve_dsp(s, std::move(r), part, how, message, refusals);
    });
  };
  const first_requests shared{std::make_shared<first_contacts>(), refusals};
  add("POST", "request", "TransferRequestMessage",
      [&s, shared](request_ptr r, const dsp_caller& c) { return receive_request(s, shared, std::move(r), c); });
  add("GET", "{pid}", "the state of a transfer", [&s](request_ptr r, const dsp_caller& c) {
    return read_process_state(s, std::move(r), c, part, transfer_process::kind);
  });
  for (const auto type : {transfer_message::start, transfer_message::suspension, transfer_message::completion,
                          transfer_message::termination}) {
    // The path's last segment is the message's name without its frame: TransferStartMessage is `start`.
    static constexpr std::string_view verbs[] = {"request", "start", "suspension", "completion", "termination"};
    add("POST", "{pid}/" + std::string(verbs[static_cast<size_t>(type)]), std::string(dsp::name_of(type)),
        [&s, type](request_ptr r, const dsp_caller& c) { return receive_update(s, std::move(r), c, type); });
  }
}

} // namespace fondaco::control_plane

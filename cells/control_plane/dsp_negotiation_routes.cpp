#include <optional>
#include <utility>

#include "actors/ports/log.hpp"
#include "cells/control_plane/dsp_process_routes.hpp"
#include "cells/control_plane/dsp_routes.hpp"
#include "cells/control_plane/first_contacts.hpp"
#include "cells/control_plane/management/edge.hpp"
#include "cells/control_plane/negotiation.hpp"
#include "cells/control_plane/offers.hpp"

namespace fondaco::control_plane {

namespace {

using cells::cell_services;
using dsp::negotiation_message;
using gateway::response;
using gateway::task;

constexpr auto part = dsp_part::negotiation;

using outcome = dsp_outcome;

persistence::entity_key key_of(const tenant& owner, std::string id) {
  return {owner, std::string(negotiation::kind), std::move(id)};
}

task<std::expected<negotiation::reply, actors::ask_error>>
ask_negotiation(cell_services& s, persistence::entity_key key, shard_number shard, negotiation::command command) {
  auto asking =
      actors::ask<negotiation>(s.runtime, s.edge, std::move(key), shard, std::move(command), s.command_timeout_ms);
  co_return co_await std::move(asking);
}

/// A refused first contact leaves no process behind: the audit log says who asked for what, and why not.
void note_refusal(const gateway::request& r, const dsp_caller& caller, const json::object& offer,
                  const std::vector<std::string>& reasons) {
  std::string why;
  for (const auto& reason : reasons)
    why += (why.empty() ? "" : " ") + reason;
  write_log({severity::warning,
             "control_plane",
             log_category::audit,
             "a contract offer was refused",
             {{"participant_context", caller.self.owner.id()},
              {"profile", caller.profile},
              {"counterparty", caller.peer.id},
              {"offer_id", std::string(json::string_at(offer, "@id").value_or(""))},
              {"reason", why},
              {"correlation_id", r.correlation_id}}});
}

/// The answer to a request whose offer was refused.
response refuse_offer(const gateway::request& r, const dsp_caller& caller, const resolved_offer& offer,
                      const json::object& asked, const process_pids& pids) {
  note_refusal(r, caller, asked, offer.verdict.reasons);
  return dsp_error(part, offer.known ? 400 : 404, offer.verdict.reasons, pids);
}

using resolution = std::expected<resolved_offer, persistence::query_error>;

/// What the store says of a first request.
struct first_look {
  first_contacts::verdict room = first_contacts::verdict::unavailable;
  resolution offer;
};

first_look look_at_request(cell_services& s, first_contacts& contacts, const persistence::entity_key& key,
                           const dsp_caller& caller, const json::object& offer) {
  first_look out;
  out.room = contacts.admit(s, key, caller.peer.id);
  if (out.room == first_contacts::verdict::admitted)
    out.offer = resolve_offer(s, key.owner, caller.peer, offer);
  return out;
}

negotiation::receive_initial first_command(const cell_services& s, const dsp_caller& caller,
                                           const dsp::negotiation_envelope& m, const std::string& id,
                                           const resolved_offer& offer) {
  negotiation::receive_initial c;
  c.id = id;
  c.envelope = m;
  c.counterparty_id = caller.peer.id;
  c.participant_id = caller.self.identity;
  c.callback_address = cells::dsp_base(s.settings, caller.self.owner, caller.profile);
  c.profile = caller.profile;
  c.verdict = offer.verdict;
  c.claims = caller.peer.attributes;
  c.settings = management::settings_of(s, caller.self);
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
  auto pids = pids_of(*body);
  const auto m = dsp::read_negotiation(*body, negotiation_message::request);
  if (!m)
    co_return outcome{dsp_error(part, 400, m.error().detail, pids), ""};
  if (!m->provider_pid.empty())
    co_return outcome{dsp_error(part, 400, "providerPid: a first request names a callbackAddress instead.", pids), ""};
  const auto& owner = caller.self.owner;
  const auto shard = s.runtime.shard_for(owner);
  const auto id = derive_uuid(shard, {owner.id(), caller.profile, caller.peer.id, m->consumer_pid}).text();
  const auto key = key_of(owner, id);
  auto looking =
      actors::in_pool(s.pool, s.edge, key.owner, [&s, contacts = shared.contacts, key, caller, offer = m->policy] {
        return look_at_request(s, *contacts, key, caller, offer);
      });
  const auto look = co_await std::move(looking);
  if (!look || look->room == first_contacts::verdict::unavailable || !look->offer)
    co_return outcome{dsp_unavailable(part, pids), ""};
  if (look->room == first_contacts::verdict::too_many)
    co_return outcome{dsp_error(part, 429, "Too many of your negotiations are open here; end some first.", pids), ""};
  auto first = first_command(s, caller, *m, id, *look->offer);
  first.traceparent = r->traceparent;
  negotiation::command command = std::move(first);
  auto asking = ask_negotiation(s, key, shard, std::move(command));
  const auto reply = co_await std::move(asking);
  if (!reply && reply.error().why.code == name_of(negotiation_errc::offer_refused)) {
    const auto& offer = *look->offer;
    if (offer.known) {
      auto keeping = keep_refusal(s, shared.refusals, r, caller, "ContractRequestMessage", offer.verdict.reasons);
      co_await std::move(keeping);
    }
    co_return outcome{refuse_offer(*r, caller, offer, m->policy, pids), ""};
  }
  if (!reply)
    co_return outcome{dsp_refusal(part, reply.error(), pids), ""};
  const auto view = json::write(dsp::write_negotiation_process(reply->view));
  co_return outcome{gateway::json_response(reply->created ? 201 : 200, view), id};
}

/// Reads a message that goes on with a negotiation; an event may be either.
std::expected<dsp::negotiation_envelope, fault> read_update(const json::value& body, negotiation_message type) {
  if (type == negotiation_message::accepted)
    return dsp::read_negotiation_event(body);
  return dsp::read_negotiation(body, type);
}

task<outcome> receive_update(cell_services& s, request_ptr r, const dsp_caller& caller, negotiation_message type) {
  const auto id = path_param(*r, "pid");
  auto body = read_dsp_body(*r, part);
  if (!body)
    co_return outcome{std::move(body.error()), id};
  const auto pids = pids_of(*body);
  const auto m = read_update(*body, type);
  if (!m)
    co_return outcome{dsp_error(part, 400, m.error().detail, pids), id};
  if (id != m->consumer_pid && id != m->provider_pid)
    co_return outcome{dsp_error(part, 400, "The process id of the path is not one of the message's.", pids), id};
  const auto shard = management::shard_of_id(s, id);
  if (!shard)
    co_return outcome{dsp_error(part, 404, "There is no such negotiation.", pids), id};
  negotiation::receive_message c;
  c.envelope = *m;
  c.counterparty_id = caller.peer.id;
  c.claims = caller.peer.attributes;
  resolved_offer offer;
  if (type == negotiation_message::request) {
    auto resolving = actors::in_pool(s.pool, s.edge, [&s, caller, wanted = m->policy] {
      return resolve_offer(s, caller.self.owner, caller.peer, wanted);
    });
    auto resolved = co_await std::move(resolving);
    if (!resolved || !*resolved)
      co_return outcome{dsp_unavailable(part, pids), id};
    offer = std::move(**resolved);
    c.verdict = offer.verdict;
  }
  negotiation::command command = std::move(c);
  auto asking = ask_negotiation(s, key_of(caller.self.owner, id), *shard, std::move(command));
  const auto reply = co_await std::move(asking);
  if (reply)
    co_return outcome{dsp_done(), id};
  if (reply.error().why.code == name_of(negotiation_errc::offer_refused))
    co_return outcome{refuse_offer(*r, caller, offer, m->policy, pids), id};
  co_return outcome{dsp_refusal(part, reply.error(), pids), id};
}

/// A provider that makes the first offer: not taken yet.
task<outcome> refuse_first_offer(cell_services&, request_ptr r, const dsp_caller&) {
  const auto body = json::parse(r->body);
  const auto pids = body ? pids_of(*body) : process_pids{};
  co_return outcome{dsp_error(part, 400, "Provider-initiated negotiations are not supported.", pids), ""};
}

} // namespace

void add_negotiation_routes(gateway::router& to, cell_services& s, std::shared_ptr<refused_requests> refusals) {
  const std::string base = "/api/dsp/{pc}/{profile}/negotiations/";
  const auto add = [&](const char* method, const std::string& path, std::string message, dsp_step how) {
    to.add(method, base + path, [&s, how, message, refusals](request_ptr r) {
      return serve_dsp(s, std::move(r), part, how, message, refusals);
    });
  };
  const first_requests shared{std::make_shared<first_contacts>(), refusals};
  add("POST", "request", "ContractRequestMessage",
      [&s, shared](request_ptr r, const dsp_caller& c) { return receive_request(s, shared, std::move(r), c); });
  add("POST", "offers", "ContractOfferMessage",
      [&s](request_ptr r, const dsp_caller& c) { return refuse_first_offer(s, std::move(r), c); });
  add("GET", "{pid}", "the state of a negotiation", [&s](request_ptr r, const dsp_caller& c) {
    return read_process_state(s, std::move(r), c, part, negotiation::kind);
  });
  const auto update = [&](const std::string& path, negotiation_message type) {
    add("POST", "{pid}/" + path, std::string(dsp::name_of(type)),
        [&s, type](request_ptr r, const dsp_caller& c) { return receive_update(s, std::move(r), c, type); });
  };
  update("request", negotiation_message::request);
  update("offers", negotiation_message::offer);
  update("agreement", negotiation_message::agreement);
  update("agreement/verification", negotiation_message::verification);
  update("events", negotiation_message::accepted);
  update("termination", negotiation_message::termination);
}

} // namespace fondaco::control_plane

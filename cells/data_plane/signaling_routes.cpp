#include <utility>

#include "actors/ports/log.hpp"
#include "cells/data_plane/data_flow.hpp"
#include "cells/data_plane/disposal.hpp"
#include "cells/data_plane/pull_gate.hpp"
#include "cells/data_plane/routes.hpp"
#include "gateway/api_client.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/errors.hpp"
#include "protocols/base/hash.hpp"
#include "protocols/dps/messages.hpp"

namespace fondaco::data_plane {

namespace {

using cells::cell_services;
using gateway::request;
using gateway::response;
using gateway::task;

response refusal(int status, const std::string& code, const std::string& detail) {
  return planes::api::error_response(status, {{detail, code, "", nullptr}});
}

response from_ask(const actors::ask_error& e) {
  if (e.code != actors::ask_errc::refused)
    return planes::api::from_ask(e, "DataFlow", "");
  int status = e.why.code == "not_found" ? 404 : e.why.code == "bad_message" ? 400 : 409;
  return refusal(status, e.why.code, e.why.detail);
}

void note(const request& r, const tenant& owner, const std::string& flow, std::string_view signal, int status) {
  write_log({severity::info,
             "data_plane",
             log_category::dps,
             "a signal was answered",
             {{"participant_context", owner.id()},
              {"entity_id", flow},
              {"signal", std::string(signal)},
              {"status", std::to_string(status)},
              {"correlation_id", r.correlation_id}}});
}

// A flow is placed by its own id where that carries a shard, else by its tenant.
shard_number shard_of_flow(cell_services& s, const tenant& owner, const std::string& id) {
  auto parsed = parse_uuid(id);
  bool ours = parsed && (parsed->version() == 7 || parsed->version() == 8) && parsed->shard() < s.runtime.shards();
  return ours ? parsed->shard() : s.runtime.shard_for(owner);
}

// What the entity keeps of a token and an address: their digest and what the vault sealed.
struct sealed_parts {
  bool ok = false;
  std::string token_digest;
  std::string address;
  std::string source;
};

dsp::data_address address_of(const cell_services& s, const std::string& profile, const std::string& flow,
                             const std::string& token) {
  dsp::data_address a;
  a.endpoint_type = profile.starts_with("http") ? profile : "https://w3id.org/idsa/v4.1/HTTP";
  a.endpoint = s.settings.public_url + "/api/public/" + flow;
  a.properties = {{"authorization", token}, {"authType", "bearer"}};
  return a;
}

// A fresh token in the address that a consumer gets, and the source. Blocks: for the reader pool.
sealed_parts seal(cell_services& s, const tenant& owner, const std::string& profile, const std::string& flow,
                  const json::value& source) {
  sealed_parts out;
  auto token = gateway::fresh_secret(s.random);
  auto address = s.vault.seal(owner, json::write(dsp::write_data_address(address_of(s, profile, flow, token))));
  auto sealed = s.vault.seal(owner, json::write(source));
  out.ok = address.has_value() && sealed.has_value();
  if (out.ok) {
    out.token_digest = hex(sha256(token));
    out.address = std::move(*address);
    out.source = std::move(*sealed);
  }
  return out;
}

std::optional<std::string> seal_address(cell_services& s, const tenant& owner, const dsp::data_address& a) {
  auto sealed = s.vault.seal(owner, json::write(dsp::write_data_address(a)));
  return sealed ? std::optional(std::move(*sealed)) : std::nullopt;
}

using flow_reply = std::expected<data_flow::reply, actors::ask_error>;

// The status message that answers a call, with the address where the reply has one.
task<response> answer(cell_services& s, tenant owner, data_flow::reply reply) {
  dps::status_message m;
  m.message_id = s.runtime.fresh_id(owner).text();
  m.data_flow_id = reply.flow_id;
  m.state = reply.at;
  if (!reply.sealed_address.empty()) {
    auto opening = actors::in_pool(s.pool, s.edge, owner,
                                   [&s, owner, sealed = reply.sealed_address] { return s.vault.open(owner, sealed); });
    auto text = co_await std::move(opening);
    auto parsed = text && *text ? json::parse(**text) : json::parse("null");
    auto address = parsed ? dsp::read_data_address(*parsed) : std::unexpected(fault{});
    if (!address)
      co_return refusal(503, "unavailable", "The address cannot be read now; ask again.");
    m.data_address = std::move(*address);
  }
  co_return gateway::json_response(200, json::write(dps::write_status(m)));
}

task<response> tell(cell_services& s, std::shared_ptr<const request> r, tenant owner, std::string flow,
                    dps::flow_signal signal, data_flow::command command) {
  persistence::entity_key key{owner, std::string(data_flow::kind), flow};
  auto shard = shard_of_flow(s, owner, flow);
  auto asking =
      actors::ask<data_flow>(s.runtime, s.edge, std::move(key), shard, std::move(command), s.command_timeout_ms);
  flow_reply reply = co_await std::move(asking);
  response out = gateway::json_response(200, "");
  if (!reply) {
    out = from_ask(reply.error());
  } else {
    if (reply->at != dps::flow_state::started)
      process_pull_gate().end(owner, flow);
    out = co_await answer(s, owner, std::move(*reply));
  }
  note(*r, owner, flow, dps::name_of(signal), out.status);
  co_return out;
}

flow_terms terms_of(const cell_services& s, dps::data_flow_request& m, dsp::role side) {
  flow_terms t;
  t.id = m.data_flow_id;
  t.side = side;
  t.participant_id = m.participant_id;
  t.counter_party_id = m.counter_party_id;
  t.dataspace_context = m.dataspace_context;
  t.agreement_id = m.agreement_id;
  t.dataset_id = m.dataset_id;
  t.profile = m.profile;
  t.claims = std::move(m.claims);
  t.metadata = std::move(m.metadata);
  t.metadata.erase("dataAddress"); // kept sealed, apart from the rest
  t.callback_address = m.callback_address.empty() ? s.settings.signaling_url + "/api/signaling" : m.callback_address;
  t.settings.send_window_ms = s.settings.send_window_ms;
  return t;
}

task<response> open_flow(cell_services& s, std::shared_ptr<const request> r, dsp::role side) {
  tenant owner(r->params.find("pc")->second);
  auto signal = side == dsp::role::provider ? dps::flow_signal::start : dps::flow_signal::prepare;
  auto body = planes::api::read_plain_body(*r);
  if (!body)
    co_return std::move(body.error());
  auto message = dps::read_data_flow_request(json::value(std::move(*body)));
  if (!message)
    co_return refusal(400, message.error().code, message.error().detail);
  if (!dps::is_pull(message->profile))
    co_return refusal(400, "unsupported_profile", "This data plane serves pull profiles only.");
  const auto* given = message->metadata.if_contains("dataAddress");
  if (side == dsp::role::provider && !given)
    co_return refusal(400, "missing_source", "metadata.dataAddress must say where the data is.");
  data_flow::open o;
  o.signal = signal;
  o.message_id = message->message_id;
  o.has_address = message->data_address.has_value();
  if (side == dsp::role::provider) {
    auto sealing = actors::in_pool(s.pool, s.edge, owner,
                                   [&s, owner, profile = message->profile, flow = message->data_flow_id,
                                    source = *given] { return seal(s, owner, profile, flow, source); });
    auto sealed = co_await std::move(sealing);
    if (!sealed || !sealed->ok)
      co_return refusal(503, "unavailable", "The vault does not answer; ask again.");
    o.token_digest = std::move(sealed->token_digest);
    o.sealed_address = std::move(sealed->address);
    o.sealed_source = std::move(sealed->source);
  }
  o.terms = terms_of(s, *message, side);
  o.terms.traceparent = r->traceparent;
  auto flow = message->data_flow_id;
  data_flow::command command = std::move(o);
  auto telling = tell(s, std::move(r), std::move(owner), std::move(flow), signal, std::move(command));
  co_return co_await std::move(telling);
}

struct parsed_signal {
  std::string message_id;
  std::string reason;
  std::optional<dsp::data_address> address;
};

std::expected<parsed_signal, fault> read_signal(const request& r, dps::flow_signal what) {
  parsed_signal out;
  if (r.body.empty() || what == dps::flow_signal::completed)
    return out;
  auto body = json::parse(r.body);
  if (!body)
    return std::unexpected(
        fault{"malformed", "The body is not acceptable JSON: " + body.error().detail, cure::fix_input});
  if (what == dps::flow_signal::resume || what == dps::flow_signal::started) {
    auto m = dps::read_address_message(*body);
    if (!m)
      return std::unexpected(m.error());
    out.message_id = std::move(m->message_id);
    out.address = std::move(m->data_address);
    return out;
  }
  auto m = dps::read_stop(*body);
  if (!m)
    return std::unexpected(m.error());
  out.message_id = std::move(m->message_id);
  out.reason = std::move(m->reason);
  return out;
}

// What a resume or a started notification brings: the address of the message, or a fresh one of ours. Blocks: for the
// reader pool.
bool add_access(cell_services& s, const tenant& owner, const std::string& flow, const parsed_signal& parsed,
                data_flow::signal& g) {
  if (parsed.address) {
    auto sealed = seal_address(s, owner, *parsed.address);
    g.sealed_address = sealed.value_or("");
    return sealed.has_value();
  }
  auto row = s.journal.read_row({owner, std::string(data_flow::kind), flow});
  auto view = row && *row ? json::parse((*row)->view) : json::parse("{}");
  if (!row || !view || !view->is_object())
    return false;
  auto profile = json::string_at(view->get_object(), "profile").value_or("");
  auto sealed = seal(s, owner, std::string(profile), flow, json::value());
  g.token_digest = sealed.token_digest;
  g.sealed_address = sealed.address;
  return sealed.ok;
}

task<response> signal_flow(cell_services& s, std::shared_ptr<const request> r, dps::flow_signal what) {
  tenant owner(r->params.find("pc")->second);
  auto flow = r->params.find("id")->second;
  auto parsed = read_signal(*r, what);
  if (!parsed)
    co_return refusal(400, parsed.error().code, parsed.error().detail);
  auto g = std::make_shared<data_flow::signal>();
  g->type = what;
  g->message_id = parsed->message_id;
  g->reason = parsed->reason;
  g->has_address = parsed->address.has_value();
  if (what == dps::flow_signal::resume || (what == dps::flow_signal::started && parsed->address)) {
    auto sealing = actors::in_pool(s.pool, s.edge, owner,
                                   [&s, owner, flow, p = *parsed, g] { return add_access(s, owner, flow, p, *g); });
    auto sealed = co_await std::move(sealing);
    if (!sealed || !*sealed)
      co_return refusal(503, "unavailable", "The vault does not answer; ask again.");
  }
  data_flow::command command = std::move(*g);
  auto telling = tell(s, std::move(r), std::move(owner), std::move(flow), what, std::move(command));
  co_return co_await std::move(telling);
}

task<response> flow_status(cell_services& s, std::shared_ptr<const request> r) {
  tenant owner(r->params.find("pc")->second);
  auto flow = r->params.find("id")->second;
  persistence::entity_key key{owner, std::string(data_flow::kind), flow};
  auto reading = actors::in_pool(s.pool, s.edge, key.owner, [&s, key] { return s.journal.read_row(key); });
  auto row = co_await std::move(reading);
  if (!row || !*row)
    co_return refusal(503, "unavailable", "The store does not answer; ask again.");
  if (!**row)
    co_return refusal(404, "not_found", "There is no such data flow.");
  dps::status_response m;
  m.data_flow_id = flow;
  m.state = dps::parse_flow_state((**row)->status).value_or(dps::flow_state::initialized);
  co_return gateway::json_response(200, json::write(dps::write_status_response(m)));
}

task<response> remove_flows(cell_services& s, std::shared_ptr<const request> r) {
  tenant owner(r->params.find("pc")->second);
  auto removing = remove_participant(s, owner, "The participant context is being removed.");
  auto removed = co_await std::move(removing);
  if (!removed)
    co_return std::move(removed.error());
  if (!*removed)
    co_return refusal(404, "not_found", "This data plane has no data flows of the participant context.");
  write_log({severity::info,
             "data_plane",
             log_category::audit,
             "a participant's data flows were removed",
             {{"participant_context", owner.id()}, {"correlation_id", r->correlation_id}}});
  co_return planes::api::no_content();
}

using route = std::function<task<response>(std::shared_ptr<const request>)>;

task<response> guarded(cell_services& s, std::shared_ptr<const request> r, route inner) {
  // Behind a proxy on this machine everybody seems to be here, so a forwarded request needs a token too.
  bool forwarded = gateway::header(*r, "forwarded") || gateway::header(*r, "x-forwarded-for");
  if (gateway::header(*r, "authorization")) {
    std::string scope = "data-plane:write";
    std::optional<tenant> owner(tenant(r->params.find("pc")->second));
    auto admitted = co_await gateway::admit(s.tokens, r, std::move(scope), std::move(owner));
    if (!admitted)
      co_return gateway::to_response(admitted.error());
  } else if (forwarded || !gateway::is_loopback(r->remote)) {
    co_return gateway::to_response(gateway::unauthenticated("Missing Authorization header"));
  }
  co_return co_await inner(std::move(r));
}

void add_guarded(gateway::router& to, cell_services& s, const char* method, std::string pattern, route inner) {
  to.add(method, std::move(pattern),
         [&s, inner](std::shared_ptr<const request> r) { return guarded(s, std::move(r), inner); });
}

} // namespace

} // namespace fondaco::data_plane

namespace fondaco::cells {

void add_data_plane_signaling_routes(gateway::router& to, cell_services& s) {
  using data_plane::add_guarded;
  using data_plane::open_flow;
  using data_plane::signal_flow;
  using request_ptr = std::shared_ptr<const gateway::request>;
  const std::string base = "/api/dataplane/{pc}/dataflows/";
  add_guarded(to, s, "POST", base + "prepare",
              [&s](request_ptr r) { return open_flow(s, std::move(r), dsp::role::consumer); });
  add_guarded(to, s, "POST", base + "start",
              [&s](request_ptr r) { return open_flow(s, std::move(r), dsp::role::provider); });
  for (auto what : {dps::flow_signal::started, dps::flow_signal::suspend, dps::flow_signal::resume,
                    dps::flow_signal::completed, dps::flow_signal::terminate})
    add_guarded(to, s, "POST", base + "{id}/" + std::string(dps::name_of(what)),
                [&s, what](request_ptr r) { return signal_flow(s, std::move(r), what); });
  add_guarded(to, s, "DELETE", "/api/dataplane/{pc}",
              [&s](request_ptr r) { return data_plane::remove_flows(s, std::move(r)); });
  add_guarded(to, s, "GET", base + "{id}/status",
              [&s](request_ptr r) { return data_plane::flow_status(s, std::move(r)); });
}

} // namespace fondaco::cells

#include <charconv>
#include <utility>

#include "cells/control_plane/management/resource.hpp"
#include "cells/control_plane/negotiation.hpp"
#include "cells/control_plane/refused_requests.hpp"
#include "cells/control_plane/running_work.hpp"
#include "cells/control_plane/signaling_client.hpp"
#include "cells/control_plane/transfer_process.hpp"
#include "cells/data_plane/data_flow.hpp"
#include "cells/participants/disposal.hpp"
#include "cells/participants/vpa.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/body_check.hpp"
#include "planes/api/errors.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::control_plane::management {

namespace api = planes::api;
using participants::vpa;

namespace {

constexpr const char* type = "ParticipantContext";
constexpr const char* kind = cells::kinds::participant_context;
constexpr const char* list_path = "participants";
/// The id of the agent that a participant context has in this role.
constexpr const char* agent_id = "control-plane";

json::object show_context(const persistence::document& d) {
  const auto stored = stored_object(d.body);
  json::object out{{"@id", d.key.id}, {"@type", type}};
  for (const char* member : {"identity", "properties", "state"})
    if (const auto* v = stored.if_contains(member))
      out[member] = *v;
  return out;
}

result<json::object> read_context(const gateway::request& r) {
  auto body = api::read_body(r, {type});
  if (!body)
    return body;
  body_check check;
  auto id = check.text(*body, "@id", need::optional);
  auto identity = check.text(*body, "identity", need::required);
  const auto* properties = check.object(*body, "properties", need::optional);
  auto state = check.one_of(*body, "state", need::optional, {"CREATED", "ACTIVATED", "DEACTIVATED"});
  // A dot begins the node's own tenants; a slash or a blank would have to be escaped in every URL of the participant.
  if (id.starts_with('.') || id.find_first_of("/?# ") != std::string::npos)
    check.refuse("@id must not begin with '.' or hold '/', '?', '#' or blanks", "@id", json::value(id));
  if (identity.size() > fondaco::limits::id_bytes_max)
    check.refuse("identity has more than 512 bytes", "identity");
  if (check.failed())
    return std::unexpected(check.response());
  json::object out;
  if (!id.empty())
    out["@id"] = id;
  out["identity"] = identity;
  out["properties"] = properties ? *properties : json::object();
  if (!state.empty())
    out["state"] = state;
  return out;
}

/// Gives an order to the participant's agent.
task<result<bool>> tell_agent(cell_services& s, tenant owner, vpa::command command) {
  persistence::entity_key key{owner, std::string(vpa::kind), agent_id};
  auto asking = actors::ask<vpa>(s.runtime, s.edge, std::move(key), s.runtime.shard_for(owner), std::move(command),
                                 s.command_timeout_ms);
  auto reply = co_await std::move(asking);
  if (reply)
    co_return true;
  if (reply.error().code == actors::ask_errc::refused && reply.error().why.code == "disposed")
    co_return std::unexpected(
        api::conflict("The participant context " + owner.id() + " was removed; its id cannot be used again"));
  co_return std::unexpected(api::from_ask(reply.error(), type, owner.id()));
}

/// Brings the list into line with the participant context as it is now.
task<result<bool>> publish(cell_services& s, tenant owner) {
  persistence::entity_key key{owner, kind, owner.id()};
  auto reading = read_document(s, std::move(key));
  auto now = co_await std::move(reading);
  if (!now)
    co_return std::unexpected(std::move(now.error()));
  if (!*now) {
    auto removing = remove_record(s, cells::node_tenant, kind, owner.id(), type);
    auto removed = co_await std::move(removing);
    if (!removed && removed.error().status != 404)
      co_return std::unexpected(std::move(removed.error()));
    co_return true;
  }
  record_write w;
  w.kind = kind;
  w.id = owner.id();
  w.when = write_mode::upsert;
  w.body = (*now)->body;
  auto writing = write_record(s, cells::node_tenant, std::move(w), type);
  auto written = co_await std::move(writing);
  if (!written)
    co_return std::unexpected(std::move(written.error()));
  co_return true;
}

task<result<bool>> identity_is_free(cell_services& s, std::string identity, std::string id) {
  persistence::query_spec spec;
  spec.filter.push_back({"identity", "=", json::value(identity)});
  spec.filter.push_back({"id", "!=", json::value(id)});
  spec.limit = 1;
  auto reading = query_documents(s, cells::node_tenant, kind, std::move(spec));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(std::move(found.error()));
  if (!found->empty())
    co_return std::unexpected(api::conflict("Another participant context has the identity " + identity));
  co_return true;
}

task<response> create_context(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  auto body = read_context(*r);
  if (!body)
    co_return std::move(body.error());
  auto made = read_creation(s, *r, cells::node_tenant, list_path, json::string_at(*body, "@id").value_or(""));
  if (!made)
    co_return std::move(made.error());
  std::string identity(json::string_at(*body, "identity").value_or(""));
  auto looking = identity_is_free(s, std::move(identity), made->id);
  auto free = co_await std::move(looking);
  if (!free)
    co_return std::move(free.error());
  tenant owner(made->id);
  vpa::command deploy = vpa::create{agent_id, agent_id, made->request_id};
  auto telling = tell_agent(s, owner, std::move(deploy));
  auto told = co_await std::move(telling);
  if (!told)
    co_return std::move(told.error());
  body->erase("@id");
  if (!body->contains("state"))
    (*body)["state"] = "CREATED";
  record_write w;
  w.kind = kind;
  w.id = made->id;
  w.body = json::write(*body);
  w.request_id = made->request_id;
  w.request_digest = made->request_digest;
  w.names = key_claim(cells::node_tenant, list_path, *made);
  auto writing = write_record(s, owner, std::move(w), type);
  auto created_at = co_await std::move(writing);
  // The list is mended even after a conflict: the request that made the context may have ended before it got there.
  auto publishing = publish(s, owner);
  auto published = co_await std::move(publishing);
  if (!created_at)
    co_return std::move(created_at.error());
  if (!published)
    co_return std::move(published.error());
  note_change(*r, *who, "a participant context was created", made->id);
  co_return api::id_response(made->id, *created_at);
}

size_t number_of(const gateway::request& r, const char* name, size_t least, size_t otherwise, bool& wrong) {
  const auto text = gateway::query_value(r, name);
  if (!text)
    return otherwise;
  size_t n = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), n);
  wrong = wrong || error != std::errc{} || end != text->data() + text->size() || n < least;
  return n;
}

task<response> list_contexts(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  bool wrong = false;
  persistence::query_spec spec;
  spec.offset = number_of(*r, "offset", 0, 0, wrong);
  spec.limit = number_of(*r, "limit", 1, spec.limit, wrong);
  if (wrong)
    co_return api::invalid_request("offset must be a number of at least 0, limit one of at least 1");
  auto reading = query_documents(s, cells::node_tenant, kind, std::move(spec));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  std::vector<json::object> out;
  for (const auto& d : *found)
    out.push_back(show_context(d));
  co_return api::array_response(std::move(out));
}

task<response> get_context(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  auto id = path_value(*r, "id");
  persistence::entity_key key{tenant(id), kind, id};
  auto reading = need_document(s, std::move(key), type);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  co_return api::object_response(show_context(*found));
}

task<response> replace_context(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  auto id = path_value(*r, "id");
  tenant owner(id);
  persistence::entity_key key{owner, kind, id};
  auto need_key = key;
  auto looking = need_document(s, std::move(need_key), type);
  auto known = co_await std::move(looking);
  if (!known)
    co_return std::move(known.error());
  auto body = read_context(*r);
  if (!body)
    co_return std::move(body.error());
  if (const auto given = json::string_at(*body, "@id"); given && *given != id)
    co_return api::invalid_field("@id differs from the id in the path", "@id", json::value(*given));
  std::string identity(json::string_at(*body, "identity").value_or(""));
  auto asking = identity_is_free(s, std::move(identity), id);
  auto free = co_await std::move(asking);
  if (!free)
    co_return std::move(free.error());
  body->erase("@id");
  record_change change = [wanted = *body, id](json::object before) -> result<json::object> {
    if (before.empty())
      return std::unexpected(api::not_found(type, id));
    auto after = wanted;
    if (!after.contains("state"))
      after["state"] = json::string_at(before, "state").value_or("CREATED");
    return after;
  };
  auto changing = change_record(s, std::move(key), std::move(change), type);
  auto changed = co_await std::move(changing);
  if (!changed)
    co_return std::move(changed.error());
  auto publishing = publish(s, owner);
  auto published = co_await std::move(publishing);
  if (!published)
    co_return std::move(published.error());
  note_change(*r, *who, "a participant context was replaced", id);
  co_return no_content();
}

constexpr const char* removal_reason = "The participant context is being removed.";

/// What the control plane has of a participant context. Clients that administrators made for it go with it.
task<result<cells::disposal_plan>> plan_removal(cell_services& s, tenant owner) {
  cells::disposal_plan plan;
  plan.agent_id = agent_id;
  plan.kinds = {
      std::string(negotiation::kind),   std::string(transfer_process::kind), std::string(data_plane::data_flow::kind),
      cells::kinds::contract_agreement, cells::kinds::refused_request,       cells::kinds::asset,
      cells::kinds::policy_definition,  cells::kinds::contract_definition,   cells::kinds::data_plane,
      cells::kinds::participant_config};
  plan.context_kind = kind;
  plan.reason = removal_reason;
  persistence::query_spec spec;
  spec.filter.push_back({"participant_context_id", "=", json::value(owner.id())});
  spec.limit = persistence::limits::read_rows_max;
  auto reading = query_documents(s, cells::node_tenant, cells::kinds::api_client, std::move(spec));
  auto clients = co_await std::move(reading);
  if (!clients)
    co_return std::unexpected(std::move(clients.error()));
  for (auto& client : *clients)
    plan.entries.push_back(std::move(client.key));
  plan.entries.push_back({cells::node_tenant, kind, owner.id()});
  co_return plan;
}

/// Ends the participant's running work before anything of it is destroyed: 503 while some of it is left.
task<result<bool>> end_running_work(cell_services& s, tenant owner, bool force) {
  auto within = force ? milliseconds(0) : s.command_timeout_ms;
  auto ending = end_work(s, owner, removal_reason, within);
  auto left = co_await std::move(ending);
  if (!left)
    co_return std::unexpected(std::move(left.error()));
  if (!left->none() && !force)
    co_return std::unexpected(
        api::error_response(503, {{in_words(*left) + " of the participant context " + owner.id() +
                                       " are still ending; ask again, or with force=true to cut " + "them off.",
                                   "Unavailable", "", nullptr}}));
  // After the work, whose end comes to the planes by signals.
  auto leaving = leave_planes(s, owner);
  const auto silent = co_await std::move(leaving);
  if (silent && !force)
    co_return std::unexpected(api::error_response(
        503, {{*silent + " It may have data of the participant context " + owner.id() +
                   "; ask again, deregister the data plane, or ask with force=true to leave that there.",
               "Unavailable", "", nullptr}}));
  co_return true;
}

/// The steps of a removal, each of which may have been done by an earlier request that did not come to its end.
task<result<bool>> take_down(cell_services& s, tenant owner, bool force) {
  auto asking = cells::has_role(s, owner, agent_id, kind);
  auto has = co_await std::move(asking);
  if (!has)
    co_return has;
  if (!*has)
    co_return std::unexpected(api::not_found(type, owner.id()));
  auto looking = cells::is_disposed(s, owner, agent_id);
  auto disposed = co_await std::move(looking);
  if (!disposed)
    co_return disposed;
  if (!*disposed) {
    auto ending = end_running_work(s, owner, force);
    auto ended = co_await std::move(ending);
    if (!ended)
      co_return ended;
  }
  auto planning = plan_removal(s, owner);
  auto plan = co_await std::move(planning);
  if (!plan)
    co_return std::unexpected(std::move(plan.error()));
  auto disposing = cells::dispose_role(s, std::move(owner), std::move(*plan));
  co_return co_await std::move(disposing);
}

task<response> remove_context(cell_services& s, request_ptr r) {
  auto entering = enter_as_admin(s, r);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::move(who.error());
  auto id = path_value(*r, "id");
  tenant owner(id);
  if (id.starts_with('.'))
    co_return api::not_found(type, id);
  const auto force = gateway::query_value(*r, "force").value_or("false");
  if (force != "true" && force != "false")
    co_return api::invalid_request("force must be true or false");
  auto taking = take_down(s, owner, force == "true");
  auto taken = co_await std::move(taking);
  if (!taken)
    co_return std::move(taken.error());
  note_change(*r, *who,
              force == "true" ? "a participant context was removed by force" : "a participant context was removed", id);
  co_return no_content();
}

} // namespace

void add_participant_routes(gateway::router& to, cell_services& s) {
  const auto base = management_base + list_path;
  route(to, s, "POST", base, create_context);
  route(to, s, "GET", base, list_contexts);
  route(to, s, "GET", base + "/{id}", get_context);
  route(to, s, "PUT", base + "/{id}", replace_context);
  route(to, s, "DELETE", base + "/{id}", remove_context);
}

} // namespace fondaco::control_plane::management

#include <optional>
#include <utility>

#include "cfm/query/list.hpp"
#include "cfm/rest.hpp"
#include "cfm/tenant_manager/participant_profile.hpp"
#include "cfm/tenant_manager/profile_terms.hpp"
#include "cfm/tenant_manager/records.hpp"
#include "planes/api/errors.hpp"

namespace fondaco::cfm {

namespace api = planes::api;
using api::request_ptr;
using gateway::response;
using gateway::task;

namespace {

constexpr size_t profiles_listed_max = 1000;

/// The public names of identifiers: each belongs to one profile until that is removed.
constexpr const char* identifier_name_space = "cfm_participant_identifier";

// Without what CFM's API does not show, and what it leaves out when it is empty.
json::object shown(const json::object& view) {
  auto out = view;
  for (const char* name : {"causes", "waitingOn", "dataspaceProfileIds"})
    out.erase(name);
  for (const char* name : {"properties", "vpas"})
    if (const auto* v = out.if_contains(name);
        v && *v == (v->is_array() ? json::value(json::array()) : json::value(json::object())))
      out.erase(name);
  if (auto* vpas = out.if_contains("vpas"); vpas && vpas->is_array())
    for (auto& v : vpas->get_array())
      if (v.is_object()) {
        v.get_object().erase("externalCellId");
        v = without_empty(v.get_object());
      }
  return out;
}

persistence::entity_key key_of(const std::string& id) {
  return {cfm_tenant, std::string(participant_profile::kind), id};
}

response store_silent() { return cfm_error(503, "The store does not answer; ask again after a moment."); }

using told = std::expected<participant_profile::reply, actors::ask_error>;

task<told> ask_profile(cfm_services& s, std::string id, participant_profile::command command) {
  const auto shard = api::shard_of_id(s, id).value_or(s.runtime.shard_for(cfm_tenant));
  auto asking =
      actors::ask<participant_profile>(s.runtime, s.edge, key_of(id), shard, std::move(command), s.command_timeout_ms);
  co_return co_await std::move(asking);
}

bool is_taken(const told& t) {
  return !t && t.error().code == actors::ask_errc::refused && t.error().why.code == "name_taken";
}

response refused(const actors::ask_error& e) {
  if (e.code != actors::ask_errc::refused)
    return as_cfm_error(api::from_ask(e, "ParticipantProfile", ""));
  if (e.why.code == "not_found")
    return cfm_error(404, "Not found");
  return cfm_error(409, "Conflict: " + e.why.detail);
}

task<api::result<std::optional<persistence::entity_row>>> read_profile(cfm_services& s, std::string id) {
  if (!api::shard_of_id(s, id))
    co_return std::nullopt;
  auto reading = actors::in_pool(s.pool, s.edge, [&s, id] { return s.journal.read_row(key_of(id)); });
  auto found = co_await std::move(reading);
  if (!found || !*found)
    co_return std::unexpected(store_silent());
  co_return std::move(**found);
}

// The row of the profile that has the identifier, if any. Blocks; nothing if the store does not answer.
std::optional<std::optional<persistence::entity_row>> read_holder(cfm_services& s, const std::string& identifier) {
  const auto holder = s.journal.resolve_name(identifier_name_space, identifier);
  if (!holder)
    return std::nullopt;
  if (!*holder)
    return std::optional<persistence::entity_row>();
  auto row = s.journal.read_row(**holder);
  if (!row)
    return std::nullopt;
  return std::move(*row);
}

// Frees an identifier whose profile is disposed of; else says why it cannot be had.
task<api::result<bool>> free_identifier(cfm_services& s, std::string identifier) {
  auto reading = actors::in_pool(s.pool, s.edge, [&s, identifier] { return read_holder(s, identifier); });
  auto holder = co_await std::move(reading);
  if (!holder || !*holder)
    co_return std::unexpected(store_silent());
  if (!**holder)
    co_return true;
  const auto& row = ***holder;
  if (row.status != "DISPOSED" && row.status != "REMOVED")
    co_return std::unexpected(cfm_error(409, "Conflict: another participant profile has the identifier " + identifier +
                                                 "; it can be had when that one is disposed of"));
  auto erasing = erase_for_good(s, row.key);
  co_return co_await std::move(erasing);
}

// Deploys; a profile that is disposed of gives its identifier up to the next one.
task<api::result<participant_profile::reply>> deploy_under_its_name(cfm_services& s, participant_profile::deploy c) {
  participant_profile::command command = c;
  auto asking = ask_profile(s, c.id, std::move(command));
  auto t = co_await std::move(asking);
  if (is_taken(t)) {
    auto freeing = free_identifier(s, c.terms.identifier);
    if (auto freed = co_await std::move(freeing); !freed)
      co_return std::unexpected(std::move(freed.error()));
    participant_profile::command once_more = c;
    auto again = ask_profile(s, c.id, std::move(once_more));
    t = co_await std::move(again);
  }
  if (!t)
    co_return std::unexpected(refused(t.error()));
  co_return std::move(*t);
}

// What a repeated request (by its idempotency key) is answered; nothing if it is the first one.
task<std::optional<response>> answer_again(cfm_services& s, api::creation made) {
  if (made.request_id.empty())
    co_return std::nullopt;
  auto reading = read_profile(s, made.id);
  auto row = co_await std::move(reading);
  if (!row)
    co_return std::move(row.error());
  if (!*row)
    co_return std::nullopt;
  participant_profile::deploy c;
  c.id = made.id;
  c.digest = made.request_digest;
  participant_profile::command command = std::move(c);
  auto asking = ask_profile(s, made.id, std::move(command));
  const auto t = co_await std::move(asking);
  if (!t)
    co_return refused(t.error());
  co_return gateway::json_response(202, json::write(shown(api::stored_object(t->shown))));
}

task<response> deploy(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_write_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto w = read_wish(*r);
  if (!w)
    co_return std::move(w.error());
  const auto tenant_id = api::path_value(*r, "tenant");
  auto made = api::read_creation(s, *r, cfm_tenant, "participant-profiles/" + tenant_id, "");
  if (!made)
    co_return as_cfm_error(made.error());
  auto repeating = answer_again(s, *made);
  if (auto known = co_await std::move(repeating))
    co_return std::move(*known);
  auto reading = actors::in_pool(s.pool, s.edge, [&s, tenant_id] { return read_catalogue(s, tenant_id); });
  auto found = co_await std::move(reading);
  if (!found || !*found)
    co_return store_silent();
  auto terms = make_terms(s, **found, *w, tenant_id);
  if (!terms)
    co_return std::move(terms.error());
  participant_profile::deploy c;
  c.id = made->id;
  c.terms = std::move(*terms);
  c.manifest_id = s.runtime.fresh_id(cfm_tenant).text();
  c.request_id = made->request_id;
  c.digest = made->request_digest;
  c.names.push_back({identifier_name_space, c.terms.identifier});
  auto deploying = deploy_under_its_name(s, std::move(c));
  auto told = co_await std::move(deploying);
  if (!told)
    co_return std::move(told.error());
  api::note_change("tenant_manager", *r, *who, "the participant profile " + made->id + " is deployed", "");
  co_return gateway::json_response(202, json::write(shown(api::stored_object(told->shown))));
}

// The profile of the path, which must belong to the tenant of the path.
task<api::result<persistence::entity_row>> need_profile(cfm_services& s, request_ptr r) {
  auto reading = read_profile(s, api::path_value(*r, "id"));
  auto row = co_await std::move(reading);
  if (!row)
    co_return std::unexpected(std::move(row.error()));
  if (!*row || json::string_at(api::stored_object((*row)->view), "tenantId") != api::path_value(*r, "tenant"))
    co_return std::unexpected(cfm_error(404, "Not found"));
  co_return std::move(**row);
}

task<response> get_profile(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_read_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto reading = need_profile(s, r);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  if (found->status == "REMOVED")
    co_return cfm_error(404, "Not found");
  co_return gateway::json_response(200, json::write(shown(api::stored_object(found->view))));
}

task<response> dispose(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_write_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto reading = need_profile(s, r);
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::move(found.error());
  const auto id = api::path_value(*r, "id");
  bool removed = found->status == "REMOVED";
  if (!removed) {
    participant_profile::command command =
        participant_profile::dispose{s.runtime.fresh_id(cfm_tenant).text(), r->correlation_id};
    auto asking = ask_profile(s, id, std::move(command));
    auto t = co_await std::move(asking);
    if (!t)
      co_return refused(t.error());
    removed = t->removed;
  }
  // What is removed leaves nothing behind; an erasure that was interrupted is taken up by the next DELETE.
  if (removed) {
    auto erasing = erase_for_good(s, key_of(id));
    if (auto erased = co_await std::move(erasing); !erased)
      co_return std::move(erased.error());
  }
  api::note_change("tenant_manager", *r, *who, "the participant profile " + id + " is disposed of", "");
  co_return gateway::json_response(202, "");
}

task<response> list_profiles(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_read_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  persistence::query_spec spec;
  spec.filter.push_back({"tenantId", "=", json::value(api::path_value(*r, "tenant"))});
  spec.filter.push_back({"state", "!=", "REMOVED"});
  spec.limit = profiles_listed_max;
  auto reading = api::query_rows(s, cfm_tenant, std::string(participant_profile::kind), std::move(spec));
  auto rows = co_await std::move(reading);
  if (!rows)
    co_return as_cfm_error(rows.error());
  json::array out;
  for (const auto& row : *rows)
    out.push_back(shown(api::stored_object(row.view)));
  co_return gateway::json_response(200, json::write(out));
}

task<response> query_profiles(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, tenant_read_scope);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto querying = query_rows(s, r, std::string(participant_profile::kind), "/participant-profiles/query", shown);
  co_return co_await std::move(querying);
}

} // namespace

void add_profile_routes(gateway::router& to, cfm_services& s) {
  const std::string base = "/api/v1alpha1/tenants/{tenant}/participant-profiles";
  api::route(to, s, "GET", base, list_profiles);
  api::route(to, s, "POST", base, deploy);
  api::route(to, s, "GET", base + "/{id}", get_profile);
  api::route(to, s, "DELETE", base + "/{id}", dispose);
  api::route(to, s, "POST", "/api/v1alpha1/participant-profiles/query", query_profiles);
}

} // namespace fondaco::cfm

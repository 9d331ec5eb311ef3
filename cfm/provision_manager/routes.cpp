#include "cfm/provision_manager/routes.hpp"

#include <exception>
#include <memory>
#include <utility>

#include "actors/ports/log.hpp"
#include "cfm/provision_manager/definitions.hpp"
#include "cfm/provision_manager/orchestration.hpp"
#include "cfm/query/list.hpp"
#include "cfm/rest.hpp"
#include "planes/api/errors.hpp"
#include "planes/record.hpp"

namespace fondaco::cfm {

namespace api = planes::api;
using actors::delivery;
using api::request_ptr;
using gateway::response;
using gateway::task;

namespace {

constexpr const char* base = "/api/v1alpha1/orchestrations";

// The orchestration's entity: its id is the manifest's, and lives in its shard if we made it, else in the CFM's.
persistence::entity_key key_of(const std::string& id) { return {cfm_tenant, std::string(orchestration::kind), id}; }

shard_number shard_of_orchestration(cfm_services& s, const std::string& id) {
  return api::shard_of_id(s, id).value_or(s.runtime.shard_for(cfm_tenant));
}

using told = std::expected<orchestration::reply, actors::ask_error>;

task<told> tell(cfm_services& s, std::string id, orchestration::command command) {
  auto asking = actors::ask<orchestration>(s.runtime, s.edge, key_of(id), shard_of_orchestration(s, id),
                                           std::move(command), s.command_timeout_ms);
  co_return co_await std::move(asking);
}

// Nothing if the store does not answer.
task<std::optional<told>> start(cfm_services& s, orchestration_manifest m, bool only_known, bool& unknown) {
  auto reading =
      actors::in_pool(s.pool, s.edge, [&s, type = m.orchestration_type] { return read_definition(s, type); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::nullopt;
  unknown = !*found;
  if (unknown && only_known)
    co_return std::nullopt;
  orchestration::start c;
  const auto id = m.id;
  c.manifest = std::move(m);
  if (*found) {
    c.definition_id = (*found)->id;
    c.activities = (*found)->activities;
    c.compensates = (*found)->compensates;
  }
  c.attempts_max = s.settings.activity_attempts_max;
  c.window_ms = s.settings.activity_window_ms;
  c.silence_ms = s.settings.activity_silence_ms;
  orchestration::command command = std::move(c);
  auto telling = tell(s, id, std::move(command));
  co_return co_await std::move(telling);
}

response refused(const actors::ask_error& e) {
  if (e.code != actors::ask_errc::refused)
    return as_cfm_error(api::from_ask(e, "Orchestration", ""));
  if (e.why.code == "not_found")
    return cfm_error(404, "Not found");
  return cfm_error(e.why.code == "already_exists" ? 409 : 400, "Bad request: " + e.why.detail);
}

task<response> post_orchestration(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, "provision-manager-api:write");
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto body = read_cfm_body(*r);
  if (!body)
    co_return std::move(body.error());
  auto manifest = read_manifest(*body);
  if (!manifest)
    co_return cfm_error(400, "Invalid payload: " + manifest.error().detail);
  bool unknown = false;
  const auto type = manifest->orchestration_type;
  auto starting = start(s, std::move(*manifest), true, unknown);
  auto started = co_await std::move(starting);
  if (unknown)
    co_return cfm_error(400, "Bad request: orchestration type '" + type + "' not found");
  if (!started)
    co_return cfm_error(503, "The store does not answer; ask again after a moment.");
  if (!*started)
    co_return refused(started->error());
  co_return gateway::json_response(202, (*started)->shown);
}

task<response> get_orchestration(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, "provision-manager-api:read");
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto reading = actors::in_pool(s.pool, s.edge,
                                 [&s, key = key_of(api::path_value(*r, "id"))] { return s.journal.read_row(key); });
  auto found = co_await std::move(reading);
  if (!found || !*found)
    co_return cfm_error(503, "The store does not answer; ask again after a moment.");
  if (!**found)
    co_return cfm_error(404, "Not found");
  co_return gateway::json_response(200, json::write(without_empty(api::stored_object((**found)->view))));
}

// An entry of the index: no steps, no data.
json::object entry_of(const json::object& view) {
  json::object out;
  for (const char* name :
       {"id", "correlationId", "state", "stateTimestamp", "createdTimestamp", "orchestrationType", "definitionId"})
    if (const auto* v = view.if_contains(name))
      out[name] = *v;
  return out;
}

task<response> query_orchestrations(cfm_services& s, request_ptr r) {
  auto admission = admit_cfm(s, r, "provision-manager-api:read");
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto answering = query_rows(s, r, std::string(orchestration::kind), "/orchestrations/query", entry_of);
  co_return co_await std::move(answering);
}

void note(const std::string& what, const std::string& id) {
  write_log({severity::warning, "provision_manager", log_category::application, what, {{"entity_id", id}}});
}

// What the sender is told of a command: a refusal will be one again, all else may be different later.
delivery outcome_of(const told& t, const std::string& id) {
  if (t)
    return delivery::done;
  if (t.error().code != actors::ask_errc::refused)
    return delivery::again;
  if (t.error().why.code != "stale_result")
    note("a message was refused: " + t.error().why.detail, id);
  return delivery::done;
}

task<delivery> take_manifest(cfm_services& s, actors::broker_message message) {
  auto manifest = read_manifest(message.payload);
  if (!manifest) {
    note("a manifest cannot be read: " + manifest.error().detail, message.id);
    co_return delivery::refused;
  }
  const auto id = manifest->id;
  bool unknown = false;
  auto starting = start(s, std::move(*manifest), false, unknown);
  auto started = co_await std::move(starting);
  co_return started ? outcome_of(*started, id) : delivery::again;
}

task<delivery> take_result(cfm_services& s, actors::broker_message message) {
  auto result = read_activity_result(message.payload);
  if (!result) {
    note("an agent's answer cannot be read: " + result.error().detail, message.id);
    co_return delivery::refused;
  }
  const auto id = result->orchestration_id;
  orchestration::command command = orchestration::answer{std::move(*result)};
  auto telling = tell(s, id, std::move(command));
  auto answered = co_await std::move(telling);
  co_return outcome_of(answered, id);
}

using taker = task<delivery> (*)(cfm_services&, actors::broker_message);

void consume(actors::broker& to, services_ref services, std::string_view subject, taker take) {
  to.consume(subjects::durable(subject), std::string(subject),
             [services, take](actors::broker_message m, std::function<void(delivery)> done) {
               auto failed = [done](std::exception_ptr) { done(delivery::again); };
               actors::start<delivery>(take(services(), std::move(m)), done, std::move(failed));
             });
}

} // namespace

void add_provision_manager_routes(gateway::router& to, cfm_services& s) {
  add_definition_routes(to, s);
  const std::string all = base;
  api::route(to, s, "POST", all, post_orchestration);
  api::route(to, s, "POST", all + "/query", query_orchestrations);
  api::route(to, s, "GET", all + "/{id}", get_orchestration);
}

std::vector<actors::entity_kind> provision_manager_kinds(services_ref services) {
  actors::entity_kind k;
  k.name = orchestration::kind;
  k.make = [](const persistence::entity_key& key) { return std::make_unique<actors::typed_state<orchestration>>(key); };
  k.run_effect = [services](actors::effect_run run, std::function<void(std::any)> done) {
    auto e = std::any_cast<orchestration::effect>(std::move(run.body));
    actors::broker_message m{e.subject, e.id, e.payload, "", 1, {}};
    if (e.valid_for > milliseconds(0))
      m.expires_at = services().clock.now() + e.valid_for;
    services().messages.publish(std::move(m), [key = e.key, done](std::expected<void, fault> published) {
      orchestration::command c = orchestration::published{key};
      if (!published)
        c = orchestration::not_published{key, published.error().detail};
      done(std::any(std::move(c)));
    });
  };
  k.cause_of = actors::cause_reader<orchestration>();
  k.is_transient = [](const std::any& outcome) {
    return std::holds_alternative<orchestration::not_published>(std::any_cast<const orchestration::command&>(outcome));
  };
  std::vector<actors::entity_kind> out;
  out.push_back(std::move(k));
  out.push_back(planes::record_kind(kinds::activity_definition));
  out.push_back(planes::record_kind(kinds::orchestration_definition));
  return out;
}

void add_provision_manager_consumers(actors::broker& to, services_ref s) {
  consume(to, s, subjects::manifest, take_manifest);
  consume(to, s, subjects::result, take_result);
}

} // namespace fondaco::cfm

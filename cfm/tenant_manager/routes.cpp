#include "cfm/tenant_manager/routes.hpp"

#include <exception>
#include <memory>
#include <utility>

#include "actors/ports/log.hpp"
#include "cfm/rest.hpp"
#include "cfm/tenant_manager/participant_profile.hpp"
#include "cfm/tenant_manager/records.hpp"
#include "planes/api/records.hpp"
#include "planes/record.hpp"

namespace fondaco::cfm {

using actors::delivery;

namespace {

void note(const std::string& what, const std::string& id) {
  write_log({severity::warning, "tenant_manager", log_category::application, what, {{"entity_id", id}}});
}

actors::task<delivery> take_response(cfm_services& s, actors::broker_message message) {
  auto response = read_response(message.payload);
  if (!response) {
    note("an orchestration's response cannot be read: " + response.error().detail, message.id);
    co_return delivery::refused;
  }
  const auto id = response->correlation_id;
  const auto shard = planes::api::shard_of_id(s, id);
  if (!shard) {
    note("an orchestration's response names no participant profile", id);
    co_return delivery::done;
  }
  persistence::entity_key key{cfm_tenant, std::string(participant_profile::kind), id};
  participant_profile::command command = participant_profile::respond{std::move(*response)};
  auto asking = actors::ask<participant_profile>(s.runtime, s.edge, std::move(key), *shard, std::move(command),
                                                 s.command_timeout_ms);
  const auto told = co_await std::move(asking);
  if (!told && told.error().code != actors::ask_errc::refused)
    co_return delivery::again;
  if (!told)
    note("an orchestration's response was refused: " + told.error().why.detail, id);
  co_return delivery::done;
}

actors::entity_kind profile_kind(services_ref services) {
  actors::entity_kind k;
  k.name = participant_profile::kind;
  k.make = [](const persistence::entity_key& key) {
    return std::make_unique<actors::typed_state<participant_profile>>(key);
  };
  k.run_effect = [services](actors::effect_run run, std::function<void(std::any)> done) {
    auto e = std::any_cast<participant_profile::effect>(std::move(run.body));
    actors::broker_message m{std::string(subjects::manifest), e.manifest.id, write(e.manifest), "", 1, {}};
    services().messages.publish(std::move(m), [id = e.manifest.id, done](std::expected<void, fault> published) {
      participant_profile::command c = participant_profile::published{id};
      if (!published)
        c = participant_profile::not_published{published.error().detail};
      done(std::any(std::move(c)));
    });
  };
  k.cause_of = actors::cause_reader<participant_profile>();
  k.is_transient = [](const std::any& outcome) {
    return std::holds_alternative<participant_profile::not_published>(
        std::any_cast<const participant_profile::command&>(outcome));
  };
  return k;
}

} // namespace

actors::task<planes::api::result<bool>> erase_for_good(cfm_services& s, persistence::entity_key key) {
  auto forgetting = actors::forget(s.runtime, s.edge, key);
  co_await std::move(forgetting);
  auto erasing =
      actors::in_pool(s.pool, s.edge, [&s, key = std::move(key)] { return s.journal.erase_entity(key).has_value(); });
  const auto erased = co_await std::move(erasing);
  if (!erased || !*erased)
    co_return std::unexpected(cfm_error(503, "The store does not answer; ask again after a moment."));
  co_return true;
}

gateway::response as_record_error(const gateway::response& r) {
  return r.status == 404 ? cfm_error(404, "Not found") : as_cfm_error(r);
}

gateway::response invalid(std::string_view path, std::string_view what) {
  return cfm_error(400, "Bad request: Validation error at path [" + std::string(path) + "]: " + std::string(what));
}

void add_tenant_manager_routes(gateway::router& to, cfm_services& s) {
  add_cell_routes(to, s);
  add_tenant_routes(to, s);
  add_profile_routes(to, s);
}

std::vector<actors::entity_kind> tenant_manager_kinds(services_ref s) {
  std::vector<actors::entity_kind> out;
  out.push_back(profile_kind(std::move(s)));
  for (const char* name : {kinds::tenant, kinds::cell, kinds::dataspace_profile})
    out.push_back(planes::record_kind(name));
  return out;
}

void add_tenant_manager_consumers(actors::broker& to, services_ref services) {
  to.consume(subjects::durable(subjects::response), std::string(subjects::response),
             [services](actors::broker_message m, std::function<void(delivery)> done) {
               auto failed = [done](std::exception_ptr) { done(delivery::again); };
               actors::start<delivery>(take_response(services(), std::move(m)), done, std::move(failed));
             });
}

} // namespace fondaco::cfm

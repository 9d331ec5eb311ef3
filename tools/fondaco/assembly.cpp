#include "tools/fondaco/assembly.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "actors/memory_broker.hpp"
#include "actors/nats_broker.hpp"
#include "cells/control_plane/dsp_routes.hpp"
#include "cells/control_plane/kinds.hpp"
#include "cells/control_plane/management.hpp"
#include "cells/control_plane/signaling_routes.hpp"
#include "cells/credential_service/routes.hpp"
#include "cells/data_plane/kinds.hpp"
#include "cells/data_plane/routes.hpp"
#include "cells/identity/kinds.hpp"
#include "cells/identity/routes.hpp"
#include "cells/issuer_service/routes.hpp"
#include "cells/operator/routes.hpp"
#include "cells/participants/client_registry.hpp"
#include "cells/participants/kinds.hpp"
#include "cfm/agents/agents.hpp"
#include "cfm/onboarding/routes.hpp"
#include "cfm/provision_manager/routes.hpp"
#include "cfm/tenant_manager/routes.hpp"
#include "tools/fondaco/secret_file.hpp"

namespace fondaco::tools {

namespace {

using started = std::expected<void, fault>;

const std::vector<std::string> cfm_roles{"tenant-manager", "provision-manager", "agents", "onboarding"};
const std::vector<std::string> identity_roles{"credential-service", "issuer-service"};

constexpr size_t sampled_entities_max = 100'000;

bool has_role(const assembly& a, const char* role) {
  const auto& roles = a.settings.roles;
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

bool has_any(const assembly& a, const std::vector<std::string>& roles) {
  return std::ranges::any_of(roles, [&](const auto& r) { return has_role(a, r.c_str()); });
}

started listen(assembly& a, const std::string& name, gateway::router routes) {
  auto options = a.settings.listener(name);
  a.served.add(name, routes.patterns());
  routes.wrap([&a, name](gateway::handler inner) { return gateway::measured(std::move(inner), a.counts, name); });
  auto bind = options.bind;
  auto port = a.server->listen(std::move(options), std::move(routes));
  if (!port)
    return std::unexpected(port.error());
  auto colon = bind.rfind(':');
  auto where = bind.starts_with("unix:") ? bind : bind.substr(0, colon + 1) + std::to_string(*port);
  a.bound += name + " " + where + "\n";
  return {};
}

started start_store(assembly& a) {
  auto options = a.settings.store;
  options.group = a.settings.group;
  auto opened = persistence::open_store(options);
  if (!opened)
    return std::unexpected(opened.error());
  a.store = std::move(*opened);
  a.pool = std::make_unique<actors::reader_pool>(options.readers, a.settings.reader_jobs_max);
  return {};
}

started start_vault(assembly& a) {
  auto key = a.settings.key_file.empty() ? persistence::load_key_environment(a.settings.key_environment)
                                         : persistence::load_key_file(a.settings.key_file);
  if (!key)
    return std::unexpected(key.error());
  auto opened = persistence::open_vault(a.settings.store, std::move(*key));
  if (!opened)
    return std::unexpected(opened.error());
  a.vault = std::move(*opened);
  return {};
}

// The collector's address is the operator's own word, so it may be private; tenants' addresses never go this way.
void start_traces(assembly& a) {
  gateway::client_options open;
  open.allow_private_addresses = true;
  open.allow_http = true;
  open.ca_file = a.settings.outbound.ca_file;
  a.collector = std::make_unique<gateway::client>(*a.server, open);
  a.traces = std::make_unique<gateway::otlp_exporter>(a.settings.otlp_url, "fondaco", a.settings.name, *a.collector,
                                                      a.random, a.counts);
}

started start_edge(assembly& a) {
  a.server = std::make_unique<gateway::server>(a.settings.threads);
  a.client = std::make_unique<gateway::client>(*a.server, a.settings.outbound);
  a.exchange = std::make_unique<gateway::measured_exchange>(*a.client, a.counts);
  if (!a.settings.otlp_url.empty())
    start_traces(a);
  return {};
}

started start_tokens(assembly& a) {
  auto keys = gateway::token_keys::load_or_create(*a.vault);
  if (!keys)
    return std::unexpected(keys.error());
  a.keys = std::move(*keys);
  gateway::trusted_issuer own;
  own.issuer = a.settings.issuer;
  own.audience = a.settings.audience;
  own.keys = a.keys->public_keys();
  std::vector<gateway::trusted_issuer> issuers{std::move(own)};
  if (!a.settings.external_issuer.empty()) {
    gateway::trusted_issuer external;
    external.issuer = a.settings.external_issuer;
    external.audience = a.settings.external_audience;
    external.jwks_url = a.settings.external_jwks_url;
    external.dialect.participant_from_sub = a.settings.participant_from_sub;
    issuers.push_back(std::move(external));
  }
  auto verifier = gateway::jwks_verifier::make(std::move(issuers), {*a.exchange, a.clock, *a.server, a.counts});
  if (!verifier)
    return std::unexpected(verifier.error());
  a.tokens = std::move(*verifier);
  return {};
}

// Entities in memory by tenant; a tenant that has left memory is set to zero once.
void sample_tenants(assembly& a, std::set<std::string>& seen) {
  std::map<std::string, size_t> live;
  for (const auto& id : seen)
    live[id] = 0;
  size_t tenants = 0;
  for (const auto& e : a.runtime->entities(sampled_entities_max))
    tenants += live[e.key.owner.id()]++ == 0 ? 1 : 0;
  seen.clear();
  for (const auto& [id, count] : live) {
    a.counts.set("fondaco_tenant_entities_live", {id}, static_cast<double>(count));
    if (count > 0)
      seen.insert(id);
  }
  a.counts.set("fondaco_tenants", {}, static_cast<double>(tenants));
}

std::vector<actors::entity_kind> kinds_of(assembly& a) {
  cells::services_ref services = [&a]() -> cells::cell_services& {
    invariant(a.services != nullptr, "effects run once the services are there");
    return *a.services;
  };
  cfm::services_ref cfm_services = [&a]() -> cfm::cfm_services& {
    invariant(a.cfm_services != nullptr, "effects run once the services are there");
    return *a.cfm_services;
  };
  auto kinds = cells::participant_kinds();
  auto add = [&kinds](std::vector<actors::entity_kind> more) {
    for (auto& k : more)
      kinds.push_back(std::move(k));
  };
  if (has_role(a, "control-plane"))
    add(cells::control_plane_kinds(services));
  if (has_role(a, "data-plane"))
    add(cells::data_plane_kinds(services));
  if (has_any(a, identity_roles))
    add(cells::identity_kinds());
  if (has_role(a, "credential-service"))
    add(cells::credential_service_kinds(services));
  if (has_role(a, "issuer-service"))
    add(cells::issuer_service_kinds(services));
  if (has_role(a, "tenant-manager"))
    add(cfm::tenant_manager_kinds(cfm_services));
  if (has_role(a, "provision-manager"))
    add(cfm::provision_manager_kinds(cfm_services));
  if (has_role(a, "onboarding"))
    add(cfm::onboarding_kinds(cfm_services));
  return kinds;
}

// The agents' secret is that of the configuration; on a node with all roles it lives in memory only.
started choose_agents_client(assembly& a) {
  auto& c = a.settings.cfm;
  if (a.settings.agents_secret_file.empty()) {
    c.client_id = "fondaco-agents";
    c.client_secret = gateway::fresh_secret(a.random);
    return {};
  }
  auto secret = read_secret_file(a.settings.agents_secret_file);
  if (!secret)
    return std::unexpected(secret.error());
  c.client_secret = std::move(*secret);
  return {};
}

started make_services(assembly& a) {
  auto common = planes::node_services{*a.runtime,         *a.server,     *a.pool,     *a.store.journal,
                                      *a.store.documents, *a.vault,      *a.exchange, *a.client,
                                      *a.tokens,          a.clock,       a.random,    a.settings.command_timeout_ms,
                                      &a.counts,          a.traces.get()};
  a.services = std::make_unique<cells::cell_services>(
      cells::cell_services{common, a.functions, a.settings.cell, a.trust, *a.dids});
  if (!has_any(a, cfm_roles))
    return {};
  if (auto chosen = choose_agents_client(a); !chosen)
    return chosen;
  a.broker = a.settings.broker == "nats" ? actors::make_nats_broker(a.settings.nats) : actors::make_memory_broker();
  a.cfm_services = std::make_unique<cfm::cfm_services>(cfm::cfm_services{common, *a.broker, a.settings.cfm});
  return {};
}

started start_actors(assembly& a) {
  a.functions = odrl::built_in_functions();
  a.trust.replace(a.settings.trusted_issuers);
  a.dids = std::make_unique<identity::did_resolver>(*a.exchange, *a.server, a.clock, a.settings.resolver);
  const auto& s = a.settings;
  a.runtime =
      std::make_unique<actors::runtime>(actors::runtime::parts{*a.store.journal, a.clock, a.random, s.group, s.name,
                                                               s.shards, s.threads, s.limits, &a.observer},
                                        kinds_of(a));
  auto made = make_services(a);
  if (!made)
    return made;
  auto begun = a.runtime->start();
  if (!begun)
    return begun;
  auto seen = std::make_shared<std::set<std::string>>();
  a.counts.sample_before_render([&a, seen](gateway::metrics& m) {
    sample_tenants(a, *seen);
    gateway::sample(m, a.server->counters());
    gateway::sample(m, a.runtime->counters());
    gateway::sample(m, *a.pool);
  });
  return {};
}

started start_broker(assembly& a) {
  cfm::services_ref services = [&a]() -> cfm::cfm_services& { return *a.cfm_services; };
  if (has_role(a, "tenant-manager"))
    cfm::add_tenant_manager_consumers(*a.broker, services);
  if (has_role(a, "provision-manager"))
    cfm::add_provision_manager_consumers(*a.broker, services);
  if (has_role(a, "agents"))
    cfm::add_agents(*a.broker, services);
  return a.broker->start();
}

void stop_broker(assembly& a, milliseconds within) {
  if (a.broker)
    a.broker->stop(within);
}

void stop_actors(assembly& a, milliseconds within) {
  if (a.runtime)
    a.runtime->stop(within);
}

started start_clients(assembly& a) {
  std::vector<gateway::api_client> configured;
  for (const auto& c : a.settings.clients) {
    auto secret = read_secret_file(c.secret_file);
    if (!secret)
      return std::unexpected(secret.error());
    gateway::api_client client;
    client.client_id = c.id;
    client.secrets.push_back({gateway::hash_of_secret(*secret), std::nullopt});
    client.role = c.role;
    if (!c.participant.empty())
      client.participant_context_id = c.participant;
    client.scopes = c.scopes;
    configured.push_back(std::move(client));
  }
  if (has_any(a, cfm_roles) && a.settings.agents_secret_file.empty()) {
    gateway::api_client agents;
    agents.client_id = a.settings.cfm.client_id;
    agents.secrets.push_back({gateway::hash_of_secret(a.settings.cfm.client_secret), std::nullopt});
    agents.role = "provisioner";
    agents.scopes = {"management-api:admin", "identity-api:admin", "issuer-admin-api:admin", "tenant-manager-api:read",
                     "tenant-manager-api:write"};
    configured.push_back(std::move(agents));
  }
  auto fixed = gateway::static_registry::make(std::move(configured));
  if (!fixed)
    return std::unexpected(fixed.error());
  a.clients = std::make_unique<cells::client_registry>([&a]() -> cells::cell_services& { return *a.services; },
                                                       std::move(*fixed));
  a.endpoint = std::make_unique<gateway::token_endpoint>(
      gateway::token_endpoint_options{a.settings.issuer, a.settings.audience, milliseconds(300'000)}, a.keys,
      gateway::token_endpoint::parts{*a.clients, a.clock, a.random, a.counts});
  return {};
}

started start_management(assembly& a) {
  gateway::router routes;
  a.endpoint->add_routes(routes);
  if (has_role(a, "control-plane"))
    cells::add_management_routes(routes, *a.services);
  if (has_any(a, identity_roles))
    cells::add_identity_routes(routes, *a.services);
  if (has_role(a, "credential-service"))
    cells::add_credential_routes(routes, *a.services);
  if (has_role(a, "issuer-service"))
    cells::add_issuer_admin_routes(routes, *a.services);
  if (has_role(a, "tenant-manager"))
    cfm::add_tenant_manager_routes(routes, *a.cfm_services);
  if (has_role(a, "provision-manager"))
    cfm::add_provision_manager_routes(routes, *a.cfm_services);
  if (has_role(a, "onboarding"))
    cfm::add_onboarding_routes(routes, *a.cfm_services);
  cells::add_operator_routes(routes, *a.services, a.served, cells::operator_door::token);
  return listen(a, "management", std::move(routes));
}

started start_protocol(assembly& a) {
  gateway::router routes;
  if (has_role(a, "control-plane"))
    cells::add_dsp_routes(routes, *a.services);
  if (has_role(a, "credential-service"))
    cells::add_credential_service_routes(routes, *a.services);
  if (has_role(a, "issuer-service"))
    cells::add_issuer_routes(routes, *a.services);
  if (has_any(a, identity_roles))
    cells::add_did_routes(routes, *a.services);
  return listen(a, "protocol", std::move(routes));
}

started start_signaling(assembly& a) {
  gateway::router routes;
  if (has_role(a, "control-plane"))
    cells::add_control_plane_signaling_routes(routes, *a.services);
  if (has_role(a, "data-plane"))
    cells::add_data_plane_signaling_routes(routes, *a.services);
  return listen(a, "signaling", std::move(routes));
}

started start_public(assembly& a) {
  gateway::router routes;
  cells::add_public_routes(routes, *a.services);
  return listen(a, "public", std::move(routes));
}

started start_operator(assembly& a) {
  gateway::router routes;
  cells::add_operator_routes(routes, *a.services, a.served, cells::operator_door::socket);
  return listen(a, "operator", std::move(routes));
}

started start_observability(assembly& a) {
  auto ready = [&a]() -> std::optional<std::string> {
    if (a.runtime->ready())
      return std::nullopt;
    return "the node does not hold its shards, or its journal does not answer";
  };
  a.health->add(gateway::health_aspect::liveness, "process", [] { return std::nullopt; });
  a.health->add(gateway::health_aspect::readiness, "actors", ready);
  a.health->add(gateway::health_aspect::startup, "actors", ready);
  gateway::router routes;
  gateway::add_health_routes(routes, a.health, gateway::served_versions());
  gateway::add_metrics_route(routes, a.counts);
  auto bound = listen(a, "observability", std::move(routes));
  if (!bound)
    return bound;
  gateway::router internal;
  gateway::add_health_routes(internal, a.health, gateway::served_versions());
  return listen(a, "internal", std::move(internal));
}

void stop_edge(assembly& a, milliseconds within) {
  if (a.server)
    a.server->drain(within);
}

void no_stop(assembly&, milliseconds) {}

} // namespace

const std::vector<service>& service_table() {
  static const std::vector<service> table{
      {"store", {}, {"journal", "documents"}, {}, {}, start_store, no_stop},
      {"vault", {"journal"}, {"secrets"}, {}, {}, start_vault, no_stop},
      {"edge", {}, {"http server", "http client"}, {}, {}, start_edge, no_stop},
      {"tokens", {"secrets", "http client"}, {"token verifier"}, {}, {}, start_tokens, no_stop},
      {"actors",
       {"journal", "documents", "secrets", "token verifier"},
       {"entities"},
       {},
       {},
       start_actors,
       stop_actors},
      {"clients", {"entities"}, {"token endpoint"}, {}, {}, start_clients, no_stop},
      {"protocol",
       {"entities"},
       {"DSP", "DCP", "DID documents"},
       {"protocol"},
       {"control-plane", "credential-service", "issuer-service"},
       start_protocol,
       no_stop},
      {"signaling", {"entities"}, {"DPS"}, {"signaling"}, {"control-plane", "data-plane"}, start_signaling, no_stop},
      {"public", {"entities"}, {"pulls"}, {"public"}, {"data-plane"}, start_public, no_stop},
      {"management", {"entities", "token endpoint"}, {"admin APIs"}, {"management"}, {}, start_management, no_stop},
      {"operator", {"entities"}, {"ctl"}, {"operator"}, {}, start_operator, no_stop},
      {"broker", {"entities", "admin APIs"}, {"orchestrations"}, {}, cfm_roles, start_broker, stop_broker},
      // Last to start, so that `ready` means that every door is open; first to stop, with the doors closing before it.
      {"observability",
       {"admin APIs", "ctl"},
       {"health", "metrics"},
       {"observability", "internal"},
       {},
       start_observability,
       stop_edge},
  };
  return table;
}

std::vector<const service*> start_order(const std::vector<std::string>& roles) {
  std::vector<const service*> waiting;
  for (const auto& s : service_table())
    if (s.roles.empty() || std::ranges::find_first_of(s.roles, roles) != s.roles.end())
      waiting.push_back(&s);
  std::vector<const service*> order;
  std::set<std::string> provided;
  while (!waiting.empty()) {
    auto next = std::find_if(waiting.begin(), waiting.end(), [&](const service* s) {
      return std::all_of(s->requires_.begin(), s->requires_.end(), [&](const auto& r) { return provided.contains(r); });
    });
    invariant(next != waiting.end(), "every service finds what it requires");
    provided.insert((*next)->provides.begin(), (*next)->provides.end());
    order.push_back(*next);
    waiting.erase(next);
  }
  return order;
}

} // namespace fondaco::tools

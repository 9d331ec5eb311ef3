#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/ports/clock.hpp"
#include "cells/operator/routes.hpp"
#include "cells/services.hpp"
#include "cfm/services.hpp"
#include "gateway/api_client.hpp"
#include "gateway/health.hpp"
#include "gateway/metrics.hpp"
#include "gateway/otlp_exporter.hpp"
#include "gateway/token_endpoint.hpp"
#include "gateway/token_verifier.hpp"
#include "tools/fondaco/config.hpp"

namespace fondaco::tools {

/// Counts what the runtime does.
class counting_observer final : public actors::runtime_observer {
public:
  /// Counts into these metrics.
  explicit counting_observer(gateway::metrics& counts) : counts_(counts) {}
  void appended(double seconds, size_t entities) override {
    counts_.observe("fondaco_journal_append_duration_seconds", {}, seconds);
    counts_.observe("fondaco_journal_batch_entities", {}, static_cast<double>(entities));
  }
  void effect_ended(std::string_view kind, bool failed) override {
    counts_.add("fondaco_effects_total", {kind, failed ? "failed" : "done"});
  }
  void commanded(std::string_view tenant_id) override { counts_.add("fondaco_tenant_commands_total", {tenant_id}); }
  void reached(std::string_view kind, std::string_view status) override {
    counts_.add("fondaco_entity_transitions_total", {kind, status});
  }

private:
  gateway::metrics& counts_;
};

/// Everything that a node is made of, in the order in which it is made; a part that no role needs stays empty.
struct assembly {
  explicit assembly(config given) : settings(std::move(given)) {}

  config settings;
  actors::system_clock clock;
  actors::system_random random;
  gateway::metrics counts;
  counting_observer observer{counts};
  std::shared_ptr<gateway::health> health = std::make_shared<gateway::health>();
  persistence::store store;
  std::unique_ptr<persistence::vault> vault;
  std::unique_ptr<actors::reader_pool> pool;
  cells::served_routes served;
  std::unique_ptr<gateway::server> server;
  std::unique_ptr<gateway::client> client;
  std::unique_ptr<gateway::measured_exchange> exchange;
  /// Both null without a collector.
  std::unique_ptr<gateway::client> collector;
  std::unique_ptr<gateway::otlp_exporter> traces;
  std::shared_ptr<const gateway::token_keys> keys;
  std::unique_ptr<gateway::token_verifier> tokens;
  std::unique_ptr<gateway::api_client_registry> clients;
  std::unique_ptr<gateway::token_endpoint> endpoint;
  std::unique_ptr<actors::runtime> runtime;
  odrl::policy_functions functions;
  identity::trust_list trust;
  std::unique_ptr<identity::did_resolver> dids;
  std::unique_ptr<cells::cell_services> services;
  /// Null if the node has no role of the CFM.
  std::unique_ptr<actors::broker> broker;
  std::unique_ptr<cfm::cfm_services> cfm_services;
  std::string bound;
};

/// A service of a node: what it requires and provides, by names, and how it starts and stops.
struct service {
  std::string name;
  std::vector<std::string> requires_;
  std::vector<std::string> provides;
  /// The listeners that it opens.
  std::vector<std::string> listeners;
  /// The roles that ask for it, any of them; empty if every node has it.
  std::vector<std::string> roles;
  std::function<std::expected<void, fault>(assembly&)> start;
  std::function<void(assembly&, milliseconds within)> stop;
};

/// The table of all services.
const std::vector<service>& service_table();

/// The services that these roles need, each after what it requires.
std::vector<const service*> start_order(const std::vector<std::string>& roles);

} // namespace fondaco::tools

#include "gateway/metrics.hpp"

namespace fondaco::gateway {
namespace {

const std::vector<double> seconds_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
const std::vector<double> batch_buckets{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

using enum metric_type;

const std::vector<metric_spec> table{
    {"fondaco_http_requests_total", counter, "Requests answered.", {"listener", "status_class"}, {}},
    {"fondaco_http_request_duration_seconds",
     histogram,
     "From a request's arrival in its handler to the answer's header.",
     {"listener"},
     seconds_buckets},
    {"fondaco_listener_connections_total", counter, "Connections accepted.", {"listener"}, {}},
    {"fondaco_listener_connections_open", gauge, "Connections that are open.", {"listener"}, {}},
    {"fondaco_listener_connections_refused_total", counter, "Connections closed at once at a limit.", {"listener"}, {}},
    {"fondaco_listener_requests_total", counter, "Requests read.", {"listener"}, {}},
    {"fondaco_listener_requests_refused_total",
     counter,
     "Requests that the listener itself refused.",
     {"listener"},
     {}},
    {"fondaco_listener_timeouts_total",
     counter,
     "Headers, bodies, handlers and writes that missed their deadline.",
     {"listener"},
     {}},
    {"fondaco_listener_answers_broken_total", counter, "Answers broken off before their end.", {"listener"}, {}},
    {"fondaco_listener_bytes_out_total", counter, "Bytes sent.", {"listener"}, {}},

    {"fondaco_actor_commands_total", counter, "Commands given to entities.", {}, {}},
    {"fondaco_actor_refusals_total", counter, "Commands that a decider refused.", {}, {}},
    {"fondaco_actor_appends_total", counter, "Appends acknowledged by the journal.", {}, {}},
    {"fondaco_actor_events_total", counter, "Events journaled.", {}, {}},
    {"fondaco_actor_fenced_total", counter, "Appends refused because another node owns the shard.", {}, {}},
    {"fondaco_actor_recoveries_total", counter, "Entities recovered from the journal.", {}, {}},
    {"fondaco_actor_passivations_total", counter, "Idle entities that left memory.", {}, {}},
    {"fondaco_actor_effects_total", counter, "Effects run.", {}, {}},
    {"fondaco_actor_effect_failures_total", counter, "Effects that failed for now.", {}, {}},
    {"fondaco_actor_overloaded_total", counter, "Commands refused at a bound.", {}, {}},
    {"fondaco_actor_dead_letters_total", counter, "Messages that reached nobody.", {}, {}},
    {"fondaco_actor_quarantined_total", counter, "Entities that this node cannot read.", {}, {}},
    {"fondaco_actor_letters_waiting", gauge, "Effects whose last try failed and entities that do not start.", {}, {}},
    {"fondaco_actor_entities_live", gauge, "Entities in memory.", {}, {}},
    {"fondaco_actor_journal_queue", gauge, "Appends that wait for the journal's writer.", {}, {}},

    {"fondaco_actor_recoveries_running_max", gauge, "The most recoveries at the same time since the start.", {}, {}},

    {"fondaco_queue_waiting", gauge, "What waits in a bounded queue or is under way within a bound.", {"queue"}, {}},
    {"fondaco_queue_full_total",
     counter,
     "What was refused because a queue was full: node_commands, tenant_commands, entity_stash, recoveries, "
     "store_reads, and http_ with a listener's name.",
     {"queue"},
     {}},

    {"fondaco_journal_append_duration_seconds", histogram, "One append of a batch.", {}, seconds_buckets},
    {"fondaco_journal_batch_entities", histogram, "Entities in one append.", {}, batch_buckets},

    {"fondaco_effects_total", counter, "Effects run, by what became of them.", {"kind", "outcome"}, {}},
    {"fondaco_entity_transitions_total",
     counter,
     "Entities that reached a status: contracts negotiated are negotiation FINALIZED, credentials issued issuance "
     "DELIVERED, data flows completed data_flow COMPLETED, VPAs made and disposed of vpa ACTIVE and DISPOSED.",
     {"kind", "status"},
     {}},
    {"fondaco_spans_total", counter, "Spans for the collector, by what became of them.", {"outcome"}, {}},
    {"fondaco_outbound_http_total", counter, "Requests to other processes, by outcome.", {"outcome"}, {}},
    {"fondaco_outbound_http_duration_seconds", histogram, "Exchanges with other processes.", {}, seconds_buckets},

    {"fondaco_tokens_issued_total", counter, "Access tokens issued.", {"role"}, {}},
    {"fondaco_tokens_refused_total", counter, "Token requests refused.", {"error"}, {}},
    {"fondaco_bearer_refused_total", counter, "Requests whose bearer token did not let them in.", {"reason"}, {}},
    {"fondaco_jwks_fetches_total", counter, "Fetches of an issuer's keys.", {"outcome"}, {}},

    {"fondaco_data_plane_bytes_total", counter, "Bytes handed to the receivers of pulls.", {"tenant"}, {}},
    {"fondaco_data_plane_pulls_open", gauge, "Pulls under way.", {"tenant"}, {}},
    {"fondaco_data_plane_pulls_total", counter, "Pulls that ended.", {"tenant", "outcome"}, {}},

    {"fondaco_tenants", gauge, "Tenants with an entity in memory.", {}, {}},
    {"fondaco_tenant_commands_total", counter, "Commands by tenant.", {"tenant"}, {}},
    {"fondaco_tenant_entities_live", gauge, "Entities in memory by tenant.", {"tenant"}, {}},
};

std::string_view name_of(metric_type t) {
  switch (t) {
  case counter: return "counter";
  case gauge: return "gauge";
  case histogram: return "histogram";
  }
  return "unknown";
}

} // namespace

std::span<const metric_spec> metrics_table() { return table; }

std::string metrics_listing() {
  std::string out;
  for (const auto& spec : table) {
    out.append(spec.name).append(" ").append(name_of(spec.type)).append(" {");
    for (size_t i = 0; i < spec.labels.size(); ++i)
      out.append(i == 0 ? "" : ",").append(spec.labels[i]);
    out.append("}\n");
  }
  return out;
}

} // namespace fondaco::gateway

#include "tools/fondaco/config_setters.hpp"

namespace fondaco::tools {

namespace {

setter issuer_list(std::vector<std::string> identity::trusted_issuer::* member) {
  return [member](config& c, size_t i, const config_value& v) -> refused {
    entry(c.trusted_issuers, i).*member = std::get<std::vector<std::string>>(v);
    return std::nullopt;
  };
}

} // namespace

void add_identity_keys(std::vector<config_entry>& t) {
  t.push_back({{"identity.did_web_http", "boolean",
                "did:web documents are fetched over plain http: for closed groups and development.", "false"},
               flag(AT(resolver.plain_http))});
  t.push_back({{"identity.did_cache_ms", "integer", "How long a DID document is taken as it was.", "300000"},
               number(AT(resolver.cache_ms), 0, 24 * hour_ms)});
  t.push_back({{"identity.did_timeout_ms", "integer", "How long a DID's host may take to answer.", "5000"},
               number(AT(resolver.timeout_ms), 100, 60'000)});
  t.push_back(
      {{"identity.strict_relationships", "boolean",
        "A DID document without a relationship's list allows its keys nothing, instead of everything.", "false"},
       flag(AT(cell.strict_relationships))});
  t.push_back({{"trusted_issuer[].did", "string", "An issuer whose credentials count.", "\"did:web:issuer.example\""},
               [](config& c, size_t i, const config_value& v) -> refused {
                 entry(c.trusted_issuers, i).did = std::get<std::string>(v);
                 return std::nullopt;
               }});
  t.push_back({{"trusted_issuer[].types", "strings", "The credential types that it may issue; \"*\" for all.",
                "[\"MembershipCredential\"]"},
               issuer_list(&identity::trusted_issuer::types)});
  t.push_back({{"trusted_issuer[].profiles", "strings", "The dataspace profiles in which it counts; [] for all.", "[]"},
               issuer_list(&identity::trusted_issuer::profiles)});
  t.push_back({{"dcp.issuance_window_ms", "integer",
                "How long a credential request waits for its issuer, and an issuance for its holder.", "86400000"},
               number(AT(cell.issuance_window_ms), 1000, 30 * 24 * hour_ms)});
  t.push_back({{"dcp.refuse_duplicate_holder_pid", "boolean",
                "A second credential request with a holder's process id that is still open is answered 409.", "false"},
               flag(AT(cell.refuse_duplicate_holder_pid))});
}

void add_cfm_keys(std::vector<config_entry>& t) {
  t.push_back(
      {{"cfm.broker", "string", "memory: all roles of the CFM in this process; nats: NATS JetStream.", "\"memory\""},
       [](config& c, size_t, const config_value& v) {
         c.broker = std::get<std::string>(v);
         return one_of(c.broker, {"memory", "nats"});
       }});
  t.push_back({{"cfm.nats_url", "string", "Servers of NATS, separated by commas.", "\"nats://127.0.0.1:4222\""},
               text(AT(nats.url))});
  t.push_back({{"cfm.nats_stream", "string", "The work-queue stream.", "\"cfm-stream\""}, text(AT(nats.stream))});
  t.push_back({{"cfm.nats_credentials_file", "string", "A NATS credentials file.", "\"nats.creds\"", true},
               text(AT(nats.credentials_file))});
  t.push_back({{"cfm.nats_token_file", "string", "A file with a NATS token.", "\"nats.token\"", true},
               text(AT(nats.token_file))});
  t.push_back({{"cfm.activity_attempts_max", "integer", "Tries of an activity before it counts as failed.", "10"},
               number(AT(cfm.activity_attempts_max), 1, 10'000)});
  t.push_back({{"cfm.activity_window_ms", "integer", "How long an activity may take in all.", "3600000"},
               number(AT(cfm.activity_window_ms), 1000, 30 * 24 * hour_ms)});
  t.push_back(
      {{"cfm.activity_silence_ms", "integer", "How long a silent agent is waited for before the next try.", "60000"},
       number(AT(cfm.activity_silence_ms), 100, 24 * hour_ms)});
  t.push_back({{"agents.client_id", "string",
                "The API client of the agents and the onboarding service; without one, all roles are in this node.",
                "\"agents\"", true},
               text(AT(cfm.client_id))});
  t.push_back({{"agents.secret_file", "string", "The file with its secret.", "\"agents.secret\"", true},
               text(&config::agents_secret_file)});
  auto url = [&t](const char* name, const char* help, std::string cfm::cfm_settings::* member) {
    t.push_back({{std::string("agents.") + name, "string", help, "\"https://control.example\"", true},
                 [member](config& c, size_t, const config_value& v) -> refused {
                   c.cfm.*member = std::get<std::string>(v);
                   return std::nullopt;
                 }});
  };
  url("control_plane_url", "The control plane's management listener; this node's by default.",
      &cfm::cfm_settings::control_plane_url);
  url("credential_service_url", "The credential service's management listener; this node's by default.",
      &cfm::cfm_settings::credential_service_url);
  url("issuer_service_url", "The issuer's management listener; this node's by default.",
      &cfm::cfm_settings::issuer_service_url);
  url("tenant_manager_url", "The tenant manager's management listener; this node's by default.",
      &cfm::cfm_settings::tenant_manager_url);
  url("data_plane_signaling_url", "The data plane's signaling listener; this node's by default.",
      &cfm::cfm_settings::data_plane_signaling_url);
  url("control_plane_protocol_url", "Where peers reach the control plane; public.protocol_url by default.",
      &cfm::cfm_settings::control_plane_protocol_url);
  url("credential_service_protocol_url", "Where peers reach the credential service; public.protocol_url by default.",
      &cfm::cfm_settings::credential_service_protocol_url);
  t.push_back({{"agents.dataspace_profile", "string",
                "The dataspace profile that participants join; the first one by default.", "\"dataspace\"", true},
               text(AT(cfm.dataspace_profile))});
  t.push_back({{"agents.issuer_context", "string", "The issuer's participant context.", "\"issuer\""},
               text(AT(cfm.issuer_context))});
  t.push_back({{"agents.transfer_types", "strings", "What the data plane serves.", "[\"HttpData-PULL\"]"},
               list(AT(cfm.transfer_types))});
}

void add_telemetry_keys(std::vector<config_entry>& t) {
  t.push_back({{"telemetry.otlp_url", "string",
                "A collector's OTLP/HTTP endpoint for traces; without it no trace leaves the node.",
                "\"http://127.0.0.1:4318/v1/traces\"", true},
               text(&config::otlp_url)});
}

} // namespace fondaco::tools

#include "tools/fondaco/config_table.hpp"

#include "tools/fondaco/config_setters.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

namespace fondaco::tools {

namespace {

std::string quoted_list(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& w : words)
    out += (out.empty() ? "\"" : ", \"") + w + "\"";
  return "[" + out + "]";
}

void add_node(std::vector<config_entry>& t) {
  t.push_back({{"node.name", "string", "The node's name in its group.", "\"node-1\""}, text(&config::name)});
  t.push_back({{"node.group", "string", "The group of like nodes that share one database.", "\"default\""},
               text(&config::group)});
  t.push_back({{"node.roles", "strings",
                "What the node does: control-plane, data-plane, credential-service, issuer-service, tenant-manager, "
                "provision-manager, agents, onboarding.",
                quoted_list(known_roles())},
               [](config& c, size_t, const config_value& v) -> refused {
                 c.roles = std::get<std::vector<std::string>>(v);
                 for (const auto& r : c.roles)
                   if (auto why = one_of(r, known_roles()))
                     return why;
                 return std::nullopt;
               }});
  t.push_back({{"node.threads", "integer", "Threads for HTTP, and as many for the actors.", "2"},
               number(&config::threads, 1, 256)});
  t.push_back({{"node.log_level", "string", "debug, info, warning or error.", "\"info\""},
               [](config& c, size_t, const config_value& v) -> refused {
                 c.log_level = std::get<std::string>(v);
                 return one_of(c.log_level, {"debug", "info", "warning", "error"});
               }});
  t.push_back({{"store.url", "string", "A file for SQLite, or postgresql://user@host/database.", "\"fondaco.db\""},
               text(AT(store.url))});
  t.push_back(
      {{"store.readers", "integer", "Connections that read at the same time.", "4"}, number(AT(store.readers), 1, 64)});
  t.push_back({{"store.statement_timeout_ms", "integer", "The longest statement on PostgreSQL.", "5000"},
               number(AT(store.statement_timeout_ms), 100, 60'000)});
  t.push_back({{"store.reader_jobs_max", "integer", "Reads that may wait; more are answered 503.", "10000"},
               number(&config::reader_jobs_max, 1, 1'000'000)});
  t.push_back(
      {{"vault.key_file", "string",
        "64 hexadecimal digits, the key that wraps all others; only its owner may read the file.", "\"fondaco.key\""},
       text(&config::key_file)});
  t.push_back({{"vault.key_environment", "string", "The environment variable with the key, instead of a file.",
                "\"FONDACO_KEY\"", true},
               text(&config::key_environment)});
}

// How many clients a listener bears, and how long it waits for slow ones.
void add_listener_bounds(std::vector<config_entry>& t, const std::string& name) {
  struct bound {
    const char* key;
    const char* help;
    int64_t least;
    int64_t most;
    int64_t standard;
    std::function<void(gateway::listener_options&, int64_t)> set;
  };
  using options = gateway::listener_options;
  const auto count = [](size_t options::* member) {
    return [member](options& o, int64_t n) { o.*member = static_cast<size_t>(n); };
  };
  const auto time = [](milliseconds options::* member) {
    return [member](options& o, int64_t n) { o.*member = milliseconds(n); };
  };
  const options standard;
  const bound bounds[] = {
      {"connections_max", "Connections that may be open; further ones are closed at once.", 1, 1'000'000,
       static_cast<int64_t>(standard.connections_max), count(&options::connections_max)},
      {"requests_max", "Requests that may be under way; further ones are answered 503.", 1, 1'000'000,
       static_cast<int64_t>(standard.requests_max), count(&options::requests_max)},
      {"header_timeout_ms", "How long a request's header may take, a connection's first one with its handshake.", 100,
       hour_ms, standard.header_timeout_ms.count(), time(&options::header_timeout_ms)},
      {"body_timeout_ms", "How long the rest of a request's body may take.", 100, hour_ms,
       standard.body_timeout_ms.count(), time(&options::body_timeout_ms)},
      {"answer_timeout_ms", "How long an answer, a piece of a stream, or a write's progress may take.", 100, hour_ms,
       standard.answer_timeout_ms.count(), time(&options::answer_timeout_ms)},
      {"idle_timeout_ms", "How long a connection may be idle between requests.", 100, hour_ms,
       standard.idle_timeout_ms.count(), time(&options::idle_timeout_ms)}};
  for (const auto& b : bounds)
    t.push_back({{"listener." + name + "." + b.key, "integer", b.help, std::to_string(b.standard), true},
                 [name, b](config& c, size_t, const config_value& v) -> refused {
                   auto n = std::get<int64_t>(v);
                   if (n < b.least || n > b.most)
                     return "must be from " + std::to_string(b.least) + " to " + std::to_string(b.most);
                   b.set(c.listener(name), n);
                   return std::nullopt;
                 }});
}

void add_listener(std::vector<config_entry>& t, const std::string& name, const std::string& help,
                  const std::string& bind) {
  auto path = "listener." + name + ".";
  auto set = [name](auto member) {
    return [name, member](config& c, size_t, const config_value& v) -> refused {
      std::invoke(member, c.listener(name)) = std::get<std::string>(v);
      return std::nullopt;
    };
  };
  t.push_back({{path + "bind", "string", help, "\"" + bind + "\""}, set(&gateway::listener_options::bind)});
  t.push_back({{path + "tls_certificate", "string", "A PEM file; with it the listener speaks TLS.",
                "\"" + name + ".crt\"", true},
               set([](gateway::listener_options& l) -> std::string& { return l.tls.certificate_file; })});
  t.push_back({{path + "tls_key", "string", "The PEM file of the certificate's key.", "\"" + name + ".key\"", true},
               set([](gateway::listener_options& l) -> std::string& { return l.tls.key_file; })});
  t.push_back(
      {{path + "body_bytes_max", "integer", "The longest body of a request; a longer one is answered 413.", "1048576"},
       [name](config& c, size_t, const config_value& v) -> refused {
         auto n = std::get<int64_t>(v);
         if (n < 1024 || n > (64 << 20))
           return "must be from 1024 to 67108864";
         c.listener(name).body_bytes_max = static_cast<size_t>(n);
         return std::nullopt;
       }});
  add_listener_bounds(t, name);
}

void add_edges(std::vector<config_entry>& t) {
  add_listener(t, "protocol", "DSP, for other participants on the internet.", "127.0.0.1:8282");
  add_listener(t, "management", "The admin APIs and the token endpoint.", "127.0.0.1:8181");
  add_listener(t, "signaling", "DPS between control planes and data planes.", "127.0.0.1:8182");
  add_listener(t, "public", "The data plane's door for pulls.", "127.0.0.1:8185");
  add_listener(t, "internal", "For other nodes of the group.", "127.0.0.1:8186");
  add_listener(t, "observability", "Health, metrics and versions.", "127.0.0.1:8180");
  add_listener(t, "operator", "fondaco ctl: a unix socket that only its owner can open.", "unix:fondaco.sock");
  t.push_back(
      {{"public.protocol_url", "string", "Where peers reach the protocol listener.", "\"http://127.0.0.1:8282\""},
       text(AT(cell.protocol_url))});
  t.push_back({{"public.signaling_url", "string", "Where data planes reach the signaling listener.",
                "\"http://127.0.0.1:8182\""},
               text(AT(cell.signaling_url))});
  t.push_back({{"public.data_url", "string", "Where consumers reach the public listener.", "\"http://127.0.0.1:8185\""},
               text(AT(cell.public_url))});
  t.push_back(
      {{"outbound.allow_private_addresses", "boolean",
        "Loopback, link-local and private addresses may be called: for closed groups and development.", "false"},
       flag(AT(outbound.allow_private_addresses))});
  t.push_back(
      {{"outbound.allow_http", "boolean", "Plain http may be called.", "false"}, flag(AT(outbound.allow_http))});
  t.push_back(
      {{"outbound.ca_file", "string", "A PEM file of authorities to trust besides the system's.", "\"ca.pem\"", true},
       text(AT(outbound.ca_file))});
  t.push_back({{"outbound.exchanges_max", "integer", "Exchanges with other processes at the same time.", "512"},
               number(AT(outbound.exchanges_max), 1, 100'000)});
}

void add_trust(std::vector<config_entry>& t) {
  t.push_back({{"auth.issuer", "string", "The issuer of the node's own tokens: the URL of its management listener.",
                "\"http://127.0.0.1:8181\""},
               text(&config::issuer)});
  t.push_back(
      {{"auth.audience", "string", "The aud of the node's own tokens.", "\"fondaco\""}, text(&config::audience)});
  t.push_back({{"auth.external_issuer", "string", "An identity provider whose tokens are taken besides our own.",
                "\"https://idp.example/realms/dataspace\"", true},
               text(&config::external_issuer)});
  t.push_back({{"auth.external_audience", "string", "The aud that its tokens must have.", "\"fondaco\"", true},
               text(&config::external_audience)});
  t.push_back({{"auth.external_jwks_url", "string", "Where its keys are.", "\"https://idp.example/jwks\"", true},
               text(&config::external_jwks_url)});
  t.push_back({{"auth.participant_from_sub", "boolean",
                "The sub of an external token names the participant context, as EDC-V has it.", "true"},
               flag(&config::participant_from_sub)});
  auto client = [](auto member) {
    return [member](config& c, size_t i, const config_value& v) -> refused {
      std::invoke(member, entry(c.clients, i)) = std::get<std::string>(v);
      return std::nullopt;
    };
  };
  t.push_back({{"api_client[].id", "string", "The id of a program that gets tokens from this node.", "\"admin\""},
               client(&configured_client::id)});
  t.push_back({{"api_client[].secret_file", "string", "A file with its secret; only its owner may read it.",
                "\"admin.secret\""},
               client(&configured_client::secret_file)});
  t.push_back({{"api_client[].role", "string", "admin, provisioner, participant or operator.", "\"admin\""},
               client(&configured_client::role)});
  t.push_back(
      {{"api_client[].participant", "string", "The participant context of the role participant.", "\"acme\"", true},
       client(&configured_client::participant)});
  t.push_back({{"api_client[].scopes", "strings", "The scopes that it may ask for.", "[\"management-api:admin\"]"},
               [](config& c, size_t i, const config_value& v) -> refused {
                 entry(c.clients, i).scopes = std::get<std::vector<std::string>>(v);
                 return std::nullopt;
               }});
  t.push_back({{"dataspace_profile[].name", "string", "The profile's name: a segment of DSP URLs.", "\"closed\""},
               [](config& c, size_t i, const config_value& v) -> refused {
                 auto name = std::get<std::string>(v);
                 if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") != name.npos)
                   return "must be lower-case letters, digits, '-' and '.'";
                 entry(c.cell.profiles, i).name = name;
                 return std::nullopt;
               }});
  t.push_back({{"dataspace_profile[].identity", "string",
                "token: a closed dataspace with pre-shared tokens in each participant's configuration; dcp: DIDs and "
                "credentials.",
                "\"token\""},
               [](config& c, size_t i, const config_value& v) {
                 const auto& name = std::get<std::string>(v);
                 entry(c.cell.profiles, i).identity =
                     name == "dcp" ? cells::identity_mode::dcp : cells::identity_mode::token;
                 return one_of(name, {"token", "dcp"});
               }});
  t.push_back({{"dataspace_profile[].scopes", "strings",
                "For dcp: the credentials that counterparties must present, as scopes.",
                "[\"org.eclipse.dspace.dcp.vc.type:MembershipCredential:read\"]", true},
               [](config& c, size_t i, const config_value& v) -> refused {
                 entry(c.cell.profiles, i).scopes = std::get<std::vector<std::string>>(v);
                 return std::nullopt;
               }});
}

void add_limits(std::vector<config_entry>& t) {
  t.push_back({{"data_plane.file_roots", "strings",
                "Folders of files for assets of type File; a participant's lie below ROOT/ITS-ID.", "[]"},
               list(AT(cell.file_roots))});
  t.push_back({{"data_plane.pulls_per_flow_max", "integer", "Pulls of one data flow at the same time.", "16"},
               number(AT(cell.pulls_per_flow_max), 1, 10'000)});
  t.push_back({{"dsp.send_window_ms", "integer", "How long a message to a peer is tried again.", "14400000"},
               number(AT(cell.send_window_ms), 0, 30 * 24 * hour_ms)});
  t.push_back({{"dsp.peer_silence_ms", "integer", "How long a process waits for a silent peer.", "604800000"},
               number(AT(cell.peer_silence_ms), 1000, 365 * 24 * hour_ms)});
  t.push_back({{"dsp.exchange_timeout_ms", "integer", "How long one exchange with a peer may take.", "10000"},
               number(AT(cell.exchange_timeout_ms), 100, 120'000)});
  t.push_back({{"dsp.open_processes_per_counterparty_max", "integer",
                "Open processes of one counterparty with one participant; more are answered 429.", "1000"},
               number(AT(cell.open_processes_per_counterparty_max), 1, 1'000'000)});
  t.push_back({{"limits.command_timeout_ms", "integer", "How long a request waits for its entity.", "10000"},
               number(&config::command_timeout_ms, 100, 120'000)});
  t.push_back(
      {{"limits.tenant_commands_max", "integer", "Commands of one participant under way; more get 429.", "1024"},
       number(AT(limits.tenant_commands_max), 1, 1'000'000)});
  t.push_back({{"limits.node_commands_max", "integer", "Commands of the node under way; more get 429.", "20000"},
               number(AT(limits.node_commands_max), 1, 1'000'000)});
  t.push_back({{"limits.window_commands", "integer",
                "Commands at work that the participants of the last second share; the rest waits its turn.", "32"},
               number(AT(limits.window_commands), 1, 1'000'000)});
  t.push_back({{"limits.entity_stash_max", "integer", "Commands that wait in one entity.", "64"},
               number(AT(limits.entity_stash_max), 1, 10'000)});
  t.push_back({{"limits.passivate_after_ms", "integer", "How long an idle entity stays in memory.", "120000"},
               number(AT(limits.passivate_after_ms), 1, 24 * hour_ms)});
  t.push_back(
      {{"limits.retry_first_ms", "integer", "The first delay after a failed effect; doubled up to the cap.", "500"},
       number(AT(limits.retry_first_ms), 1, hour_ms)});
  t.push_back({{"limits.retry_cap_ms", "integer", "The longest delay between two tries.", "300000"},
               number(AT(limits.retry_cap_ms), 1, 24 * hour_ms)});
  t.push_back({{"limits.lease_ms", "integer", "The lease on a shard: what the sudden end of a node costs.", "10000"},
               number(AT(limits.lease_ms), 1000, hour_ms)});
  t.push_back({{"limits.shards", "integer", "The shards of the group; cannot be changed later.", "32"},
               number(&config::shards, 1, 4096)});
}

} // namespace

const std::vector<config_entry>& config_entries() {
  static const auto table = [] {
    std::vector<config_entry> t;
    add_node(t);
    add_edges(t);
    add_trust(t);
    add_identity_keys(t);
    add_cfm_keys(t);
    add_telemetry_keys(t);
    add_limits(t);
    return t;
  }();
  return table;
}

} // namespace fondaco::tools

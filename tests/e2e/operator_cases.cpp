#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "e2e/cases.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

void check_code(const std::string& what, const ended& e, int code) {
  check(e.code == code, what + " ended with " + std::to_string(e.code) + ", not " + std::to_string(code) +
                            "; it said: " + e.out + e.err);
}

void ctl_codes(bed& b) {
  auto& w = b.shared();
  auto id = agree(w, w.globex, w.acme, "dataset-1");
  for (const char* verb : {"show", "history", "why"}) {
    auto found = w.consumer.ctl({verb, id});
    check_code(std::string("ctl ") + verb, found, 0);
    check(!found.out.empty() && found.err.empty(), std::string("ctl ") + verb + " mixes data and talk: " + found.err);
    auto none = w.consumer.ctl({verb, random_uuid()});
    check_code(std::string("ctl ") + verb + " of nothing", none, 1);
    check(none.out.empty() && !none.err.empty(), std::string("ctl ") + verb + " of nothing prints data");
    check_code(std::string("ctl ") + verb + " without an id", w.consumer.ctl({verb}), 2);
    auto parsed = json::parse(w.consumer.ctl({"--json", verb, id}).out);
    check(parsed.is_array() && parsed.get_array().size() == 1,
          std::string("ctl --json ") + verb + " is no array of one");
  }
  for (const char* verb : {"ps", "tree"}) {
    check_code(std::string("ctl ") + verb, w.consumer.ctl({verb}), 0);
    check(json::parse(w.consumer.ctl({"--json", verb}).out).is_array(), std::string("ctl --json ") + verb);
  }
  check_code("ctl with a verb that is none", w.consumer.ctl({"dance"}), 2);
  check_code("ctl at no socket", run_program({binary(), "ctl", "--at", "unix:/nowhere/fondaco.sock", "ps"}), 3);
  auto nobody = "http://127.0.0.1:" + std::to_string(free_port());
  auto over_http = [&](const std::string& url, const std::string& client, const std::string& file) {
    return run_program({binary(), "ctl", "--at", url, "--client-id", client, "--secret-file", file, "--json", "ps"});
  };
  const auto url = w.consumer.url("management");
  check_code("ctl at no port", over_http(nobody, "operator", w.consumer.secret_file("operator")), 3);
  check_code("ctl as an operator", over_http(url, "operator", w.consumer.secret_file("operator")), 0);
  check_code("ctl with a wrong secret", over_http(url, "operator", w.consumer.secret_file("globex-app")), 4);
  check_code("ctl at a URL without a client", run_program({binary(), "ctl", "--at", url, "ps"}), 2);
}

void ps_shows(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.initech), w.other_side);
  n.begin("dataset-2");
  auto rows = json::parse(w.provider.ctl({"--json", "ps"}).out).as_array();
  for (const auto& r : rows)
    for (const char* name : {"kind", "tenant", "id", "state", "owner"})
      check(!text_at(r.as_object(), name).empty(), std::string("ps has a row without ") + name);
  auto list = json::parse(w.provider.ctl({"--json", "show", n.provider_pid()}).out).as_array();
  auto shown = list.at(0).as_object();
  check_equal("its kind", text_at(shown, "kind"), "negotiation");
  check_equal("its tenant", text_at(shown, "tenant"), "initech");
  check(!text_at(shown, "waiting_on").empty(), "a negotiation that waits does not say on what");
  check(!text_at(shown, "next_wake_up").empty(), "a negotiation that waits has no next wake-up");
}

// Data that is nobody's but the participants' does not show to an operator.
void hides_business(bed& b) {
  auto& w = b.shared();
  auto asset = "price-list-" + random_hex(4);
  auto body = managed("Asset");
  body["@id"] = asset;
  body["properties"] = json::object{{"name", "a-name-that-is-nobodys-business"}};
  w.provider_admin.call("POST", w.acme.path("/assets"), body);
  std::string all;
  for (const char* verb : {"ps", "tree"})
    all += w.provider.ctl({"--json", verb}).out;
  for (const char* verb : {"show", "history", "why"})
    all += w.provider.ctl({"--json", verb, asset}).out;
  check(all.find("a-name-that-is-nobodys-business") == std::string::npos, "an operator sees a property of an asset");
}

void operator_routes(bed& b) {
  auto& w = b.shared();
  auto url = w.provider.url("management") + "/operator/entities";
  check_equal("the status without a token", send("GET", url, {}).status, 401);
  check_equal("the status with a participant's token",
              send("GET", url, {{"Authorization", "Bearer " + management(w.provider, "acme-app").token()}}).status,
              403);
  check_equal("the status with an operator's token",
              send("GET", url, {{"Authorization", "Bearer " + management(w.provider, "operator").token()}}).status,
              200);
  management op(w.provider, "operator");
  check_equal("an operator's status at a participant's assets",
              op.send("POST", w.acme.path("/assets/request"), std::string()).status, 403);
}

void separate_doors(bed& b) {
  auto& w = b.shared();
  const std::map<std::string, std::string> home{{"/api/management/v5beta/participants", "management"},
                                                {"/oauth2/token", "management"},
                                                {"/.well-known/jwks.json", "management"},
                                                {"/operator/entities", "management"},
                                                {"/api/dsp/acme/.well-known/dspace-version", "protocol"},
                                                {"/api/dsp/acme/closed/catalog/datasets/dataset-1", "protocol"},
                                                {"/api/dataplane/acme/dataflows/x/status", "signaling"},
                                                {"/api/public/x", "public"},
                                                {"/metrics", "observability"}};
  for (const auto& [path, door] : home)
    for (const char* listener : {"management", "protocol", "signaling", "public", "internal", "observability"}) {
      auto got =
          send("GET", w.provider.url(listener) + path, {{"Authorization", "Bearer " + w.provider_admin.token()}});
      if (door == listener && path != "/api/dataplane/acme/dataflows/x/status")
        check(got.status != 404 || path.starts_with("/api/dsp"), path + " is not at " + door);
      else if (door != listener)
        check_equal("the status of " + path + " at the listener " + listener, got.status, 404);
    }
}

void health(bed& b) {
  auto& w = b.shared();
  for (const char* aspect : {"health", "liveness", "readiness", "startup"})
    for (const char* listener : {"observability", "internal"}) {
      auto got = send("GET", w.provider.url(listener) + "/api/check/" + aspect, {});
      check_equal(std::string("the status of ") + aspect, got.status, 200);
      auto body = got.object();
      check(body.contains("isSystemHealthy") && body.at("isSystemHealthy") == true, "a healthy node says: " + got.body);
      check(!array_at(body, "componentResults").empty(), "no component is named: " + got.body);
    }
  auto versions = send("GET", w.provider.url("observability") + "/api/v1/version", {}).object();
  check(!array_at(versions, "management").empty(), "the versions do not name the management API");
  auto dsp = send("GET", w.provider.url("protocol") + "/api/dsp/acme/.well-known/dspace-version", {});
  check_equal("the status of the version document", dsp.status, 200);
  auto list = array_at(dsp.object(), "protocolVersions");
  check_equal("the count of versions", list.size(), size_t{1});
  check_equal("the version", text_at(list[0].as_object(), "version"), "2025-1");
  check_equal("the path", text_at(list[0].as_object(), "path"), std::string("/") + profile);
  check_equal("the binding", text_at(list[0].as_object(), "binding"), "HTTPS");
}

void correlation(bed& b) {
  auto& w = b.shared();
  auto id = "e2e-" + random_hex(8);
  auto got = send("GET", w.provider.url("protocol") + "/api/dsp/acme/closed/catalog/datasets/dataset-1",
                  {{"X-Request-Id", id}, {"Authorization", "Bearer " + w.peer_presents}});
  check_equal("the correlation id of the answer", got.header("X-Request-Id"), id);
  std::string found;
  std::istringstream lines(w.provider.log());
  for (std::string line; std::getline(lines, line);)
    if (line.find(id) != std::string::npos)
      found = line;
  check(!found.empty(), "the log has no line with the correlation id");
  auto logged = json::parse(found).as_object();
  for (const char* name : {"time", "severity", "component", "category", "message", "participant_context"})
    check(!text_at(logged, name).empty(), std::string("a line about a message lacks ") + name + ": " + found);
}

// How many members a line names: it is flat, so every other string is a name.
size_t names_in(const std::string& line) {
  size_t strings = 0;
  bool inside = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (inside && line[i] == '\\')
      ++i;
    else if (line[i] == '"') {
      inside = !inside;
      strings += inside ? 1 : 0;
    }
  }
  return strings / 2;
}

void whole_log(bed& b) {
  auto& w = b.shared();
  (void)agree(w, w.globex, w.acme, "dataset-1");
  for (const auto* n : {&w.provider, &w.consumer}) {
    std::istringstream lines(n->log());
    for (std::string line; std::getline(lines, line);) {
      boost::system::error_code wrong;
      auto parsed = json::parse(line, wrong);
      check(!wrong && parsed.is_object(), "a line of the log is no JSON object: " + line);
      check(names_in(line) == parsed.get_object().size(), "a line of the log names a member twice: " + line);
      check(!text_at(parsed.get_object(), "severity").empty(), "a line of the log has no severity: " + line);
    }
  }
}

// `name type {label,label}` a line.
std::map<std::string, std::pair<std::string, std::set<std::string>>> golden_metrics() {
  auto path = std::filesystem::path(FONDACO_SOURCE_FOLDER) / "gateway/metrics.golden.txt";
  auto text =
      read_file(std::filesystem::exists("gateway/metrics.golden.txt") ? "gateway/metrics.golden.txt" : path.string());
  std::map<std::string, std::pair<std::string, std::set<std::string>>> all;
  std::istringstream words(text);
  for (std::string name, type, labels; words >> name >> type >> labels;) {
    std::istringstream each(labels.substr(1, labels.size() - 2));
    std::set<std::string> names;
    for (std::string label; std::getline(each, label, ',');)
      names.insert(label);
    all[name] = {type, names};
  }
  check(all.size() > 10, "the golden list of metrics was not read");
  return all;
}

std::set<std::string> labels_of(const std::string& sample) {
  std::set<std::string> names;
  auto open = sample.find('{'), close = sample.rfind('}');
  if (open == std::string::npos || close == std::string::npos)
    return names;
  for (auto at = open + 1; at < close;) {
    auto equals = sample.find("=\"", at);
    auto end = sample.find('"', equals + 2);
    if (equals == std::string::npos || end == std::string::npos)
      break;
    names.insert(sample.substr(at, equals - at));
    at = end + 2;
  }
  return names;
}

void metrics(bed& b) {
  auto& w = b.shared();
  (void)agree(w, w.globex, w.acme, "dataset-1");
  const auto golden = golden_metrics();
  auto got = send("GET", w.provider.url("observability") + "/metrics", {});
  check_equal("the status of the metrics", got.status, 200);
  std::string name, type;
  size_t samples = 0;
  std::istringstream lines(got.body);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      std::istringstream words(line.substr(7));
      words >> name >> type;
      check(golden.contains(name), "the metric " + name + " is not in the golden list");
      check_equal("the type of " + name, type, golden.at(name).first);
    }
    if (line.empty() || line.starts_with("#"))
      continue;
    ++samples;
    check(line.starts_with(name), "a sample has no TYPE before it: " + line);
    auto labels = labels_of(line);
    labels.erase("le");
    check(labels == golden.at(name).second, "a sample has other labels than the golden list: " + line);
  }
  check(samples > 20, "the metrics have " + std::to_string(samples) + " samples only");
}

// The sum of a metric's samples.
double sum_of(const std::string& page, const std::string& name) {
  double sum = 0;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name + "{") || line.starts_with(name + " "))
      sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
  return sum;
}

// Each has to grow, or be there, once the nodes negotiated and data was pulled.
void metrics_move(bed& b) {
  auto& w = b.shared();
  auto agreement = text_at(agreement_of(w, w.globex, agree(w, w.globex, w.acme, "dataset-1")), "@id");
  auto a = access_of(w, w.globex, start_transfer(w, w.globex, w.acme, agreement));
  check(running_pull(a.endpoint, a.authorization).finish(), "a pull broke off");
  auto page = send("GET", w.provider.url("observability") + "/metrics", {}).body;
  for (const char* name :
       {"fondaco_listener_requests_total", "fondaco_actor_commands_total", "fondaco_actor_appends_total",
        "fondaco_actor_events_total", "fondaco_actor_effects_total", "fondaco_outbound_http_total",
        "fondaco_tokens_issued_total", "fondaco_listener_bytes_out_total"})
    check(sum_of(page, name) > 0, std::string(name) + " did not move");
  std::string still;
  for (const char* name : {"fondaco_http_requests_total", "fondaco_http_request_duration_seconds_count",
                           "fondaco_journal_append_duration_seconds_count", "fondaco_journal_batch_entities_count",
                           "fondaco_effects_total", "fondaco_data_plane_bytes_total", "fondaco_data_plane_pulls_total",
                           "fondaco_tenants", "fondaco_tenant_commands_total"})
    still += sum_of(page, name) > 0 ? "" : std::string(" ") + name;
  check(still.empty(), "these metrics of the golden list did not move:" + still);
}

void plan(bed& b) {
  node_options o;
  o.name = "planned";
  o.kind = b.kind();
  node n(o, b.fresh_folder());
  auto said = run_program({binary(), "serve", "--config", n.config_file(), "--plan"});
  check_code("serve --plan", said, 0);
  size_t at = 0;
  for (const char* service : {"store", "vault", "tokens", "actors", "management", "observability"}) {
    auto found = said.out.find(std::string(". ") + service + ": requires", at);
    check(found != std::string::npos, std::string("the plan has no ") + service + " at its place: " + said.out);
    at = found;
  }
  for (const char* listener : {"protocol", "management", "signaling", "public", "internal", "observability"})
    check(said.out.find("127.0.0.1:" + std::to_string(n.port(listener))) != std::string::npos,
          std::string("the plan does not say where ") + listener + " listens");
  check(!std::filesystem::exists(n.folder() + "/fondaco.db"), "serve --plan made a database");
}

void wrong_config(bed& b) {
  node_options o;
  o.name = "misspelt";
  o.kind = b.kind();
  node n(o, b.fresh_folder());
  auto good = read_file(n.config_file());
  auto refuse = [&](const std::string& from, const std::string& to, const std::vector<std::string>& words) {
    write_private(n.config_file(), replaced(good, from, to));
    auto said = run_program({binary(), "serve", "--config", n.config_file()});
    check(said.code != 0, "a node started with '" + to + "'");
    check(said.out.empty(), "a node that does not start prints data: " + said.out);
    for (const auto& word : words)
      check(said.err.find(word) != std::string::npos,
            "the refusal of '" + to + "' does not say '" + word + "': " + said.err);
  };
  refuse("exchange_timeout_ms", "exchange_timeout", {"dsp.exchange_timeout", "dsp.exchange_timeout_ms", "line"});
  refuse("lease_ms = 3000", "lease_ms = 3", {"limits.lease_ms", "1000"});
  refuse("lease_ms = 3000", "lease_ms = \"3000\"", {"limits.lease_ms", "integer"});
  refuse("[store]", "[store", {"line"});
  write_private(n.config_file(), good);
  std::filesystem::permissions(n.folder() + "/fondaco.key", std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  auto said = run_program({binary(), "serve", "--config", n.config_file()});
  check(said.code != 0 && said.err.find("chmod 600") != std::string::npos,
        "a key file that others can read is not refused with its cure: " + said.err);
}

void example_config(bed& b) {
  auto said = run_program({binary(), "config", "--example"});
  check_code("config --example", said, 0);
  check(said.out.find("exchange_timeout_ms = ") != std::string::npos, "the example lacks a key: " + said.out);
  auto folder = b.fresh_folder();
  std::filesystem::create_directories(folder);
  write_private(folder + "/example.toml", said.out);
  check_code("serve --plan of the example",
             run_program({binary(), "serve", "--config", folder + "/example.toml", "--plan"}), 0);
}

void taken_port(bed& b) {
  auto& w = b.shared();
  node_options o;
  o.name = "latecomer";
  o.kind = b.kind();
  node n(o, b.fresh_folder());
  write_private(n.config_file(), replaced(read_file(n.config_file()), ":" + std::to_string(n.port("protocol")) + "\"",
                                          ":" + std::to_string(w.provider.port("protocol")) + "\""));
  auto said = run_program({binary(), "serve", "--config", n.config_file()});
  check(said.code != 0, "a node started on a port that is taken");
  check(said.err.find("protocol") != std::string::npos, "the refusal does not name the listener: " + said.err);
}

} // namespace

cases operator_cases() {
  return {{"ctl ends with 0 answered, 1 no such thing, 2 wrong command line, 3 unreachable, 4 refused", ctl_codes},
          {"ps and show say what an entity is and what it waits on", ps_shows},
          {"ctl shows no business data", hides_business},
          {"the operator's routes over HTTP need the operator's scope, which opens nothing else", operator_routes},
          {"each listener serves its own paths and answers 404 to the others'", separate_doors},
          {"a running node is healthy, live, ready and started, and tells its versions", health},
          {"a request's correlation id is in its answer and in the log", correlation},
          {"every line of the log is one JSON object whose members are unique", whole_log},
          {"the metrics are those of the golden list, with their types and labels", metrics},
          {"what a node does moves its metrics", metrics_move},
          {"serve --plan prints the start order and the listeners and starts nothing", plan},
          {"a wrong configuration is refused with its line, what is allowed and the nearest key", wrong_config},
          {"the example configuration holds every key and is taken", example_config},
          {"a node whose port is taken ends with an error that names the listener", taken_port}};
}

} // namespace fondaco::e2e

// Who may not call a route is refused, and the same request of who may succeeds: every route of the admin APIs that the
// node says it serves.

#include <algorithm>
#include <set>
#include <sstream>

#include "e2e/cases.hpp"
#include "e2e/fabric.hpp"
#include "e2e/role_table.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

using known_names = std::map<std::string, std::string>;

const std::vector<std::string> both_apis{"identity-api:read", "identity-api:write", "issuer-admin-api:read",
                                         "issuer-admin-api:write"};
// Every scope that the administrator of a fabric may ask for.
const std::vector<std::string> all_scopes{
    "management-api:admin",     "identity-api:admin",         "issuer-admin-api:admin",      "tenant-manager-api:read",
    "tenant-manager-api:write", "provision-manager-api:read", "provision-manager-api:write", "onboarding-api:admin"};

std::string filled(std::string text, const known_names& known) {
  for (const auto& [name, value] : known)
    text = replaced(text, "${" + name + "}", value);
  check(text.find("${") == std::string::npos, "nothing was learned for: " + text);
  return text;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string word; in >> word;)
    out.push_back(word);
  return out;
}

std::string in_path(const std::string& text) { return replaced(replaced(text, "%", "%25"), ":", "%3A"); }

/// One caller of a node at a time, each with its own token.
class callers {
public:
  explicit callers(node& n) : node_(n) {}
  admin& as(const std::string& client, const std::string& scope = "") {
    auto& known = known_[client + " " + scope];
    if (!known)
      known = std::make_unique<admin>(node_, client, scope);
    return *known;
  }
  node& at() { return node_; }

private:
  node& node_;
  std::map<std::string, std::unique_ptr<admin>> known_;
};

/// A request of a row, ready to be sent.
struct guarded_request {
  const guarded_route& route;
  std::string path;
  std::string body;
  http::header_list headers;
  std::string prefix;
  std::string owner;

  std::string name() const { return route.method + " " + route.pattern; }
  bool is_owned() const { return !owner.empty(); }
  std::string for_owner(const std::string& other) const {
    return replaced(path, "/participants/" + owner, "/participants/" + other);
  }
};

// `identity-api` for a route below /api/identity; the two managers of the CFM share a root.
std::string scope_prefix(const std::string& pattern) {
  if (pattern.starts_with("/api/identity/"))
    return "identity-api";
  if (pattern.starts_with("/api/issuer/"))
    return "issuer-admin-api";
  if (pattern.starts_with("/api/onboarding/"))
    return "onboarding-api";
  for (const char* provision : {"/activity-definitions", "/orchestration-definitions", "/orchestrations"})
    if (pattern.starts_with(std::string("/api/v1alpha1") + provision))
      return "provision-manager-api";
  return "tenant-manager-api";
}

guarded_request ready(const guarded_route& route, const known_names& known) {
  guarded_request out{route, route.pattern, filled(route.body, known), {}, scope_prefix(route.pattern), ""};
  known_names arguments;
  std::string query;
  for (const auto& word : words_of(filled(route.arguments, known))) {
    if (word.starts_with('?'))
      query = word;
    else if (const auto equal = word.find('='); equal != std::string::npos)
      arguments[word.substr(0, equal)] = word.substr(equal + 1);
  }
  if (route.pattern.find("{p}") != std::string::npos) {
    if (!arguments.contains("p"))
      arguments["p"] = route.caller;
    out.owner = arguments["p"];
  }
  for (const auto& [name, value] : arguments)
    out.path = replaced(out.path, "{" + name + "}", in_path(value));
  check(out.path.find('{') == std::string::npos, "a parameter has no argument: " + out.path);
  out.path += query;
  if (route.method != "GET" && !out.body.empty() && !out.body.starts_with('{') && !out.body.starts_with('['))
    out.headers.emplace_back("Content-Type", "text/plain");
  return out;
}

answer sent(admin& as, const guarded_request& g, const std::string& path) {
  if (g.headers.empty())
    return as.send(g.route.method, path, g.body);
  auto headers = g.headers;
  headers.emplace_back("Authorization", "Bearer " + as.token());
  return send(g.route.method, as.url() + path, std::move(headers), g.body);
}

void check_refused(const guarded_request& g, const std::string& who, const answer& a, int status) {
  check(a.status == status, g.name() + " by " + who + " was answered " + std::to_string(a.status) + ", not " +
                                std::to_string(status) + ": " + a.body);
}

std::string joined(const std::vector<std::string>& scopes, const std::string& without) {
  std::string out;
  for (const auto& s : scopes)
    if (!s.starts_with(without + ":"))
      out += (out.empty() ? "" : "%20") + s;
  return out;
}

void check_refusals(callers& by, const guarded_request& g) {
  const auto url = by.at().url("management") + g.path;
  check_refused(g, "nobody", send(g.route.method, url, g.headers, g.body), 401);
  auto garbage = g.headers;
  garbage.emplace_back("Authorization", "Bearer garbage");
  check_refused(g, "a token that is none", send(g.route.method, url, garbage, g.body), 401);
  check_refused(g, "the operator's role", sent(by.as("operator"), g, g.path), 403);
  check_refused(g, "scopes of all other APIs", sent(by.as("admin", joined(all_scopes, g.prefix)), g, g.path), 403);
  const auto owner = g.is_owned() && g.route.level != access_level::admin ? g.route.caller : std::string("admin");
  if (g.route.level == access_level::write)
    check_refused(g, "a scope that only reads", sent(by.as(owner, g.prefix + ":read"), g, g.path), 403);
  if (g.route.level == access_level::admin)
    check_refused(g, "scopes that do not administer",
                  sent(g.prefix == "onboarding-api" ? by.as("clerk") : by.as("beta"), g, g.path), 403);
  if (!g.is_owned()) {
    if (g.route.level != access_level::admin)
      check_refused(g, "a participant", sent(by.as("beta"), g, g.path), 403);
    return;
  }
  const auto there = sent(by.as("beta"), g, g.path), nowhere = sent(by.as("beta"), g, g.for_owner("nobody"));
  check_refused(g, "another tenant", there, 403);
  check_refused(g, "another tenant, of one that does not exist", nowhere, 403);
  check_equal("what another tenant learns at " + g.name(), there.body, nowhere.body);
}

// What the owner of a thing sees under another owner's path is what nobody's thing looks like.
void check_foreign_thing(callers& by, const guarded_request& g, const std::string& id) {
  if (!g.is_owned() || id.empty() || g.owner == "beta" || g.route.level == access_level::admin)
    return;
  const auto path = g.for_owner("beta"), other = std::string("0190d3a2-7c1e-7000-8000-000000000000");
  const auto theirs = sent(by.as("beta"), g, path),
             nobodys = sent(by.as("beta"), g, replaced(path, in_path(id), other));
  check_refused(g, "another tenant under its own path", theirs, nobodys.status);
  check(theirs.status == 404 || theirs.status == 400,
        g.name() + ": a foreign thing is answered " + std::to_string(theirs.status) + ": " + theirs.body);
  check_equal("a foreign thing at " + g.name(), replaced(theirs.body, id, other), nobodys.body);
}

// The id of the thing that a row is about; empty if it is about none.
std::string thing_of(const guarded_route& r, const known_names& known) {
  for (const auto& word : words_of(filled(r.arguments, known)))
    if (word.starts_with("id="))
      return word.substr(3);
  return {};
}

void learn(const guarded_route& r, const answer& a, known_names& known) {
  if (r.learn_as.empty())
    return;
  const auto v = a.value();
  const auto& o = v.is_array() ? v.get_array().at(0).as_object() : v.as_object();
  const auto* found = o.if_contains(r.learn_from);
  check(found != nullptr, r.method + " " + r.pattern + " gave no " + r.learn_from + ": " + a.body);
  known[r.learn_as] = found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
}

// What may call does; a list that something is learned of is looked at until it has something.
answer call_as_allowed(callers& by, const guarded_request& g) {
  return wait_for(g.name() + " to give something", [&](std::string& saw) -> std::optional<answer> {
    auto a = sent(by.as(g.route.caller), g, g.path);
    saw = a.body;
    check(a.status >= 200 && a.status < 300,
          g.name() + " by " + g.route.caller + ", who may, was answered " + std::to_string(a.status) + ": " + a.body);
    return g.route.learn_as.empty() || a.body != "[]" ? std::optional(std::move(a)) : std::nullopt;
  });
}

void run_table(callers& by, const std::vector<guarded_route>& table, known_names& known) {
  for (const auto& route : table) {
    const auto g = ready(route, known);
    check_refusals(by, g);
    check_foreign_thing(by, g, thing_of(route, known));
    learn(route, call_as_allowed(by, g), known);
  }
}

/// A fabric with one tenant and callers of every role.
struct guarded_fabric {
  explicit guarded_fabric(bed& b) : f(b.fresh_folder(), options(b)), by((f.start(), f.cfm())) {
    acme = f.begin("acme");
    f.await_active(acme);
  }

  static fabric_options options(bed& b) {
    fabric_options o;
    o.kind = b.kind();
    for (const char* id : {"alpha", "beta", "issuer"})
      o.clients.push_back({id, "participant", id, both_apis});
    o.clients.push_back({"clerk", "admin", "", {"onboarding-api:read", "onboarding-api:write"}});
    return o;
  }

  void add_identity(const std::string& id) {
    json::object manifest{{"participantContextId", id}, {"did", f.did(id)}, {"active", true}};
    manifest["key"] = json::object{{"keyId", f.did(id) + "#key1"},
                                   {"privateKeyAlias", id + "-key1"},
                                   {"keyGeneratorParams", json::object{{"algorithm", "EC"}}}};
    f.at(f.cfm()).call("POST", "/api/identity/v1beta/participants", manifest);
  }

  fabric f;
  callers by;
  tenancy acme;
};

void run_identity(bed& b) {
  guarded_fabric w(b);
  w.add_identity("beta");
  json::object holder{{"holderId", w.f.did("alpha")}, {"did", w.f.did("alpha")}, {"name", "alpha"}};
  holder["properties"] = json::object{{"membership", json::object{{"level", "full"}}}};
  w.f.at(w.f.cfm()).call("POST", "/api/issuer/v1beta/participants/issuer/holders", holder);
  known_names known{{"alpha_did", w.f.did("alpha")},
                    {"alpha_did_64", base64url(w.f.did("alpha"))},
                    {"issuer_did", w.f.did("issuer")},
                    {"protocol", w.f.cfm().url("protocol")}};
  run_table(w.by, identity_table(), known);
}

/// The id of a fresh credential of acme's that can be suspended.
std::string add_suspendable(guarded_fabric& w) {
  auto& who = w.f.at(w.f.cfm());
  const std::string issuer = "/api/issuer/v1beta/participants/issuer";
  json::object definition{{"id", "suspendable-def"},
                          {"credentialType", "SuspendableCredential"},
                          {"format", "vc20-bssl/jwt"},
                          {"jsonSchema", "{}"},
                          {"validity", 3600}};
  definition["attestations"] = json::array{"holder-attestation"};
  definition["mappings"] = json::array{
      json::object{{"input", "membership"}, {"output", "credentialSubject.membership"}, {"required", true}}};
  definition["statusPurposes"] = json::array{"revocation", "suspension"};
  who.call("POST", issuer + "/credentialdefinitions", definition);
  json::object request{{"issuerDid", w.f.did("issuer")}, {"holderPid", "suspendable"}};
  request["credentials"] = json::array{
      json::object{{"id", "suspendable-def"}, {"type", "SuspendableCredential"}, {"format", "vc20-bssl/jwt"}}};
  const auto holder = "/api/identity/v1beta/participants/" + w.acme.context;
  who.call("POST", holder + "/credentials/request", request);
  return wait_for("the suspendable credential at its holder", [&](std::string& saw) -> std::optional<std::string> {
    const auto held = who.call("GET", holder + "/credentials?type=SuspendableCredential");
    saw = json::serialize(held);
    if (held.as_array().empty())
      return std::nullopt;
    const auto container = object_at(held.as_array().at(0).as_object(), "verifiableCredential");
    return text_at(object_at(container, "credential"), "id");
  });
}

void run_issuer(bed& b) {
  guarded_fabric w(b);
  w.add_identity("beta");
  known_names known{{"holder", w.f.did("acme")}, {"suspendable", add_suspendable(w)}};
  run_table(w.by, issuer_table(), known);
}

void run_cfm(bed& b) {
  guarded_fabric w(b);
  auto& who = w.f.at(w.f.cfm());
  const auto cells = who.call("GET", "/api/v1alpha1/cells").as_array();
  const auto unused = who.call("POST", "/api/v1alpha1/dataspace-profiles", {{"dataspaceSpec", json::object()}});
  known_names known{{"cell", text_at(cells.at(0).as_object(), "id")},
                    {"unused_space", text_at(unused.as_object(), "id")},
                    {"tenant", w.acme.tenant},
                    {"profile", w.acme.profile},
                    {"guests", w.f.dataspace_profile("guests")},
                    {"extra_did", w.f.did("extra")},
                    {"orchestration_id", random_uuid()}};
  run_table(w.by, cfm_table(), known);
}

void run_onboarding(bed& b) {
  guarded_fabric w(b);
  auto& who = w.f.at(w.f.cfm());
  // Its DID is somebody's already.
  const std::string applications = "/api/onboarding/v1/applications";
  json::object body{{"organisation", "acme again"}, {"identifier", w.f.did("acme")}};
  body["dataspaceProfileIds"] = json::array{json::value(w.f.dataspace_profile("guests"))};
  const auto id = text_at(who.call("POST", applications, body).as_object(), "id");
  who.call("POST", applications + "/" + id + "/decision", {{"approved", true}, {"reason", "checked"}});
  wait_for("the second application of one DID to fail", [&](std::string& saw) -> std::optional<bool> {
    saw = text_at(who.call("GET", applications + "/" + id).as_object(), "state");
    return saw == "FAILED" ? std::optional(true) : std::nullopt;
  });
  known_names known{
      {"late_did", w.f.did("late")}, {"guests", w.f.dataspace_profile("guests")}, {"failed_application", id}};
  run_table(w.by, onboarding_table(), known);
}

void run_completeness(bed& b) {
  guarded_fabric w(b);
  std::set<std::string> rows;
  for (const auto& table : {identity_table(), issuer_table(), cfm_table(), onboarding_table()})
    for (const auto& r : table)
      rows.insert(r.method + " " + r.pattern);
  const auto served = w.f.cfm().ctl({"routes", "--json"});
  check(served.code == 0, "ctl routes: " + served.err);
  std::string without_row;
  std::set<std::string> routes;
  const auto listed = json::parse(served.out);
  for (const auto& v : listed.as_array()) {
    const auto path = text_at(v.as_object(), "path");
    const bool guarded = path.starts_with("/api/identity/") || path.starts_with("/api/issuer/") ||
                         path.starts_with("/api/v1alpha1/") || path.starts_with("/api/onboarding/");
    if (text_at(v.as_object(), "listener") != "management" || !guarded)
      continue;
    routes.insert(text_at(v.as_object(), "method") + " " + path);
    if (!rows.contains(text_at(v.as_object(), "method") + " " + path))
      without_row += "\n" + text_at(v.as_object(), "method") + " " + path;
  }
  check(without_row.empty(), "these routes have no row in the table of roles:" + without_row);
  for (const auto& r : rows)
    check(routes.contains(r), "the table of roles has a row for a route that is not served: " + r);
}

} // namespace

cases role_cases() {
  return {
      {"every route of the Identity API refuses the wrong role, scope and tenant, and lets in who may", run_identity},
      {"every route of the Issuer Admin API refuses the wrong role, scope and tenant, and lets in who may", run_issuer},
      {"every route of the CFM refuses the wrong role and scope, and lets in who may", run_cfm},
      {"every route of the onboarding service refuses the wrong role and scope, and lets in who may", run_onboarding},
      {"every route of these APIs that the node serves is in the table of roles, and no other", run_completeness}};
}

} // namespace fondaco::e2e

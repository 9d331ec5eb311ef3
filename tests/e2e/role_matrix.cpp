#include "e2e/role_matrix.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <sstream>

#include "e2e/fixed_tokens.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

/// What wakes up later than this is not under way.
constexpr int soon_s = 30;

// Every scope that anybody may ask for who administers anything.
const std::vector<std::string> all_scopes{
    "management-api:admin",     "identity-api:admin",         "issuer-admin-api:admin",      "tenant-manager-api:read",
    "tenant-manager-api:write", "provision-manager-api:read", "provision-manager-api:write", "onboarding-api:admin"};

/// The resource that the scopes of an API name for what follows the tenant in a path.
struct resource_of_path {
  const char* prefix;
  const char* segment;
  const char* resource;
};
constexpr const char* management = "management-api";
constexpr const char* identity = "identity-api";
constexpr const char* issuing = "issuer-admin-api";
constexpr resource_of_path resources[] = {{management, "assets", "assets"},
                                          {management, "policydefinitions", "policies"},
                                          {management, "contractdefinitions", "contractdefinitions"},
                                          {management, "contractnegotiations", "negotiations"},
                                          {management, "contractagreements", "agreements"},
                                          {management, "transferprocesses", "transfers"},
                                          {management, "edrs", "transfers"},
                                          {management, "catalog", "catalog"},
                                          {management, "profiles", "profiles"},
                                          {management, "dataplanes", "dataplanes"},
                                          {identity, "", "participants"},
                                          {identity, "state", "participants"},
                                          {identity, "token", "participants"},
                                          {identity, "sts", "participants"},
                                          {identity, "keypairs", "keypairs"},
                                          {identity, "dids", "dids"},
                                          {identity, "credentials", "credentials"},
                                          {issuing, "attestations", "attestations"},
                                          {issuing, "credentialdefinitions", "credentialdefinitions"},
                                          {issuing, "holders", "holders"},
                                          {issuing, "issuanceprocesses", "issuanceprocesses"},
                                          {issuing, "credentials", "credentials"}};

/// A request of a row, ready to be sent.
struct guarded_request {
  const guarded_route& route;
  std::string path;
  std::string body;
  http::header_list headers;
  std::string prefix;
  /// The resource that the scope names; empty if it names none.
  std::string resource;
  std::string owner;
  /// The id of the thing that it is about; empty if it is about none.
  std::string thing;

  std::string name() const { return route.method + " " + route.pattern; }
  bool is_owned() const { return !owner.empty(); }
  bool administers() const { return route.level == access_level::admin; }
  std::string for_owner(const std::string& other) const {
    return replaced(path, "/participants/" + owner, "/participants/" + other);
  }
  /// The least scope that opens it.
  std::string scope() const {
    const char* level = administers() ? ":admin" : route.level == access_level::write ? ":write" : ":read";
    return prefix + (resource.empty() ? "" : ":" + resource) + level;
  }
};

// `identity-api` for a route below /api/identity; the two managers of the CFM share a root.
std::string scope_prefix(const std::string& pattern) {
  for (const auto& [root, prefix] : {std::pair{"/api/identity/", identity},
                                     {"/api/issuer/", issuing},
                                     {"/api/onboarding/", "onboarding-api"},
                                     {"/api/management/", management},
                                     {"/operator/", "operator"}})
    if (pattern.starts_with(root))
      return prefix;
  for (const char* provision : {"/activity-definitions", "/orchestration-definitions", "/orchestrations"})
    if (pattern.starts_with(std::string("/api/v1alpha1") + provision))
      return "provision-manager-api";
  return "tenant-manager-api";
}

std::string scope_resource(const guarded_route& r) {
  const auto tenant = r.pattern.find("/participants/{p");
  if (r.level == access_level::admin || tenant == std::string::npos)
    return {};
  const auto after = r.pattern.find('/', tenant + std::string("/participants/").size());
  const auto rest = after == std::string::npos ? std::string() : r.pattern.substr(after + 1);
  for (const auto& [prefix, segment, resource] : resources)
    if (scope_prefix(r.pattern) == prefix && rest.substr(0, rest.find('/')) == segment)
      return resource;
  throw failed("nothing is known of the scope of " + r.pattern);
}

guarded_request ready(const guarded_route& route, const known_names& known) {
  guarded_request out{route,
                      route.pattern,
                      filled(route.body, known),
                      {},
                      scope_prefix(route.pattern),
                      scope_resource(route),
                      "",
                      filled(route.thing, known)};
  known_names arguments;
  std::string query;
  for (const auto& word : words_of(filled(route.arguments, known))) {
    if (word.starts_with('?'))
      query = word;
    else if (const auto equal = word.find('='); equal != std::string::npos)
      arguments[word.substr(0, equal)] = word.substr(equal + 1);
  }
  for (const char* context : {"p", "pc"})
    if (route.pattern.find("{" + std::string(context) + "}") != std::string::npos)
      out.owner = arguments.emplace(context, route.caller).first->second;
  if (out.thing.empty() && arguments.contains("id"))
    out.thing = arguments["id"];
  for (const auto& [name, value] : arguments)
    out.path = replaced(out.path, "{" + name + "}", in_path(value));
  check(out.path.find('{') == std::string::npos, "a parameter has no argument: " + out.path);
  out.path += query;
  if (route.method != "GET" && !out.body.empty() && !out.body.starts_with('{') && !out.body.starts_with('['))
    out.headers.emplace_back("Content-Type", "text/plain");
  return out;
}

answer sent(admin& as, const guarded_request& g, const std::string& path, const std::string& body) {
  if (g.headers.empty())
    return as.send(g.route.method, path, body);
  auto headers = g.headers;
  headers.emplace_back("Authorization", "Bearer " + as.token());
  return send(g.route.method, as.url() + path, std::move(headers), body);
}

answer sent(admin& as, const guarded_request& g) { return sent(as, g, g.path, g.body); }

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

// The most that a participant can be given of an API without the one resource.
std::string other_resources(const guarded_request& g) {
  std::vector<std::string> scopes;
  for (const auto& one : resources) {
    const auto s = g.prefix + ":" + one.resource + ":write";
    if (g.prefix == one.prefix && std::ranges::find(scopes, s) == scopes.end())
      scopes.push_back(s);
  }
  return joined(scopes, g.prefix + ":" + g.resource);
}

void check_bad_tokens(callers& by, const guarded_request& g) {
  const auto url = by.at().url("management") + g.path;
  for (const auto& bad : bad_headers()) {
    auto headers = g.headers;
    headers.insert(headers.end(), bad.headers.begin(), bad.headers.end());
    if (g.headers.empty() && !g.body.empty())
      headers.emplace_back("Content-Type", "application/json");
    const auto got = send(g.route.method, url, headers, g.body);
    check_refused(g, bad.what, got, 401);
    check(got.header("WWW-Authenticate").starts_with("Bearer"), "401 without WWW-Authenticate at " + g.name());
  }
}

void check_wrong_scopes(callers& by, const guarded_request& g) {
  if (g.prefix != "operator")
    check_refused(g, "the operator's role", sent(by.as("operator"), g), 403);
  check_refused(g, "scopes of all other APIs", sent(by.as("admin", joined(all_scopes, g.prefix)), g), 403);
  if (g.prefix == management)
    check_refused(g, "a provisioner without this API", sent(by.as("provisioner"), g), 403);
  if (!g.resource.empty())
    check_refused(g, "scopes of all other resources", sent(by.as(g.route.caller, other_resources(g)), g), 403);
  const auto owner = g.is_owned() && !g.administers() ? g.route.caller : std::string("admin");
  if (g.route.level == access_level::write)
    check_refused(g, "a scope that only reads", sent(by.as(owner, replaced(g.scope(), ":write", ":read")), g), 403);
  if (g.administers())
    check_refused(g, "scopes that do not administer",
                  sent(g.prefix == "onboarding-api" ? by.as("clerk") : by.as("alpha"), g), 403);
}

// No way of writing a path leads from one's own context into another's.
void check_winding_paths(callers& by, const guarded_request& g) {
  const auto nearly = g.owner.substr(1);
  std::ostringstream first;
  first << '%' << std::hex << static_cast<int>(g.owner.front());
  check_refused(g, "another tenant that writes the name otherwise",
                sent(by.as("beta"), g, g.for_owner(first.str() + nearly), g.body), 403);
  for (const auto& way : {"beta/../" + g.owner, "beta%2F..%2F" + g.owner, "beta/%2e%2e/" + g.owner}) {
    const auto got = sent(by.as("beta"), g, g.for_owner(way), g.body);
    check(got.status >= 400 && got.status < 500,
          g.name() + " by the path " + way + " was answered " + std::to_string(got.status) + ": " + got.body);
  }
}

void check_foreign_key(callers& by, const guarded_request& g) {
  if (by.betas_key.empty() || g.prefix != identity)
    return;
  auto headers = g.headers;
  headers.emplace_back("X-Api-Key", by.betas_key);
  if (g.headers.empty() && !g.body.empty())
    headers.emplace_back("Content-Type", "application/json");
  check_refused(g, "another tenant's key", send(g.route.method, by.at().url("management") + g.path, headers, g.body),
                403);
}

void check_refusals(callers& by, const guarded_request& g) {
  check_bad_tokens(by, g);
  check_wrong_scopes(by, g);
  check_foreign_key(by, g);
  if (!g.is_owned()) {
    if (!g.administers())
      check_refused(g, "a participant", sent(by.as("beta"), g), 403);
    return;
  }
  const auto nobody = nobodys(g.owner);
  const auto there = sent(by.as("beta"), g), nowhere = sent(by.as("beta"), g, g.for_owner(nobody), g.body);
  check_refused(g, "another tenant", there, 403);
  check_refused(g, "another tenant, of one that does not exist", nowhere, 403);
  check_equal("what another tenant learns at " + g.name(), looks(there, g.owner), looks(nowhere, nobody));
  check_winding_paths(by, g);
}

// What the owner of a thing sees under another owner's path is what nobody's thing looks like.
void check_foreign_thing(callers& by, const guarded_request& g) {
  if (!g.is_owned() || g.thing.empty() || g.owner == "beta" || g.administers())
    return;
  const auto path = g.for_owner("beta"), other = nobodys(g.thing);
  const auto theirs = sent(by.as("beta"), g, path, g.body),
             none = sent(by.as("beta"), g, replaced(path, in_path(g.thing), in_path(other)),
                         replaced(g.body, g.thing, other));
  check(theirs.status == 404 || theirs.status == 400,
        g.name() + ": a foreign thing is answered " + std::to_string(theirs.status) + ": " + theirs.body);
  check_equal("a foreign thing at " + g.name(), looks(theirs, g.thing), looks(none, other));
}

// What another owner is shown of its own has nothing of ours.
void check_own_list(callers& by, const guarded_request& g, const std::vector<std::string>& ours) {
  if (!g.is_owned() || !g.thing.empty() || g.owner == "beta" || g.route.level != access_level::read)
    return;
  const auto shown = sent(by.as("beta"), g, g.for_owner("beta"), g.body);
  for (const auto& id : ours)
    check(shown.body.find(id) == std::string::npos, g.name() + " shows another tenant's " + id + ": " + shown.body);
}

void learn(const guarded_route& r, const answer& a, known_names& known, std::vector<std::string>& ours) {
  if (r.learn_as.empty())
    return;
  const auto v = a.value();
  const auto& o = v.is_array() ? v.get_array().at(0).as_object() : v.as_object();
  const auto* found = o.if_contains(r.learn_from);
  check(found != nullptr, r.method + " " + r.pattern + " gave no " + r.learn_from + ": " + a.body);
  known[r.learn_as] = found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
  ours.push_back(known[r.learn_as]);
}

// What may call does; a list that something is learned of is looked at until it has something.
answer call_as_allowed(callers& by, const guarded_request& g) {
  const bool least = !g.resource.empty();
  auto& who = by.as(g.route.caller, least ? g.scope() : "");
  return wait_for(g.name() + " to give something", [&](std::string& saw) -> std::optional<answer> {
    auto a = sent(who, g);
    saw = std::to_string(a.status) + " " + a.body;
    if (a.status == 409)
      return std::nullopt;
    check(a.status >= 200 && a.status < 300,
          g.name() + " by " + g.route.caller + ", who may, was answered " + std::to_string(a.status) + ": " + a.body);
    return g.route.learn_as.empty() || a.body != "[]" ? std::optional(std::move(a)) : std::nullopt;
  });
}

std::string in_seconds(int seconds) {
  const time_t t = std::time(nullptr) + seconds;
  tm utc{};
  ::gmtime_r(&t, &utc);
  std::array<char, 32> out{};
  return {out.data(), std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%S", &utc)};
}

json::array entities(callers& by) { return by.as("operator").call("GET", "/operator/entities?limit=1000").as_array(); }

std::string shown(const json::array& all) {
  std::vector<std::string> lines;
  for (const auto& v : all) {
    const auto& o = v.as_object();
    lines.push_back(text_at(o, "tenant") + " " + text_at(o, "kind") + " " + text_at(o, "id") + " " +
                    text_at(o, "state") + " after " + json::serialize(o.at("sequence")) + "\n");
  }
  std::ranges::sort(lines);
  std::string out;
  for (const auto& line : lines)
    out += line;
  return out;
}

} // namespace

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

admin& callers::as(const std::string& client, const std::string& scope) {
  auto& known = known_[client + " " + scope];
  if (!known)
    known = std::make_unique<admin>(node_, client, scope);
  return *known;
}

std::vector<bad_header> bad_headers() {
  const auto bearer = [](std::string_view token) {
    return http::header_list{{"Authorization", "Bearer " + std::string(token)}};
  };
  return {{"nobody", {}},
          {"a token that is none", bearer("garbage")},
          {"a key that is none", {{"X-Api-Key", "YmV0YQ.Z2FyYmFnZQ"}}},
          {"an expired token", bearer(fixed_tokens::expired)},
          {"a token for another service", bearer(fixed_tokens::other_audience)}};
}

std::string looks(const answer& a, const std::string& id) {
  auto text = std::to_string(a.status) + "\n";
  for (const auto& [name, value] : a.headers)
    if (!http::same_name(name, "x-request-id") && !http::same_name(name, "date"))
      text += name + ": " + value + "\n";
  return replaced(text + a.body, id, std::string(id.size(), 'X'));
}

// The last digit of an id of ours is chance; another one keeps what the id says of its place.
std::string nobodys(const std::string& id) {
  auto out = id;
  out.back() = out.back() == '0' ? '1' : '0';
  return out;
}

std::string listing(callers& by) { return shown(entities(by)); }

std::string quiet_listing(callers& by) {
  return wait_for("a moment in which nothing is under way", [&](std::string& saw) -> std::optional<std::string> {
    const auto all = entities(by);
    const auto soon = in_seconds(soon_s);
    for (const auto& v : all)
      if (const auto wake = text_at(v.as_object(), "next_wake_up"); !wake.empty() && wake < soon) {
        saw = json::serialize(v);
        return std::nullopt;
      }
    return shown(all);
  });
}

void check_unchanged(callers& by, const std::string& what, const std::string& before) {
  check_equal("what the node holds after the refused calls of " + what, listing(by), before);
}

void run_table(callers& by, const std::vector<guarded_route>& table, known_names& known) {
  std::vector<std::string> ours;
  for (const auto& route : table) {
    const auto g = ready(route, known);
    const auto before = quiet_listing(by);
    check_refusals(by, g);
    check_foreign_thing(by, g);
    check_own_list(by, g, ours);
    check_unchanged(by, g.name(), before);
    learn(route, call_as_allowed(by, g), known, ours);
  }
}

} // namespace fondaco::e2e

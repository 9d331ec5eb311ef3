// The operator's verbs beyond looking: dead letters, and who may do what behind /operator.

#include <map>
#include <set>

#include "e2e/cases.hpp"
#include "e2e/role_table.hpp"
#include "e2e/shop.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

void check_code(const std::string& what, const ended& e, int code) {
  check(e.code == code, what + " ended with " + std::to_string(e.code) + ", not " + std::to_string(code) +
                            "; it said: " + e.out + e.err);
}

/// The letters of an entity, as `ctl dead-letters` prints them.
json::array letters_of(const node& at, const std::string& id) {
  auto said = at.ctl({"--json", "dead-letters"});
  check_code("ctl dead-letters", said, 0);
  json::array mine;
  const auto all = json::parse(said.out);
  for (const auto& l : all.as_array())
    if (text_at(l.as_object(), "id") == id)
      mine.push_back(l);
  return mine;
}

http::reply unwell(const delivery&) { return {503, "", {}, false}; }

void letters(bed& b) {
  shop s(b);
  s.open();
  auto n = s.negotiation();
  std::string id;
  {
    behaving unavailable(s.other(), unwell);
    n.begin("dataset-1");
    id = n.provider_pid();
    const auto letter =
        wait_for("a dead letter with three tries", [&](std::string& saw) -> std::optional<json::object> {
          auto all = letters_of(s.at(), id);
          saw = json::serialize(all);
          if (all.empty() || all[0].as_object().at("attempts").as_int64() < 3)
            return std::nullopt;
          return all[0].as_object();
        });
    check_equal("its tenant", text_at(letter, "tenant"), "acme");
    check_equal("its kind", text_at(letter, "kind"), "negotiation");
    check(!text_at(letter, "effect").empty() && !text_at(letter, "next_try").empty(),
          "a letter does not say what is tried again, and when: " + json::serialize(letter));
    check(text_at(letter, "error").find("503") != std::string::npos,
          "a letter's last error does not say what the peer answered: " + json::serialize(letter));
    const auto table = s.at().ctl({"dead-letters"});
    for (const char* word : {"TENANT", "EFFECT", "ATTEMPTS", "LAST ERROR", "acme"})
      check(table.out.find(word) != std::string::npos, std::string("the table has no ") + word + ": " + table.out);
    check_code("redrive of nothing", s.at().ctl({"redrive", random_uuid()}), 1);
    check_code("redrive of one", s.at().ctl({"redrive", id}), 0);
    check_code("redrive without an id", s.at().ctl({"redrive"}), 2);
    check_code("redrive of one and all", s.at().ctl({"redrive", id, "--all"}), 2);
  }
  auto said = s.at().ctl({"--json", "redrive", "--all"});
  check_code("redrive --all", said, 0);
  n.await("/agreement");
  n.await_state("AGREED");
  wait_for("the letter to go", [&](std::string& saw) -> std::optional<bool> {
    auto all = letters_of(s.at(), id);
    saw = json::serialize(all);
    return all.empty() ? std::optional(true) : std::nullopt;
  });
  check(s.at().log().find("an operator had what failed of an entity tried again") != std::string::npos,
        "the log does not say who had a letter tried again");
}

// What each route behind /operator needs, and a path that it answers.
struct operator_row {
  const char* scope;
  const char* path;
  int status;
};

const std::map<std::string, operator_row>& scope_table() {
  static const char* nobody = "0190d3a2-7c1e-7000-8000-000000000000";
  static const std::string one = std::string("/operator/entities/") + nobody, why = one + "/why",
                           history = one + "/history", whole = one + "/export",
                           letter = std::string("/operator/dead-letters/") + nobody + "/redrive";
  static const std::map<std::string, operator_row> table{
      {"GET /operator/entities", {"operator:read", "/operator/entities", 200}},
      {"GET /operator/entities/{id}", {"operator:read", one.c_str(), 404}},
      {"GET /operator/entities/{id}/history", {"operator:read", history.c_str(), 404}},
      {"GET /operator/entities/{id}/why", {"operator:read", why.c_str(), 404}},
      {"GET /operator/entities/{id}/export", {"operator:admin", whole.c_str(), 404}},
      {"GET /operator/routes", {"operator:read", "/operator/routes", 200}},
      {"GET /operator/metrics", {"operator:read", "/operator/metrics", 200}},
      {"GET /operator/tree", {"operator:read", "/operator/tree", 200}},
      {"GET /operator/dead-letters", {"operator:read", "/operator/dead-letters", 200}},
      {"POST /operator/dead-letters/redrive", {"operator:write", "/operator/dead-letters/redrive", 200}},
      {"POST /operator/dead-letters/{id}/redrive", {"operator:write", letter.c_str(), 404}}};
  return table;
}

void operator_scopes(bed& b) {
  auto& w = b.shared();
  std::map<std::string, std::string> tokens{{"a participant", management(w.provider, "acme-app").token()},
                                            {"the administrator", management(w.provider, "admin").token()}};
  const auto reader = management(w.provider, "operator").token(), writer = management(w.provider, "keeper").token(),
             owner = management(w.provider, "archivist").token();
  std::set<std::string> served;
  const auto routes = json::parse(w.provider.ctl({"--json", "routes"}).out);
  for (const auto& r : routes.as_array())
    if (const auto path = text_at(r.as_object(), "path");
        path.starts_with("/operator/") && text_at(r.as_object(), "listener") == "management")
      served.insert(text_at(r.as_object(), "method") + " " + path);
  for (const auto& name : served) {
    const auto found = scope_table().find(name);
    check(found != scope_table().end(), "this route has no row in the table of scopes: " + name);
    const auto& [scope, path, status] = found->second;
    const auto method = name.substr(0, name.find(' '));
    auto as = [&](const std::string& token) {
      return send(method, w.provider.url("management") + path, {{"Authorization", "Bearer " + token}}, "").status;
    };
    check_equal("the status of " + name + " without a token",
                send(method, w.provider.url("management") + path, {}, "").status, 401);
    for (const auto& [who, token] : tokens)
      check_equal("the status of " + name + " for " + who, as(token), 403);
    const bool reads = scope == std::string("operator:read"), administers = scope == std::string("operator:admin");
    check_equal("the status of " + name + " with operator:read", as(reader), reads ? status : 403);
    check_equal("the status of " + name + " with operator:write", as(writer), administers ? 403 : status);
    check_equal("the status of " + name + " with operator:admin", as(owner), status);
  }
  for (const auto& [name, row] : scope_table())
    check(served.contains(name), "the table of scopes has a row for a route that is not served: " + name);
}

void redrive_over_http(bed& b) {
  auto& w = b.shared();
  auto as = [&](const std::string& client) {
    return run_program({binary(), "ctl", "--at", w.provider.url("management"), "--client-id", client, "--secret-file",
                        w.provider.secret_file(client), "redrive", "--all"});
  };
  check_code("redrive as an operator that only reads", as("operator"), 4);
  check_code("redrive as an operator that acts", as("keeper"), 0);
}

void top(bed& b) {
  auto& w = b.shared();
  peer_negotiation n(w.as_peer(w.initech), w.other_side);
  n.begin("dataset-2");
  const auto said = w.provider.ctl({"--json", "top", "--once", "--every", "0.2"});
  check_code("ctl top --once", said, 0);
  const auto view = json::parse(said.out).as_object();
  for (const char* name : {"rates", "append_ms", "queues", "entities_live", "letters_waiting", "slowest"})
    check(view.contains(name), std::string("top does not tell ") + name + ": " + said.out);
  check(view.at("entities_live").to_number<double>() > 0, "top sees no entity: " + said.out);
  bool found = false;
  for (const auto& e : view.at("slowest").as_array())
    found = found || !text_at(e.as_object(), "waiting_on").empty();
  check(found, "top shows nobody who waits: " + said.out);
  const auto table = w.provider.ctl({"top", "--once", "--every", "0.2"});
  for (const char* word : {"A SECOND", "commands", "append p50 / p99 ms", "SECONDS", "WAITING ON"})
    check(table.out.find(word) != std::string::npos, std::string("top has no ") + word + ": " + table.out);
  check_code("ctl top at no socket",
             run_program({binary(), "ctl", "--at", "unix:/nowhere/fondaco.sock", "top", "--once"}), 3);
}

} // namespace

std::vector<std::string> operator_scope_rows() {
  std::vector<std::string> out;
  for (const auto& [name, row] : scope_table())
    out.push_back(name);
  return out;
}

cases ctl_cases() {
  return {{"top tells rates, queues and who waits longest, once if asked", top},
          {"what fails is a dead letter with its tries and the peer's answer; tried again at once, it goes", letters},
          {"every route behind /operator needs its own scope, and no other role opens it", operator_scopes},
          {"redrive over HTTP needs operator:write", redrive_over_http}};
}

} // namespace fondaco::e2e

// Each route that a node serves is either in a table of callers who are refused, or open, for a reason.

#include <map>
#include <set>

#include "e2e/protocol_matrix.hpp"
#include "e2e/tenant_bed.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

/// Routes that ask for no token, and why.
struct open_routes {
  const char* why;
  std::vector<std::string> routes;
};

std::vector<open_routes> opened() {
  std::vector<std::string> documents{"protocol GET /.well-known/did.json"};
  for (std::string path, n = "1"; n[0] <= '8'; ++n[0]) {
    path += "/{s" + n + "}";
    documents.push_back("protocol GET " + path + "/did.json");
  }
  std::vector<std::string> probes, socket;
  for (const char* listener : {"internal GET ", "observability GET "})
    for (const char* path :
         {"/api/check/health", "/api/check/liveness", "/api/check/readiness", "/api/check/startup", "/api/v1/version"})
      probes.push_back(std::string(listener) + path);
  for (const auto& r : operator_scope_rows())
    socket.push_back("operator " + r);
  return {{"probes and load balancers have no token; they are told nothing of a tenant", probes},
          {"a scraper has no token; the listener is for the operator's network alone", {"observability GET /metrics"}},
          {"the socket's file lets in its owner alone", socket},
          {"it asks for a client's secret; a case of its own shows whom it refuses",
           {"management POST /oauth2/token", "management POST /api/sts/token"}},
          {"whoever verifies a token of the node needs its public keys, and a client the endpoint's description",
           {"management GET /.well-known/jwks.json", "management GET /.well-known/oauth-authorization-server"}},
          {"DSP has it before any authentication: a peer learns from it where to go",
           {"protocol GET /api/dsp/{pc}/.well-known/dspace-version"}},
          {"a DID is resolved by everybody, and its document holds public keys alone", documents},
          {"DCP has it public: a holder learns from it what an issuer issues",
           {"protocol GET /api/issuance/v1beta/participants/{p}/metadata"}},
          {"every verifier of a credential reads its status list, which names no credential",
           {"protocol GET /statuslist/{id}"}}};
}

std::set<std::string> rows() {
  std::set<std::string> out;
  for (const auto& table :
       {identity_table(), issuer_table(), cfm_table(), onboarding_table(), management_table(), operator_table()})
    for (const auto& r : table)
      out.insert("management " + r.method + " " + r.pattern);
  for (const auto& r : operator_scope_rows())
    out.insert("management " + r);
  const std::pair<const char*, std::vector<protocol_route>> protocols[] = {{"protocol", dsp_table()},
                                                                           {"protocol", credential_table()},
                                                                           {"signaling", signaling_table()},
                                                                           {"signaling", callback_table()},
                                                                           {"public", public_table()}};
  for (const auto& [listener, table] : protocols)
    for (const auto& r : table)
      out.insert(std::string(listener) + " " + r.method + " " + r.pattern);
  return out;
}

std::set<std::string> served(const node& n) {
  const auto said = n.ctl({"routes", "--json"});
  check(said.code == 0, "ctl routes: " + said.err);
  std::set<std::string> out;
  const auto listed = json::parse(said.out);
  for (const auto& v : listed.as_array()) {
    const auto& o = v.as_object();
    out.insert(text_at(o, "listener") + " " + text_at(o, "method") + " " + text_at(o, "path"));
  }
  return out;
}

std::set<std::string> open_ones() {
  std::set<std::string> out;
  for (const auto& group : opened())
    out.insert(group.routes.begin(), group.routes.end());
  return out;
}

void check_complete(bed& b) {
  auto& n = b.shared().provider;
  const auto all = served(n), guarded = rows(), open = open_ones();
  std::string missing;
  for (const auto& route : all)
    if (guarded.contains(route) == open.contains(route))
      missing += "\n" + route;
  check(missing.empty(), "these routes are neither in a table nor open for a reason, or are both:" + missing);
  for (const auto* known : {&guarded, &open})
    for (const auto& route : *known)
      check(all.contains(route), "there is a row, or a reason, for a route that is not served: " + route);
}

// What is said to be open is: without a token it is answered, be it that there is no such thing.
void check_open(bed& b) {
  auto& n = b.shared().provider;
  for (const auto& route : open_ones()) {
    const auto words = words_of(route);
    if (words[1] != "GET" || words[0] == "operator")
      continue;
    auto path = words[2];
    for (auto at = path.find('{'); at != std::string::npos; at = path.find('{'))
      path.replace(at, path.find('}') - at + 1, "acme");
    const auto got = send("GET", n.url(words[0]) + path, {});
    check(got.status == 200 || got.status == 404,
          route + " without a token was answered " + std::to_string(got.status) + ": " + got.body);
  }
}

} // namespace

cases route_cases() {
  return {{"every route that the node serves is in a table of refused callers or open for a reason, and no other",
           check_complete},
          {"what is open for a reason is answered without a token", check_open}};
}

} // namespace fondaco::e2e

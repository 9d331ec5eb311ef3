#pragma once

#include "cells/control_plane/dsp_bed.test.hpp"
#include "cells/credential_service/credential_request.hpp"
#include "cells/credential_service/routes.hpp"
#include "cells/identity/dcp_world.test.hpp"
#include "cells/identity/keys.hpp"
#include "cells/identity/kinds.hpp"
#include "cells/identity/provisioning.hpp"

/// A holder's node of real parts (SQLite in memory, vault, runtime, router) among issuers and verifiers that the test
/// plays. Only *.test.cpp files include it.
namespace fondaco::credential_service::testing {

using control_plane::dsp_testing::inline_executor;
using control_plane::dsp_testing::kept_spans;
using control_plane::dsp_testing::node_url;
using control_plane::dsp_testing::played_network;
using identity::testing::answer;
using identity::testing::dcp_world;
using identity::testing::issuer_did;
using identity::testing::membership_scope;
using identity::testing::party;

inline constexpr const char* holder_did = "did:web:holder.example";
inline constexpr const char* verifier_did = "did:web:verifier.example";
inline constexpr const char* third_did = "did:web:third.example";
inline constexpr const char* issuer_service = "https://issuer.example/is";
inline constexpr const char* invoice_scope = "org.eclipse.dspace.dcp.vc.type:InvoiceCredential:read";

/// Tokens by their text: `admin`, or `<participant>:<scope>`.
struct played_tokens final : gateway::token_verifier {
  gateway::task<std::expected<gateway::principal, gateway::denied>>
  verify(std::shared_ptr<const gateway::request> r) override {
    const auto given = gateway::header(*r, "authorization").value_or("");
    if (!given.starts_with("Bearer "))
      co_return std::unexpected(gateway::unauthenticated("Missing Authorization header"));
    const std::string token(given.substr(7));
    gateway::principal who{token, std::nullopt, {"identity-api:admin"}};
    if (const auto colon = token.find(':'); colon != std::string::npos) {
      who.participant = tenant(token.substr(0, colon));
      who.scopes = {"identity-api:" + token.substr(colon + 1)};
    }
    co_return who;
  }
};

/// An answer with its body read as JSON; null if it is none.
struct answered {
  int status = 0;
  json::value body;
  gateway::http_headers headers;
  std::string text(std::string_view name) const {
    return body.is_object() ? std::string(json::string_at(body.get_object(), name).value_or("")) : "";
  }
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name)
        return value;
    return "";
  }
  std::string message() const { return body.is_null() ? "" : json::write(body); }
  /// The texts of an array member.
  std::vector<std::string> texts(std::string_view name) const {
    std::vector<std::string> out;
    if (const auto* list = body.is_object() ? json::array_at(body.get_object(), name) : nullptr)
      for (const auto& v : *list)
        out.emplace_back(v.is_string() ? std::string_view(v.get_string()) : std::string_view());
    return out;
  }
};

class service_bed {
public:
  service_bed() {
    redirect_log([this](const log_line& line) {
      std::scoped_lock lock(log_mutex_);
      log_ += render_log(line, "t") + "\n";
    });
    persistence::store_options options;
    options.url = ":memory:";
    auto opened = persistence::open_store(options);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().detail));
    store_ = std::move(*opened);
    auto vault = persistence::open_vault(options, std::string(32, 'k'));
    REQUIRE_MESSAGE(vault.has_value(), (vault ? "" : vault.error().detail));
    vault_ = std::move(*vault);
    settings.protocol_url = node_url;
    settings.profiles = {{"membership", cells::identity_mode::dcp, {membership_scope}}};
    start_runtime();
    services = std::make_unique<cells::cell_services>(
        cells::cell_services{{*runtime, edge_, pool_, *store_.journal, *store_.documents, *vault_, network, streams_,
                              tokens_, clock_, random_},
                             functions_,
                             settings,
                             trust,
                             dids_});
    services->traces = &traces;
    network.router = &routes;
    network.play([this](const actors::http_call& call) { return world(call); });
    cells::add_credential_service_routes(routes, *services);
    cells::add_credential_routes(routes, *services);
    for (const char* did : {verifier_did, third_did})
      world.join(did);
    world.issuer().document.services.push_back({std::string(issuer_did) + "#is", "IssuerService", issuer_service});
    trust.replace({{issuer_did, {"MembershipCredential", "InvoiceCredential"}, {"membership"}}});
    add_holder("holder", holder_did);
  }
  ~service_bed() {
    runtime->stop(milliseconds(500));
    redirect_log({});
  }

  /// A participant of the node, with one key for everything.
  void add_holder(const std::string& id, const std::string& did) {
    identity::manifest m;
    m.participant_id = id;
    m.did = did;
    m.active = true;
    m.provision_sts_account = m.provision_api_key = false;
    m.services.push_back({did + "#cs", "CredentialService", cells::credential_service_base(settings, tenant(id))});
    identity::key_descriptor key;
    key.key_id = did + "#key-1";
    key.private_key_alias = id + "-key";
    key.generate = jose::key_type::ec_p256;
    m.keys.push_back(std::move(key));
    const auto made = finish(identity::provision(*services, std::move(m)));
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().body));
  }

  /// Sends a request to the node; the token goes into Authorization as it is, with `Bearer ` in front.
  answered send(const std::string& method, const std::string& path, const std::string& body, const std::string& token,
                gateway::http_headers more = {}) {
    if (!token.empty())
      more.emplace_back("authorization", "Bearer " + token);
    return send_raw(method, path, body, std::move(more));
  }
  answered send_raw(const std::string& method, const std::string& path, const std::string& body,
                    gateway::http_headers headers) {
    auto r = std::make_shared<gateway::request>();
    r->method = method;
    const auto question = path.find('?');
    r->path = path.substr(0, question);
    if (question != std::string::npos)
      r->query = path.substr(question + 1);
    r->headers = std::move(headers);
    r->body = body;
    r->remote = "127.0.0.1";
    r->traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    auto handler = routes.find(*r);
    if (!handler)
      return {handler.error(), nullptr, {}};
    auto got = finish((*handler)(r));
    answered out{got.status, nullptr, got.headers};
    if (auto parsed = json::parse(got.body))
      out.body = std::move(*parsed);
    return out;
  }
  /// To the credential service of a participant, by a party.
  answered dcp(const std::string& path, const std::string& body, const std::string& token,
               const std::string& participant = "holder") {
    return send("POST", "/api/credentials/v1/participants/" + participant + "/" + path, body, token);
  }
  /// To the Identity API's credentials of the holder.
  answered api(const std::string& method, const std::string& path, const std::string& body = "",
               const std::string& token = "holder:credentials:write", gateway::http_headers more = {}) {
    return send(method, "/api/identity/v1beta/participants/holder/credentials" + path, body, token, std::move(more));
  }

  /// A message of DCP.
  static std::string message(const std::string& type, json::object members) {
    members["@context"] = json::array{dcp_context()};
    members["type"] = type;
    return json::write(members);
  }
  static std::string query_for(std::vector<std::string> scopes) {
    json::array list;
    for (auto& s : scopes)
      list.emplace_back(std::move(s));
    return message("PresentationQueryMessage", {{"scope", std::move(list)}});
  }
  /// A delivery of signed credentials, each with its type.
  static std::string delivery(const std::string& holder_pid,
                              const std::vector<std::pair<std::string, std::string>>& credentials,
                              const std::string& format = "vc11-sl2021/jwt") {
    json::array list;
    for (const auto& [type, payload] : credentials)
      list.push_back(json::object{{"credentialType", type}, {"format", format}, {"payload", payload}});
    return message("CredentialMessage", {{"issuerPid", "issuer-pid"},
                                         {"holderPid", holder_pid},
                                         {"status", "ISSUED"},
                                         {"credentials", std::move(list)}});
  }
  std::string membership(const std::string& type = "MembershipCredential", const std::string& about = holder_did) {
    return world.sign(world.membership(about, type));
  }
  /// An access token of the holder's.
  std::string grant(std::vector<std::string> scopes, const std::string& verifier = verifier_did,
                    const std::string& participant = "holder") {
    const auto signer = identity::find_signer(*services, tenant(participant), identity::key_usage::sign_token);
    REQUIRE(signer.has_value());
    dcp::access_draft d;
    d.holder = signer->did;
    d.verifier = verifier;
    d.scopes = std::move(scopes);
    d.jti = "accesstoken-" + std::to_string(++made_);
    d.now = clock_.now();
    return dcp::sign_access_token(d, signer->key, signer->kid);
  }
  std::string verifier_token(std::vector<std::string> scopes) {
    return world.token(verifier_did, holder_did, grant(std::move(scopes)));
  }
  std::string issuer_token() { return world.token(issuer_did, holder_did, ""); }

  /// A request that the issuer took: its id is `holder_pid`.
  void request(const std::string& holder_pid, std::vector<std::string> types = {"MembershipCredential"}) {
    json::array wanted;
    for (const auto& type : types)
      wanted.push_back(json::object{{"id", "def-" + type}, {"type", type}, {"format", "VC1_0_JWT"}});
    issuer_takes();
    const auto made =
        api("POST", "/request",
            json::write(json::object{
                {"issuerDid", issuer_did}, {"holderPid", holder_pid}, {"credentials", std::move(wanted)}}));
    REQUIRE_MESSAGE(made.status == 201, made.message());
    REQUIRE(reaches(holder_pid, "REQUESTED"));
  }
  /// The issuer takes requests from now on.
  void issuer_takes() {
    world.play(std::string(issuer_service) + "/credentials", [](const auto&) -> actors::http_result {
      return actors::http_answer{201, {{"location", std::string(issuer_service) + "/requests/issuer-pid"}}, ""};
    });
  }
  /// Delivers a credential to the holder.
  answered deliver(const std::string& holder_pid, const std::string& type, const std::string& payload) {
    return dcp("credentials", delivery(holder_pid, {{type, payload}}), issuer_token());
  }

  std::optional<persistence::entity_row> row(const std::string& holder_pid) {
    auto found = store_.journal->read_row({tenant("holder"), std::string(credential_request::kind), holder_pid});
    REQUIRE(found.has_value());
    return *found;
  }
  std::string status_of(const std::string& holder_pid) {
    const auto found = row(holder_pid);
    return found ? found->status : "";
  }
  json::object view_of(const std::string& holder_pid) { return json::parse(row(holder_pid)->view)->as_object(); }
  bool reaches(const std::string& holder_pid, const std::string& status) {
    return network.wait([&] { return status_of(holder_pid) == status; });
  }
  std::vector<persistence::entity_row> requests() {
    auto found = store_.documents->query_entities(tenant("holder"), credential_request::kind, {});
    REQUIRE(found.has_value());
    return *found;
  }
  std::vector<persistence::document> held(const std::string& participant = "holder") {
    auto found = store_.documents->query(tenant(participant), cells::kinds::verifiable_credential, {});
    REQUIRE(found.has_value());
    return *found;
  }
  std::string log() {
    std::scoped_lock lock(log_mutex_);
    return log_;
  }
  persistence::journal& journal() { return *store_.journal; }

  template <class T> T finish(actors::task<T> work) {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<T> result;
    std::exception_ptr error;
    actors::start<T>(
        std::move(work),
        [&](T v) {
          std::scoped_lock lock(mutex);
          result.emplace(std::move(v));
          changed.notify_all();
        },
        [&](std::exception_ptr e) {
          std::scoped_lock lock(mutex);
          error = e;
          changed.notify_all();
        });
    std::unique_lock lock(mutex);
    REQUIRE_MESSAGE(changed.wait_for(lock, std::chrono::seconds(15), [&] { return result || error; }),
                    "no answer within 15 s");
    if (error)
      std::rethrow_exception(error);
    return std::move(*result);
  }

  cells::cell_settings settings;
  identity::trust_list trust;
  dcp_world world;
  kept_spans traces;
  played_network network;
  gateway::router routes;
  std::unique_ptr<actors::runtime> runtime;
  std::unique_ptr<cells::cell_services> services;

private:
  static std::string_view dcp_context() { return dcp::context; }

  void start_runtime() {
    auto kinds = cells::participant_kinds();
    for (auto& k : cells::identity_kinds())
      kinds.push_back(std::move(k));
    for (auto& k : cells::credential_service_kinds([this]() -> cells::cell_services& { return *services; }))
      kinds.push_back(std::move(k));
    actors::runtime_limits limits;
    limits.retry_first_ms = milliseconds(1);
    limits.retry_cap_ms = milliseconds(10);
    actors::runtime::parts parts{*store_.journal, clock_, random_, "default", "node-1", 4, 2, limits};
    runtime = std::make_unique<actors::runtime>(parts, std::move(kinds));
    const auto started = runtime->start();
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().detail));
  }

  std::mutex log_mutex_;
  std::string log_;
  int made_ = 0;
  persistence::store store_;
  std::unique_ptr<persistence::vault> vault_;
  actors::system_clock clock_;
  actors::system_random random_;
  inline_executor edge_;
  actors::reader_pool pool_{2, 64};
  gateway::server server_{1};
  gateway::client streams_{server_, {}};
  played_tokens tokens_;
  odrl::policy_functions functions_ = odrl::built_in_functions();
  identity::did_resolver dids_{network, edge_, clock_, {.cache_ms = milliseconds(0)}};
};

} // namespace fondaco::credential_service::testing

#pragma once

#include "cells/control_plane/dsp_bed.test.hpp"
#include "cells/identity/dcp_world.test.hpp"
#include "cells/identity/keys.hpp"
#include "cells/identity/kinds.hpp"
#include "cells/identity/presentations.hpp"
#include "cells/identity/provisioning.hpp"
#include "cells/issuer_service/issuance.hpp"
#include "cells/issuer_service/routes.hpp"
#include "cells/issuer_service/status_list.hpp"

/// An issuer's node of real parts (SQLite in memory, vault, runtime, router) among holders that the test plays. Only
/// *.test.cpp files include it.
namespace fondaco::issuer_service::testing {

using control_plane::dsp_testing::inline_executor;
using control_plane::dsp_testing::kept_spans;
using control_plane::dsp_testing::mishap;
using control_plane::dsp_testing::node_url;
using control_plane::dsp_testing::played_network;
using identity::testing::answer;
using identity::testing::dcp_world;
using identity::testing::party;

inline constexpr const char* own_did = "did:web:issuer.node.example";
inline constexpr const char* holder_did = "did:web:holder.example";
inline constexpr const char* third_did = "did:web:third.example";
inline constexpr const char* issuance_base = "/api/issuance/v1beta/participants/issuer";

/// Tokens by their text: `admin`, or `<participant>:<scope>`.
struct played_tokens final : gateway::token_verifier {
  gateway::task<std::expected<gateway::principal, gateway::denied>>
  verify(std::shared_ptr<const gateway::request> r) override {
    const auto given = gateway::header(*r, "authorization").value_or("");
    if (!given.starts_with("Bearer "))
      co_return std::unexpected(gateway::unauthenticated("Missing Authorization header"));
    const std::string token(given.substr(7));
    gateway::principal who{token, std::nullopt, {"issuer-admin-api:admin"}};
    if (const auto colon = token.find(':'); colon != std::string::npos) {
      who.participant = tenant(token.substr(0, colon));
      who.scopes = {"issuer-admin-api:" + token.substr(colon + 1)};
    }
    co_return who;
  }
};

/// An answer with its body read as JSON; null if it is none.
struct answered {
  int status = 0;
  json::value body;
  gateway::http_headers headers;
  std::string raw;
  std::string text(std::string_view name) const {
    return body.is_object() ? std::string(json::string_at(body.get_object(), name).value_or("")) : "";
  }
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name)
        return value;
    return "";
  }
  /// The ids of an array of objects.
  std::vector<std::string> ids(std::string_view name = "id") const {
    std::vector<std::string> out;
    if (body.is_array())
      for (const auto& v : body.get_array())
        out.emplace_back(json::string_at(v.as_object(), name).value_or(""));
    return out;
  }
};

class issuer_bed {
public:
  issuer_bed() {
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
    settings.profiles = {{"membership", cells::identity_mode::dcp, {}}};
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
    cells::add_issuer_routes(routes, *services);
    cells::add_issuer_admin_routes(routes, *services);
    for (const char* did : {holder_did, third_did})
      world.join(did);
    add_issuer("issuer", own_did);
  }
  ~issuer_bed() {
    runtime->stop(milliseconds(500));
    redirect_log({});
  }

  /// A participant of the node, with one key for everything.
  void add_issuer(const std::string& id, const std::string& did) {
    identity::manifest m;
    m.participant_id = id;
    m.did = did;
    m.active = true;
    m.provision_sts_account = m.provision_api_key = false;
    m.services.push_back({did + "#is", "IssuerService", cells::issuer_service_base(settings, tenant(id))});
    identity::key_descriptor key;
    key.key_id = did + "#key-1";
    key.private_key_alias = id + "-key";
    key.generate = jose::key_type::ec_p256;
    m.keys.push_back(std::move(key));
    const auto made = finish(identity::provision(*services, std::move(m)));
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().body));
    world.play(*did::web_url(did, false), [this, id](const auto&) {
      const auto document = identity::read_own_document(*services, tenant(id));
      return document ? answer(200, json::write(did::write_document(*document))) : answer(404, "");
    });
  }

  /// Sends a request to the node; the token goes into Authorization with `Bearer ` in front.
  answered send(const std::string& method, const std::string& path, const std::string& body = "",
                const std::string& token = "", gateway::http_headers more = {}) {
    auto r = std::make_shared<gateway::request>();
    r->method = method;
    r->path = path;
    r->headers = std::move(more);
    if (!token.empty())
      r->headers.emplace_back("authorization", "Bearer " + token);
    r->body = body;
    r->remote = "127.0.0.1";
    r->traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    auto handler = routes.find(*r);
    if (!handler)
      return {handler.error(), nullptr, {}, ""};
    auto got = finish((*handler)(r));
    answered out{got.status, nullptr, got.headers, got.body};
    if (auto parsed = json::parse(got.body))
      out.body = std::move(*parsed);
    return out;
  }
  /// To the Issuer Admin API of a participant.
  answered admin(const std::string& method, const std::string& path, const std::string& body = "",
                 const std::string& token = "admin", const std::string& participant = "issuer",
                 gateway::http_headers more = {}) {
    return send(method, "/api/issuer/v1beta/participants/" + participant + path, body, token, std::move(more));
  }

  static std::string request_for(const std::vector<std::string>& ids, const std::string& holder_pid = "pid-1") {
    json::array list;
    for (const auto& id : ids)
      list.push_back(json::object{{"id", id}});
    return json::write(json::object{{"@context", json::array{json::value(dcp::context)}},
                                    {"type", "CredentialRequestMessage"},
                                    {"holderPid", holder_pid},
                                    {"credentials", std::move(list)}});
  }
  answered request(const std::vector<std::string>& ids, const std::string& holder_pid = "pid-1",
                   const std::string& who = holder_did) {
    return send("POST", std::string(issuance_base) + "/credentials", request_for(ids, holder_pid),
                world.token(who, own_did, ""));
  }
  answered status_of(const std::string& id, const std::string& who = holder_did) {
    return send("GET", std::string(issuance_base) + "/requests/" + id, "", world.token(who, own_did, ""));
  }

  static json::object definition(const std::string& id, const std::string& type) {
    return {{"id", id},
            {"credentialType", type},
            {"format", "vc11-sl2021/jwt"},
            {"jsonSchema", "{}"},
            {"validity", 3600},
            {"attestations", json::array{"holder-properties"}},
            {"rules", json::array{json::object{
                          {"type", "expression"},
                          {"configuration", json::object{{"claim", "member"}, {"operator", "eq"}, {"value", true}}}}}},
            {"mappings", json::array{json::object{
                             {"input", "name"}, {"output", "credentialSubject.holder_name"}, {"required", true}}}}};
  }
  /// An attestation, two definitions and a holder that may have both.
  void fill() {
    add("/attestations",
        {{"id", "holder-properties"}, {"attestationType", "holder"}, {"configuration", json::object()}});
    add("/credentialdefinitions", definition("def-1", "MembershipCredential"));
    add("/credentialdefinitions", definition("def-2", "SensitiveDataCredential"));
    add("/holders", holder_body());
  }
  static json::object holder_body(const std::string& did = holder_did) {
    return {{"holderId", did},
            {"did", did},
            {"name", "Alice"},
            {"properties", json::object{{"member", true}, {"name", "Alice"}}}};
  }
  void add(const std::string& path, const json::object& body) {
    const auto made = admin("POST", path, json::write(body));
    REQUIRE_MESSAGE(made.status == 201, made.raw);
  }

  /// The holder takes what is delivered from now on, with this status.
  void holder_answers(int status) {
    world.play(world[holder_did].service() + "/credentials", [this, status](const actors::http_call& call) {
      std::scoped_lock lock(deliveries_mutex_);
      deliveries_.push_back(call);
      return status == 0 ? actors::http_result(std::unexpected(actors::exchange_errc::no_answer))
                         : answer(status, "{}");
    });
  }
  std::vector<actors::http_call> deliveries() const {
    std::scoped_lock lock(deliveries_mutex_);
    return deliveries_;
  }
  /// The id in a Location.
  static std::string id_of(const answered& a) {
    const auto location = a.header("Location");
    return location.substr(location.rfind('/') + 1);
  }
  std::optional<persistence::entity_row> row(const std::string& id) {
    auto found = store_.journal->read_row({tenant("issuer"), cells::kinds::issuance, id});
    REQUIRE(found.has_value());
    return *found;
  }
  bool reaches(const std::string& id, const std::string& status) {
    return network.wait([&] {
      const auto found = row(id);
      return found && found->status == status;
    });
  }
  std::vector<persistence::document> documents(const std::string& kind, const std::string& owner = "issuer") {
    persistence::query_spec all;
    all.limit = 1000;
    auto found = store_.documents->query(tenant(owner), kind, all);
    REQUIRE(found.has_value());
    return *found;
  }
  std::vector<persistence::entity_row> rows(const std::string& kind) {
    auto found = store_.documents->query_entities(tenant("issuer"), kind, {});
    REQUIRE(found.has_value());
    return *found;
  }
  std::string log() {
    std::scoped_lock lock(log_mutex_);
    return log_;
  }
  persistence::journal& journal() { return *store_.journal; }

  /// Issues both credentials to the holder and gives the issuance's id.
  std::string issue(const std::vector<std::string>& ids = {"def-1", "def-2"}, const std::string& holder_pid = "pid-1") {
    holder_answers(200);
    const auto taken = request(ids, holder_pid);
    REQUIRE_MESSAGE(taken.status == 201, taken.raw);
    const auto id = id_of(taken);
    REQUIRE(reaches(id, "DELIVERED"));
    return id;
  }
  /// The compact credentials of a delivery.
  static std::vector<std::string> payloads(const actors::http_call& delivery) {
    std::vector<std::string> out;
    const auto body = json::parse(delivery.body)->as_object();
    if (const auto* list = json::array_at(body, "credentials"))
      for (const auto& c : *list)
        out.emplace_back(*json::string_at(c.as_object(), "payload"));
    return out;
  }

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
  void start_runtime() {
    auto kinds = cells::participant_kinds();
    for (auto& k : cells::identity_kinds())
      kinds.push_back(std::move(k));
    for (auto& k : cells::issuer_service_kinds([this]() -> cells::cell_services& { return *services; }))
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
  mutable std::mutex deliveries_mutex_;
  std::vector<actors::http_call> deliveries_;
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

} // namespace fondaco::issuer_service::testing

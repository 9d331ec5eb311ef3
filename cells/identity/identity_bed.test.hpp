#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/ports/log.hpp"
#include "cells/identity/dcp_world.test.hpp"
#include "cells/identity/kinds.hpp"
#include "cells/identity/routes.hpp"
#include "cells/participants/kinds.hpp"
#include "persistence/store.hpp"
#include "planes/record.hpp"
#include "protocols/json/json.hpp"

/// A node that keeps identities, of real parts (SQLite in memory, vault, runtime, router); its network is its own
/// router and the hosts that the test plays. Only *.test.cpp files include it.
namespace fondaco::identity::testing {

inline constexpr const char* node_host = "id.example";

/// Tokens by their text: `admin`, and `<participant>:<scope,...>` of the Identity API.
struct played_tokens final : gateway::token_verifier {
  gateway::task<std::expected<gateway::principal, gateway::denied>>
  verify(std::shared_ptr<const gateway::request> r) override {
    const auto given = gateway::header(*r, "authorization").value_or("");
    if (!given.starts_with("Bearer "))
      co_return std::unexpected(gateway::unauthenticated("Missing Authorization header"));
    std::string token(given.substr(7));
    gateway::principal who{token, std::nullopt, {}};
    if (token == "admin") {
      who.scopes = {"identity-api:admin"};
      co_return who;
    }
    const auto colon = token.find(':');
    who.participant = tenant(token.substr(0, colon));
    if (colon != std::string::npos)
      who.scopes = {"identity-api:" + token.substr(colon + 1)};
    co_return who;
  }
};

/// A clock that goes on with the machine's, and can be moved on.
struct moved_clock final : actors::clock {
  timepoint now() const override { return system.now() + ahead.load(); }
  actors::system_clock system;
  std::atomic<milliseconds> ahead = milliseconds(0);
};

struct inline_executor final : actors::executor {
  void post(std::function<void()> work) override { work(); }
};

/// A vault that can be silent.
class moody_vault final : public persistence::vault {
public:
  using error = persistence::vault_errc;
  explicit moody_vault(std::unique_ptr<persistence::vault> inner) : inner_(std::move(inner)) {}
  std::expected<std::string, error> seal(const tenant& o, std::string_view t) override {
    return silent ? std::unexpected(error::unavailable) : inner_->seal(o, t);
  }
  std::expected<std::string, error> open(const tenant& o, std::string_view t) override {
    return silent ? std::unexpected(error::unavailable) : inner_->open(o, t);
  }
  std::expected<void, error> put(const tenant& o, std::string_view n, std::string_view t) override {
    return silent ? std::unexpected(error::unavailable) : inner_->put(o, n, t);
  }
  std::expected<std::optional<std::string>, error> get(const tenant& o, std::string_view n) override {
    return silent ? std::unexpected(error::unavailable) : inner_->get(o, n);
  }
  std::expected<void, error> remove(const tenant& o, std::string_view n) override {
    return silent ? std::unexpected(error::unavailable) : inner_->remove(o, n);
  }
  std::expected<void, error> shred(const tenant& o) override {
    return silent ? std::unexpected(error::unavailable) : inner_->shred(o);
  }
  std::atomic<bool> silent = false;

private:
  std::unique_ptr<persistence::vault> inner_;
};

struct answered {
  int status = 0;
  json::value body;
  std::string text;
  gateway::http_headers headers;
  const json::object& object() const {
    REQUIRE_MESSAGE(body.is_object(), text);
    return body.get_object();
  }
  const json::array& list() const {
    REQUIRE_MESSAGE(body.is_array(), text);
    return body.get_array();
  }
  std::string at(std::string_view name) const { return std::string(json::string_at(object(), name).value_or("")); }
  /// The message of the first error.
  std::string error() const {
    if (!body.is_array() || body.get_array().empty() || !body.get_array()[0].is_object())
      return "";
    return std::string(json::string_at(body.get_array()[0].get_object(), "message").value_or(""));
  }
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name)
        return value;
    return "";
  }
};

class identity_bed : public actors::http_exchange {
public:
  identity_bed() {
    redirect_log([this](const log_line& line) {
      std::scoped_lock lock(log_mutex_);
      log_ += render_log(line, "t") + "\n";
    });
    persistence::store_options options;
    options.url = ":memory:";
    auto opened = persistence::open_store(options);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().detail));
    store_ = std::move(*opened);
    auto made = persistence::open_vault(options, std::string(32, 'k'));
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().detail));
    vault = std::make_unique<moody_vault>(std::move(*made));
    settings.protocol_url = std::string("https://") + node_host;
    auto kinds = cells::participant_kinds();
    for (auto& k : cells::identity_kinds())
      kinds.push_back(std::move(k));
    runtime = std::make_unique<actors::runtime>(
        actors::runtime::parts{*store_.journal, clock, random_, "default", "node-1", 4, 2, {}}, std::move(kinds));
    auto started = runtime->start();
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().detail));
    services = std::make_unique<cells::cell_services>(cells::cell_services{
        {*runtime, edge_, pool_, *store_.journal, *store_.documents, *vault, *this, streams_, tokens_, clock, random_},
        functions_,
        settings,
        trust,
        dids});
    cells::add_identity_routes(routes, *services);
    cells::add_did_routes(routes, *services);
  }
  ~identity_bed() override {
    runtime->stop(milliseconds(200));
    redirect_log({});
  }

  /// The network.
  void send(actors::http_call call, std::function<void(actors::http_result)> done) override {
    const auto own = std::string("https://") + node_host;
    if (!call.url.starts_with(own + "/"))
      return done(world(call));
    auto r = std::make_shared<gateway::request>();
    r->method = call.method;
    r->path = call.url.substr(own.size());
    for (auto [name, value] : call.headers) {
      for (auto& c : name)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      r->headers.emplace_back(name, value);
    }
    r->headers.emplace_back("host", node_host);
    r->body = call.body;
    const auto got = answer(std::move(r));
    done(actors::http_answer{got.status, got.headers, got.text});
  }

  /// Sends a request with this token (none if it is empty).
  answered ask(const std::string& token, const std::string& method, const std::string& path,
               const std::string& body = "", gateway::http_headers more = {}) {
    auto r = std::make_shared<gateway::request>();
    r->method = method;
    const auto question = path.find('?');
    r->path = path.substr(0, question);
    if (question != std::string::npos)
      r->query = path.substr(question + 1);
    r->headers = std::move(more);
    r->remote = "192.0.2.1";
    if (!token.empty())
      r->headers.emplace_back("authorization", "Bearer " + token);
    r->body = body;
    return answer(std::move(r));
  }
  /// The same below the Identity API.
  answered api(const std::string& token, const std::string& method, const std::string& path,
               const std::string& body = "") {
    return ask(token, method, "/api/identity/v1beta/participants" + path, body);
  }
  /// Asks for a DID document.
  answered document(const std::string& path, const std::string& host = node_host) {
    return ask("", "GET", path, "", {{"host", host}});
  }
  /// Asks the STS.
  answered token(const std::string& form) {
    return ask("", "POST", "/api/sts/token", form, {{"content-type", "application/x-www-form-urlencoded"}});
  }

  static std::string did_of(const std::string& id) { return std::string("did:web:") + node_host + ":" + id; }
  /// The manifest that the CFM sends.
  static std::string manifest(const std::string& id, const std::string& more = "", const std::string& did = "") {
    const auto whose = did.empty() ? did_of(id) : did;
    return R"({"roles":["participant"],)" +
           (more.empty() ? std::string(R"("provisionStsAccount":false,"provisionApiKey":false,)") : more + ",") +
           R"("active":true,"participantContextId":")" + id + R"(","did":")" + whose + R"(",)" +
           R"("serviceEndpoints":[{"type":"CredentialService","id":")" + id +
           R"(-credentialservice","serviceEndpoint":"https://id.example/api/credentials/v1/participants/)" + id +
           R"("},{"type":"ProtocolEndpoint","id":")" + id +
           R"(-dsp","serviceEndpoint":"http://controlplane:8082/api/dsp/)" + id +
           R"(/http-dsp-profile-2025-1"},{"type":"DataService","id":")" + id +
           R"(-dataservice","serviceEndpoint":"http://controlplane:8082/api/dsp/)" + id +
           R"(/.well-known/dspace-version"}],"key":{"keyId":")" + whose +
           R"(#key1","privateKeyAlias":"b9a1c2","keyGeneratorParams":{"algorithm":"EDDSA","curve":"Ed25519"}},)" +
           R"("additionalProperties":{"edc.vault.hashicorp.config":{"config":{"secretPath":"v1/participants"}}}})";
  }
  /// Makes a participant and gives what was shown.
  answered join(const std::string& id, const std::string& more = "") {
    auto made = api("admin", "POST", "", manifest(id, more));
    REQUIRE_MESSAGE(made.status == 200, made.text);
    return made;
  }
  /// A descriptor of a key that is made here.
  static std::string key(const std::string& key_id, const std::string& more = "") {
    return R"({"keyId":")" + key_id + R"(","privateKeyAlias":"alias-)" + key_id +
           R"(","keyGeneratorParams":{"algorithm":"EC"})" + (more.empty() ? "" : "," + more) + "}";
  }

  void put(const std::string& owner, const char* kind, const std::string& id, const std::string& body,
           std::vector<persistence::name_claim> names = {}) {
    planes::record::put p;
    p.record_kind = kind;
    p.id = id;
    p.when = planes::record::mode::upsert;
    p.body = body;
    p.names = std::move(names);
    planes::record::command command = std::move(p);
    persistence::entity_key at{tenant(owner), kind, id};
    auto reply = finish(actors::ask<planes::record>(*runtime, edge_, at, runtime->shard_for(tenant(owner)),
                                                    std::move(command), milliseconds(10'000)));
    REQUIRE_MESSAGE(reply.has_value(), (reply ? "" : reply.error().why.detail));
  }

  /// Runs a task to its end.
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

  persistence::document_store& documents() { return *store_.documents; }
  persistence::journal& journal() { return *store_.journal; }
  std::string log() {
    std::scoped_lock lock(log_mutex_);
    return log_;
  }

  moved_clock clock;
  dcp_world world;
  cells::cell_settings settings;
  std::unique_ptr<moody_vault> vault;
  std::unique_ptr<actors::runtime> runtime;
  std::unique_ptr<cells::cell_services> services;
  gateway::router routes;

private:
  answered answer(std::shared_ptr<gateway::request> r) {
    auto handler = routes.find(*r);
    if (!handler)
      return {handler.error(), nullptr, "", {}};
    auto got = finish((*handler)(r));
    answered out{got.status, nullptr, got.body, got.headers};
    if (auto parsed = json::parse(got.body))
      out.body = std::move(*parsed);
    return out;
  }

  std::mutex log_mutex_;
  std::string log_;
  persistence::store store_;
  actors::system_random random_;
  inline_executor edge_;
  actors::reader_pool pool_{2, 64};
  gateway::server server_{1};
  gateway::client streams_{server_, {}};
  played_tokens tokens_;
  odrl::policy_functions functions_ = odrl::built_in_functions();

public:
  identity::trust_list trust;
  identity::did_resolver dids{*this, edge_, clock, {}};
};

} // namespace fondaco::identity::testing

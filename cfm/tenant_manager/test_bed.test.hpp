#pragma once

#include <doctest/doctest.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/ports/log.hpp"
#include "cfm/messages.hpp"
#include "cfm/tenant_manager/routes.hpp"
#include "persistence/store.hpp"
#include "protocols/json/json.hpp"

/// A tenant manager in one process, of real parts (SQLite in memory, vault, runtime, router) with broker and tokens
/// played by the test; only *.test.cpp files include it.
namespace fondaco::cfm::tenant_manager_testing {

/// A token's text is its scopes, joined by commas.
struct played_tokens final : gateway::token_verifier {
  gateway::task<std::expected<gateway::principal, gateway::denied>>
  verify(std::shared_ptr<const gateway::request> r) override {
    const auto given = gateway::header(*r, "authorization").value_or("");
    if (!given.starts_with("Bearer "))
      co_return std::unexpected(gateway::unauthenticated("Missing Authorization header"));
    std::string token(given.substr(7));
    gateway::principal who{"tester", std::nullopt, {}};
    for (size_t from = 0; from <= token.size();) {
      const auto comma = std::min(token.find(',', from), token.size());
      who.scopes.push_back(token.substr(from, comma - from));
      from = comma + 1;
    }
    co_return who;
  }
};

/// Nothing is called.
struct no_peers final : actors::http_exchange {
  void send(actors::http_call, std::function<void(actors::http_result)> done) override {
    done(std::unexpected(actors::exchange_errc::not_connected));
  }
};

/// An executor that goes on at once, on the thread that has the answer.
struct inline_executor final : actors::executor {
  void post(std::function<void()> work) override { work(); }
};

/// A broker that keeps what is published, and delivers what the test says.
class played_broker final : public actors::broker {
public:
  void publish(actors::broker_message m, std::function<void(std::expected<void, fault>)> done) override {
    bool taken = false;
    {
      std::scoped_lock lock(mutex_);
      ++tries_;
      if ((taken = !down_))
        messages_.push_back(std::move(m));
    }
    changed_.notify_all();
    if (taken)
      done({});
    else
      done(std::unexpected(fault{"broker_unavailable", "no connection", cure::retry}));
  }
  void consume(std::string, std::string subject, handler h) override { handlers_[subject] = std::move(h); }
  std::expected<void, fault> start() override { return {}; }
  void stop(milliseconds) override {}
  bool connected() const override { return true; }

  /// From now on, refuses or takes.
  void set_down(bool down) {
    std::scoped_lock lock(mutex_);
    down_ = down;
  }
  /// Waits until so many messages were tried.
  void wait_for_tries(size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(15), [&] { return tries_ >= count; }));
  }
  /// Waits for the message with this number (from 0) and reads it as a manifest.
  orchestration_manifest manifest(size_t number) {
    std::unique_lock lock(mutex_);
    REQUIRE_MESSAGE(changed_.wait_for(lock, std::chrono::seconds(15), [&] { return messages_.size() > number; }),
                    ("only " + std::to_string(messages_.size()) + " messages were published within 15 s"));
    CHECK(messages_[number].subject == subjects::manifest);
    const auto read = read_manifest(messages_[number].payload);
    REQUIRE(read.has_value());
    CHECK(messages_[number].id == read->id);
    return *read;
  }
  size_t published() {
    std::scoped_lock lock(mutex_);
    return messages_.size();
  }
  /// Delivers a response and waits for what the consumer makes of it.
  actors::delivery deliver(std::string payload) {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<actors::delivery> out;
    actors::broker_message m;
    m.subject = subjects::response;
    m.payload = std::move(payload);
    handlers_.at(m.subject)(std::move(m), [&](actors::delivery d) {
      std::scoped_lock lock(mutex);
      out = d;
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(15), [&] { return out.has_value(); }));
    return *out;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<actors::broker_message> messages_;
  std::map<std::string, handler> handlers_;
  size_t tries_ = 0;
  bool down_ = false;
};

/// An answer with its body read as JSON (null if it is none).
struct answered {
  int status = 0;
  json::value body;
  gateway::http_headers headers;
  const json::object& object() const {
    REQUIRE(body.is_object());
    return body.get_object();
  }
  const json::array& array() const {
    REQUIRE(body.is_array());
    return body.get_array();
  }
  std::string text(std::string_view name) const { return std::string(json::string_at(object(), name).value_or("")); }
  std::string message() const { return text("message"); }
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name)
        return value;
    return "";
  }
};

/// The tenant manager; every test has its own.
class test_bed {
public:
  static constexpr const char* all = "tenant-manager-api:read,tenant-manager-api:write";

  test_bed() {
    set_log_level(severity::error);
    persistence::store_options options;
    options.url = ":memory:";
    auto opened = persistence::open_store(options);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().detail));
    store_ = std::move(*opened);
    auto vault = persistence::open_vault(options, std::string(32, 'k'));
    REQUIRE_MESSAGE(vault.has_value(), (vault ? "" : vault.error().detail));
    vault_ = std::move(*vault);
    services_ref ref = [this]() -> cfm_services& { return *services; };
    actors::runtime_limits limits;
    limits.retry_first_ms = milliseconds(1);
    limits.retry_cap_ms = milliseconds(5);
    limits.sweep_every_ms = milliseconds(5);
    runtime = std::make_unique<actors::runtime>(
        actors::runtime::parts{*store_.journal, clock_, random_, "default", "node-1", 4, 2, limits},
        tenant_manager_kinds(ref));
    auto started = runtime->start();
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().detail));
    services = std::make_unique<cfm_services>(cfm_services{{*runtime, edge_, pool_, *store_.journal, *store_.documents,
                                                            *vault_, peers_, streams_, tokens_, clock_, random_},
                                                           broker,
                                                           settings_});
    add_tenant_manager_routes(routes, *services);
    add_tenant_manager_consumers(broker, ref);
  }
  ~test_bed() { runtime->stop(milliseconds(200)); }

  /// Sends a request with a token (empty for none) and gives the answer.
  answered send(const std::string& token, const std::string& method, const std::string& path,
                const std::string& body = "", gateway::http_headers more = {}) {
    auto r = std::make_shared<gateway::request>();
    r->method = method;
    const auto question = path.find('?');
    r->path = "/api/v1alpha1/" + path.substr(0, question);
    if (question != std::string::npos)
      r->query = path.substr(question + 1);
    r->headers = std::move(more);
    if (!token.empty())
      r->headers.emplace_back("authorization", "Bearer " + token);
    r->body = body;
    auto handler = routes.find(*r);
    if (!handler)
      return {handler.error(), nullptr, {}};
    auto got = wait((*handler)(r));
    answered out{got.status, nullptr, got.headers};
    if (auto parsed = json::parse(got.body))
      out.body = std::move(*parsed);
    return out;
  }
  answered get(const std::string& path) { return send(all, "GET", path); }
  answered post(const std::string& path, const std::string& body, const std::string& key = "") {
    gateway::http_headers more;
    if (!key.empty())
      more.emplace_back("idempotency-key", key);
    return send(all, "POST", path, body, std::move(more));
  }
  answered remove(const std::string& path) { return send(all, "DELETE", path); }

  /// Makes something and gives its id.
  std::string made(const std::string& path, const std::string& body) {
    const auto a = post(path, body);
    REQUIRE_MESSAGE(a.status == 201, json::write(a.body));
    return a.text("id");
  }
  std::string add_tenant(const std::string& name = "ACME") {
    return made("tenants", R"({"properties":{"name":")" + name + R"("}})");
  }
  /// An active cell and a dataspace profile that is deployed on it.
  void add_dataspace() {
    cell = made("cells", R"({"externalId":"k8s-1","state":"active"})");
    dataspace =
        made("dataspace-profiles",
             R"({"dataspaceSpec":{"protocolStack":["dsp-2025-1"],"credentialSpecs":[)"
             R"({"id":"membership","type":"MembershipCredential","issuer":"did:web:issuer","format":"VC1_0_JWT"},)"
             R"({"id":"oem","type":"OemCredential","issuer":"did:web:issuer","format":"VC1_0_JWT","role":"oem"}]}})");
    REQUIRE(post("dataspace-profiles/" + dataspace + "/deployments",
                 R"({"profileId":")" + dataspace + R"(","cellId":")" + cell + "\"}")
                .status == 202);
  }
  /// The end of a manifest's orchestration.
  static std::string end_of(const orchestration_manifest& m, bool success = true, std::string detail = "",
                            json::object output = {{"participantContextId", "pc-1"}}) {
    return write(orchestration_response{"r-" + m.id, m.id, m.correlation_id, m.orchestration_type, success,
                                        std::move(detail), std::move(output)});
  }

  /// Runs a task to its end.
  template <class T> T wait(actors::task<T> work) {
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

  persistence::journal& journal() { return *store_.journal; }
  persistence::document_store& documents() { return *store_.documents; }

  std::string cell;
  std::string dataspace;
  played_broker broker;
  std::unique_ptr<actors::runtime> runtime;
  std::unique_ptr<cfm_services> services;
  gateway::router routes;

private:
  cfm_settings settings_;
  persistence::store store_;
  std::unique_ptr<persistence::vault> vault_;
  actors::system_clock clock_;
  actors::system_random random_;
  inline_executor edge_;
  actors::reader_pool pool_{2, 64};
  gateway::server server_{1};
  gateway::client streams_{server_, {}};
  no_peers peers_;
  played_tokens tokens_;
};

} // namespace fondaco::cfm::tenant_manager_testing

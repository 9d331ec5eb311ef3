#pragma once

#include <doctest/doctest.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/ports/log.hpp"
#include "cells/control_plane/dsp_routes.hpp"
#include "cells/control_plane/kinds.hpp"
#include "cells/control_plane/negotiation.hpp"
#include "cells/control_plane/signaling_routes.hpp"
#include "cells/control_plane/transfer_process.hpp"
#include "cells/control_plane/transfer_request.hpp"
#include "cells/participants/kinds.hpp"
#include "cells/span.hpp"
#include "persistence/store.hpp"
#include "planes/record.hpp"
#include "protocols/json/json.hpp"

/// Two participants of one real runtime (SQLite in memory, vault, router) that negotiate with each other: an exchange
/// that hands what they send to the router takes the network's place. Only *.test.cpp files include it.
namespace fondaco::control_plane::dsp_testing {

inline constexpr const char* node_url = "https://node.example";
inline constexpr const char* plane_url = "https://plane.example";

struct inline_executor final : actors::executor {
  void post(std::function<void()> work) override { work(); }
};

struct no_tokens final : gateway::token_verifier {
  gateway::task<std::expected<gateway::principal, gateway::denied>>
  verify(std::shared_ptr<const gateway::request>) override {
    co_return std::unexpected(gateway::unauthenticated("nobody"));
  }
};

/// The spans that a node would export.
class kept_spans final : public actors::tracer {
public:
  void finished(actors::span s) override {
    std::scoped_lock lock(mutex_);
    spans_.push_back(std::move(s));
  }
  std::vector<actors::span> named(const std::string& name) const {
    std::scoped_lock lock(mutex_);
    std::vector<actors::span> out;
    for (const auto& s : spans_)
      if (s.name == name)
        out.push_back(s);
    return out;
  }

private:
  mutable std::mutex mutex_;
  std::vector<actors::span> spans_;
};

/// What the network does with the next call whose URL holds a text.
enum class mishap : uint8_t { not_connected, answer_lost };

/// The network: calls to the node go into its router, calls elsewhere to the host that the test plays.
class played_network final : public actors::http_exchange {
public:
  using host = std::function<actors::http_result(const actors::http_call&)>;

  void send(actors::http_call call, std::function<void(actors::http_result)> done) override {
    std::optional<mishap> trouble;
    host elsewhere;
    {
      std::scoped_lock lock(mutex_);
      calls_.push_back(call);
      for (auto it = mishaps_.begin(); it != mishaps_.end() && !trouble; ++it)
        if (call.url.find(it->first) != std::string::npos) {
          trouble = it->second;
          mishaps_.erase(it);
          break;
        }
      elsewhere = host_;
    }
    auto tell = [this, done, trouble](actors::http_result r) {
      done(trouble == mishap::answer_lost ? std::unexpected(actors::exchange_errc::no_answer) : std::move(r));
      std::scoped_lock lock(mutex_);
      changed_.notify_all();
    };
    if (trouble == mishap::not_connected)
      return tell(std::unexpected(actors::exchange_errc::not_connected));
    if (!call.url.starts_with(node_url))
      return tell(elsewhere ? elsewhere(call) : std::unexpected(actors::exchange_errc::not_connected));
    deliver(call, std::move(tell));
  }

  void deliver(const actors::http_call& call, std::function<void(actors::http_result)> tell) {
    auto r = std::make_shared<gateway::request>();
    r->method = call.method;
    const auto path = call.url.substr(std::string(node_url).size());
    r->path = path.substr(0, path.find('?'));
    for (const auto& [name, value] : call.headers) {
      std::string lower = name;
      for (auto& c : lower)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      r->headers.emplace_back(lower, value);
    }
    r->body = call.body;
    r->traceparent = call.traceparent;
    r->correlation_id = cells::trace_id_of(call.traceparent);
    r->remote = "127.0.0.1";
    auto handler = router->find(*r);
    if (!handler)
      return tell(actors::http_answer{handler.error(), {}, ""});
    actors::start<gateway::response>(
        (*handler)(r), [tell](gateway::response a) { tell(actors::http_answer{a.status, a.headers, a.body}); },
        [tell](std::exception_ptr) { tell(actors::http_answer{500, {}, ""}); });
  }

  void expect(std::string url_part, mishap what) {
    std::scoped_lock lock(mutex_);
    mishaps_.emplace_back(std::move(url_part), what);
  }
  void play(host h) {
    std::scoped_lock lock(mutex_);
    host_ = std::move(h);
  }
  std::vector<actors::http_call> calls(const std::string& url_part) const {
    std::scoped_lock lock(mutex_);
    std::vector<actors::http_call> out;
    for (const auto& c : calls_)
      if (c.url.find(url_part) != std::string::npos)
        out.push_back(c);
    return out;
  }
  /// Waits until the condition holds, looking again whenever an exchange ended.
  bool wait(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(15);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until)
        return false;
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(2));
    }
    return true;
  }

  gateway::router* router = nullptr;

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<actors::http_call> calls_;
  std::vector<std::pair<std::string, mishap>> mishaps_;
  host host_;
};

struct answered {
  int status = 0;
  json::object body;
  gateway::http_headers headers;
  std::string text(std::string_view name) const { return std::string(json::string_at(body, name).value_or("")); }
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name)
        return value;
    return "";
  }
  std::string reasons() const {
    const auto* list = json::array_at(body, "reason");
    return list ? json::write(*list) : "";
  }
};

class dsp_bed {
public:
  dsp_bed() {
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
    settings.signaling_url = node_url;
    settings.profiles = {{"closed", cells::identity_mode::token}, {"other", cells::identity_mode::token}};
    auto kinds = cells::participant_kinds();
    for (auto& k : cells::control_plane_kinds([this]() -> cells::cell_services& { return *services; }))
      kinds.push_back(std::move(k));
    actors::runtime_limits limits;
    limits.retry_first_ms = milliseconds(1);
    limits.retry_cap_ms = milliseconds(10);
    actors::runtime::parts parts{*store_.journal, clock_, random_, "default", "node-1", 4, 2, limits};
    runtime = std::make_unique<actors::runtime>(parts, std::move(kinds));
    auto started = runtime->start();
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().detail));
    services = std::make_unique<cells::cell_services>(
        cells::cell_services{{*runtime, edge_, pool_, *store_.journal, *store_.documents, *vault_, network, streams_,
                              tokens_, clock_, random_},
                             functions_,
                             settings,
                             trust,
                             dids_});
    services->traces = &traces;
    network.router = &routes;
    cells::add_dsp_routes(routes, *services);
    cells::add_control_plane_signaling_routes(routes, *services);
    add_participant("provider", "consumer", "{\"region\":\"eu\"}");
    add_participant("consumer", "provider", "{}");
    add_asset("asset-1");
    add_policy("anyone", R"({"@type":"Set","permission":[{"action":"use"}]})");
    add_plane();
  }
  ~dsp_bed() {
    runtime->stop(milliseconds(500));
    redirect_log({});
  }

  void put(const std::string& owner, const char* kind, const std::string& id, const std::string& body) {
    planes::record::put p;
    p.record_kind = kind;
    p.id = id;
    p.when = planes::record::mode::upsert;
    p.body = body;
    tell_at<planes::record>(owner, kind, id, runtime->shard_for(tenant(owner)), std::move(p));
  }
  /// Participants present `<own id>-token` to each other.
  void add_participant(const std::string& id, const std::string& peer, const std::string& attributes,
                       const std::string& profiles = "closed", const json::object& more_entries = {},
                       const json::object& more_secrets = {}) {
    const tenant owner(id);
    put(id, cells::kinds::participant_context, id, R"({"identity":"did:web:)" + id + "\"}");
    const std::string prefix = "fondaco.dataspace.closed.counterparty.p.";
    json::object entries{{"edc.dataspace.profiles", profiles}};
    entries[prefix + "id"] = "did:web:" + peer;
    entries[prefix + "attributes"] = attributes;
    for (const auto& [name, value] : more_entries)
      entries.emplace(name, value);
    json::object secrets;
    secrets[prefix + "accepts"] = *vault_->seal(owner, peer + "-token");
    secrets[prefix + "presents"] = *vault_->seal(owner, id + "-token");
    for (const auto& [name, value] : more_secrets)
      secrets[name] = *vault_->seal(owner, std::string(value.as_string()));
    put(id, cells::kinds::participant_config, id,
        json::write(json::object{{"entries", std::move(entries)}, {"privateEntries", std::move(secrets)}}));
  }
  void add_asset(const std::string& id, const std::string& name = "data") {
    put("provider", cells::kinds::asset, id,
        R"({"@type":"Asset","properties":{"name":")" + name + R"("},"lookup":{"name":")" + name +
            R"("},"privateProperties":{"cost":"17"},"dataplaneMetadata":{"properties":{"region":"eu"}},)" +
            R"("dataAddress":{"type":"HttpData","baseUrl":"https://source.example/)" + id + "\"}}");
  }
  void add_policy(const std::string& id, const std::string& policy) {
    put("provider", cells::kinds::policy_definition, id, R"({"policy":)" + policy + "}");
  }
  void add_definition(const std::string& id, const std::string& access, const std::string& contract,
                      const std::string& asset = "") {
    const auto selector =
        asset.empty() ? std::string("[]")
                      : R"([{"@type":"Criterion","operandLeft":"id","operator":"=","operandRight":")" + asset + "\"}]";
    put("provider", cells::kinds::contract_definition, id,
        R"({"accessPolicyId":")" + access + R"(","contractPolicyId":")" + contract + R"(","assetsSelector":)" +
            selector + "}");
  }
  void add_plane(const std::string& more = "") {
    put("provider", cells::kinds::data_plane, "plane-1",
        std::string(R"({"dataplaneId":"plane-1","endpoint":")") + plane_url +
            R"(/signals/dataflows","transferTypes":["HttpData-PULL"])" + more + "}");
  }

  /// Sends a request to the protocol or signaling listener.
  answered send(const std::string& method, const std::string& path, const std::string& body = "",
                const std::string& token = "consumer-token", gateway::http_headers more = {},
                const std::string& remote = "127.0.0.1") {
    auto r = std::make_shared<gateway::request>();
    r->method = method;
    const auto question = path.find('?');
    r->path = path.substr(0, question);
    if (question != std::string::npos)
      r->query = path.substr(question + 1);
    r->headers = std::move(more);
    if (!token.empty())
      r->headers.emplace_back("authorization", "Bearer " + token);
    r->body = body;
    r->remote = remote;
    r->traceparent = traceparent;
    r->correlation_id = cells::trace_id_of(traceparent);
    auto handler = routes.find(*r);
    if (!handler)
      return {handler.error(), {}, {}};
    auto got = finish<gateway::response>((*handler)(r));
    answered out{got.status, {}, got.headers};
    if (auto parsed = json::parse(got.body); parsed && parsed->is_object())
      out.body = parsed->get_object();
    return out;
  }
  answered dsp(const std::string& method, const std::string& path, const std::string& body = "",
               const std::string& token = "consumer-token") {
    return send(method, "/api/dsp/provider/" + profile + "/" + path, body, token);
  }

  /// A message with its context and type.
  static std::string message(const std::string& type, const std::string& members) {
    return R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@type":")" + type + "\"" +
           (members.empty() ? "" : "," + members) + "}";
  }
  answered catalog(const std::string& members = "", const std::string& query = "") {
    return dsp("POST", "catalog/request" + query, message("CatalogRequestMessage", members));
  }
  /// The first offer for an asset in the provider's catalog, completed as a consumer sends it.
  json::object offer_for(const std::string& asset) {
    const auto dataset = dsp("GET", "catalog/datasets/" + asset);
    REQUIRE(dataset.status == 200);
    auto offer = json::array_at(dataset.body, "hasPolicy")->at(0).as_object();
    offer["target"] = asset;
    offer["assigner"] = "did:web:provider";
    return offer;
  }

  template <class D>
  typename D::reply tell_at(const std::string& owner, std::string kind, std::string id, shard_number shard,
                            typename D::command c) {
    persistence::entity_key key{tenant(owner), std::move(kind), std::move(id)};
    using result = std::expected<typename D::reply, actors::ask_error>;
    auto reply =
        finish<result>(actors::ask<D>(*runtime, edge_, std::move(key), shard, std::move(c), milliseconds(10'000)));
    REQUIRE_MESSAGE(reply.has_value(), (reply ? "" : reply.error().why.detail));
    return std::move(*reply);
  }
  template <class D> typename D::reply tell(const std::string& owner, const std::string& id, typename D::command c) {
    return tell_at<D>(owner, std::string(D::kind), id, parse_uuid(id)->shard(), std::move(c));
  }

  /// Begins a negotiation as the consumer; gives its id.
  std::string negotiate(const json::object& offer) {
    negotiation::initiate c;
    c.id = runtime->fresh_id(tenant("consumer")).text();
    c.counterparty_id = "did:web:provider";
    c.counterparty_address = cells::dsp_base(settings, tenant("provider"), profile);
    c.callback_address = cells::dsp_base(settings, tenant("consumer"), profile);
    c.participant_id = "did:web:consumer";
    c.profile = profile;
    c.traceparent = traceparent;
    c.asset_id = std::string(json::string_at(offer, "target").value_or("asset-1"));
    c.offer = offer;
    c.settings.send_window_ms = milliseconds(10'000);
    c.settings.refusal_delay_ms = milliseconds(1);
    const auto id = c.id;
    tell<negotiation>("consumer", id, std::move(c));
    return id;
  }
  /// Begins a transfer as the consumer; gives its id.
  std::string transfer(const std::string& agreement, const std::string& format = "HttpData-PULL") {
    transfer_process::initiate c;
    auto& t = c.terms;
    t.id = runtime->fresh_id(tenant("consumer")).text();
    t.counterparty_id = "did:web:provider";
    t.counterparty_address = cells::dsp_base(settings, tenant("provider"), profile);
    t.callback_address = cells::dsp_base(settings, tenant("consumer"), profile);
    t.participant_id = "did:web:consumer";
    t.profile = profile;
    t.traceparent = traceparent;
    t.agreement_id = agreement;
    t.asset_id = "asset-1";
    t.format = format;
    t.settings.refusal_delay_ms = milliseconds(1);
    const auto id = t.id;
    tell<transfer_process>("consumer", id, std::move(c));
    return id;
  }

  std::optional<persistence::entity_row> row(const std::string& owner, std::string_view kind, const std::string& id) {
    auto found = store_.journal->read_row({tenant(owner), std::string(kind), id});
    REQUIRE(found.has_value());
    return *found;
  }
  json::object view(const std::string& owner, std::string_view kind, const std::string& id) {
    const auto found = row(owner, kind, id);
    REQUIRE(found.has_value());
    return json::parse(found->view)->as_object();
  }
  bool reaches(const std::string& owner, std::string_view kind, const std::string& id, const std::string& status) {
    return network.wait([&] {
      const auto found = row(owner, kind, id);
      return found && found->status == status;
    });
  }
  std::vector<persistence::entity_row> rows(const std::string& owner, std::string_view kind) {
    auto found = store_.documents->query_entities(tenant(owner), kind, {});
    REQUIRE(found.has_value());
    return *found;
  }
  /// A finalized agreement on an asset; gives its id.
  std::string agree(const std::string& asset = "asset-1") {
    const auto id = negotiate(offer_for(asset));
    REQUIRE(reaches("consumer", "negotiation", id, "FINALIZED"));
    const auto mine = view("consumer", "negotiation", id);
    REQUIRE(reaches("provider", "negotiation", std::string(*json::string_at(mine, "providerPid")), "FINALIZED"));
    return std::string(*json::string_at(mine, "contractAgreementId"));
  }
  std::string log() {
    std::scoped_lock lock(log_mutex_);
    return log_;
  }
  persistence::document_store& documents() { return *store_.documents; }
  persistence::vault& vault() { return *vault_; }

  /// Runs a task to its end.
  template <class T> T run(actors::task<T> work) { return finish<T>(std::move(work)); }

  /// The dataspace profile of what is sent and begun, and the trace that it is part of.
  std::string profile = "closed";
  std::string traceparent;
  cells::cell_settings settings;
  identity::trust_list trust;
  kept_spans traces;
  played_network network;
  gateway::router routes;
  std::unique_ptr<actors::runtime> runtime;
  std::unique_ptr<cells::cell_services> services;

private:
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

  std::mutex log_mutex_;
  std::string log_;
  persistence::store store_;
  std::unique_ptr<persistence::vault> vault_;
  actors::system_clock clock_;
  actors::system_random random_;
  inline_executor edge_;
  actors::reader_pool pool_{2, 64};
  gateway::server server_{1};
  gateway::client streams_{server_, {}};
  no_tokens tokens_;
  odrl::policy_functions functions_ = odrl::built_in_functions();
  identity::did_resolver dids_{network, edge_, clock_, {.cache_ms = milliseconds(0)}};
};

} // namespace fondaco::control_plane::dsp_testing

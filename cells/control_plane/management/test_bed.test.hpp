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
#include "cells/control_plane/management.hpp"
#include "cells/control_plane/negotiation.hpp"
#include "cells/control_plane/transfer_process.hpp"
#include "cells/data_plane/data_flow.hpp"
#include "cells/participants/kinds.hpp"
#include "persistence/store.hpp"
#include "protocols/json/json.hpp"

/// A node's management side in one process, of real parts (SQLite in memory, vault, runtime, router) with peers and
/// tokens played by the test; only *.test.cpp files include it.
namespace fondaco::control_plane::testing {

/// Tokens by their text: `admin`, and `<participant>` or `<participant>:<scope,...>` for a participant's own.
struct played_tokens final : gateway::token_verifier {
  gateway::task<std::expected<gateway::principal, gateway::denied>>
  verify(std::shared_ptr<const gateway::request> r) override {
    const auto given = gateway::header(*r, "authorization").value_or("");
    if (!given.starts_with("Bearer "))
      co_return std::unexpected(gateway::unauthenticated("Missing Authorization header"));
    std::string token(given.substr(7));
    gateway::principal who{token, std::nullopt, {"management-api:admin"}};
    if (token == "admin")
      co_return who;
    const auto colon = token.find(':');
    who.participant = tenant(token.substr(0, colon));
    who.scopes = {"management-api:write"};
    if (colon != std::string::npos)
      who.scopes = {"management-api:" + token.substr(colon + 1)};
    co_return who;
  }
};

/// Peers that answer at once with what the test put there; nothing is sent.
struct played_peers final : actors::http_exchange {
  void send(actors::http_call call, std::function<void(actors::http_result)> done) override {
    std::optional<actors::http_result> out;
    {
      std::scoped_lock lock(mutex);
      calls.push_back(call);
      out = answer;
    }
    done(*out);
  }
  std::mutex mutex;
  std::vector<actors::http_call> calls;
  actors::http_result answer = std::unexpected(actors::exchange_errc::not_connected);
};

/// An executor that goes on at once, on the thread that has the answer.
struct inline_executor final : actors::executor {
  void post(std::function<void()> work) override { work(); }
};

/// A kind of process whose effects stay under way for ever: the peer never answers.
template <class D> actors::entity_kind silent_kind() {
  actors::entity_kind k;
  k.name = std::string(D::kind);
  k.make = [](const persistence::entity_key& key) { return std::make_unique<actors::typed_state<D>>(key); };
  k.run_effect = [](actors::effect_run, std::function<void(std::any)>) {};
  k.is_transient = [](const std::any&) { return false; };
  return k;
}

/// An answer with its body read as JSON (as a string if it is none).
struct answered {
  int status = 0;
  json::value body;
  gateway::http_headers headers;
  const json::object& object() const {
    REQUIRE(body.is_object());
    return body.get_object();
  }
  std::string text(std::string_view name) const { return std::string(json::string_at(object(), name).value_or("")); }
  /// The message and type of the first error.
  std::string error(std::string_view name = "message") const {
    if (!body.is_array() || body.get_array().empty() || !body.get_array()[0].is_object())
      return "";
    return std::string(json::string_at(body.get_array()[0].get_object(), name).value_or(""));
  }
};

/// The node; every test has its own.
class test_bed {
public:
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
    settings.protocol_url = "https://us.example";
    settings.signaling_url = "https://signaling.example";
    settings.profiles = {{"closed", cells::identity_mode::token}, {"other", cells::identity_mode::token}};
    auto kinds = cells::participant_kinds();
    kinds.push_back(silent_kind<negotiation>());
    kinds.push_back(silent_kind<transfer_process>());
    kinds.push_back(silent_kind<data_plane::data_flow>());
    runtime = std::make_unique<actors::runtime>(
        actors::runtime::parts{*store_.journal, clock_, random_, "default", "node-1", 4, 2, {}}, std::move(kinds));
    auto started = runtime->start();
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().detail));
    services = std::make_unique<cells::cell_services>(
        cells::cell_services{{*runtime, edge_, pool_, *store_.journal, *store_.documents, *vault_, peers, streams_,
                              tokens_, clock_, random_},
                             functions_,
                             settings,
                             trust_,
                             dids_});
    cells::add_management_routes(routes, *services);
  }
  ~test_bed() {
    runtime->stop(milliseconds(200));
    set_log_level(severity::info);
  }

  /// Sends a request as a client with this token and gives the answer.
  answered send(const std::string& token, const std::string& method, const std::string& path,
                const std::string& body = "", gateway::http_headers more = {}) {
    auto r = std::make_shared<gateway::request>();
    r->method = method;
    const auto question = path.find('?');
    r->path = "/api/management/v5beta/" + path.substr(0, question);
    if (question != std::string::npos)
      r->query = path.substr(question + 1);
    r->headers = std::move(more);
    if (!token.empty())
      r->headers.emplace_back("authorization", "Bearer " + token);
    if (!body.empty())
      r->headers.emplace_back("content-type", "application/json");
    r->body = body;
    // As the gateway does it: the caller's trace, or a fresh one.
    r->traceparent = gateway::header(*r, "traceparent").value_or(fresh_trace);
    auto handler = routes.find(*r);
    if (!handler)
      return {handler.error(), nullptr, {}};
    auto got = wait((*handler)(r));
    answered out{got.status, nullptr, got.headers};
    if (auto parsed = json::parse(got.body))
      out.body = std::move(*parsed);
    else
      out.body = json::value(got.body);
    return out;
  }

  /// The trace of requests that name none.
  static constexpr const char* fresh_trace = "00-11111111111111111111111111111111-2222222222222222-01";

  /// A body with its context and type.
  static std::string typed(const std::string& type, const std::string& members) {
    return R"({"@context":["https://w3id.org/edc/connector/management/v2"],"@type":")" + type + "\"" +
           (members.empty() ? "" : "," + members) + "}";
  }

  /// A participant context with this id that takes part in the profile `closed` and knows the counterparty `peer`.
  void add_participant(const std::string& id) {
    REQUIRE(send("admin", "POST", "participants",
                 typed("ParticipantContext", R"("@id":")" + id + R"(","identity":"did:web:)" + id + "\""))
                .status == 200);
    const std::string prefix = "fondaco.dataspace.closed.counterparty.p.";
    REQUIRE(send("admin", "PUT", "participants/" + id + "/config",
                 typed("ParticipantContextConfig", R"("entries":{"edc.dataspace.profiles":"closed",")" + prefix +
                                                       R"(id":"peer"},"privateEntries":{")" + prefix +
                                                       R"(presents":"the-peers-secret"})"))
                .status == 204);
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

  /// Sends a command to a process and demands that it is taken.
  template <class D> typename D::reply tell(const std::string& owner, const std::string& id, typename D::command c) {
    persistence::entity_key key{tenant(owner), std::string(D::kind), id};
    auto reply = wait(
        actors::ask<D>(*runtime, edge_, std::move(key), parse_uuid(id)->shard(), std::move(c), milliseconds(10'000)));
    REQUIRE_MESSAGE(reply.has_value(), (reply ? "" : reply.error().why.detail));
    return std::move(*reply);
  }

  persistence::document_store& documents() { return *store_.documents; }
  persistence::journal& journal() { return *store_.journal; }
  persistence::vault& vault() { return *vault_; }

  cells::cell_settings settings;
  played_peers peers;
  std::unique_ptr<actors::runtime> runtime;
  std::unique_ptr<cells::cell_services> services;
  gateway::router routes;

private:
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
  identity::trust_list trust_;
  identity::did_resolver dids_{peers, edge_, clock_, {}};
};

} // namespace fondaco::control_plane::testing

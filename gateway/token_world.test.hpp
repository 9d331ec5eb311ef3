#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/ports/clock.hpp"
#include "actors/ports/http_exchange.hpp"
#include "actors/ports/log.hpp"
#include "actors/ports/task.hpp"
#include "gateway/http.hpp"
#include "protocols/jose/jwt.hpp"

/// What the tests of tokens share; only *.test.cpp files include it.
namespace fondaco::gateway::testing {

inline const timepoint t0 = from_epoch_ms(1'800'000'000'000);

/// A clock that stands until it is moved.
struct hand_clock final : actors::clock {
  timepoint now() const override { return at; }
  timepoint at = t0;
};

/// An executor that runs the work at once.
struct inline_executor final : actors::executor {
  void post(std::function<void()> work) override { work(); }
};

/// Keeps what is logged while it lives.
struct kept_log {
  kept_log() {
    redirect_log([this](const log_line& line) { lines.push_back(line); });
  }
  ~kept_log() { redirect_log({}); }
  kept_log(const kept_log&) = delete;
  std::vector<log_line> lines;
};

/// Chance from a counter.
struct counted_random final : actors::random_source {
  uint64_t next() override { return ++state * 0x9e3779b97f4a7c15ull; }
  uint64_t state = 0;
};

/// An exchange whose calls wait until the test answers them.
struct held_exchange final : actors::http_exchange {
  struct held {
    actors::http_call call;
    std::function<void(actors::http_result)> done;
  };
  void send(actors::http_call call, std::function<void(actors::http_result)> done) override {
    ++sent;
    if (answer_at_once)
      done(*answer_at_once);
    else
      open.push_back({std::move(call), std::move(done)});
  }
  void answer(actors::http_result result) {
    REQUIRE_FALSE(open.empty());
    auto first = std::move(open.front());
    open.pop_front();
    first.done(std::move(result));
  }
  std::optional<actors::http_result> answer_at_once;
  std::deque<held> open;
  int sent = 0;
};

/// The answer with these keys.
inline actors::http_result jwks_of(const std::vector<jose::public_key>& keys) {
  return actors::http_answer{200, {}, json::write(jose::export_jwks(keys))};
}

/// Starts a task and says where its result will be.
template <class T> std::shared_ptr<std::optional<T>> begin(actors::task<T> work) {
  auto slot = std::make_shared<std::optional<T>>();
  actors::start<T>(
      std::move(work), [slot](T v) { slot->emplace(std::move(v)); },
      [](std::exception_ptr e) { std::rethrow_exception(e); });
  return slot;
}

/// Runs a task that must end at once.
template <class T> T run(actors::task<T> work) {
  auto slot = begin(std::move(work));
  REQUIRE(slot->has_value());
  return std::move(**slot);
}

/// A GET with this bearer token.
inline std::shared_ptr<const request> bearing(const std::string& token) {
  request r;
  r.method = "GET";
  r.path = "/v5beta/participants/ctx-a/assets";
  r.headers.emplace_back("authorization", "Bearer " + token);
  return std::make_shared<const request>(std::move(r));
}

} // namespace fondaco::gateway::testing

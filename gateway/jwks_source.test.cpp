#include <doctest/doctest.h>

#include "gateway/jwks_source.hpp"
#include "gateway/token_world.test.hpp"

using namespace fondaco;
using namespace fondaco::gateway;
using namespace fondaco::gateway::testing;

namespace {

using keys_result = std::expected<jwks_source::keys, jwks_errc>;

struct world {
  kept_log log;
  hand_clock clock;
  inline_executor on;
  held_exchange http;
  metrics counts;
  jose::key_pair key = jose::key_pair::generate(jose::key_type::ed25519, "k1");
  jose::key_pair next = jose::key_pair::generate(jose::key_type::ed25519, "k2");
  jwks_source source{{"https://idp.example/jwks", milliseconds(300'000)}, {http, clock, on, counts}};

  void prime() {
    auto first = begin(source.keys_for("k1"));
    http.answer(jwks_of({key.public_half()}));
    REQUIRE(first->has_value());
    REQUIRE((*first)->has_value());
  }
};

const actors::http_result unreachable = std::unexpected(actors::exchange_errc::not_connected);

} // namespace

TEST_CASE("keys are fetched from the issuer's URL within bounds and cached for their validity") {
  world w;
  auto first = begin(w.source.keys_for("k1"));
  REQUIRE(w.http.open.size() == 1);
  CHECK(w.http.open.front().call.url == "https://idp.example/jwks");
  CHECK(w.http.open.front().call.timeout_ms == gateway::limits::jwks_timeout_ms);
  CHECK(w.http.open.front().call.answer_bytes_max == gateway::limits::jwks_bytes_max);
  CHECK_FALSE(first->has_value());
  w.http.answer(jwks_of({w.key.public_half()}));
  REQUIRE(first->has_value());
  CHECK((**first).value()->keys.size() == 1);
  w.clock.at += milliseconds(299'999);
  CHECK(run(w.source.keys_for("k1")).has_value());
  CHECK(w.http.sent == 1);
  w.clock.at += milliseconds(1);
  const auto anew = begin(w.source.keys_for("k1"));
  CHECK(w.http.sent == 2);
  w.http.answer(jwks_of({w.key.public_half()}));
  CHECK(anew->has_value());
}

TEST_CASE("requests that come while a fetch is under way share it") {
  world w;
  std::vector<std::shared_ptr<std::optional<keys_result>>> waiting;
  for (int i = 0; i < 50; ++i)
    waiting.push_back(begin(w.source.keys_for("k1")));
  CHECK(w.http.sent == 1);
  w.http.answer(jwks_of({w.key.public_half()}));
  for (const auto& one : waiting) {
    REQUIRE(one->has_value());
    CHECK((*one)->has_value());
  }
  CHECK(w.http.sent == 1);
}

TEST_CASE("a flood of unknown key ids causes one fetch in ten seconds") {
  world w;
  w.prime();
  w.http.answer_at_once = jwks_of({w.key.public_half()});
  w.clock.at += gateway::limits::jwks_refetch_min_ms;
  for (int i = 0; i < 1000; ++i)
    CHECK(run(w.source.keys_for("made-up-" + std::to_string(i))).has_value());
  CHECK(w.http.sent == 2);
  w.clock.at += gateway::limits::jwks_refetch_min_ms - milliseconds(1);
  run(w.source.keys_for("made-up"));
  CHECK(w.http.sent == 2);
  w.clock.at += milliseconds(1);
  run(w.source.keys_for("made-up"));
  CHECK(w.http.sent == 3);
}

TEST_CASE("a known key is given at once while an unknown one is being looked for") {
  world w;
  w.prime();
  w.clock.at += gateway::limits::jwks_refetch_min_ms;
  const auto unknown = begin(w.source.keys_for("k2"));
  CHECK_FALSE(unknown->has_value());
  CHECK(run(w.source.keys_for("k1")).has_value());
  w.http.answer(jwks_of({w.key.public_half(), w.next.public_half()}));
  REQUIRE(unknown->has_value());
  CHECK((**unknown).value()->keys.size() == 2);
}

TEST_CASE("while the issuer cannot be reached its last keys stay usable for a bounded time") {
  world w;
  w.prime();
  w.http.answer_at_once = unreachable;
  w.clock.at += milliseconds(300'000);
  CHECK(run(w.source.keys_for("k1")).has_value());
  CHECK(w.http.sent == 2);
  w.clock.at += gateway::limits::jwks_stale_max_ms - milliseconds(1);
  CHECK(run(w.source.keys_for("k1")).has_value());
  w.clock.at += milliseconds(1);
  CHECK(run(w.source.keys_for("k1")).error() == jwks_errc::unavailable);
}

TEST_CASE("an issuer that fails is not asked again at once") {
  world w;
  w.http.answer_at_once = unreachable;
  for (int i = 0; i < 20; ++i)
    CHECK(run(w.source.keys_for("k1")).error() == jwks_errc::unavailable);
  CHECK(w.http.sent == 1);
  w.http.answer_at_once = jwks_of({w.key.public_half()});
  w.clock.at += gateway::limits::jwks_refetch_min_ms;
  CHECK(run(w.source.keys_for("k1")).has_value());
  CHECK(w.http.sent == 2);
}

TEST_CASE("an answer that is no usable JWK set gives no keys") {
  const auto symmetric = R"({"keys":[{"kty":"oct","kid":"k1","k":"c2VjcmV0"}]})";
  const actors::http_result bad[] = {
      actors::http_answer{500, {}, "{}"},      actors::http_answer{200, {}, "<html>"},
      actors::http_answer{200, {}, "[]"},      actors::http_answer{200, {}, R"({"keys":[]})"},
      actors::http_answer{200, {}, symmetric}, std::unexpected(actors::exchange_errc::bad_answer)};
  for (const auto& answer : bad) {
    world w;
    w.http.answer_at_once = answer;
    CHECK(run(w.source.keys_for("k1")).error() == jwks_errc::unavailable);
    REQUIRE(w.log.lines.size() == 1);
    CHECK(w.log.lines[0].level == severity::warning);
    for (const auto& [name, value] : w.log.lines[0].fields)
      CHECK(value.find("c2VjcmV0") == std::string::npos);
  }
}

TEST_CASE("only so many requests wait for a fetch") {
  world w;
  std::vector<std::shared_ptr<std::optional<keys_result>>> waiting;
  for (size_t i = 0; i < gateway::limits::jwks_waiters_max; ++i)
    waiting.push_back(begin(w.source.keys_for("k1")));
  CHECK(run(w.source.keys_for("k1")).error() == jwks_errc::overloaded);
  w.http.answer(jwks_of({w.key.public_half()}));
  CHECK((*waiting.back())->has_value());
}

TEST_CASE("a source that goes away during a fetch leaves its answer somewhere to land") {
  hand_clock clock;
  inline_executor on;
  held_exchange http;
  metrics counts;
  auto source = std::make_unique<jwks_source>(jwks_options{"https://idp.example/jwks"},
                                              jwks_source::parts{http, clock, on, counts});
  const auto waiting = begin(source->keys_for("k1"));
  source.reset();
  http.answer(jwks_of({jose::key_pair::generate(jose::key_type::ed25519, "k1").public_half()}));
  REQUIRE(waiting->has_value());
  CHECK((*waiting)->has_value());
}

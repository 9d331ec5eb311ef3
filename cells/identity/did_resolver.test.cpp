#include "cells/identity/did_resolver.hpp"

#include <string>
#include <vector>

#include "gateway/token_world.test.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::identity {

namespace {

using gateway::testing::hand_clock;
using gateway::testing::held_exchange;
using gateway::testing::inline_executor;
using std::chrono::milliseconds;

using resolved = std::expected<did::document, fault>;

std::string document_text(const std::string& did, const std::string& more = "") {
  return R"({"@context":["https://www.w3.org/ns/did/v1"],"id":")" + did + "\"" + more + "}";
}

actors::http_result answer(int status, std::string body) { return actors::http_answer{status, {}, std::move(body)}; }

struct resolver_bed {
  explicit resolver_bed(resolver_options options = {}) : dids(http, edge, clock, options) {}
  ~resolver_bed() {
    while (!http.open.empty())
      http.answer(std::unexpected(actors::exchange_errc::not_connected));
  }

  /// Asks, and gives the place where the answer will be.
  std::shared_ptr<std::optional<resolved>> ask(const std::string& did = "did:web:a.example", bool fresh = false) {
    return gateway::testing::begin(dids.resolve(did, fresh));
  }
  /// Asks and lets the host answer.
  resolved ask_and(actors::http_result result, const std::string& did = "did:web:a.example") {
    http.answer_at_once = std::move(result);
    auto out = ask(did);
    http.answer_at_once.reset();
    REQUIRE(out->has_value());
    return **out;
  }

  hand_clock clock;
  inline_executor edge;
  held_exchange http;
  did_resolver dids;
};

TEST_CASE("many who ask for one document at once cause one fetch") {
  resolver_bed bed;
  const auto one = bed.ask();
  const auto two = bed.ask();
  const auto other = bed.ask("did:web:b.example:p%20q");
  REQUIRE(bed.http.sent == 2);
  CHECK(bed.http.open[0].call.url == "https://a.example/.well-known/did.json");
  CHECK(bed.http.open[0].call.method == "GET");
  CHECK(bed.http.open[0].call.timeout_ms == milliseconds(5'000));
  CHECK(bed.http.open[0].call.answer_bytes_max == did::limits::document_bytes_max + 1);
  CHECK_FALSE(one->has_value());
  bed.http.answer(answer(200, document_text("did:web:a.example")));
  REQUIRE(one->has_value());
  REQUIRE(two->has_value());
  CHECK((**one)->id == "did:web:a.example");
  CHECK((**two)->id == "did:web:a.example");
  CHECK_FALSE(other->has_value());
}

TEST_CASE("a document is taken as it was until its time is over, then its host is asked again") {
  resolver_bed bed;
  REQUIRE(bed.ask_and(answer(200, document_text("did:web:a.example"))).has_value());
  bed.clock.at += milliseconds(299'999);
  CHECK(bed.ask()->has_value());
  CHECK(bed.http.sent == 1);
  bed.clock.at += milliseconds(1);
  CHECK_FALSE(bed.ask()->has_value());
  CHECK(bed.http.sent == 2);
}

TEST_CASE("a failure is remembered for a second") {
  resolver_bed bed;
  CHECK_FALSE(bed.ask_and(answer(503, "")).has_value());
  bed.clock.at += milliseconds(999);
  const auto again = bed.ask();
  REQUIRE(again->has_value());
  CHECK((**again).error().detail == "its host answered 503");
  CHECK(bed.http.sent == 1);
  bed.clock.at += milliseconds(1);
  CHECK(bed.ask_and(answer(200, document_text("did:web:a.example"))).has_value());
  CHECK(bed.http.sent == 2);
}

TEST_CASE("without a cache a failure is not remembered either") {
  resolver_bed bed({.cache_ms = milliseconds(0)});
  CHECK_FALSE(bed.ask_and(answer(404, "")).has_value());
  CHECK(bed.ask_and(answer(200, document_text("did:web:a.example"))).has_value());
  CHECK(bed.http.sent == 2);
}

TEST_CASE("a failure that was under way before one asked is not one's own where failures are not remembered") {
  resolver_bed bed({.cache_ms = milliseconds(0)});
  const auto first = bed.ask(), second = bed.ask();
  CHECK(bed.http.sent == 1);
  bed.http.answer(answer(404, ""));
  REQUIRE(first->has_value());
  CHECK_FALSE((**first).has_value());
  CHECK_FALSE(second->has_value());
  CHECK(bed.http.sent == 2);
  bed.http.answer(answer(200, document_text("did:web:a.example")));
  REQUIRE(second->has_value());
  CHECK((**second).has_value());
}

TEST_CASE("a fresh document is asked for at once, but not more than once a second") {
  resolver_bed bed;
  REQUIRE(bed.ask_and(answer(200, document_text("did:web:a.example"))).has_value());
  // However young it is: its owner may have changed a key since.
  auto first = bed.ask("did:web:a.example", true);
  CHECK_FALSE(first->has_value());
  CHECK(bed.http.sent == 2);
  bed.http.answer(answer(200, document_text("did:web:a.example")));
  CHECK((**first).has_value());
  bed.clock.at += milliseconds(999);
  CHECK(bed.ask("did:web:a.example", true)->has_value());
  CHECK(bed.http.sent == 2);
  bed.clock.at += milliseconds(1);
  const auto fresh = bed.ask("did:web:a.example", true);
  CHECK_FALSE(fresh->has_value());
  CHECK(bed.http.sent == 3);
  SUBCASE("and the answer replaces what was known") {
    bed.http.answer(answer(200, document_text("did:web:a.example",
                                              R"(,"service":[{"id":"s","type":"T","serviceEndpoint":"https://s"}])")));
    REQUIRE(fresh->has_value());
    CHECK((**fresh)->services.size() == 1);
    CHECK((**bed.ask())->services.size() == 1);
  }
  SUBCASE("and a failure leaves what was known to those who do not need it fresh") {
    bed.http.answer(std::unexpected(actors::exchange_errc::not_connected));
    REQUIRE(fresh->has_value());
    CHECK_FALSE((**fresh).has_value());
    CHECK((**bed.ask()).has_value());
    CHECK_FALSE((**bed.ask("did:web:a.example", true)).has_value());
    CHECK(bed.http.sent == 3);
  }
}

TEST_CASE("a fault says what the host did, and whether it may be asked again") {
  struct row {
    actors::http_result given;
    std::string detail;
    cure remedy;
  };
  using enum actors::exchange_errc;
  const std::vector<row> rows = {
      {answer(302, ""), "its host answered 302, and redirects are not followed", cure::fix_input},
      {answer(404, ""), "its host answered 404", cure::fix_input},
      {answer(429, ""), "its host answered 429", cure::retry},
      {answer(500, ""), "its host answered 500", cure::retry},
      {std::unexpected(address_refused), "the address is not allowed", cure::fix_input},
      {std::unexpected(no_answer), "no answer within 5000 ms", cure::retry},
      {std::unexpected(not_connected), "its host cannot be reached", cure::retry},
      {std::unexpected(overloaded), "too many exchanges are under way at this node", cure::retry},
      {std::unexpected(bad_answer), "the document has more than 65536 bytes, or its host does not speak HTTP",
       cure::fix_input},
      {answer(200, std::string(65'537, ' ')), "the document has more than 65536 bytes", cure::fix_input},
  };
  for (const auto& one : rows) {
    CAPTURE(one.detail);
    resolver_bed bed;
    const auto got = bed.ask_and(one.given);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().detail == one.detail);
    CHECK(got.error().remedy == one.remedy);
  }
}

TEST_CASE("what is no document of the DID is refused") {
  for (const auto& body : {std::string("<html>"), std::string("[]"), document_text("did:web:other.example")}) {
    CAPTURE(body);
    resolver_bed bed;
    const auto got = bed.ask_and(answer(200, body));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().remedy == cure::fix_input);
  }
}

TEST_CASE("what is no did:web is refused without a fetch") {
  resolver_bed bed;
  for (const char* did : {"", "did:key:z6Mk", "did:web:", "https://a.example"}) {
    CAPTURE(did);
    const auto got = bed.ask(did);
    REQUIRE(got->has_value());
    CHECK_FALSE((**got).has_value());
  }
  CHECK(bed.http.sent == 0);
}

TEST_CASE("the document that was used longest ago gives way") {
  resolver_bed bed({.cache_documents_max = 2});
  for (const char* host : {"a", "b"}) {
    const auto did = std::string("did:web:") + host + ".example";
    REQUIRE(bed.ask_and(answer(200, document_text(did)), did).has_value());
  }
  CHECK(bed.ask("did:web:a.example")->has_value());
  REQUIRE(bed.ask_and(answer(200, document_text("did:web:c.example")), "did:web:c.example").has_value());
  CHECK(bed.ask("did:web:a.example")->has_value());
  CHECK(bed.ask("did:web:c.example")->has_value());
  CHECK_FALSE(bed.ask("did:web:b.example")->has_value());
}

TEST_CASE("no more than the allowed number waits for one document") {
  resolver_bed bed({.waiters_max = 2});
  const auto one = bed.ask();
  const auto two = bed.ask();
  const auto three = bed.ask();
  REQUIRE(three->has_value());
  CHECK((**three).error().remedy == cure::retry);
  bed.http.answer(answer(200, document_text("did:web:a.example")));
  CHECK((**one).has_value());
  CHECK((**two).has_value());
}

TEST_CASE("plain http is used where the operator says so") {
  resolver_bed bed({.plain_http = true});
  bed.ask("did:web:localhost%3A8083:holder");
  REQUIRE(bed.http.open.size() == 1);
  CHECK(bed.http.open[0].call.url == "http://localhost:8083/holder/did.json");
}

TEST_CASE("those who wait get their answer after the resolver is gone") {
  hand_clock clock;
  inline_executor edge;
  held_exchange http;
  std::shared_ptr<std::optional<resolved>> waiting;
  {
    did_resolver dids(http, edge, clock, {});
    waiting = gateway::testing::begin(dids.resolve("did:web:a.example"));
  }
  http.answer(answer(200, document_text("did:web:a.example")));
  REQUIRE(waiting->has_value());
  CHECK((**waiting).has_value());
}

} // namespace

} // namespace fondaco::identity

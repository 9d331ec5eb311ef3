#include "cells/issuer_service/issuance_fixture.test.hpp"

#include <algorithm>

#include "cells/operator/explain.hpp"
#include "protocols/json/json.hpp"

using namespace fondaco;
using namespace fondaco::issuer_service;
using namespace fondaco::issuer_service::issuance_fixture;

namespace {

json::object body_of(const persistence::document_write& w) { return json::parse(*w.body)->as_object(); }

std::string all_explained(const issuance::state& s) {
  persistence::entity_row row{{tenant("issuer"), std::string(issuance::kind), s.id},
                              0,
                              3,
                              issuance::status(s),
                              issuance::view(s),
                              s.created_at,
                              s.updated_at,
                              std::nullopt};
  std::string out;
  for (const auto& line : cells::explain(row, t0, nullptr))
    out += line + "\n";
  return out;
}

} // namespace

TEST_CASE("every command in every place of an issuance does what the table says") {
  const issuance::command begin = beginning(), made = two_made(), lost = issuance::making_failed{"x", true},
                          hopeless = issuance::making_failed{"x", false}, taken = issuance::delivered{},
                          silent = issuance::delivery_failed{"y", trouble::transient, false},
                          early = issuance::delivery_failed{"y", trouble::refusal, true},
                          gone = issuance::delivery_failed{"y", trouble::permanent, true},
                          revoke = issuance::mark{"urn:uuid:MembershipCredential", credential_state::revoked},
                          stray = issuance::mark{"urn:uuid:other", credential_state::revoked},
                          time = issuance::time_passed{};
  struct row {
    const char* name;
    const issuance::command& what;
    // nowhere, approved, made, delivered, errored, telling, rejected
    const char* outcomes[7];
  };
  const char* e = "already_exists";
  const char* n = "not_found";
  for (const auto& [name, what, outcomes] : {
           row{"begin", begin, {"1", e, e, e, e, e, e}},
           row{"made", made, {"0", "1", "0", "0", "0", "0", "0"}},
           row{"making failed for now", lost, {"0", "1", "0", "0", "0", "0", "0"}},
           row{"making failed", hopeless, {"0", "1", "0", "0", "0", "0", "0"}},
           row{"delivered", taken, {"0", "0", "1", "0", "0", "1", "0"}},
           row{"no answer", silent, {"0", "0", "1", "0", "0", "1", "0"}},
           row{"refused, maybe too early", early, {"0", "0", "1", "0", "0", "1", "0"}},
           row{"refused for good", gone, {"0", "0", "1", "0", "0", "1", "0"}},
           row{"revoke", revoke, {n, n, "1", "1", "1", n, n}},
           row{"revoke another", stray, {n, n, n, n, n, n, n}},
           row{"time passed too early", time, {"0", "0", "0", "0", "0", "0", "0"}},
       }) {
    CAPTURE(name);
    for (size_t i = 0; i < std::size(all_places); ++i) {
      CAPTURE(i);
      auto d = reach(all_places[i]);
      // Nowhere, the window is over since always.
      if (all_places[i] == place::nowhere && std::holds_alternative<issuance::time_passed>(what))
        continue;
      CHECK(d.outcome_of(what) == outcomes[i]);
    }
  }
}

TEST_CASE("an issuance makes, delivers once, and then owes nothing") {
  driven d;
  REQUIRE(d.ask(beginning()));
  CHECK(issuance::status(d.s) == "APPROVED");
  CHECK(d.owed_key() == "make");
  CHECK(issuance::owed(d.s).front().body.plan == two_planned());
  d.now += milliseconds(5);
  REQUIRE(d.ask(two_made()));
  CHECK(issuance::status(d.s) == "APPROVED");
  CHECK(d.owed_key() == "deliver/0");
  const auto body = issuance::owed(d.s).front().body;
  CHECK(body.credentials == two_made().credentials);
  CHECK(body.sealed_token == "v1.token");
  CHECK(body.holder_pid == "holder-pid-1");
  CHECK(body.id == "issuer-pid-1");
  REQUIRE(d.ask(issuance::delivered{}));
  CHECK(issuance::status(d.s) == "DELIVERED");
  CHECK(d.owed_key().empty());
  CHECK_FALSE(issuance::wake_at(d.s));
  CHECK(d.outcome_of(issuance::delivered{}) == "0");
}

TEST_CASE("what was sealed for the delivery is not kept after it") {
  auto d = reach(place::delivered);
  CHECK(d.s.sealed_token.empty());
  for (const auto& c : d.s.credentials)
    CHECK(c.sealed.empty());
  CHECK(reach(place::errored).s.credentials.front().sealed.empty());
  CHECK_FALSE(reach(place::made).s.credentials.front().sealed.empty());
  CHECK(issuance::view(reach(place::made).s).find("v1.") == std::string::npos);
}

TEST_CASE("the documents of the credentials follow the issuance") {
  auto d = reach(place::approved);
  CHECK(d.written.empty());
  REQUIRE(d.ask(two_made()));
  REQUIRE(d.written.size() == 2);
  CHECK(d.written[0].kind == "issued_credential");
  CHECK(d.written[0].id == "urn:uuid:MembershipCredential");
  auto body = body_of(d.written[0]);
  CHECK(json::integer_at(body, "state") == 400);
  CHECK(json::string_at(body, "holderId") == holder);
  CHECK(json::string_at(body, "issuerId") == "did:web:issuer.example");
  CHECK(json::string_at(*json::object_at(body, "metadata"), "issuanceProcessId") == "issuer-pid-1");
  CHECK(json::string_at(*json::object_at(body, "verifiableCredential"), "format") == "VC1_0_JWT");
  CHECK(d.written[0].body->find("v1.") == std::string::npos);
  REQUIRE(d.ask(issuance::delivered{}));
  REQUIRE(d.written.size() == 2);
  CHECK(json::integer_at(body_of(d.written[1]), "state") == 500);
  REQUIRE(d.ask(issuance::mark{"urn:uuid:SensitiveDataCredential", credential_state::suspended}));
  REQUIRE(d.written.size() == 1);
  CHECK(json::integer_at(body_of(d.written[0]), "state") == 700);
  REQUIRE(d.ask(issuance::mark{"urn:uuid:SensitiveDataCredential", credential_state::revoked}));
  CHECK(json::integer_at(body_of(d.written[0]), "state") == 600);
  CHECK(d.outcome_of(issuance::mark{"urn:uuid:SensitiveDataCredential", credential_state::issued}) == "0");
  CHECK(d.outcome_of(issuance::mark{"urn:uuid:SensitiveDataCredential", credential_state::suspended}) == "0");
}

TEST_CASE("a delivery that failed for now stays owed under the same key, and the same failure is journaled once") {
  auto d = reach(place::made);
  const issuance::delivery_failed silent{"The holder did not answer.", trouble::transient, false};
  CHECK(d.outcome_of(silent) == "1");
  CHECK(d.outcome_of(silent) == "0");
  CHECK(d.owed_key() == "deliver/0");
  CHECK(is_transient(silent));
  CHECK_FALSE(is_transient(issuance::delivered{}));
  CHECK_FALSE(is_transient(issuance::delivery_failed{"x", trouble::refusal, true}));
  CHECK(is_transient(issuance::making_failed{"x", true}));
  CHECK_FALSE(is_transient(issuance::making_failed{"x", false}));
  CHECK(waiting_on(d.s).find("last failure: The holder did not answer.") != std::string::npos);
}

TEST_CASE("a delivery that a holder may have refused too early is sent a second time, later, and never a third") {
  auto d = reach(place::made);
  const issuance::delivery_failed early{"The holder answered 404.", trouble::refusal, true};
  CHECK(d.outcome_of(early) == "1");
  CHECK(d.owed_key() == "deliver/1");
  CHECK(issuance::owed(d.s).front().not_before == t0 + issuer_service::limits::delivery_again_after_ms);
  CHECK(issuance::wake_at(d.s) == t0 + issuer_service::limits::delivery_again_after_ms);
  CHECK(issuance::owed(d.s).front().body.credentials == two_made().credentials);
  d.now += issuer_service::limits::delivery_again_after_ms;
  CHECK(d.outcome_of(early) == "1");
  CHECK(issuance::status(d.s) == "ERRORED");
  CHECK(d.owed_key().empty());
  CHECK(all_explained(d.s).find("The counterparty said: The holder answered 404.") != std::string::npos);
}

TEST_CASE("a holder whose credentials cannot be made is told so, until it is told or the window is over") {
  auto d = reach(place::telling);
  CHECK(issuance::status(d.s) == "ERRORED");
  CHECK(d.owed_key() == "reject");
  CHECK(issuance::owed(d.s).front().body.reason == "too long");
  CHECK(d.outcome_of(issuance::delivery_failed{"no answer", trouble::transient, false}) == "1");
  CHECK(d.owed_key() == "reject");
  auto told = d;
  CHECK(told.outcome_of(issuance::delivered{}) == "1");
  CHECK(told.owed_key().empty());
  CHECK_FALSE(issuance::wake_at(told.s));
  d.now = d.s.window_until;
  const auto tick = issuance::tick(d.s, d.now);
  REQUIRE(tick);
  CHECK(d.outcome_of(*tick) == "1");
  CHECK(d.owed_key().empty());
  CHECK(all_explained(d.s).find("The holder could not be told in time.") != std::string::npos);
}

TEST_CASE("the end of the window ends an issuance wherever it is, and says what was missing") {
  for (const auto& [at, word] : {std::pair{place::approved, "made"}, std::pair{place::made, "delivered"}}) {
    auto d = reach(at);
    CHECK(*issuance::wake_at(d.s) <= d.s.window_until);
    CHECK_FALSE(issuance::tick(d.s, d.s.window_until - milliseconds(1)));
    d.now = d.s.window_until;
    REQUIRE(issuance::tick(d.s, d.now));
    REQUIRE(d.ask(*issuance::tick(d.s, d.now)));
    CHECK(issuance::status(d.s) == "ERRORED");
    CHECK(d.s.error_detail == "The credentials could not be " + std::string(word) + " within 1 d.");
    CHECK(d.owed_key().empty());
  }
}

TEST_CASE("a request that was not granted is kept with its reasons and owes nothing") {
  const auto d = reach(place::rejected);
  CHECK(issuance::status(d.s) == "REJECTED");
  CHECK(d.owed_key().empty());
  CHECK_FALSE(issuance::wake_at(d.s));
  const auto said = all_explained(d.s);
  CHECK(said.find("The issuance is REJECTED") != std::string::npos);
  CHECK(said.find("This side said: The rule 'a EQ b' does not hold.") != std::string::npos);
  const auto view = json::parse(issuance::view(d.s))->as_object();
  CHECK(json::write(view.at("credentialDefinitions")) == R"(["def-1"])");
}

TEST_CASE("an issuance's view shows what the admin API asks for") {
  const auto view = json::parse(issuance::view(reach(place::made).s))->as_object();
  CHECK(json::string_at(view, "holderId") == "holder-1");
  CHECK(json::string_at(view, "holderDid") == holder);
  CHECK(json::string_at(view, "holderPid") == "holder-pid-1");
  CHECK(json::write(view.at("claims")) == R"({"level":"gold"})");
  CHECK(json::write(view.at("credentialFormats")) ==
        R"({"def-MembershipCredential":"VC1_0_JWT","def-SensitiveDataCredential":"VC1_0_JWT"})");
  CHECK(json::array_at(view, "credentials")->size() == 2);
  CHECK(json::string_at(view, "waitingOn") == "the holder " + holder + " to take the credentials");
}

TEST_CASE("a beginning with something missing is refused") {
  using change = void (*)(issuance::begin&);
  for (const change c : {
           change{[](issuance::begin& b) { b.id.clear(); }},
           change{[](issuance::begin& b) { b.holder_pid.clear(); }},
           change{[](issuance::begin& b) { b.holder_pid.assign(513, 'x'); }},
           change{[](issuance::begin& b) { b.holder_did.clear(); }},
           change{[](issuance::begin& b) { b.plan.clear(); }},
       }) {
    auto b = beginning();
    c(b);
    driven d;
    CHECK(d.outcome_of(b) == "invalid");
  }
}

TEST_CASE("something else than what was planned is never journaled as made") {
  auto d = reach(place::approved);
  auto made = two_made();
  made.credentials.pop_back();
  CHECK_THROWS_AS((void)d.ask(made), broken_invariant);
}

#include "cells/credential_service/credential_request_fixture.test.hpp"

#include "protocols/json/json.hpp"

using namespace fondaco;
using namespace fondaco::credential_service;
using namespace fondaco::credential_service::request_fixture;

TEST_CASE("a credential request goes from CREATED to ISSUED and owes one thing at a time") {
  driven d;
  REQUIRE(d.ask(beginning()));
  CHECK(credential_request::status(d.s) == "CREATED");
  CHECK(d.owed_key() == "prepare");
  REQUIRE(d.ask(credential_request::prepared{membership()}));
  CHECK(credential_request::status(d.s) == "REQUESTING");
  CHECK(d.owed_key() == "request");
  REQUIRE(d.ask(credential_request::accepted{"issuer-pid"}));
  CHECK(credential_request::status(d.s) == "REQUESTED");
  CHECK(d.owed_key() == "poll/0");
  CHECK(credential_request::owed(d.s).front().not_before == t0 + credential_service::limits::poll_first_ms);
  REQUIRE(d.ask(credential_request::receive_credentials{issuer, "issuer-pid", {"vc-1"}}));
  CHECK(credential_request::status(d.s) == "ISSUED");
  CHECK(d.owed_key().empty());
  CHECK_FALSE(credential_request::wake_at(d.s));
  CHECK(d.s.credentials == std::vector<std::string>{"vc-1"});
  CHECK(d.s.issuer_pid == "issuer-pid");
}

TEST_CASE("every message and outcome is taken, passed over or refused by state") {
  struct row {
    std::string name;
    credential_request::command command;
    /// For CREATED, REQUESTING, REQUESTED, ISSUED and ERROR: the count of events, or the refusal.
    const char* outcome[5];
    /// The state that a change leads to.
    request_state leads_to;
  };
  const row table[] = {
      {"prepared", credential_request::prepared{membership()}, {"1", "0", "0", "0", "0"}, requesting},
      {"accepted", credential_request::accepted{"p"}, {"0", "1", "0", "0", "0"}, requested},
      {"prepare failed for now",
       credential_request::step_failed{step::prepare, "x", true, false},
       {"1", "0", "0", "0", "0"},
       created},
      {"prepare failed",
       credential_request::step_failed{step::prepare, "x", false, false},
       {"1", "0", "0", "0", "0"},
       error},
      {"request failed for now",
       credential_request::step_failed{step::request, "x", true, false},
       {"0", "1", "0", "0", "0"},
       requesting},
      {"request refused",
       credential_request::step_failed{step::request, "x", false, true},
       {"0", "1", "0", "0", "0"},
       error},
      {"still open at the issuer",
       credential_request::poll_result{0, "RECEIVED", {}},
       {"0", "0", "1", "0", "0"},
       requested},
      {"issued at the issuer", credential_request::poll_result{0, "ISSUED", {}}, {"0", "0", "1", "0", "0"}, requested},
      {"no word of the issuer", credential_request::poll_result{0, {}, "gone"}, {"0", "0", "1", "0", "0"}, requested},
      {"rejected at the issuer", credential_request::poll_result{0, "REJECTED", {}}, {"0", "0", "1", "0", "0"}, error},
      {"the answer to an old question",
       credential_request::poll_result{7, "REJECTED", {}},
       {"0", "0", "0", "0", "0"},
       requested},
      {"delivery",
       credential_request::receive_credentials{issuer, "p", {"vc-9"}},
       {"illegal_state", "1", "1", "1", "illegal_state"},
       issued},
      {"the same delivery again",
       credential_request::receive_credentials{issuer, "p", {"vc-1"}},
       {"illegal_state", "1", "1", "0", "illegal_state"},
       issued},
      {"a delivery of another issuer",
       credential_request::receive_credentials{"did:web:other", "p", {"vc-9"}},
       {"not_found", "not_found", "not_found", "not_found", "not_found"},
       issued},
      {"rejection",
       credential_request::receive_rejection{issuer, "p", "no such member"},
       {"illegal_state", "1", "1", "illegal_state", "0"},
       error},
      {"a rejection of another issuer",
       credential_request::receive_rejection{"did:web:other", "p", "x"},
       {"not_found", "not_found", "not_found", "not_found", "not_found"},
       error},
      {"time that is not over", credential_request::time_passed{}, {"0", "0", "0", "0", "0"}, error},
      {"the same beginning again", beginning(), {"0", "0", "0", "0", "0"}, created},
      {"a beginning with another key",
       beginning("req-2"),
       {"already_exists", "already_exists", "already_exists", "already_exists", "already_exists"},
       created},
      {"a beginning without a key",
       beginning(""),
       {"already_exists", "already_exists", "already_exists", "already_exists", "already_exists"},
       created},
  };
  for (const auto& one : table)
    for (size_t i = 0; i < 5; ++i) {
      auto d = reach(all_states[i]);
      const auto before = d.s;
      CAPTURE(one.name);
      CAPTURE(name_of(all_states[i]));
      CHECK(d.outcome_of(one.command) == one.outcome[i]);
      if (std::string(one.outcome[i]) == "1")
        CHECK(d.s.at == one.leads_to);
      else
        CHECK(d.s == before);
    }
}

TEST_CASE("commands to a request that never began are refused or change nothing") {
  driven d;
  CHECK(d.outcome_of(credential_request::receive_credentials{issuer, "p", {"vc"}}) == "not_found");
  CHECK(d.outcome_of(credential_request::receive_rejection{issuer, "p", "x"}) == "not_found");
  CHECK(d.outcome_of(credential_request::prepared{membership()}) == "0");
  CHECK(d.outcome_of(credential_request::accepted{"p"}) == "0");
  CHECK(d.outcome_of(credential_request::step_failed{}) == "0");
  CHECK(d.outcome_of(credential_request::poll_result{0, "REJECTED", {}}) == "0");
  CHECK(d.outcome_of(credential_request::time_passed{}) == "0");
  CHECK(d.owed_key().empty());
  CHECK_FALSE(credential_request::wake_at(d.s));
}

TEST_CASE("a beginning that lacks something is refused with what it lacks") {
  const auto with = [](auto change) {
    auto c = beginning();
    change(c);
    return c;
  };
  const std::string endless(fondaco::limits::id_bytes_max + 1, 'x');
  const credential_request::begin bad[] = {with([](auto& c) { c.id.clear(); }),
                                           with([&](auto& c) { c.id = endless; }),
                                           with([](auto& c) { c.issuer_did.clear(); }),
                                           with([&](auto& c) { c.issuer_did = endless; }),
                                           with([](auto& c) { c.wanted.clear(); }),
                                           with([](auto& c) { c.wanted[0].id.clear(); }),
                                           with([&](auto& c) { c.wanted[0].id = endless; })};
  for (const auto& c : bad) {
    driven d;
    CHECK(d.outcome_of(c) == "bad_request");
    CHECK_FALSE(d.s.exists);
  }
}

TEST_CASE("an idempotency key is kept to its request") {
  driven d;
  auto first = beginning();
  first.names = {{"idempotency_key", "n"}};
  const auto made = d.ask(first);
  REQUIRE(made);
  CHECK(made->reply.created);
  CHECK(made->names.size() == 1);
  const auto again = d.ask(first);
  REQUIRE(again);
  CHECK_FALSE(again->reply.created);
  CHECK(again->reply.id == "holder-pid-1");
  CHECK(again->names.empty());
  first.request_digest = "digest-2";
  CHECK(d.outcome_of(first) == "idempotency_key_reused");
}

TEST_CASE("a delivery that overtakes the issuer's answer is taken, and the answer changes nothing") {
  auto d = reach(requesting);
  REQUIRE(d.ask(credential_request::receive_credentials{issuer, "issuer-pid", {"vc-1"}}));
  CHECK(d.s.at == issued);
  CHECK(d.outcome_of(credential_request::accepted{"issuer-pid"}) == "0");
  CHECK(d.outcome_of(credential_request::step_failed{step::request, "no answer", true, false}) == "0");
  CHECK(d.s.at == issued);
}

TEST_CASE("repeated deliveries add to what arrived, within a bound") {
  auto d = reach(issued);
  for (int i = 2; i < 200; ++i)
    CHECK(d.outcome_of(credential_request::receive_credentials{issuer, "p", {"vc-" + std::to_string(i)}}) == "1");
  CHECK(d.s.credentials.size() == credential_service::limits::delivered_ids_max);
  CHECK(d.s.credentials.back() == "vc-199");
}

TEST_CASE("a failure for now is journaled once, and the shell waits before the next try") {
  auto d = reach(requesting);
  const credential_request::command failed = credential_request::step_failed{step::request, "no answer", true, false};
  CHECK(is_transient(failed));
  CHECK(d.outcome_of(failed) == "1");
  CHECK(d.outcome_of(failed) == "0");
  CHECK(d.owed_key() == "request");
  CHECK(waiting_on(d.s).find("last failure: no answer") != std::string::npos);
  CHECK_FALSE(is_transient(credential_request::step_failed{step::request, "400", false, true}));
  CHECK_FALSE(is_transient(credential_request::poll_result{0, {}, "gone"}));
  REQUIRE(d.ask(credential_request::accepted{"p"}));
  CHECK(d.s.failure.empty());
}

TEST_CASE("a request ends with its causes when its window is over") {
  for (auto at : {created, requesting, requested}) {
    auto d = reach(at);
    d.now = t0 + window - milliseconds(1);
    CHECK_FALSE(credential_request::tick(d.s, d.now));
    d.now += milliseconds(1);
    REQUIRE(credential_request::tick(d.s, d.now));
    REQUIRE(d.ask(*credential_request::tick(d.s, d.now)));
    CHECK(d.s.at == error);
    CHECK(d.s.error_detail == "No credential came within 1 d.");
    CHECK(d.owed_key().empty());
    CHECK_FALSE(credential_request::tick(d.s, d.now));
  }
}

TEST_CASE("the issuer is asked less and less often, and not at all if it named no process") {
  auto d = reach(requested);
  milliseconds last{0};
  for (int64_t i = 0; i < 12; ++i) {
    REQUIRE(d.owed_key() == "poll/" + std::to_string(i));
    const auto wait = credential_request::owed(d.s).front().not_before - d.now;
    CHECK(wait >= last);
    CHECK(wait <= credential_service::limits::poll_cap_ms);
    last = wait;
    d.now += wait;
    CHECK(credential_request::wake_at(d.s) == std::min(d.now, d.s.window_until));
    REQUIRE(d.ask(credential_request::poll_result{i, "RECEIVED", {}}));
  }
  CHECK(last == credential_service::limits::poll_cap_ms);
  auto silent = reach(requesting);
  REQUIRE(silent.ask(credential_request::accepted{""}));
  CHECK(silent.owed_key().empty());
  CHECK(credential_request::wake_at(silent.s) == silent.s.window_until);
}

TEST_CASE("the view tells lists and `why` what they need") {
  auto d = reach(requested);
  REQUIRE(d.ask(credential_request::poll_result{0, "ISSUED", {}}));
  REQUIRE(d.ask(credential_request::receive_rejection{issuer, "p", "no such member"}));
  const auto view = json::parse(credential_request::view(d.s))->as_object();
  CHECK(json::string_at(view, "issuerDid") == issuer);
  CHECK(json::string_at(view, "issuerPid") == "issuer-pid");
  CHECK(json::string_at(view, "origin") == "api");
  CHECK(json::string_at(view, "errorDetail") == "The issuer rejected the request: no such member");
  CHECK_FALSE(view.contains("waitingOn"));
  const auto* causes = json::array_at(view, "causes");
  REQUIRE(causes);
  REQUIRE(causes->size() == 2);
  CHECK(json::string_at(causes->at(1).as_object(), "side") == "peer");
  const auto& wanted = json::array_at(view, "typesAndFormats")->at(0).as_object();
  CHECK(json::string_at(wanted, "id") == "def-1");
  CHECK(json::string_at(wanted, "credentialType") == "MembershipCredential");
  CHECK(json::string_at(wanted, "format") == "vc11-sl2021/jwt");
}

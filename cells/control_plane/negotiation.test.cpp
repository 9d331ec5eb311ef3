#include "cells/control_plane/negotiation_fixture.test.hpp"

using namespace fondaco;
using namespace fondaco::control_plane;
using namespace fondaco::control_plane::negotiation_fixture;

TEST_CASE("every message in every state of both sides gets the answer of the state table") {
  int checked = 0;
  for (auto self : {role::consumer, role::provider})
    for (auto state : all_states)
      for (auto m : all_messages) {
        auto d = reach(self, state);
        const auto before = d.s;
        CAPTURE(std::string(dsp::name_of(self)));
        CAPTURE(std::string(dsp::name_of(state)));
        CAPTURE(letter(m));
        const bool wanted = accepted_in(self, state).find(letter(m)) != std::string::npos;
        auto c = d.message(m);
        const auto result = d.ask(c);
        CHECK(result.has_value() == wanted);
        if (wanted) {
          CHECK(d.s.dsp_state == target_of(m));
          CHECK(result->reply.view.state == dsp::name_of(target_of(m)));
        } else {
          CHECK(result.error().why.code == "illegal_transition");
          CHECK_FALSE(result.error().hold);
          CHECK(d.s == before);
        }
        ++checked;
      }
  CHECK(checked == 2 * 7 * 7);
}

TEST_CASE("an operator can send exactly what the state table lets our side send") {
  const std::map<std::pair<role, negotiation_state>, std::string> sendable = {
      {{role::provider, negotiation_state::requested}, "og"}, {{role::consumer, negotiation_state::offered}, "ra"},
      {{role::provider, negotiation_state::accepted}, "g"},   {{role::consumer, negotiation_state::agreed}, "v"},
      {{role::provider, negotiation_state::verified}, "f"},
  };
  for (auto self : {role::consumer, role::provider})
    for (auto state : all_states)
      for (auto m : all_messages) {
        auto d = reach(self, state);
        negotiation::send c;
        c.type = m;
        c.offer = offer();
        const auto found = sendable.find({self, state});
        const bool wanted = found != sendable.end() && found->second.find(letter(m)) != std::string::npos;
        CAPTURE(std::string(dsp::name_of(self)));
        CAPTURE(std::string(dsp::name_of(state)));
        CAPTURE(letter(m));
        CHECK(d.ask(c).has_value() == wanted);
        // A state is reached only when the message was acknowledged.
        CHECK(d.s.dsp_state == state);
        if (wanted)
          d.acknowledge();
        CHECK(d.s.dsp_state == (wanted ? target_of(m) : state));
      }
}

TEST_CASE("a provider agrees and finalizes by itself, each after the reaction delay") {
  process_settings settings;
  settings.reaction_delay_ms = milliseconds{500};
  driven d;
  auto made = d.ask(first_request(settings));
  REQUIRE(made);
  CHECK(made->reply.created);
  CHECK(made->reply.view.state == "REQUESTED");
  CHECK(made->reply.view.provider_pid == own_id);
  CHECK(made->events.size() == 2);
  CHECK(negotiation::status(d.s) == "AGREEING");
  auto owed = negotiation::owed(d.s);
  REQUIRE(owed.size() == 1);
  CHECK(owed[0].not_before == t0 + milliseconds{500});
  CHECK(negotiation::wake_at(d.s) == t0 + milliseconds{500});
  CHECK(owed[0].body.path == "/negotiations/peer-pid/agreement");
  CHECK(owed[0].body.base_url == "https://them/dsp");
  const auto& sent = owed[0].body.envelope;
  CHECK(json::string_at(sent.policy, "assigner") == us);
  CHECK(json::string_at(sent.policy, "assignee") == them);
  CHECK(json::string_at(sent.policy, "target") == "asset-1");
  CHECK(json::string_at(sent.policy, "@type") == "Agreement");
  CHECK(d.documents.empty());
  d.now += milliseconds{600};
  d.acknowledge();
  CHECK(negotiation::status(d.s) == "AGREED");
  REQUIRE(d.documents.size() == 1);
  CHECK(d.documents[0].id == d.s.agreement_id);
  const auto body = json::parse(*d.documents[0].body)->as_object();
  CHECK(json::string_at(body, "consumerId") == them);
  CHECK(json::string_at(body, "providerId") == us);
  CHECK(json::string_at(body, "state") == "AGREED");
  CHECK(json::integer_at(body, "contractSigningDate") == 1'750'000'000);
  REQUIRE(d.names.size() == 1);
  CHECK(d.names[0].name == us + " " + d.s.agreement_id);
  d.take(negotiation_message::verification);
  CHECK(negotiation::status(d.s) == "FINALIZING");
  CHECK(dsp_view(d.s).state == "VERIFIED");
  d.acknowledge();
  CHECK(negotiation::status(d.s) == "FINALIZED");
  CHECK_FALSE(negotiation::wake_at(d.s));
  CHECK(negotiation::owed(d.s).empty());
  CHECK(json::string_at(json::parse(*d.documents.back().body)->as_object(), "state") == "FINALIZED");
  CHECK(d.names.size() == 1);
}

TEST_CASE("a consumer verifies an agreement by itself and holds an offer for its operator") {
  driven d;
  auto made = d.ask(initiation());
  REQUIRE(made);
  CHECK(negotiation::status(d.s) == "REQUESTING");
  auto owed = negotiation::owed(d.s);
  REQUIRE(owed.size() == 1);
  CHECK(owed[0].body.path == "/negotiations/request");
  CHECK(owed[0].body.envelope.callback_address == "https://us/dsp");
  CHECK(owed[0].body.probe_path.empty());
  d.acknowledge();
  CHECK(d.s.peer_pid == "peer-pid");
  SUBCASE("verifies") {
    d.take(negotiation_message::agreement);
    CHECK(negotiation::status(d.s) == "VERIFYING");
    CHECK(negotiation::owed(d.s)[0].body.path == "/negotiations/peer-pid/agreement/verification");
    CHECK(d.documents.size() == 1);
    d.acknowledge();
    d.take(negotiation_message::finalized);
    CHECK(negotiation::status(d.s) == "FINALIZED");
    CHECK(waiting_on(d.s).empty());
  }
  SUBCASE("holds") {
    d.take(negotiation_message::offer);
    CHECK(negotiation::status(d.s) == "OFFERED");
    CHECK(negotiation::owed(d.s).empty());
    CHECK(waiting_on(d.s) == "an operator's order to go on from OFFERED");
    CHECK(negotiation::wake_at(d.s) == t0 + d.s.settings.idle_max_ms);
  }
}

TEST_CASE("a consumer refuses an agreement that is not what was offered, and its state stays") {
  struct row {
    const char* name;
    void (*change)(json::object&);
  };
  const row rows[] = {
      {"another target", [](json::object& o) { o["target"] = "asset-2"; }},
      {"another assigner", [](json::object& o) { o["assigner"] = "did:web:someone"; }},
      {"another assignee", [](json::object& o) { o["assignee"] = "did:web:someone"; }},
      {"no assignee", [](json::object& o) { o.erase("assignee"); }},
      {"no id", [](json::object& o) { o.erase("@id"); }},
      {"an endless id", [](json::object& o) { o["@id"] = std::string(600, 'x'); }},
      {"another action", [](json::object& o) { o["permission"] = agreement("sell")["permission"]; }},
      {"no permission", [](json::object& o) { o.erase("permission"); }},
      {"an obligation more",
       [](json::object& o) { o["obligation"] = json::array{json::object{{"action", "delete"}}}; }},
  };
  for (const auto& r : rows) {
    CAPTURE(r.name);
    driven d;
    REQUIRE(d.ask(initiation()));
    d.acknowledge();
    const auto before = d.s;
    auto c = d.message(negotiation_message::agreement);
    r.change(c.envelope.policy);
    CHECK(d.refusal_of(c) == "agreement_differs");
    CHECK(d.s == before);
  }
}

TEST_CASE("a request that the verdict refuses makes no negotiation and says why") {
  driven d;
  auto c = first_request();
  c.verdict = {false, {"attribute.region must be 'eu'."}, {}, {}};
  const auto result = d.ask(c);
  REQUIRE_FALSE(result);
  CHECK(result.error().why.code == "offer_refused");
  CHECK(result.error().why.detail == "attribute.region must be 'eu'.");
  CHECK(d.history.empty());
}

TEST_CASE("a repeated first request gets the same answer, also under a new message id") {
  driven d;
  REQUIRE(d.ask(first_request()));
  const auto before = d.s;
  auto again = first_request();
  again.envelope.message_id = "another";
  const auto result = d.ask(again);
  REQUIRE(result);
  CHECK(result->events.empty());
  CHECK_FALSE(result->reply.created);
  CHECK(result->reply.view.provider_pid == own_id);
  CHECK(d.s == before);
  again.counterparty_id = "did:web:stranger";
  CHECK(d.refusal_of(again) == "not_found");
}

TEST_CASE("a first message without what it needs is refused by name") {
  const auto refused = [](auto change) {
    auto c = first_request();
    change(c);
    driven d;
    return d.refusal_of(c);
  };
  CHECK(refused([](auto& c) { c.envelope.consumer_pid.clear(); }) == "bad_message");
  CHECK(refused([](auto& c) { c.envelope.callback_address.clear(); }) == "bad_message");
  CHECK(refused([](auto& c) { c.envelope.policy.clear(); }) == "bad_message");
  CHECK(refused([](auto& c) { c.envelope.type = negotiation_message::accepted; }) == "illegal_transition");
}

TEST_CASE("a provider may begin with an offer, which its consumer holds") {
  driven consumer;
  auto c = first_request();
  c.envelope.type = negotiation_message::offer;
  c.envelope.consumer_pid.clear();
  c.envelope.provider_pid = "peer-pid";
  auto made = consumer.ask(c);
  REQUIRE(made);
  CHECK(made->reply.view.state == "OFFERED");
  CHECK(consumer.s.self == role::consumer);
  CHECK(consumer.s.asset_id == "asset-1");
  driven provider;
  auto begin = initiation();
  begin.self = role::provider;
  REQUIRE(provider.ask(begin));
  CHECK(negotiation::status(provider.s) == "OFFERING");
  CHECK(negotiation::owed(provider.s)[0].body.path == "/negotiations/offers");
}

TEST_CASE("an initiation is idempotent under its request id") {
  driven d;
  REQUIRE(d.ask(initiation()));
  const auto again = d.ask(initiation());
  REQUIRE(again);
  CHECK(again->events.empty());
  CHECK_FALSE(again->reply.created);
  auto other = initiation();
  other.request_digest = "digest-2";
  CHECK(d.refusal_of(other) == "idempotency_key_reused");
  other.request_id = "req-2";
  CHECK(d.refusal_of(other) == "already_exists");
}

TEST_CASE("another counterparty's negotiation looks as if it did not exist") {
  auto d = reach(role::provider, negotiation_state::agreed);
  auto c = d.message(negotiation_message::verification);
  c.counterparty_id = "did:web:stranger";
  CHECK(d.refusal_of(c) == "not_found");
  driven none;
  CHECK(none.refusal_of(c) == "not_found");
  CHECK(none.refusal_of(negotiation::terminate{}) == "not_found");
}

TEST_CASE("process ids that are not the negotiation's are refused") {
  auto d = reach(role::provider, negotiation_state::agreed);
  auto c = d.message(negotiation_message::verification);
  c.envelope.consumer_pid = "someone-else";
  CHECK(d.refusal_of(c) == "pid_mismatch");
  c = d.message(negotiation_message::verification);
  c.envelope.provider_pid = "someone-else";
  CHECK(d.refusal_of(c) == "pid_mismatch");
}

TEST_CASE("the same message id again gets the same answer and changes nothing") {
  auto d = reach(role::provider, negotiation_state::offered);
  auto counter = d.message(negotiation_message::request, "counter-1");
  REQUIRE(d.ask(counter));
  const auto before = d.s;
  const auto again = d.ask(counter);
  REQUIRE(again);
  CHECK(again->events.empty());
  CHECK(again->reply.view.state == "REQUESTED");
  CHECK(d.s == before);
  // CN:03-04: a second counter-offer is another message.
  CHECK(d.refusal_of(d.message(negotiation_message::request)) == "illegal_transition");
}

TEST_CASE("without message ids an exact repeat of the last message is tolerated") {
  auto d = reach(role::consumer, negotiation_state::requested);
  auto c = d.message(negotiation_message::offer);
  c.envelope.message_id.clear();
  REQUIRE(d.ask(c));
  CHECK(d.ask(c)->events.empty());
  c.envelope.policy["@id"] = "offer-2";
  CHECK(d.refusal_of(c) == "illegal_transition");
}

TEST_CASE("a message that comes while ours is in flight is held, if it will be legal then") {
  driven d;
  REQUIRE(d.ask(initiation()));
  CHECK(d.refusal_of(d.message(negotiation_message::agreement)) == "illegal_transition hold");
  CHECK(d.refusal_of(d.message(negotiation_message::offer)) == "illegal_transition hold");
  CHECK(d.refusal_of(d.message(negotiation_message::finalized)) == "illegal_transition");
  d.acknowledge();
  d.take(negotiation_message::agreement);
  CHECK(d.refusal_of(d.message(negotiation_message::finalized)) == "illegal_transition hold");
}

TEST_CASE("before the reaction delay is over nothing is in flight, so nothing is held") {
  process_settings settings;
  settings.reaction_delay_ms = milliseconds{500};
  driven d;
  REQUIRE(d.ask(initiation(settings)));
  d.acknowledge();
  d.take(negotiation_message::agreement);
  CHECK(d.refusal_of(d.message(negotiation_message::finalized)) == "illegal_transition");
  d.now += milliseconds{500};
  CHECK(d.refusal_of(d.message(negotiation_message::finalized)) == "illegal_transition hold");
}

TEST_CASE("the peer's next message shows that ours was taken, though its answer was lost") {
  driven d;
  REQUIRE(d.ask(initiation()));
  REQUIRE(d.ask(negotiation::not_delivered{d.s.outbox->message_id, "no answer", true}));
  d.take(negotiation_message::agreement);
  CHECK(d.s.peer_pid == "peer-pid");
  CHECK(d.s.dsp_state == negotiation_state::agreed);
  CHECK(negotiation::status(d.s) == "VERIFYING");
}

TEST_CASE("the peer's termination is accepted in every live state, also while our message is in flight") {
  for (auto self : {role::consumer, role::provider}) {
    driven d;
    if (self == role::consumer)
      REQUIRE(d.ask(initiation()));
    else
      REQUIRE(d.ask(first_request()));
    REQUIRE(d.s.outbox);
    auto c = d.message(negotiation_message::termination);
    c.envelope.code = "1";
    c.envelope.reasons = {"changed my mind"};
    REQUIRE(d.ask(c));
    CHECK(negotiation::status(d.s) == "TERMINATED");
    CHECK_FALSE(d.s.outbox);
    CHECK(d.s.causes.back().side == cause_side::peer);
    CHECK(d.s.error_detail.find("changed my mind") != std::string::npos);
  }
}

TEST_CASE("only the first failure, a changed cause and the end of the window are events") {
  driven d;
  REQUIRE(d.ask(first_request()));
  const auto id = d.s.outbox->message_id;
  const auto fail = [&](std::string cause) {
    return d.ask(negotiation::not_delivered{id, std::move(cause), true})->events.size();
  };
  const auto key = negotiation::owed(d.s)[0].key;
  CHECK(fail("no connection") == 1);
  CHECK(fail("no connection") == 0);
  CHECK(fail("503") == 1);
  CHECK(negotiation::owed(d.s)[0].key == key);
  CHECK_FALSE(negotiation::tick(d.s, d.now));
  d.now += d.s.settings.send_window_ms;
  CHECK(negotiation::tick(d.s, d.now));
  CHECK(fail("503") == 1);
  CHECK(negotiation::status(d.s) == "TERMINATING");
  CHECK(dsp_view(d.s).state == "TERMINATED");
  CHECK(d.s.error_detail == "Our ContractAgreementMessage was not acknowledged within 4 h. Last failure: 503");
  // The last word to a peer that may be gone is said once.
  REQUIRE(d.s.outbox);
  CHECK(d.s.outbox->best_effort);
  REQUIRE(d.ask(negotiation::not_delivered{d.s.outbox->message_id, "no connection", true}));
  CHECK(negotiation::status(d.s) == "TERMINATED");
  CHECK(negotiation::owed(d.s).empty());
}

TEST_CASE("the window's end is seen by time alone") {
  driven d;
  REQUIRE(d.ask(first_request()));
  d.now += d.s.settings.send_window_ms;
  auto due = negotiation::tick(d.s, d.now);
  REQUIRE(due);
  REQUIRE(d.ask(*due));
  CHECK(dsp_view(d.s).state == "TERMINATED");
}

TEST_CASE("a silent counterparty ends the negotiation after the configured time") {
  auto d = reach(role::consumer, negotiation_state::offered);
  d.now = *negotiation::wake_at(d.s);
  auto due = negotiation::tick(d.s, d.now);
  REQUIRE(due);
  REQUIRE(d.ask(*due));
  CHECK(d.s.error_detail == "The counterparty was silent for 7 d in state OFFERED.");
  CHECK(negotiation::owed(d.s)[0].body.path == "/negotiations/peer-pid/termination");
  CHECK(negotiation::owed(d.s)[0].body.envelope.reasons.size() == 1);
}

TEST_CASE("a refused message is probed: taken, ended or sent again, and given up after the last refusal") {
  driven d;
  REQUIRE(d.ask(first_request()));
  const auto id = d.s.outbox->message_id;
  const auto send_key = negotiation::owed(d.s)[0].key;
  REQUIRE(d.ask(negotiation::not_delivered{id, "409 Conflict", false}));
  auto owed = negotiation::owed(d.s);
  REQUIRE(owed.size() == 1);
  CHECK(owed[0].body.probe);
  CHECK(owed[0].body.probe_path == "/negotiations/peer-pid");
  CHECK(owed[0].key != send_key);
  SUBCASE("the peer's state shows that it took it") {
    for (auto state : {"AGREED", "VERIFIED", "FINALIZED"}) {
      auto one = d;
      REQUIRE(one.ask(negotiation::probe_result{id, state, {}, false}));
      CHECK(negotiation::status(one.s) == "AGREED");
      CHECK_FALSE(one.s.agreement_id.empty());
    }
  }
  SUBCASE("the peer has terminated") {
    REQUIRE(d.ask(negotiation::probe_result{id, "TERMINATED", {}, false}));
    CHECK(negotiation::status(d.s) == "TERMINATED");
    CHECK(negotiation::owed(d.s).empty());
    CHECK(d.s.causes.size() == 2);
    CHECK(d.s.causes[0].side == cause_side::peer);
  }
  SUBCASE("the peer cannot tell for now") {
    const auto result = d.ask(negotiation::probe_result{id, std::nullopt, "no connection", true});
    CHECK(result->events.empty());
    CHECK(is_transient(negotiation::probe_result{id, std::nullopt, "no connection", true}));
  }
  SUBCASE("the peer has not taken it") {
    REQUIRE(d.ask(negotiation::probe_result{id, "REQUESTED", {}, false}));
    owed = negotiation::owed(d.s);
    CHECK_FALSE(owed[0].body.probe);
    CHECK(owed[0].body.envelope.message_id == id);
    CHECK(owed[0].key != send_key);
    CHECK(owed[0].not_before == t0 + milliseconds{1000});
    for (int i = 0; i < 2; ++i) {
      REQUIRE(d.ask(negotiation::not_delivered{id, "409 Conflict", false}));
      REQUIRE(d.ask(negotiation::probe_result{id, "REQUESTED", {}, false}));
    }
    CHECK(dsp_view(d.s).state == "TERMINATED");
    CHECK(d.s.error_detail == "The counterparty refused our ContractAgreementMessage 3 times: 409 Conflict");
    CHECK(negotiation::owed(d.s)[0].body.envelope.type == negotiation_message::termination);
  }
}

TEST_CASE("a first request that the peer refuses ends the negotiation with the peer's cause") {
  driven d;
  REQUIRE(d.ask(initiation()));
  REQUIRE(d.ask(negotiation::not_delivered{d.s.outbox->message_id, "400: attribute.region must be 'eu'", false}));
  CHECK(negotiation::status(d.s) == "TERMINATED");
  CHECK(negotiation::owed(d.s).empty());
  REQUIRE(d.s.causes.size() == 1);
  CHECK(d.s.causes[0].side == cause_side::peer);
  CHECK(d.s.error_detail == "400: attribute.region must be 'eu'");
}

TEST_CASE("an operator's termination shows at once and is told to the peer") {
  auto d = reach(role::consumer, negotiation_state::agreed);
  REQUIRE(d.ask(negotiation::terminate{"budget is gone", "7"}));
  CHECK(negotiation::status(d.s) == "TERMINATING");
  CHECK(dsp_view(d.s).state == "TERMINATED");
  const auto owed = negotiation::owed(d.s);
  REQUIRE(owed.size() == 1);
  CHECK(owed[0].body.path == "/negotiations/peer-pid/termination");
  CHECK(owed[0].body.envelope.code == "7");
  CHECK(owed[0].body.envelope.reasons == std::vector<std::string>{"budget is gone"});
  CHECK(d.ask(negotiation::terminate{})->events.empty());
  SUBCASE("told") { d.acknowledge(); }
  SUBCASE("refused") { REQUIRE(d.ask(negotiation::not_delivered{d.s.outbox->message_id, "404", false})); }
  CHECK(negotiation::status(d.s) == "TERMINATED");
  CHECK(d.refusal_of(negotiation::remove{}) == "not_removable");
  auto done = reach(role::consumer, negotiation_state::finalized);
  CHECK(done.refusal_of(negotiation::terminate{}) == "illegal_transition");
}

TEST_CASE("an order to end waits while our finalization is on its way, since the peer may have taken it") {
  auto d = reach(role::provider, negotiation_state::verified);
  REQUIRE(d.ask(negotiation::send{negotiation_message::finalized, {}, {}}));
  CHECK(d.refusal_of(negotiation::terminate{"too late", {}}) == "busy");
  SUBCASE("taken") {
    d.acknowledge();
    CHECK(d.refusal_of(negotiation::terminate{"too late", {}}) == "illegal_transition");
  }
  SUBCASE("without an answer") {
    REQUIRE(d.ask(negotiation::not_delivered{d.s.outbox->message_id, "no answer", true}));
    CHECK(d.refusal_of(negotiation::terminate{"too late", {}}) == "busy");
  }
  SUBCASE("the peer ends it") {
    d.take(negotiation_message::termination);
    CHECK(d.ask(negotiation::terminate{"too late", {}})->events.empty());
  }
}

TEST_CASE("a negotiation ended while its first request was on its way tells the peer once its process id is known") {
  driven d;
  REQUIRE(d.ask(initiation()));
  const auto id = d.s.outbox->message_id;
  REQUIRE(d.ask(negotiation::terminate{"no longer needed", {}}));
  CHECK(negotiation::owed(d.s).empty());
  REQUIRE(d.ask(negotiation::delivered{id, "peer-pid"}));
  const auto owed = negotiation::owed(d.s);
  REQUIRE(owed.size() == 1);
  CHECK(owed[0].body.path == "/negotiations/peer-pid/termination");
}

TEST_CASE("only a terminated negotiation without an agreement can be removed, and then it is gone") {
  for (auto state : all_states) {
    auto d = reach(role::provider, state);
    const auto code = d.refusal_of(negotiation::remove{});
    CHECK(code == (state == negotiation_state::terminated ? "" : "not_removable"));
  }
  auto d = reach(role::provider, negotiation_state::terminated);
  REQUIRE(d.ask(negotiation::remove{}));
  CHECK(negotiation::status(d.s) == "REMOVED");
  CHECK_FALSE(negotiation::wake_at(d.s));
  CHECK(d.refusal_of(negotiation::remove{}) == "not_found");
  CHECK(d.refusal_of(d.message(negotiation_message::termination)) == "not_found");
}

TEST_CASE("an order waits until our message was answered") {
  auto d = reach(role::consumer, negotiation_state::offered);
  REQUIRE(d.ask(negotiation::send{negotiation_message::accepted, {}, {}}));
  CHECK(d.refusal_of(negotiation::send{negotiation_message::accepted, {}, {}}) == "busy");
}

TEST_CASE("an event of a newer version, another format or an unknown kind is not read") {
  auto record = negotiation::encode(ev::removed{t0, {}});
  CHECK(negotiation::decode(record));
  auto newer = record;
  newer.version = 2;
  CHECK_FALSE(negotiation::decode(newer));
  auto packed = record;
  packed.format = 'c';
  CHECK_FALSE(negotiation::decode(packed));
  auto unknown = record;
  unknown.payload = R"({"what":"unheard_of","at":1})";
  CHECK_FALSE(negotiation::decode(unknown));
  unknown.payload = R"({"what":"removed","at":"yesterday"})";
  CHECK_FALSE(negotiation::decode(unknown));
}

TEST_CASE("ids in paths are percent-encoded") {
  CHECK(path_segment("urn:uuid:32541fe6") == "urn:uuid:32541fe6");
  CHECK(path_segment("../a b?c#d%") == "..%2Fa%20b%3Fc%23d%25");
  CHECK(path_segment("..") == "%2E%2E");
}

TEST_CASE("a chain of causes is bounded, keeps its beginning and never cuts a character") {
  std::vector<process_cause> chain;
  for (int i = 0; i < 100; ++i)
    add_cause(chain, {cause_side::local, "cause " + std::to_string(i)});
  CHECK(chain.size() == control_plane::limits::causes_max);
  CHECK(chain.front().text == "cause 0");
  CHECK(chain.back().text == "cause 99");
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "\u00fc";
  add_cause(chain, {cause_side::peer, text});
  CHECK(chain.back().text.size() == 1024);
  add_cause(chain, {cause_side::peer, "x" + text});
  CHECK(chain.back().text.size() == 1023);
}

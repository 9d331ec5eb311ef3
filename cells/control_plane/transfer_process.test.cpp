#include "cells/control_plane/transfer_process_fixture.test.hpp"

using namespace fondaco;
using namespace fondaco::control_plane;
using namespace fondaco::control_plane::transfer_fixture;

TEST_CASE("every message in every state of both sides gets the answer of the transfer's state table") {
  int checked = 0;
  for (auto self : {role::consumer, role::provider})
    for (bool plane : {true, false})
      for (auto state : all_states)
        for (auto m : all_messages) {
          if (self == role::provider && !plane)
            continue;
          auto d = reach(self, state, plane);
          const auto before = d.s;
          CAPTURE(std::string(dsp::name_of(self)));
          CAPTURE(std::string(dsp::name_of(state)));
          CAPTURE(letter(m));
          const bool wanted = accepted_in(self, state).find(letter(m)) != std::string::npos;
          const auto result = d.ask(d.message(m));
          CHECK(result.has_value() == wanted);
          if (wanted) {
            // The new state shows at once, whatever the data plane has still to do.
            CHECK(result->reply.view.state == dsp::name_of(target_of(m)));
            settle(d);
            CHECK(d.s.dsp_state == target_of(m));
          } else {
            CHECK(result.error().why.code == "illegal_transition");
            CHECK_FALSE(result.error().hold);
            CHECK(d.s == before);
          }
          ++checked;
        }
  CHECK(checked == 3 * 5 * 5);
}

TEST_CASE("an operator's orders are allowed exactly where the state table lets our side send") {
  struct row {
    transfer_process::command order;
    transfer_message sends;
  };
  const row rows[] = {{transfer_process::start{}, transfer_message::start},
                      {transfer_process::suspend{"pause"}, transfer_message::suspension},
                      {transfer_process::complete{}, transfer_message::completion}};
  for (auto self : {role::consumer, role::provider})
    for (auto state : all_states)
      for (const auto& r : rows) {
        auto d = reach(self, state);
        CAPTURE(std::string(dsp::name_of(self)));
        CAPTURE(std::string(dsp::name_of(state)));
        CAPTURE(letter(r.sends));
        const bool wanted = dsp::next_state(state, r.sends, self).has_value();
        CHECK(d.refusal_of(r.order) == (wanted ? "" : "illegal_transition"));
        // A state is reached only when the message was acknowledged.
        CHECK(d.s.dsp_state == state);
        settle(d);
        CHECK(d.s.dsp_state == (wanted ? target_of(r.sends) : state));
      }
}

TEST_CASE("pull: a provider starts its plane, then the peer, with the plane's address") {
  process_settings settings;
  settings.reaction_delay_ms = milliseconds{500};
  driven d;
  const auto made = d.ask(request("HttpData-PULL", settings));
  REQUIRE(made);
  CHECK(made->reply.created);
  CHECK(made->reply.view.state == "REQUESTED");
  CHECK(transfer_process::status(d.s) == "INITIAL");
  const auto start = d.effect();
  CHECK(start.signal == flow_signal::start);
  CHECK(start.base_url == "http://dp:8080");
  CHECK(start.path == "/dataflows/start");
  CHECK(start.request.data_flow_id == own_id);
  CHECK(start.request.counter_party_id == them);
  CHECK(start.sealed_address.empty());
  d.done("signal start", "sealed-1");
  CHECK(transfer_process::status(d.s) == "STARTING");
  CHECK(transfer_process::owed(d.s)[0].not_before == t0 + milliseconds{500});
  const auto message = d.effect();
  CHECK(message.path == "/transfers/peer-pid/start");
  CHECK(message.base_url == "https://them/dsp");
  CHECK(message.sealed_address == "sealed-1");
  CHECK(dsp_view(d.s).state == "REQUESTED");
  d.done("message TransferStartMessage");
  CHECK(transfer_process::status(d.s) == "STARTED");
  CHECK(transfer_process::view(d.s).find("sealed-1") != std::string::npos);
  SUBCASE("the plane completes") {
    REQUIRE(d.ask(transfer_process::flow_report{"dp-1", flow_signal::completed, {}, {}}));
    CHECK(transfer_process::status(d.s) == "COMPLETING");
    CHECK(d.ask(transfer_process::flow_report{"dp-1", flow_signal::completed, {}, {}})->events.empty());
    d.done("message TransferCompletionMessage");
    CHECK(transfer_process::status(d.s) == "COMPLETED");
  }
  SUBCASE("the consumer completes") {
    d.take(transfer_message::completion);
    CHECK(dsp_view(d.s).state == "COMPLETED");
    CHECK(transfer_process::status(d.s) == "COMPLETING_REQUESTED");
    d.done("signal completed");
  }
  SUBCASE("the consumer terminates") {
    d.take(transfer_message::termination);
    CHECK(transfer_process::status(d.s) == "TERMINATING_REQUESTED");
    d.done("signal terminate");
  }
  CHECK(transfer_process::owed(d.s).empty());
  CHECK_FALSE(transfer_process::wake_at(d.s));
  // The address does not outlive the transfer.
  CHECK(d.s.sealed_address.empty());
  CHECK(transfer_process::view(d.s).find("sealed-1") == std::string::npos);
}

TEST_CASE("an asynchronous start waits for the data plane's callback") {
  driven d;
  REQUIRE(d.ask(request()));
  CHECK(d.refusal_of(transfer_process::flow_report{"dp-1", flow_signal::started, "a", {}}) ==
        "illegal_transition hold");
  d.done("signal start", {}, true);
  CHECK(transfer_process::status(d.s) == "STARTUP_REQUESTED");
  CHECK(transfer_process::owed(d.s).empty());
  CHECK(transfer_process::wake_at(d.s).has_value());
  CHECK(d.refusal_of(transfer_process::flow_report{"dp-2", flow_signal::started, "a", {}}) == "not_found");
  REQUIRE(d.ask(transfer_process::flow_report{"dp-1", flow_signal::started, "sealed-late", {}}));
  CHECK(d.effect().sealed_address == "sealed-late");
  CHECK(d.ask(transfer_process::flow_report{"dp-1", flow_signal::started, "again", {}})->events.empty());
  d.done("message TransferStartMessage");
  CHECK(transfer_process::status(d.s) == "STARTED");
}

TEST_CASE("a data plane that never calls back ends the transfer") {
  driven d;
  REQUIRE(d.ask(request()));
  d.done("signal start", {}, true);
  d.now = *transfer_process::wake_at(d.s);
  REQUIRE(d.ask(*transfer_process::tick(d.s, d.now)));
  CHECK(d.s.error_detail == "The data plane did not report the end of 'start' for 7 d.");
  d.done("signal terminate");
  d.done("message TransferTerminationMessage");
  CHECK(transfer_process::status(d.s) == "TERMINATED");
}

TEST_CASE("pull: a consumer without a data plane keeps the address until suspension or the end") {
  driven d;
  REQUIRE(d.ask(transfer_process::initiate{terms("HttpData-PULL", false)}));
  const auto first = d.effect();
  CHECK(first.path == "/transfers/request");
  CHECK(first.envelope.agreement_id == "agreement-1");
  CHECK(first.envelope.callback_address == "https://us/dsp");
  CHECK(transfer_process::status(d.s) == "REQUESTING");
  d.done("message TransferRequestMessage");
  d.take(transfer_message::start, "sealed-edr");
  CHECK(transfer_process::status(d.s) == "STARTED");
  CHECK(d.s.sealed_address == "sealed-edr");
  d.take(transfer_message::suspension);
  CHECK(d.s.sealed_address.empty());
  d.take(transfer_message::start, "sealed-edr-2");
  CHECK(d.s.sealed_address == "sealed-edr-2");
  d.take(transfer_message::completion);
  CHECK(d.s.sealed_address.empty());
  CHECK(transfer_process::owed(d.s).empty());
}

TEST_CASE("pull: a consumer's own data plane is prepared, told of the start and of the end") {
  driven d;
  REQUIRE(d.ask(transfer_process::initiate{terms()}));
  CHECK(transfer_process::status(d.s) == "INITIAL");
  d.done("signal prepare", {}, true);
  CHECK(transfer_process::status(d.s) == "PREPARATION_REQUESTED");
  REQUIRE(d.ask(transfer_process::flow_report{"dp-1", flow_signal::prepared, {}, {}}));
  d.done("message TransferRequestMessage");
  d.take(transfer_message::start, "sealed-edr");
  CHECK(transfer_process::status(d.s) == "STARTUP_REQUESTED");
  CHECK(dsp_view(d.s).state == "STARTED");
  CHECK(d.effect().sealed_address == "sealed-edr");
  CHECK(d.effect().path == "/dataflows/" + own_id + "/started");
  d.done("signal started");
  REQUIRE(d.ask(transfer_process::terminate{"enough", "1"}));
  CHECK(d.s.sealed_address.empty());
  d.done("signal terminate");
  CHECK(d.effect().envelope.reasons == std::vector<std::string>{"enough"});
  d.done("message TransferTerminationMessage");
  CHECK(transfer_process::status(d.s) == "TERMINATED");
}

TEST_CASE("push: the consumer's address goes with the request to the provider's plane") {
  driven consumer;
  REQUIRE(consumer.ask(transfer_process::initiate{terms("HttpData-PUSH")}));
  consumer.done("signal prepare", "sealed-sink");
  CHECK(consumer.effect().sealed_address == "sealed-sink");
  consumer.done("message TransferRequestMessage");
  consumer.take(transfer_message::start);
  CHECK(consumer.effect().sealed_address.empty());
  consumer.done("signal started");
  driven provider;
  auto c = request("HttpData-PUSH");
  CHECK(provider.refusal_of(c) == "bad_message");
  c.sealed_address = "sealed-sink";
  REQUIRE(provider.ask(c));
  CHECK(provider.effect().sealed_address == "sealed-sink");
  provider.done("signal start");
  CHECK(provider.effect().sealed_address.empty());
  provider.done("message TransferStartMessage");
  CHECK(transfer_process::status(provider.s) == "STARTED");
  driven none;
  CHECK(none.refusal_of(transfer_process::initiate{terms("HttpData-PUSH", false)}) == "no_data_plane");
}

TEST_CASE("suspend and resume of a pull: the provider makes the new address") {
  SUBCASE("pull, provider acts") {
    auto d = reach(role::provider, transfer_state::started);
    REQUIRE(d.ask(transfer_process::suspend{"maintenance"}));
    CHECK(transfer_process::status(d.s) == "SUSPENDING");
    CHECK(d.effect().reason == "maintenance");
    d.done("signal suspend");
    d.done("message TransferSuspensionMessage");
    CHECK(d.s.sealed_address.empty());
    REQUIRE(d.ask(transfer_process::start{}));
    CHECK(transfer_process::status(d.s) == "RESUMING");
    CHECK(dsp_view(d.s).state == "SUSPENDED");
    d.done("signal resume", "sealed-new");
    CHECK(d.effect().sealed_address == "sealed-new");
    d.done("message TransferStartMessage");
    CHECK(transfer_process::status(d.s) == "STARTED");
  }
  SUBCASE("pull, consumer acts, consumer's view") {
    auto d = reach(role::consumer, transfer_state::suspended);
    REQUIRE(d.ask(transfer_process::start{}));
    CHECK(d.effect().sealed_address.empty());
    d.done("message TransferStartMessage");
    CHECK(transfer_process::status(d.s) == "RESUMED");
    CHECK(dsp_view(d.s).state == "STARTED");
    CHECK(d.refusal_of(d.message(transfer_message::start)) == "bad_message");
    d.take(transfer_message::start, "sealed-new");
    CHECK(d.effect().sealed_address == "sealed-new");
    d.done("signal resume");
    CHECK(transfer_process::status(d.s) == "STARTED");
    CHECK(d.s.sealed_address == "sealed-new");
  }
  SUBCASE("pull, consumer acts, provider's view") {
    auto d = reach(role::provider, transfer_state::suspended);
    d.take(transfer_message::start);
    CHECK(dsp_view(d.s).state == "STARTED");
    CHECK(transfer_process::status(d.s) == "RESUMING_REQUESTED");
    d.done("signal resume", "sealed-new");
    CHECK(d.effect().sealed_address == "sealed-new");
    d.done("message TransferStartMessage");
    CHECK(transfer_process::status(d.s) == "STARTED");
  }
  SUBCASE("a plane that makes no new address has nothing to tell the consumer") {
    auto d = reach(role::provider, transfer_state::suspended);
    d.take(transfer_message::start);
    d.done("signal resume");
    CHECK(transfer_process::owed(d.s).empty());
    CHECK(transfer_process::status(d.s) == "STARTED");
  }
  SUBCASE("both sides resume at once: the plane is resumed once") {
    auto d = reach(role::provider, transfer_state::suspended);
    REQUIRE(d.ask(transfer_process::start{}));
    d.take(transfer_message::start);
    d.done("signal resume", "sealed-new");
    d.done("message TransferStartMessage");
    CHECK(transfer_process::owed(d.s).empty());
  }
}

TEST_CASE("suspend and resume of a push: the consumer makes the new address") {
  SUBCASE("push, provider acts, provider's view") {
    driven d;
    auto c = request("HttpData-PUSH");
    c.sealed_address = "sealed-sink";
    REQUIRE(d.ask(c));
    settle(d);
    REQUIRE(d.ask(transfer_process::suspend{}));
    settle(d);
    REQUIRE(d.ask(transfer_process::start{}));
    d.done("message TransferStartMessage");
    d.take(transfer_message::start, "sealed-sink-2");
    CHECK(d.effect().sealed_address == "sealed-sink-2");
    d.done("signal resume");
    CHECK(transfer_process::status(d.s) == "STARTED");
  }
  SUBCASE("push, provider acts, consumer's view; push, consumer acts") {
    driven d;
    REQUIRE(d.ask(transfer_process::initiate{terms("HttpData-PUSH")}));
    settle(d);
    d.take(transfer_message::start);
    settle(d);
    d.take(transfer_message::suspension);
    settle(d);
    d.take(transfer_message::start);
    d.done("signal resume", "sealed-sink-2");
    CHECK(d.effect().sealed_address == "sealed-sink-2");
    d.done("message TransferStartMessage");
    REQUIRE(d.ask(transfer_process::suspend{}));
    settle(d);
    REQUIRE(d.ask(transfer_process::start{}));
    d.done("signal resume", "sealed-sink-3");
    CHECK(d.effect().sealed_address == "sealed-sink-3");
    d.done("message TransferStartMessage");
    CHECK(transfer_process::status(d.s) == "STARTED");
  }
}

TEST_CASE("the peer's start with its new address may overtake the answer to our own start") {
  auto d = reach(role::consumer, transfer_state::suspended);
  REQUIRE(d.ask(transfer_process::start{}));
  CHECK(d.next() == "message TransferStartMessage");
  // Held only as long as the provider's own resume cannot explain it: from SUSPENDED the provider may start, too.
  REQUIRE(d.ask(d.message(transfer_message::start, {}, "sealed-new")));
  CHECK(d.s.sealed_address == "sealed-new");
  CHECK(dsp_view(d.s).state == "STARTED");
  d.done("signal resume");
  CHECK(transfer_process::owed(d.s).empty());
}

TEST_CASE("a request is refused by name: missing members, agreement, data plane") {
  const auto refused = [](auto change) {
    auto c = request();
    change(c);
    driven d;
    const auto code = d.refusal_of(c);
    CHECK(d.history.empty());
    return code;
  };
  CHECK(refused([](auto& c) { c.envelope.consumer_pid.clear(); }) == "bad_message");
  CHECK(refused([](auto& c) { c.envelope.agreement_id.clear(); }) == "bad_message");
  CHECK(refused([](auto& c) { c.envelope.format.clear(); }) == "bad_message");
  CHECK(refused([](auto& c) { c.envelope.callback_address.clear(); }) == "bad_message");
  CHECK(refused([](auto& c) { c.sealed_address = "sealed"; }) == "bad_message");
  CHECK(refused([](auto& c) { c.allowed = false; }) == "agreement_refused");
  CHECK(refused([](auto& c) { c.terms.plane.reset(); }) == "no_data_plane");
}

TEST_CASE("a repeated request is answered with the existing transfer, a stranger's with nothing") {
  driven d;
  REQUIRE(d.ask(request()));
  auto again = request();
  again.envelope.message_id = "another";
  const auto before = d.s;
  const auto result = d.ask(again);
  REQUIRE(result);
  CHECK(result->events.empty());
  CHECK_FALSE(result->reply.created);
  again.terms.counterparty_id = "did:web:stranger";
  CHECK(d.refusal_of(again) == "not_found");
  auto message = d.message(transfer_message::termination);
  message.counterparty_id = "did:web:stranger";
  CHECK(d.refusal_of(message) == "not_found");
  message = d.message(transfer_message::termination);
  message.envelope.consumer_pid = "other";
  CHECK(d.refusal_of(message) == "pid_mismatch");
  CHECK(d.s == before);
}

TEST_CASE("an initiation of a transfer is idempotent under its request id") {
  driven d;
  REQUIRE(d.ask(transfer_process::initiate{terms()}));
  CHECK(d.ask(transfer_process::initiate{terms()})->events.empty());
  auto other = terms();
  other.request_digest = "digest-2";
  CHECK(d.refusal_of(transfer_process::initiate{other}) == "idempotency_key_reused");
  other.request_id.clear();
  CHECK(d.refusal_of(transfer_process::initiate{other}) == "already_exists");
  driven bad;
  other.agreement_id.clear();
  CHECK(bad.refusal_of(transfer_process::initiate{other}) == "bad_message");
}

TEST_CASE("the same transfer message again changes nothing") {
  auto d = reach(role::provider, transfer_state::started);
  const auto c = d.message(transfer_message::suspension, "s-1");
  REQUIRE(d.ask(c));
  const auto before = d.s;
  CHECK(d.ask(c)->events.empty());
  CHECK(d.s == before);
  auto nameless = d.message(transfer_message::suspension);
  nameless.envelope.message_id.clear();
  CHECK(d.ask(nameless)->events.empty());
  CHECK(d.refusal_of(d.message(transfer_message::suspension)) == "illegal_transition");
}

TEST_CASE("messages that come while ours is in flight are held; an end overtakes ours") {
  driven d;
  REQUIRE(d.ask(transfer_process::initiate{terms("HttpData-PULL", false)}));
  CHECK(d.refusal_of(d.message(transfer_message::start, {}, "a")) == "illegal_transition hold");
  CHECK(d.refusal_of(d.message(transfer_message::completion)) == "illegal_transition");
  SUBCASE("after a lost answer the message shows that ours was taken") {
    REQUIRE(d.ask(transfer_process::not_delivered{d.effect().message_id, "no answer", true}));
    d.take(transfer_message::start, "sealed-edr");
    CHECK(transfer_process::status(d.s) == "STARTED");
    CHECK(d.s.peer_pid == "peer-pid");
  }
  SUBCASE("crossing suspensions are one") {
    d = reach(role::consumer, transfer_state::started, false);
    REQUIRE(d.ask(transfer_process::suspend{}));
    d.take(transfer_message::suspension);
    CHECK(transfer_process::status(d.s) == "SUSPENDED");
  }
  SUBCASE("a completion overtakes our suspension") {
    d = reach(role::consumer, transfer_state::started, false);
    REQUIRE(d.ask(transfer_process::suspend{}));
    d.take(transfer_message::completion);
    CHECK(transfer_process::status(d.s) == "COMPLETED");
  }
  SUBCASE("a suspension waits for the answer to our completion") {
    d = reach(role::consumer, transfer_state::started, false);
    REQUIRE(d.ask(transfer_process::complete{}));
    CHECK(d.refusal_of(d.message(transfer_message::suspension)) == "illegal_transition hold");
  }
  SUBCASE("a termination overtakes everything") {
    d.take(transfer_message::termination);
    CHECK(transfer_process::status(d.s) == "TERMINATED");
  }
}

TEST_CASE("an order to end is refused while our completion is on its way, since the peer may have taken it") {
  auto d = reach(role::consumer, transfer_state::started, false);
  REQUIRE(d.ask(transfer_process::complete{}));
  CHECK(d.refusal_of(transfer_process::terminate{"too late", {}}) == "illegal_transition");
  SUBCASE("taken") {
    d.done("message TransferCompletionMessage");
    CHECK(d.s.dsp_state == transfer_state::completed);
  }
  SUBCASE("without an answer") {
    REQUIRE(d.ask(transfer_process::not_delivered{d.effect().message_id, "no answer", true}));
    CHECK(d.refusal_of(transfer_process::terminate{"too late", {}}) == "illegal_transition");
  }
  SUBCASE("the peer ends it") {
    d.take(transfer_message::termination);
    CHECK(d.ask(transfer_process::terminate{"too late", {}})->events.empty());
  }
}

TEST_CASE("a signal that may be on its way is never overtaken by the one that undoes it") {
  driven d;
  REQUIRE(d.ask(request()));
  REQUIRE(d.next() == "signal start");
  d.take(transfer_message::termination);
  CHECK(dsp_view(d.s).state == "TERMINATED");
  SUBCASE("the start is taken after all") { d.done("signal start", "sealed-orphan"); }
  SUBCASE("the start fails") {
    REQUIRE(d.ask(transfer_process::signal_failed{d.effect().message_id, "no connection", true}));
  }
  CHECK(d.s.sealed_address.empty());
  d.done("signal terminate");
  CHECK(transfer_process::owed(d.s).empty());
}

TEST_CASE("a data plane's refusal ends a start and is noted for what follows an end") {
  driven d;
  REQUIRE(d.ask(request()));
  SUBCASE("start") {
    REQUIRE(d.ask(transfer_process::signal_failed{d.effect().message_id, "409", false}));
    CHECK(dsp_view(d.s).state == "TERMINATED");
    CHECK(d.s.causes[0].side == cause_side::data_plane);
    CHECK(d.s.error_detail == "The data plane refused 'start': 409");
    d.done("signal terminate");
    d.done("message TransferTerminationMessage");
  }
  SUBCASE("terminate") {
    d.done("signal start", "sealed");
    d.take(transfer_message::termination);
    REQUIRE(d.ask(transfer_process::signal_failed{d.effect().message_id, "404", false}));
    CHECK(d.s.causes.back().text == "The data plane refused 'terminate': 404");
  }
  CHECK(transfer_process::status(d.s) == "TERMINATED");
  CHECK(transfer_process::owed(d.s).empty());
}

TEST_CASE("a data plane that does not answer is tried for the window, then the transfer ends") {
  driven d;
  REQUIRE(d.ask(request()));
  const auto id = d.effect().message_id;
  CHECK(d.ask(transfer_process::signal_failed{id, "no connection", true})->events.size() == 1);
  CHECK(d.ask(transfer_process::signal_failed{id, "no connection", true})->events.empty());
  CHECK_FALSE(transfer_process::tick(d.s, d.now));
  d.now += d.s.terms.settings.send_window_ms;
  REQUIRE(transfer_process::tick(d.s, d.now));
  REQUIRE(d.ask(transfer_process::time_passed{}));
  CHECK(dsp_view(d.s).state == "TERMINATED");
  CHECK(d.s.error_detail ==
        "The signal 'start' to the data plane was not acknowledged within 4 h. Last failure: no connection");
}

TEST_CASE("each step has the whole window from the moment it is the first") {
  driven d;
  REQUIRE(d.ask(request()));
  d.now += milliseconds{3'600'000};
  d.done("signal start", "sealed");
  CHECK(d.s.queue.steps.front().window_until == d.now + d.s.terms.settings.send_window_ms);
}

TEST_CASE("a refused transfer message is probed: taken, passed, ended or sent again and given up") {
  driven d;
  REQUIRE(d.ask(request()));
  d.done("signal start", "sealed");
  const auto id = d.effect().message_id;
  REQUIRE(d.ask(transfer_process::not_delivered{id, "409", false}));
  CHECK(d.effect().probe);
  CHECK(d.effect().probe_path == "/transfers/peer-pid");
  SUBCASE("taken") {
    REQUIRE(d.ask(transfer_process::probe_result{id, "STARTED", {}, false}));
    CHECK(transfer_process::status(d.s) == "STARTED");
  }
  SUBCASE("taken and passed") {
    REQUIRE(d.ask(transfer_process::probe_result{id, "COMPLETED", {}, false}));
    CHECK(transfer_process::status(d.s) == "STARTED");
  }
  SUBCASE("ended") {
    REQUIRE(d.ask(transfer_process::probe_result{id, "TERMINATED", {}, false}));
    d.done("signal terminate");
    CHECK(transfer_process::owed(d.s).empty());
  }
  SUBCASE("given up after the third refusal") {
    for (int i = 0; i < 2; ++i) {
      REQUIRE(d.ask(transfer_process::probe_result{id, "REQUESTED", {}, false}));
      CHECK_FALSE(d.effect().probe);
      CHECK(d.effect().message_id == id);
      REQUIRE(d.ask(transfer_process::not_delivered{id, "409", false}));
    }
    REQUIRE(d.ask(transfer_process::probe_result{id, "REQUESTED", {}, false}));
    CHECK(d.s.error_detail == "The counterparty refused our TransferStartMessage 3 times: 409");
    d.done("signal terminate");
    d.done("message TransferTerminationMessage");
  }
}

TEST_CASE("a request that the provider refuses ends the transfer with the provider's cause") {
  driven d;
  REQUIRE(d.ask(transfer_process::initiate{terms("HttpData-PULL", false)}));
  REQUIRE(d.ask(transfer_process::not_delivered{d.effect().message_id, "409: agreement not valid", false}));
  CHECK(transfer_process::status(d.s) == "TERMINATED");
  CHECK(d.s.causes.size() == 1);
  CHECK(d.s.causes[0].side == cause_side::peer);
  CHECK(transfer_process::owed(d.s).empty());
}

TEST_CASE("a transfer ended while its request was on its way tells the peer once its process id is known") {
  for (bool plane : {true, false}) {
    driven d;
    REQUIRE(d.ask(transfer_process::initiate{terms("HttpData-PULL", plane)}));
    if (plane)
      d.done("signal prepare");
    const auto id = d.effect().message_id;
    REQUIRE(d.ask(transfer_process::terminate{"no longer needed", {}}));
    CHECK(d.ask(transfer_process::delivered{"stale", "peer-pid"})->events.empty());
    REQUIRE(d.ask(transfer_process::delivered{id, "peer-pid"}));
    if (plane)
      d.done("signal terminate");
    CHECK(d.effect().path == "/transfers/peer-pid/termination");
    d.done("message TransferTerminationMessage");
    CHECK(transfer_process::owed(d.s).empty());
  }
}

TEST_CASE("an error on the wire is noted and changes no state") {
  auto d = reach(role::provider, transfer_state::started);
  REQUIRE(d.ask(transfer_process::flow_report{"dp-1", flow_signal::errored, {}, "disk is gone"}));
  CHECK(transfer_process::status(d.s) == "STARTED");
  CHECK(d.s.error_detail == "disk is gone");
  CHECK(transfer_process::owed(d.s).empty());
  CHECK(d.ask(transfer_process::flow_report{"dp-1", flow_signal::errored, {}, "disk is gone"})->events.empty());
  CHECK(d.refusal_of(transfer_process::flow_report{"dp-1", flow_signal::suspend, {}, {}}) == "bad_message");
}

TEST_CASE("a data plane's completion is taken only while the transfer runs") {
  for (auto state : all_states) {
    auto d = reach(role::provider, state);
    const bool fits = state == transfer_state::started || state == transfer_state::completed;
    CHECK(d.refusal_of(transfer_process::flow_report{"dp-1", flow_signal::completed, {}, {}}) ==
          (fits ? "" : "illegal_transition"));
  }
}

TEST_CASE("a silent provider ends a requested transfer, a running one is only looked at") {
  auto waiting = reach(role::consumer, transfer_state::requested, false);
  waiting.now = *transfer_process::wake_at(waiting.s);
  REQUIRE(waiting.ask(*transfer_process::tick(waiting.s, waiting.now)));
  CHECK(waiting.s.error_detail == "The counterparty was silent for 7 d in state REQUESTED.");
  auto running = reach(role::consumer, transfer_state::started, false);
  running.now = *transfer_process::wake_at(running.s);
  REQUIRE(running.ask(*transfer_process::tick(running.s, running.now)));
  CHECK(transfer_process::status(running.s) == "STARTED");
  CHECK(running.s.sealed_address == "sealed-start");
  CHECK(*transfer_process::wake_at(running.s) > running.now);
}

TEST_CASE("an operator's termination of a transfer: once, in every live state") {
  for (auto self : {role::consumer, role::provider})
    for (auto state : all_states) {
      auto d = reach(self, state);
      CHECK(d.refusal_of(transfer_process::terminate{"stop", {}}) ==
            (state == transfer_state::completed ? "illegal_transition" : ""));
      if (state == transfer_state::completed)
        continue;
      settle(d);
      CHECK(transfer_process::status(d.s) == "TERMINATED");
      CHECK(d.ask(transfer_process::terminate{})->events.empty());
    }
}

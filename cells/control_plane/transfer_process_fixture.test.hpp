#pragma once

#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cells/control_plane/transfer_process.hpp"

/// A transfer as the shell drives it, for its unit tests.
namespace fondaco::control_plane::transfer_fixture {

using dps::flow_signal;
using dsp::role;
using dsp::transfer_message;
using dsp::transfer_state;
namespace ev = transfer_events;

inline const timepoint t0 = from_epoch_ms(1'750'000'000'000);
inline const std::string own_id = "0198a0c0-0000-7000-8000-000000000002";
inline const std::string them = "did:web:them";

/// A transfer with a history, driven as the shell drives it.
struct driven {
  transfer_process::state s;
  std::vector<transfer_event> history;
  timepoint now = t0;
  int ids = 0;

  std::expected<actors::decision<transfer_process>, actors::refusal> ask(transfer_process::command c) {
    auto d = transfer_process::decide(s, c, now);
    if (d)
      for (const auto& e : d->events) {
        s = transfer_process::evolve(std::move(s), e);
        history.push_back(e);
      }
    return d;
  }
  std::string refusal_of(transfer_process::command c) {
    auto d = ask(std::move(c));
    return d ? "" : d.error().why.code + (d.error().hold ? " hold" : "");
  }
  transfer_process::receive_message message(transfer_message type, std::string id = {}, std::string address = {}) {
    transfer_process::receive_message c;
    c.envelope.type = type;
    c.envelope.message_id = id.empty() ? "m-" + std::to_string(++ids) : id;
    const bool consumes = s.terms.self == role::consumer;
    c.envelope.consumer_pid = consumes ? s.terms.id : "peer-pid";
    c.envelope.provider_pid = consumes ? "peer-pid" : s.terms.id;
    c.counterparty_id = them;
    c.sealed_address = std::move(address);
    return c;
  }
  void take(transfer_message type, std::string address = {}) { REQUIRE(ask(message(type, {}, std::move(address)))); }

  /// What is owed first, as `signal start` or `message start`; empty if nothing.
  std::string next() const {
    const auto owed = transfer_process::owed(s);
    if (owed.empty())
      return {};
    const auto& body = owed[0].body;
    return body.signal ? "signal " + std::string(dps::name_of(*body.signal))
                       : "message " + std::string(dsp::name_of(body.envelope.type));
  }
  const transfer_process::effect effect() const {
    const auto owed = transfer_process::owed(s);
    REQUIRE(owed.size() == 1);
    return owed[0].body;
  }
  /// The receiver takes what is owed first.
  void done(const std::string& wanted, std::string address = {}, bool pending = false) {
    REQUIRE(next() == wanted);
    const auto id = effect().message_id;
    if (effect().signal)
      REQUIRE(ask(transfer_process::signal_taken{id, pending, {}, std::move(address)}));
    else
      REQUIRE(ask(transfer_process::delivered{id, "peer-pid"}));
  }
};

inline transfer_terms terms(std::string format = "HttpData-PULL", bool plane = true) {
  transfer_terms t;
  t.id = own_id;
  t.counterparty_id = them;
  t.counterparty_address = "https://them/dsp";
  t.callback_address = "https://us/dsp";
  t.participant_id = "did:web:us";
  t.profile = "closed";
  t.agreement_id = "agreement-1";
  t.asset_id = "asset-1";
  t.format = std::move(format);
  if (plane)
    t.plane = chosen_plane{"dp-1", "http://dp:8080"};
  t.signaling_address = "http://us:8083";
  t.request_id = "req-1";
  t.request_digest = "digest-1";
  return t;
}

inline transfer_process::receive_request request(std::string format = "HttpData-PULL", process_settings settings = {}) {
  transfer_process::receive_request c;
  c.envelope.type = transfer_message::request;
  c.envelope.message_id = "first";
  c.envelope.consumer_pid = "peer-pid";
  c.envelope.agreement_id = "agreement-1";
  c.envelope.format = format;
  c.envelope.callback_address = "https://them/dsp";
  c.terms = terms(format);
  c.terms.settings = settings;
  c.allowed = true;
  return c;
}

inline process_settings by_hand() {
  process_settings s;
  s.automatic = false;
  return s;
}

/// Runs what is owed until nothing is.
inline void settle(driven& d) {
  for (int i = 0; i < 8 && !d.next().empty(); ++i)
    d.done(d.next(), "sealed-" + std::to_string(++d.ids));
}

/// A pull of this side in this state, with or without a data plane of our own, settled.
inline driven reach(role self, transfer_state wanted, bool plane = true) {
  driven d;
  if (self == role::consumer)
    REQUIRE(d.ask(transfer_process::initiate{terms("HttpData-PULL", plane)}));
  else
    REQUIRE(d.ask(request("HttpData-PULL", by_hand())));
  settle(d);
  if (wanted == transfer_state::requested)
    return d;
  if (wanted == transfer_state::terminated) {
    d.take(transfer_message::termination);
  } else {
    if (self == role::consumer)
      d.take(transfer_message::start, "sealed-start");
    else
      REQUIRE(d.ask(transfer_process::start{}));
    settle(d);
    if (wanted == transfer_state::suspended)
      d.take(transfer_message::suspension);
    if (wanted == transfer_state::completed)
      d.take(transfer_message::completion);
  }
  settle(d);
  REQUIRE(d.s.dsp_state == wanted);
  REQUIRE(transfer_process::owed(d.s).empty());
  return d;
}

inline constexpr transfer_state all_states[] = {transfer_state::requested, transfer_state::started,
                                                transfer_state::suspended, transfer_state::completed,
                                                transfer_state::terminated};
inline constexpr transfer_message all_messages[] = {transfer_message::request, transfer_message::start,
                                                    transfer_message::suspension, transfer_message::completion,
                                                    transfer_message::termination};

inline char letter(transfer_message m) { return "rscxt"[static_cast<size_t>(m)]; }

/// DSP reference, section 8.2: what a side accepts (s start, c suspension, x completion, t termination).
inline std::string accepted_in(role self, transfer_state s) {
  switch (s) {
  case transfer_state::requested: return self == role::consumer ? "st" : "t";
  case transfer_state::started: return "cxt";
  case transfer_state::suspended: return "st";
  default: return "";
  }
}

} // namespace fondaco::control_plane::transfer_fixture

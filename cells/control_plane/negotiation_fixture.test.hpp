#pragma once

#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cells/control_plane/negotiation.hpp"

/// A negotiation as the shell drives it, for its unit tests.
namespace fondaco::control_plane::negotiation_fixture {

using dsp::negotiation_message;
using dsp::negotiation_state;
using dsp::role;
namespace ev = negotiation_events;

inline const timepoint t0 = from_epoch_ms(1'750'000'000'000);
inline const std::string own_id = "0198a0c0-0000-7000-8000-000000000001";
inline const std::string us = "did:web:us";
inline const std::string them = "did:web:them";

inline json::object offer(std::string_view action = "use") {
  return json::object{{"@id", "offer-1"},
                      {"@type", "Offer"},
                      {"target", "asset-1"},
                      {"assigner", "did:web:them"},
                      {"permission", json::array{json::object{{"action", action}}}}};
}

inline json::object agreement(std::string_view action = "use") {
  auto o = offer(action);
  o["@id"] = "agreement-1";
  o["@type"] = "Agreement";
  o["assignee"] = us;
  o["timestamp"] = "2025-06-15T15:06:40Z";
  return o;
}

inline negotiation::offer_verdict allowed() {
  json::object terms{{"@type", "Set"}, {"permission", json::array{json::object{{"action", "use"}}}}};
  return {true, {}, "asset-1", std::move(terms)};
}

/// A negotiation with a history, driven as the shell drives it.
struct driven {
  negotiation::state s;
  std::vector<negotiation_event> history;
  std::vector<persistence::document_write> documents;
  std::vector<persistence::name_claim> names;
  timepoint now = t0;
  int ids = 0;

  std::expected<actors::decision<negotiation>, actors::refusal> ask(negotiation::command c) {
    auto d = negotiation::decide(s, c, now);
    if (d)
      for (const auto& e : d->events) {
        s = negotiation::evolve(std::move(s), e);
        history.push_back(e);
      }
    if (d) {
      documents.insert(documents.end(), d->documents.begin(), d->documents.end());
      names.insert(names.end(), d->names.begin(), d->names.end());
    }
    return d;
  }
  std::string refusal_of(negotiation::command c) {
    auto d = ask(std::move(c));
    return d ? "" : d.error().why.code + (d.error().hold ? " hold" : "");
  }

  negotiation::receive_message message(negotiation_message type, std::string id = {}) {
    negotiation::receive_message c;
    c.envelope.type = type;
    c.envelope.message_id = id.empty() ? "m-" + std::to_string(++ids) : id;
    c.envelope.consumer_pid = s.self == role::consumer ? s.id : "peer-pid";
    c.envelope.provider_pid = s.self == role::provider ? s.id : "peer-pid";
    c.counterparty_id = them;
    c.verdict = allowed();
    if (type == negotiation_message::request || type == negotiation_message::offer)
      c.envelope.policy = offer();
    if (type == negotiation_message::agreement)
      c.envelope.policy = agreement();
    return c;
  }
  void take(negotiation_message type) { REQUIRE(ask(message(type))); }
  void send(negotiation_message type) {
    negotiation::send c;
    c.type = type;
    c.offer = offer();
    REQUIRE(ask(c));
    acknowledge();
  }
  void acknowledge() {
    REQUIRE(s.outbox);
    REQUIRE(ask(negotiation::delivered{s.outbox->message_id, "peer-pid"}));
  }
};

inline negotiation::initiate initiation(process_settings settings = {}) {
  negotiation::initiate c;
  c.id = own_id;
  c.counterparty_id = them;
  c.counterparty_address = "https://them/dsp";
  c.callback_address = "https://us/dsp";
  c.participant_id = us;
  c.profile = "closed";
  c.asset_id = "asset-1";
  c.offer = offer();
  c.request_id = "req-1";
  c.request_digest = "digest-1";
  c.settings = settings;
  return c;
}

inline negotiation::receive_initial first_request(process_settings settings = {}) {
  negotiation::receive_initial c;
  c.id = own_id;
  c.envelope.type = negotiation_message::request;
  c.envelope.message_id = "first";
  c.envelope.consumer_pid = "peer-pid";
  c.envelope.callback_address = "https://them/dsp";
  c.envelope.policy = offer();
  c.counterparty_id = them;
  c.participant_id = us;
  c.callback_address = "https://us/dsp";
  c.profile = "closed";
  c.verdict = allowed();
  c.claims = json::object{{"region", "eu"}};
  c.settings = settings;
  return c;
}

inline process_settings by_hand() {
  process_settings s;
  s.automatic = false;
  return s;
}

/// A negotiation of this side in this state, without automatic reactions.
inline driven reach(role self, negotiation_state wanted) {
  using enum negotiation_message;
  driven d;
  if (self == role::consumer) {
    REQUIRE(d.ask(initiation(by_hand())));
    d.acknowledge();
  } else {
    REQUIRE(d.ask(first_request(by_hand())));
  }
  const bool consumes = self == role::consumer;
  const auto go = [&](negotiation_message m, role sender) { sender == self ? d.send(m) : d.take(m); };
  switch (wanted) {
  case negotiation_state::requested: break;
  case negotiation_state::offered: go(offer, role::provider); break;
  case negotiation_state::accepted:
    go(offer, role::provider);
    go(accepted, role::consumer);
    break;
  case negotiation_state::agreed: go(agreement, role::provider); break;
  case negotiation_state::verified:
  case negotiation_state::finalized:
    go(agreement, role::provider);
    go(verification, role::consumer);
    if (wanted == negotiation_state::finalized)
      go(finalized, role::provider);
    break;
  case negotiation_state::terminated: d.take(termination); break;
  }
  CHECK(consumes == (d.s.self == role::consumer));
  REQUIRE(d.s.dsp_state == wanted);
  REQUIRE_FALSE(d.s.outbox);
  return d;
}

inline constexpr negotiation_state all_states[] = {
    negotiation_state::requested, negotiation_state::offered,   negotiation_state::accepted,  negotiation_state::agreed,
    negotiation_state::verified,  negotiation_state::finalized, negotiation_state::terminated};
inline constexpr negotiation_message all_messages[] = {
    negotiation_message::request,    negotiation_message::offer,        negotiation_message::accepted,
    negotiation_message::agreement,  negotiation_message::verification, negotiation_message::finalized,
    negotiation_message::termination};

/// DSP reference, section 7.3, the matrix of expected rejections: the columns that are accepted, by state.
inline std::string accepted_in(role self, negotiation_state s) {
  // r request, o offer, a ACCEPTED, g agreement, v verification, f FINALIZED, t termination
  static const std::map<std::pair<role, negotiation_state>, std::string> matrix = {
      {{role::provider, negotiation_state::requested}, "t"}, {{role::provider, negotiation_state::offered}, "rat"},
      {{role::provider, negotiation_state::accepted}, "t"},  {{role::provider, negotiation_state::agreed}, "vt"},
      {{role::provider, negotiation_state::verified}, "t"},  {{role::consumer, negotiation_state::requested}, "ogt"},
      {{role::consumer, negotiation_state::offered}, "t"},   {{role::consumer, negotiation_state::accepted}, "gt"},
      {{role::consumer, negotiation_state::agreed}, "t"},    {{role::consumer, negotiation_state::verified}, "ft"},
  };
  const auto found = matrix.find({self, s});
  return found == matrix.end() ? "" : found->second;
}

inline char letter(negotiation_message m) { return "roagvft"[static_cast<size_t>(m)]; }

} // namespace fondaco::control_plane::negotiation_fixture

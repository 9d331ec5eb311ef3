#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cells/credential_service/credential_request.hpp"

/// A credential request as the shell drives it, for its unit tests.
namespace fondaco::credential_service::request_fixture {

namespace ev = credential_request_events;
using step = credential_request::step;
using enum request_state;

inline const timepoint t0 = from_epoch_ms(1'750'000'000'000);
inline const std::string issuer = "did:web:issuer.example";
inline constexpr milliseconds window{24 * 3'600'000};

inline std::vector<requested_credential> membership() { return {{"def-1", "MembershipCredential", "vc11-sl2021/jwt"}}; }

inline credential_request::begin beginning(std::string request_id = "req-1") {
  credential_request::begin c;
  c.id = "holder-pid-1";
  c.issuer_did = issuer;
  c.wanted = membership();
  c.window_ms = window;
  c.request_id = std::move(request_id);
  c.request_digest = "digest-1";
  c.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  return c;
}

struct driven {
  credential_request::state s;
  std::vector<credential_request_event> history;
  timepoint now = t0;

  std::expected<actors::decision<credential_request>, actors::refusal> ask(credential_request::command c) {
    auto d = credential_request::decide(s, c, now);
    if (d)
      for (const auto& e : d->events) {
        s = credential_request::evolve(std::move(s), e);
        history.push_back(e);
      }
    return d;
  }
  /// The refusal's code; else the count of events.
  std::string outcome_of(credential_request::command c) {
    auto d = ask(std::move(c));
    return d ? std::to_string(d->events.size()) : d.error().why.code;
  }
  std::string owed_key() const {
    const auto owed = credential_request::owed(s);
    return owed.empty() ? "" : owed.front().key;
  }
};

/// A request in this state.
inline driven reach(request_state wanted) {
  driven d;
  REQUIRE(d.ask(beginning()));
  if (wanted == created)
    return d;
  if (wanted == error) {
    REQUIRE(d.ask(credential_request::step_failed{step::prepare, "no such issuer", false, false}));
    return d;
  }
  REQUIRE(d.ask(credential_request::prepared{membership()}));
  if (wanted == requesting)
    return d;
  REQUIRE(d.ask(credential_request::accepted{"issuer-pid"}));
  if (wanted == issued)
    REQUIRE(d.ask(credential_request::receive_credentials{issuer, "issuer-pid", {"vc-1"}}));
  REQUIRE(d.s.at == wanted);
  return d;
}

inline constexpr request_state all_states[] = {created, requesting, requested, issued, error};

} // namespace fondaco::credential_service::request_fixture

#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cells/issuer_service/issuance.hpp"

/// An issuance as the shell drives it, for its unit tests.
namespace fondaco::issuer_service::issuance_fixture {

namespace ev = issuance_events;
using trouble = issuance::trouble;
using enum issuance_state;

inline const timepoint t0 = from_epoch_ms(1'750'000'000'000);
inline const std::string holder = "did:web:holder.example";
inline constexpr milliseconds window{24 * 3'600'000};

inline std::vector<planned_credential> two_planned() {
  std::vector<planned_credential> out;
  for (const char* type : {"MembershipCredential", "SensitiveDataCredential"}) {
    planned_credential p;
    p.credential_id = std::string("urn:uuid:") + type;
    p.definition_id = std::string("def-") + type;
    p.credential_type = type;
    p.format = "vc11-sl2021/jwt";
    p.validity_s = 3600;
    p.status_purposes = {"revocation"};
    p.subject = {{"level", "gold"}};
    out.push_back(std::move(p));
  }
  return out;
}

inline issuance::begin beginning() {
  issuance::begin c;
  c.id = "issuer-pid-1";
  c.participant_context = "issuer";
  c.holder_pid = "holder-pid-1";
  c.holder_id = "holder-1";
  c.holder_did = holder;
  c.sealed_token = "v1.token";
  c.claims = {{"level", "gold"}};
  c.plan = two_planned();
  c.window_ms = window;
  c.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  return c;
}

inline issuance::begin refused_beginning() {
  auto c = beginning();
  c.plan.clear();
  c.reasons = {"The rule 'a EQ b' does not hold."};
  c.definitions = {"def-1"};
  return c;
}

inline issuance::made two_made() {
  issuance::made out;
  int64_t index = 0;
  for (const auto& p : two_planned()) {
    made_credential m;
    m.credential_id = p.credential_id;
    m.definition_id = p.definition_id;
    m.credential_type = p.credential_type;
    m.format = p.format;
    m.sealed = "v1.sealed-" + p.credential_type;
    m.model = {{"issuer", json::object{{"id", "did:web:issuer.example"}}}};
    m.places = {{"revocation", "list-0", index++}};
    out.credentials.push_back(std::move(m));
  }
  return out;
}

struct driven {
  issuance::state s;
  std::vector<issuance_event> history;
  timepoint now = t0;
  /// The documents as they are now, by their ids.
  std::vector<persistence::document_write> written;

  std::expected<actors::decision<issuance>, actors::refusal> ask(issuance::command c) {
    auto d = issuance::decide(s, c, now);
    if (d) {
      for (const auto& e : d->events) {
        s = issuance::evolve(std::move(s), e);
        history.push_back(e);
      }
      written = d->documents;
    }
    return d;
  }
  /// The refusal's code; else the count of events.
  std::string outcome_of(issuance::command c) {
    auto d = ask(std::move(c));
    return d ? std::to_string(d->events.size()) : d.error().why.code;
  }
  std::string owed_key() const {
    const auto owed = issuance::owed(s);
    return owed.empty() ? "" : owed.front().key;
  }
};

/// Where an issuance can be, as these tests name it.
enum class place : uint8_t { nowhere, approved, made, delivered, errored, telling, rejected };
inline constexpr place all_places[] = {place::nowhere, place::approved, place::made,    place::delivered,
                                       place::errored, place::telling,  place::rejected};

inline driven reach(place wanted) {
  driven d;
  if (wanted == place::nowhere)
    return d;
  if (wanted == place::rejected) {
    REQUIRE(d.ask(refused_beginning()));
    return d;
  }
  REQUIRE(d.ask(beginning()));
  if (wanted == place::approved)
    return d;
  if (wanted == place::telling) {
    REQUIRE(d.ask(issuance::making_failed{"too long", false}));
    return d;
  }
  REQUIRE(d.ask(two_made()));
  if (wanted == place::delivered)
    REQUIRE(d.ask(issuance::delivered{}));
  if (wanted == place::errored)
    REQUIRE(d.ask(issuance::delivery_failed{"The holder answered 403.", trouble::permanent, true}));
  return d;
}

} // namespace fondaco::issuer_service::issuance_fixture

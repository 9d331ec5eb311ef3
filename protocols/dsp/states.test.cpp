#include <doctest/doctest.h>

#include <set>
#include <string>

#include "protocols/dsp/messages.hpp"

using namespace fondaco;
using namespace fondaco::dsp;

namespace {

struct row {
  const char* from;
  role sender;
  /// One letter a message, in the order of the enumeration: the first letter of the state it leads to (G for AGREED), a
  /// dot if it is refused.
  const char* to;
};

// request, offer, accepted, agreement, verification, finalized, termination
constexpr row negotiation_rows[] = {
    {"", role::consumer, "R......"},           {"", role::provider, ".O....."},
    {"REQUESTED", role::consumer, "......T"},  {"REQUESTED", role::provider, ".O.G..T"},
    {"OFFERED", role::consumer, "R.A...T"},    {"OFFERED", role::provider, "......T"},
    {"ACCEPTED", role::consumer, "......T"},   {"ACCEPTED", role::provider, "...G..T"},
    {"AGREED", role::consumer, "....V.T"},     {"AGREED", role::provider, "......T"},
    {"VERIFIED", role::consumer, "......T"},   {"VERIFIED", role::provider, ".....FT"},
    {"FINALIZED", role::consumer, "......."},  {"FINALIZED", role::provider, "......."},
    {"TERMINATED", role::consumer, "......."}, {"TERMINATED", role::provider, "......."},
};

// request, start, suspension, completion, termination
constexpr row transfer_rows[] = {
    {"", role::consumer, "R...."},           {"", role::provider, "....."},
    {"REQUESTED", role::consumer, "....T"},  {"REQUESTED", role::provider, ".S..T"},
    {"STARTED", role::consumer, "..UCT"},    {"STARTED", role::provider, "..UCT"},
    {"SUSPENDED", role::consumer, ".S..T"},  {"SUSPENDED", role::provider, ".S..T"},
    {"COMPLETED", role::consumer, "....."},  {"COMPLETED", role::provider, "....."},
    {"TERMINATED", role::consumer, "....."}, {"TERMINATED", role::provider, "....."},
};

std::string negotiation_name(char letter) {
  switch (letter) {
  case 'R': return "REQUESTED";
  case 'O': return "OFFERED";
  case 'A': return "ACCEPTED";
  case 'G': return "AGREED";
  case 'V': return "VERIFIED";
  case 'F': return "FINALIZED";
  case 'T': return "TERMINATED";
  default: return "";
  }
}

std::string transfer_name(char letter) {
  switch (letter) {
  case 'R': return "REQUESTED";
  case 'S': return "STARTED";
  case 'U': return "SUSPENDED";
  case 'C': return "COMPLETED";
  case 'T': return "TERMINATED";
  default: return "";
  }
}

} // namespace

TEST_CASE("a negotiation moves exactly as the protocol's table says, for every state, message and sender") {
  std::set<std::pair<std::string, role>> seen;
  for (const auto& r : negotiation_rows) {
    REQUIRE(seen.emplace(r.from, r.sender).second);
    auto from = parse_negotiation_state(r.from);
    REQUIRE(from.has_value() == (r.from[0] != 0));
    for (uint8_t m = 0; m < 7; ++m) {
      auto message = static_cast<negotiation_message>(m);
      CAPTURE(r.from);
      CAPTURE(name_of(r.sender));
      CAPTURE(name_of(message));
      auto to = next_state(from, message, r.sender);
      CHECK(std::string(to ? name_of(*to) : "") == negotiation_name(r.to[m]));
    }
  }
  CHECK(seen.size() == 16);
}

TEST_CASE("a transfer moves exactly as the protocol's table says, for every state, message and sender") {
  std::set<std::pair<std::string, role>> seen;
  for (const auto& r : transfer_rows) {
    REQUIRE(seen.emplace(r.from, r.sender).second);
    auto from = parse_transfer_state(r.from);
    REQUIRE(from.has_value() == (r.from[0] != 0));
    for (uint8_t m = 0; m < 5; ++m) {
      auto message = static_cast<transfer_message>(m);
      CAPTURE(r.from);
      CAPTURE(name_of(r.sender));
      CAPTURE(name_of(message));
      auto to = next_state(from, message, r.sender);
      CHECK(std::string(to ? name_of(*to) : "") == transfer_name(r.to[m]));
    }
  }
  CHECK(seen.size() == 12);
}

TEST_CASE("nothing leaves a final state and everything else can be terminated by either side") {
  for (uint8_t s = 0; s < 7; ++s) {
    auto state = static_cast<negotiation_state>(s);
    for (auto sender : {role::consumer, role::provider})
      CHECK(next_state(state, negotiation_message::termination, sender).has_value() == !is_final(state));
  }
  for (uint8_t s = 0; s < 5; ++s) {
    auto state = static_cast<transfer_state>(s);
    for (auto sender : {role::consumer, role::provider})
      CHECK(next_state(state, transfer_message::termination, sender).has_value() == !is_final(state));
  }
}

TEST_CASE("a state's name reads back as the state, and other names as none") {
  for (uint8_t s = 0; s < 7; ++s)
    CHECK(parse_negotiation_state(name_of(static_cast<negotiation_state>(s))) == static_cast<negotiation_state>(s));
  for (uint8_t s = 0; s < 5; ++s)
    CHECK(parse_transfer_state(name_of(static_cast<transfer_state>(s))) == static_cast<transfer_state>(s));
  for (const char* name : {"", "requested", "AGREEING", "COMPLETED ", "SUSPENDED"})
    CHECK_FALSE(parse_negotiation_state(name));
  CHECK_FALSE(parse_transfer_state("OFFERED"));
  CHECK(name_of(role::consumer) == "CONSUMER");
  CHECK(name_of(role::provider) == "PROVIDER");
}

#include "cells/issuer_service/claims.hpp"

#include <doctest/doctest.h>

using namespace fondaco;
using namespace fondaco::issuer_service;

namespace {

json::object object_of(const char* text) { return json::parse(text)->as_object(); }

const json::object& claims() {
  static const json::object all = object_of(R"({
    "onboarding": {"signedDocuments": true, "level": 3, "note": "3", "share": 0.5, "gone": null},
    "participant": {"name": "Alice", "address": {"city": "Venice"}},
    "membershipType": "gold", "since": -7, "list": [1, 2]})");
  return all;
}

} // namespace

TEST_CASE("a rule holds exactly where the table says so") {
  struct row {
    const char* claim;
    const char* op;
    const char* value;
    bool holds;
  };
  for (const auto& [claim, op, value, holds] : {
           row{"onboarding.signedDocuments", "eq", "true", true},
           row{"onboarding.signedDocuments", "EQ", "\"true\"", true},
           row{"onboarding.signedDocuments", "eq", "false", false},
           row{"onboarding.signedDocuments", "neq", "false", true},
           row{"onboarding.signedDocuments", "neq", "true", false},
           row{"membershipType", "Eq", "\"gold\"", true},
           row{"membershipType", "eq", "\"Gold\"", false},
           row{"onboarding.level", "eq", "3", true},
           row{"onboarding.note", "eq", "3", true},
           row{"onboarding.level", "gt", "2", true},
           row{"onboarding.level", "gt", "3", false},
           row{"onboarding.level", "geq", "3", true},
           row{"onboarding.level", "geq", "4", false},
           row{"onboarding.level", "lt", "4", true},
           row{"onboarding.level", "lt", "3", false},
           row{"onboarding.level", "leq", "3", true},
           row{"onboarding.level", "LEQ", "2", false},
           row{"since", "lt", "0", true},
           row{"onboarding.note", "gt", "2", false},
           row{"onboarding.share", "lt", "1", false},
           row{"onboarding.level", "gt", "\"2\"", false},
           row{"onboarding.level", "gt", "18446744073709551615", false},
           row{"onboarding.missing", "neq", "1", false},
           row{"onboarding.gone", "neq", "1", false},
           row{"membershipType.deeper", "neq", "1", false},
           row{"list", "eq", "[1,2]", true},
       }) {
    CAPTURE(claim);
    CAPTURE(op);
    CAPTURE(value);
    const auto rule = read_rule(json::object{
        {"type", "expression"},
        {"configuration", json::object{{"claim", claim}, {"operator", op}, {"value", *json::parse(value)}}}});
    REQUIRE(rule.has_value());
    const auto checked = check_rule(*rule, claims());
    CHECK(checked.has_value() == holds);
    if (!checked)
      CHECK(checked.error().find("The rule '") == 0);
  }
}

TEST_CASE("a rule's refusal names the rule and never the claim's value") {
  const auto rule = read_rule(*json::parse(
      R"({"type":"expression","configuration":{"claim":"membershipType","operator":"eq","value":"silver"}})"));
  const auto checked = check_rule(*rule, claims());
  CHECK(checked.error() == "The rule 'membershipType EQ silver' does not hold.");
  CHECK(check_rule(*rule, {}).error() == "The rule 'membershipType EQ silver' does not hold: the claim is missing.");
}

TEST_CASE("malformed rules and mappings are refused with what is wrong") {
  struct row {
    bool is_rule;
    const char* text;
    const char* why;
  };
  for (const auto& [is_rule, text, why] : {
           row{true, R"("x")", "type 'expression'"},
           row{true, R"({"type":"other","configuration":{}})", "type 'expression'"},
           row{true, R"({"type":"expression"})", "configuration.claim"},
           row{true, R"({"type":"expression","configuration":{"claim":"a..b","operator":"eq","value":1}})", "claim"},
           row{true, R"({"type":"expression","configuration":{"claim":"a","operator":"like","value":1}})", "operator"},
           row{true, R"({"type":"expression","configuration":{"claim":"a","value":1}})", "operator"},
           row{true, R"({"type":"expression","configuration":{"claim":"a","operator":"eq"}})", "value"},
           row{true, R"({"type":"expression","configuration":{"claim":"a","operator":"eq","value":null}})", "value"},
           row{false, R"([])", "input"},
           row{false, R"({"output":"credentialSubject.x"})", "input"},
           row{false, R"({"input":"","output":"credentialSubject.x"})", "input"},
           row{false, R"({"input":"a"})", "output"},
           row{false, R"({"input":"a","output":"issuer"})", "output"},
           row{false, R"({"input":"a","output":"credentialSubject."})", "output"},
           row{false, R"({"input":"a","output":"credentialSubject.x..y"})", "output"},
           row{false, R"({"input":"a","output":"credentialSubject.id"})", "the subject is the holder"},
           row{false, R"({"input":"a","output":"name","required":"yes"})", "required"},
       }) {
    CAPTURE(text);
    const auto v = *json::parse(text);
    const auto error =
        is_rule ? (read_rule(v) ? "" : read_rule(v).error()) : (read_mapping(v) ? "" : read_mapping(v).error());
    CHECK(error.find(why) != std::string::npos);
  }
}

TEST_CASE("mappings put claims where they say") {
  struct row {
    const char* mappings;
    /// The subject, or the beginning of the error.
    const char* made;
    const char* name;
  };
  for (
      const auto& [mappings, made, name] : {
          row{"[]", "{}", ""},
          row{R"([{"input":"participant.name","output":"credentialSubject.participant_name","required":true}])",
              R"({"participant_name":"Alice"})", ""},
          row{R"([{"input":"participant.name","output":"credentialSubject.a.b.c"}])", R"({"a":{"b":{"c":"Alice"}}})",
              ""},
          row{R"([{"input":"participant","output":"credentialSubject.p"},
                   {"input":"since","output":"credentialSubject.p.address.since"}])",
              R"({"p":{"name":"Alice","address":{"city":"Venice","since":-7}}})", ""},
          row{R"([{"input":"since","output":"credentialSubject.p.address.since"},
                   {"input":"participant","output":"credentialSubject.p"}])",
              R"({"p":{"address":{"since":-7,"city":"Venice"},"name":"Alice"}})", ""},
          row{R"([{"input":"since","output":"credentialSubject.x"},{"input":"list","output":"credentialSubject.x"}])",
              R"({"x":[1,2]})", ""},
          row{R"([{"input":"missing","output":"credentialSubject.x"}])", "{}", ""},
          row{R"([{"input":"onboarding.gone","output":"credentialSubject.x"}])", "{}", ""},
          row{R"([{"input":"participant.name","output":"name"}])", "{}", "Alice"},
          row{R"([{"input":"missing","output":"credentialSubject.x","required":true}])",
              "The claim 'missing' is required", ""},
          row{R"([{"input":"since","output":"credentialSubject.x"},{"input":"list","output":"credentialSubject.x.y"}])",
              "The mapping to credentialSubject.x.y meets", ""},
          row{R"([{"input":"since","output":"name"}])", "The claim 'since' must be a string", ""},
      }) {
    CAPTURE(mappings);
    std::vector<claim_mapping> all;
    const auto given = *json::parse(mappings);
    for (const auto& v : given.as_array())
      all.push_back(*read_mapping(v));
    const auto mapped = map_claims(all, claims());
    if (!mapped) {
      CHECK(mapped.error().starts_with(made));
      continue;
    }
    CHECK(json::write(mapped->subject) == made);
    CHECK(mapped->name == name);
    CHECK(mapped->description.empty());
  }
}

#include <doctest/doctest.h>

#include <string>

#include "protocols/odrl/canonical.hpp"
#include "protocols/odrl/operators.hpp"
#include "protocols/odrl/policy.hpp"

using namespace fondaco;
using namespace fondaco::odrl;

namespace {

json::value parsed(std::string_view text) {
  auto v = json::parse(text);
  REQUIRE_MESSAGE(v.has_value(), text);
  return *v;
}

policy read(const std::string& text) {
  auto p = read_policy(parsed(text).as_object());
  REQUIRE_MESSAGE(p.has_value(), p.error().detail);
  return *p;
}

policy permitting(const std::string& constraints) {
  return read(R"({"permission":[{"action":"use","constraint":[)" + constraints + "]}]}");
}

std::string atom(std::string_view left, std::string_view op, std::string_view right) {
  return R"({"leftOperand":")" + std::string(left) + R"(","operator":")" + std::string(op) + R"(","rightOperand":)" +
         std::string(right) + "}";
}

evaluation_context context() {
  evaluation_context c;
  c.scope = "contract.negotiation";
  c.counterparty_id = "did:web:consumer";
  c.attributes =
      parsed(
          R"({"region":"us","level":7,"member":true,"roles":["reader","auditor"],"a.b":"flat","home":{"land":"fr"}})")
          .as_object();
  c.now = *parse_rfc3339("2026-01-31T12:00:00Z");
  return c;
}

verdict judged(const policy& p) { return evaluate(p, built_in_functions(), context()); }

} // namespace

TEST_CASE("every operator means what its table says") {
  struct {
    const char* op;
    const char* found;
    const char* demanded;
    int holds; // 1 yes, 0 no, -1 cannot be compared
  } const cases[] = {
      {"eq", R"("a")", R"("a")", 1},
      {"eq", R"("a")", R"("A")", 0},
      {"eq", R"(["a"])", R"("a")", 1},
      {"eq", R"(["a","b"])", R"(["b","a"])", 1},
      {"eq", R"(["a","b"])", R"("a")", 0},
      {"eq", "5", "5.0", 1},
      {"eq", "5", R"("5")", 1},
      {"eq", R"("5")", R"("5.0")", 0},
      {"eq", "5", R"("5x")", 0},
      {"eq", "5", R"("inf")", 0},
      {"eq", "9007199254740993", "9007199254740992", 0},
      {"eq", "true", R"("true")", 1},
      {"eq", "true", "1", 0},
      {"eq", "[]", R"("a")", 0},
      {"neq", R"("a")", R"("b")", 1},
      {"neq", R"("a")", R"(["a"])", 0},
      {"gt", "7", "6.5", 1},
      {"gt", "7", R"("10")", 0},
      {"gt", R"("10")", R"("7")", 1},
      {"gteq", "7", "7", 1},
      {"lt", R"("2025-01-01T00:00:00Z")", R"("2025-01-01T00:00:00-01:00")", 1},
      {"lteq", R"("b")", R"("a")", 0},
      {"lt", R"("a")", R"("b")", 1},
      {"lt", R"("a")", "5", -1},
      {"lt", R"("a")", R"("5")", -1},
      {"lt", "true", "5", -1},
      {"gt", "[1,2]", "0", -1},
      {"isA", R"("a")", R"("a")", 1},
      {"isA", R"(["a","b"])", R"("b")", 1},
      {"isA", R"("c")", R"("b")", 0},
      {"isA", R"("c")", R"(["b","c"])", -1},
      {"isAnyOf", R"("eu")", R"(["eu","us"])", 1},
      {"isAnyOf", R"(["x","us"])", R"(["eu","us"])", 1},
      {"isAnyOf", R"("asia")", R"(["eu","us"])", 0},
      {"isAnyOf", R"("eu")", R"("eu")", 1},
      {"isAnyOf", "[]", R"(["eu"])", 0},
      {"isAllOf", R"(["a","b","c"])", R"(["a","b"])", 1},
      {"isAllOf", R"("a")", R"(["a","b"])", 0},
      {"isAllOf", R"("a")", "[]", 0},
      {"hasPart", R"(["a","b"])", R"("b")", 1},
      {"hasPart", R"("abc")", R"("b")", 0},
      {"isNoneOf", R"("a")", R"(["b","c"])", 1},
      {"isNoneOf", R"(["a","b"])", R"(["b","c"])", 0},
      {"isNoneOf", "[]", R"(["b"])", 1},
      {"isPartOf", R"(["a","b"])", R"(["c","b","a"])", 1},
      {"isPartOf", R"(["a","d"])", R"(["c","b","a"])", 0},
      {"isPartOf", "[]", R"(["c"])", 0},
      {"like", R"("a")", R"("a")", -1},
  };
  for (const auto& c : cases) {
    CAPTURE(c.op);
    CAPTURE(c.found);
    CAPTURE(c.demanded);
    auto r = compare(c.op, parsed(c.found), parsed(c.demanded));
    CHECK((r ? static_cast<int>(*r) : -1) == c.holds);
  }
}

TEST_CASE("a policy without constraints allows") {
  CHECK(judged(read(R"({"permission":[{"action":"use"}]})")).allowed);
  CHECK(judged(policy{}).allowed);
}

TEST_CASE("a refusal names the constraint, what was demanded and what was found") {
  struct {
    std::string constraint;
    const char* reason;
  } const cases[] = {
      {atom("attribute.region", "isAnyOf", R"(["eu"])"),
       R"(attribute.region isAnyOf ["eu"] was demanded, but the counterparty's region is "us")"},
      {atom("attribute.colour", "neq", R"("red")"),
       R"(attribute.colour neq "red" was demanded, but the counterparty has no attribute colour)"},
      {atom("counterPartyId", "eq", R"("did:web:other")"),
       R"(counterPartyId eq "did:web:other" was demanded, but the counterparty is "did:web:consumer")"},
      {atom("inForceDate", "lteq", R"("2026-01-01T00:00:00Z")"),
       R"(inForceDate lteq "2026-01-01T00:00:00Z" was demanded, but it is 2026-01-31T12:00:00Z)"},
      {R"({"or":[)" + atom("attribute.level", "gt", "8") + "," + atom("attribute.region", "eq", R"("eu")") + "]}",
       R"((attribute.level gt 8 or attribute.region eq "eu") was demanded, but )"
       R"(the counterparty's level is 7 and the counterparty's region is "us")"},
      {R"({"and":[)" + atom("attribute.level", "gt", "6") + "," + atom("attribute.level", "gt", "8") + "]}",
       "(attribute.level gt 6 and attribute.level gt 8) was demanded, but the counterparty's level is 7"},
      {R"({"xone":[)" + atom("attribute.level", "gt", "1") + "," + atom("attribute.level", "gt", "2") + "]}",
       "(exactly one of: attribute.level gt 1, attribute.level gt 2) was demanded, but 2 of them hold"},
  };
  for (const auto& c : cases) {
    auto v = judged(permitting(c.constraint));
    CHECK_FALSE(v.allowed);
    REQUIRE(v.reasons.size() == 1);
    CHECK(v.reasons.front() == c.reason);
  }
}

TEST_CASE("constraints that hold allow") {
  for (const auto& constraint :
       {atom("attribute.region", "eq", R"("us")"), atom("attribute.level", "gteq", R"("7")"),
        atom("attribute.member", "eq", R"("true")"), atom("attribute.roles", "hasPart", R"("auditor")"),
        atom("attribute.a.b", "eq", R"("flat")"), atom("attribute.home.land", "eq", R"("fr")"),
        atom("counterPartyId", "isAnyOf", R"(["did:web:x","did:web:consumer"])"),
        atom("inForceDate", "gteq", R"("2026-01-31T13:00:00+01:00")"),
        atom("https://w3id.org/edc/v0.0.1/ns/inForceDate", "lt", R"("2027-01-01T00:00:00Z")"),
        R"({"xone":[)" + atom("attribute.level", "gt", "1") + "," + atom("attribute.level", "gt", "9") + "]}",
        R"({"or":[)" + atom("attribute.none", "eq", "1") + "," + atom("attribute.level", "eq", "7") + "]}"}) {
    auto v = judged(permitting(constraint));
    CHECK_MESSAGE(v.allowed, constraint);
    CHECK(v.reasons.empty());
  }
}

TEST_CASE("what cannot be judged refuses, and says so") {
  for (const auto& constraint :
       {atom("attribute.none", "isNoneOf", R"(["a"])"), atom("counterPartyId", "gt", R"("a")"),
        atom("inForceDate", "eq", R"("contractAgreement+1d")"), atom("inForceDate", "isA", R"("2026-01-01T00:00:00Z")"),
        atom("inForceDate", "gt", R"("2026-01-01T00:00:00")"), atom("attribute.roles", "lt", "3"),
        atom("unbound", "eq", "1"), atom("attribute.", "eq", "1"),
        R"({"xone":[)" + atom("attribute.level", "eq", "7") + "," + atom("attribute.none", "eq", "1") + "]}",
        R"({"and":[)" + atom("attribute.level", "eq", "7") + "," + atom("attribute.none", "eq", "1") + "]}"}) {
    auto v = judged(permitting(constraint));
    CHECK_MESSAGE(!v.allowed, constraint);
    CHECK(v.reasons.size() == 1);
  }
}

TEST_CASE("a prohibition of the use refuses when it holds and when it cannot be judged") {
  auto prohibiting = [](const std::string& constraints) {
    return read(R"({"permission":[{"action":"use"}],"prohibition":[{"action":"use","constraint":[)" + constraints +
                "]}]}");
  };
  CHECK(judged(prohibiting(atom("attribute.region", "eq", R"("eu")"))).allowed);
  auto holds = judged(prohibiting(atom("attribute.region", "eq", R"("us")")));
  REQUIRE(holds.reasons.size() == 1);
  CHECK(holds.reasons[0] == R"(the use is prohibited if attribute.region eq "us", and that holds)");
  auto unknown = judged(prohibiting(atom("attribute.none", "eq", R"("us")")));
  REQUIRE(unknown.reasons.size() == 1);
  CHECK(unknown.reasons[0].find("the counterparty has no attribute none") != std::string::npos);
  CHECK_FALSE(judged(prohibiting("")).allowed);
  CHECK(judged(prohibiting(atom("attribute.region", "eq", R"("us")") + "," + atom("attribute.level", "gt", "8")))
            .allowed);
}

TEST_CASE("promises do not refuse, but what cannot be read in them does") {
  auto p = read(R"({"permission":[{"action":"use","duty":[{"action":"https://x/name"}]}],
    "prohibition":[{"action":"https://x/resell"}],
    "obligation":[{"action":"https://x/delete","constraint":[)" +
                atom("inForceDate", "gt", R"("2099-01-01T00:00:00Z")") + "]}]}");
  auto functions = built_in_functions();
  auto refused = evaluate(p, functions, context());
  CHECK_FALSE(refused.allowed);
  CHECK(refused.reasons.size() == 3);
  CHECK(refused.reasons == validate(p, functions));
  for (const char* action : {"https://x/name", "https://x/resell", "https://x/delete"})
    functions.allow_action(action);
  CHECK(validate(p, functions).empty());
  CHECK(evaluate(p, functions, context()).allowed);
  p.obligations[0].constraints[0].left_operand = "unbound";
  CHECK(validate(p, functions) ==
        std::vector<std::string>{"obligation[0].constraint[0]: no function is bound to the left operand unbound"});
  CHECK_FALSE(evaluate(p, functions, context()).allowed);
}

TEST_CASE("a function that fails with any code refuses") {
  auto functions = built_in_functions();
  functions.bind("odd",
                 [](std::string_view, const json::value&, const evaluation_context&) -> std::expected<bool, fault> {
                   return std::unexpected(make_fault(policy_errc::cannot_be_judged, "the oracle is silent"));
                 });
  auto v = evaluate(permitting(atom("odd", "eq", "1")), functions, context());
  CHECK_FALSE(v.allowed);
  REQUIRE(v.reasons.size() == 1);
  CHECK(v.reasons[0] == "odd eq 1 was demanded, but the oracle is silent");
}

TEST_CASE("an exact function goes before a prefix, and a later binding replaces an earlier one") {
  auto functions = built_in_functions();
  for (bool answer : {false, true})
    functions.bind("attribute.region", [answer](std::string_view, const json::value&, const evaluation_context&) {
      return std::expected<bool, fault>(answer);
    });
  CHECK(evaluate(permitting(atom("attribute.region", "eq", R"("nowhere")")), functions, context()).allowed);
}

TEST_CASE("a verdict stays within its limits") {
  policy p;
  rule r;
  r.action = "use";
  constraint c;
  c.left_operand = "attribute.region";
  c.op = "eq";
  c.right_operand = json::value("é" + std::string(limits::verdict_reason_bytes_max, 'x'));
  r.constraints.assign(limits::policy_constraints_max, c);
  p.permissions.push_back(r);
  auto v = judged(p);
  CHECK(v.reasons.size() == limits::verdict_reasons_max);
  CHECK(v.reasons.front().size() <= limits::verdict_reason_bytes_max + 3);
}

#include <doctest/doctest.h>

#include "protocols/json/json.hpp"
#include "protocols/odrl/built_in.hpp"
#include "protocols/odrl/canonical.hpp"
#include "protocols/odrl/policy.hpp"

using namespace fondaco;

namespace {

constexpr const char* presented = R"({"vc":[
  {"type":["VerifiableCredential","MembershipCredential"],"issuer":{"id":"did:web:issuer"},
   "credentialSubject":[{"id":"did:web:acme","level":"gold","seats":5,"membership":{"since":"2026-01-01T00:00:00Z"}}]},
  {"type":["VerifiableCredential","AuditCredential"],"credentialSubject":{"id":"did:web:acme","grade":"b"}},
  {"type":["VerifiableCredential","AuditCredential"],"credentialSubject":{"id":"did:web:acme","grade":"a"}},
  {"type":["VerifiableCredential","https://example.org/ns/FullCredential"],"credentialSubject":[{"x":true}]}]})";

odrl::verdict judge(const std::string& left, const std::string& op, const std::string& right,
                    const std::string& attributes = presented) {
  const auto body = json::parse(R"({"@type":"Set","permission":[{"action":"use","constraint":[{"leftOperand":")" +
                                left + R"(","operator":")" + op + R"(","rightOperand":)" + right + "}]}]}");
  REQUIRE(body.has_value());
  const auto canonical = odrl::canonical_policy(body->get_object());
  REQUIRE(canonical.has_value());
  const auto policy = odrl::read_policy(*canonical);
  REQUIRE_MESSAGE(policy.has_value(), (policy ? "" : policy.error().detail));
  const auto functions = odrl::built_in_functions();
  CHECK(odrl::validate(*policy, functions).empty());
  odrl::evaluation_context context;
  context.scope = "catalog";
  context.counterparty_id = "did:web:acme";
  context.attributes = json::parse(attributes)->get_object();
  return odrl::evaluate(*policy, functions, context);
}

} // namespace

TEST_CASE("a constraint on a credential holds by what the counterparty has presented") {
  struct row {
    const char* left;
    const char* op;
    const char* right;
    bool holds;
  };
  const row table[] = {
      {"MembershipCredential", "eq", "\"active\"", true},
      {"MembershipCredential", "eq", "\"inactive\"", false},
      {"MembershipCredential", "neq", "\"active\"", false},
      {"MembershipCredential", "isAnyOf", "[\"active\",\"other\"]", true},
      {"MembershipCredential", "gt", "\"a\"", true},
      {"PartnerCredential", "eq", "\"active\"", false},
      {"PartnerCredential", "neq", "\"active\"", true},
      {"PartnerCredential", "gt", "\"a\"", false},
      {"https://w3id.org/dataspace/policy/MembershipCredential", "eq", "\"active\"", true},
      {"https://w3id.org/dataspace/policy#MembershipCredential.level", "eq", "\"gold\"", true},
      {"cx-policy:MembershipCredential", "eq", "\"active\"", true},
      {"https://example.org/ns/FullCredential", "eq", "\"active\"", true},
      {"https://other.example/ns/FullCredential", "eq", "\"active\"", false},
      {"FullCredential", "eq", "\"active\"", false},
      {"MembershipCredential.level", "eq", "\"gold\"", true},
      {"MembershipCredential.level", "eq", "\"silver\"", false},
      {"MembershipCredential.level", "isAnyOf", "[\"silver\",\"gold\"]", true},
      {"MembershipCredential.level", "isNoneOf", "[\"silver\"]", true},
      {"MembershipCredential.seats", "gteq", "5", true},
      {"MembershipCredential.seats", "gt", "5", false},
      {"MembershipCredential.membership.since", "lt", "\"2026-06-01T00:00:00Z\"", true},
      {"MembershipCredential.unknown", "neq", "\"x\"", false},
      {"PartnerCredential.level", "neq", "\"x\"", false},
      {"AuditCredential.grade", "eq", "\"a\"", true},
      {"AuditCredential.grade", "neq", "\"a\"", false},
      {"AuditCredential.grade", "isNoneOf", "[\"c\"]", true},
      {"AuditCredential.grade", "isNoneOf", "[\"a\"]", false},
  };
  for (const auto& r : table) {
    CAPTURE(r.left);
    CAPTURE(r.op);
    CAPTURE(r.right);
    CHECK(judge(r.left, r.op, r.right).allowed == r.holds);
  }
}

TEST_CASE("a refusal names the credential that was demanded and what was found") {
  const auto reason = [](const odrl::verdict& v) { return v.reasons.size() == 1 ? v.reasons[0] : std::string(); };
  CHECK(
      reason(judge("MembershipCredential", "eq", "\"active\"", "{}")) ==
      R"(MembershipCredential eq "active" was demanded, but the counterparty presented no verified MembershipCredential)");
  CHECK(
      reason(judge("MembershipCredential.level", "eq", "\"silver\"")) ==
      R"(MembershipCredential.level eq "silver" was demanded, but the counterparty's MembershipCredential says that level is "gold")");
  CHECK(
      reason(judge("AuditCredential.grade", "eq", "\"c\"")) ==
      R"(AuditCredential.grade eq "c" was demanded, but the counterparty's AuditCredential says that grade is "b" and "a")");
  CHECK(
      reason(judge("MembershipCredential.rank", "eq", "\"x\"")) ==
      R"(MembershipCredential.rank eq "x" was demanded, but the counterparty's MembershipCredential says nothing of rank)");
  CHECK(reason(judge("PartnerCredential.level", "eq", "\"x\"")) ==
        R"(PartnerCredential.level eq "x" was demanded, but the counterparty presented no verified PartnerCredential)");
}

TEST_CASE("an operand that names no credential is not bound") {
  const auto functions = odrl::built_in_functions();
  for (const auto* left : {"Credential", "membership", "MembershipCredential.", "Member shipCredential",
                           "https://w3id.org/MembershipCredential/level", "MembershipCredentials", ""}) {
    CAPTURE(left);
    CHECK_FALSE(functions.find(left));
  }
}

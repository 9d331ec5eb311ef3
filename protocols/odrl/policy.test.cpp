#include <doctest/doctest.h>

#include <string>

#include "protocols/odrl/canonical.hpp"
#include "protocols/odrl/policy.hpp"

using namespace fondaco;
using namespace fondaco::odrl;

namespace {

json::object parsed(std::string_view text) {
  auto v = json::parse(text, {.depth_max = 256});
  REQUIRE_MESSAGE(v.has_value(), text);
  return v->as_object();
}

policy read(std::string_view text) {
  auto p = read_policy(parsed(text));
  REQUIRE_MESSAGE(p.has_value(), p.error().detail);
  return *p;
}

/// A permission with this constraint, as text.
std::string permitted(std::string_view constraint) {
  return R"({"permission":[{"action":"use","constraint":[)" + std::string(constraint) + "]}]}";
}

std::string nested(size_t levels) {
  std::string text = R"({"leftOperand":"a","operator":"eq","rightOperand":"b"})";
  for (size_t i = 1; i < levels; ++i)
    text = R"({"and":[)" + text + "]}";
  return permitted(text);
}

std::string many(std::string_view member, std::string_view item, size_t count) {
  std::string list;
  for (size_t i = 0; i < count; ++i)
    list += (i ? "," : "") + std::string(item);
  return R"({")" + std::string(member) + R"(":[)" + list + "]}";
}

const char* const whole = R"({"@id":"o-1","@type":"Offer","profile":["p1","p2"],"target":"a-1","assigner":"did:p",
  "assignee":"did:c","timestamp":"2025-01-01T00:00:00Z",
  "permission":[{"action":"use","constraint":[
     {"leftOperand":"attribute.region","operator":"isAnyOf","rightOperand":["eu","us"]},
     {"or":[{"leftOperand":"a","operator":"eq","rightOperand":"1"},
            {"and":[{"leftOperand":"b","operator":"lt","rightOperand":"2"}]},
            {"xone":[{"leftOperand":"c","operator":"neq","rightOperand":{"x":1}}]}]}],
     "duty":[{"action":"https://x/attribute","constraint":[{"leftOperand":"d","operator":"eq","rightOperand":"e"}]}]}],
  "prohibition":[{"action":"use","constraint":[{"leftOperand":"e","operator":"eq","rightOperand":"f"}]}],
  "obligation":[{"action":"https://x/delete"}]})";

} // namespace

TEST_CASE("a policy reads back as it was written, and is written as it came") {
  auto p = read(whole);
  CHECK(write_policy(p) == parsed(whole));
  CHECK(read_policy(write_policy(p)) == p);
  CHECK(p.permissions.at(0).constraints.at(1).form == constraint::shape::any_of);
  CHECK(p.permissions.at(0).duties.at(0).action == "https://x/attribute");
}

TEST_CASE("empty lists are left out of a written policy and one profile is a string") {
  auto p = read(R"({"@id":"x","profile":["p"],"permission":[],"prohibition":[{"action":"use","constraint":[]}]})");
  CHECK(write_policy(p) == parsed(R"({"@id":"x","@type":"Set","profile":"p","prohibition":[{"action":"use"}]})"));
}

TEST_CASE("every spelling of a policy reads the same") {
  auto p = read(
      R"({"@context":"http://www.w3.org/ns/odrl.jsonld","uid":"o-1","type":"odrl:Offer","odrl:target":{"@id":"a-1"},
    "http://www.w3.org/ns/odrl/2/permission":{"@type":"Permission",
      "odrl:action":{"odrl:type":"http://www.w3.org/ns/odrl/2/use"},
      "target":"a-1",
      "odrl:constraint":{"@type":"LogicalConstraint","odrl:or":{"@list":[
        {"odrl:leftOperand":{"@value":"r"},"odrl:operator":{"@id":"odrl:isPartOf"},
         "odrl:rightOperand":{"@list":[{"@value":"eu"}]}},
        {"leftOperand":"n","operator":"http://www.w3.org/ns/odrl/2/gteq",
         "rightOperand":{"@value":5,"@type":"xsd:integer"}}]}}}})");
  CHECK(p == read(R"({"@id":"o-1","@type":"Offer","target":"a-1","permission":[{"action":"use","constraint":[{"or":[
    {"leftOperand":"r","operator":"isPartOf","rightOperand":["eu"]},
    {"leftOperand":"n","operator":"gteq","rightOperand":5}]}]}]})"));
}

TEST_CASE("right operands keep their kind in memory and go out as the schema allows") {
  auto p = read(permitted(R"({"leftOperand":"n","operator":"eq","rightOperand":5},
    {"leftOperand":"b","operator":"eq","rightOperand":true},
    {"leftOperand":"l","operator":"eq","rightOperand":[1,2]})"));
  const auto& constraints = p.permissions.at(0).constraints;
  CHECK(constraints.at(0).right_operand == json::value(5));
  CHECK(constraints.at(1).right_operand == json::value(true));
  auto written = write_policy(p).at("permission").at(0).at("constraint");
  CHECK(written.at(0).at("rightOperand") == "5");
  CHECK(written.at(1).at("rightOperand") == "true");
  CHECK(written.at(2).at("rightOperand") == json::value({1, 2}));
}

TEST_CASE("nothing that could weaken a policy is dropped: it is refused by its path") {
  struct {
    std::string text;
    const char* path;
    const char* code;
  } const cases[] = {
      {R"({"inheritFrom":"x"})", "policy: inheritFrom", "unknown_member"},
      {R"({"permission":[{"action":"use","refinement":[]}]})", "permission[0]: refinement", "unknown_member"},
      {R"({"permission":[{"action":{"rdf:value":"use","refinement":[]}}]})", "permission[0]: action", "wrong_member"},
      {R"({"permission":[{"action":"use"},{"constraint":[]}]})", "permission[1]: action is missing", "missing_member"},
      {R"({"permission":[{"action":["use","read"]}]})", "permission[0]: action", "wrong_member"},
      {R"({"permission":"use"})", "permission[0]", "wrong_member"},
      {R"({"prohibition":[{"action":"use","remedy":[]}]})", "prohibition[0]: remedy", "unknown_member"},
      {R"({"prohibition":[{"action":"use","duty":[]}]})", "prohibition[0]: duty", "unknown_member"},
      {R"({"obligation":[{"action":"x","consequence":[]}]})", "obligation[0]: consequence", "unknown_member"},
      {R"({"permission":[{"action":"use","duty":{"action":"x","duty":[]}}]})", "permission[0].duty[0]: duty",
       "unknown_member"},
      {R"({"target":"a","permission":[{"action":"use","target":"b"}]})", "permission[0]: target", "wrong_member"},
      {R"({"permission":[{"action":"use","assignee":"b"}]})", "permission[0]: assignee", "wrong_member"},
      {R"({"@type":"Ticket"})", "policy: @type", "wrong_member"},
      {R"({"target":"a","odrl:target":"b"})", "target appears under two spellings", "ambiguous_member"},
      {R"({"target":["a","b"]})", "policy: target is an array", "wrong_member"},
      {R"({"@id":")" + std::string(600, 'x') + "\"}", "policy: @id has 600 bytes", "too_large"},
      {permitted(R"({"andSequence":[]})"), "permission[0].constraint[0]: andSequence cannot be judged",
       "cannot_be_judged"},
      {permitted(R"({"or":[{"odrl:andSequence":[]}]})"), "permission[0].constraint[0].or[0]: andSequence",
       "cannot_be_judged"},
      {permitted(R"({"and":[]})"), "constraint[0]: and holds no constraint", "missing_member"},
      {permitted(R"({"and":[{"or":[]}],"or":[]})"), "constraint[0]: or is not known", "unknown_member"},
      {permitted(R"({"leftOperand":"a","operator":"eq","rightOperand":"b","unit":"c"})"), "constraint[0]: unit",
       "unknown_member"},
      {permitted(R"({"operator":"eq","rightOperand":"b"})"), "constraint[0]: leftOperand", "missing_member"},
      {permitted(R"({"leftOperand":"a","rightOperand":"b"})"), "constraint[0]: operator", "missing_member"},
      {permitted(R"({"leftOperand":"a","operator":"eq"})"), "constraint[0]: rightOperand", "missing_member"},
      {permitted(R"({"leftOperand":"a","operator":"isAllOf","rightOperand":[]})"), "constraint[0]: rightOperand",
       "missing_member"},
      {permitted(R"({"leftOperand":"a","operator":"term-lteq","rightOperand":"b"})"), "constraint[0]: operator",
       "wrong_member"},
      {permitted(R"({"leftOperand":"a","operator":"like","rightOperand":"b"})"), "constraint[0]: operator",
       "wrong_member"},
      {permitted("[]"), "constraint[0] is an array", "wrong_member"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    auto p = read_policy(parsed(c.text));
    REQUIRE_FALSE(p.has_value());
    CAPTURE(p.error().detail);
    CHECK(p.error().detail.find(c.path) != std::string::npos);
    CHECK(p.error().code == c.code);
  }
}

TEST_CASE("a policy is taken up to its limits and refused beyond them") {
  CHECK(read_policy(parsed(nested(limits::policy_depth_max))).has_value());
  CHECK(read_policy(parsed(nested(limits::policy_depth_max + 1))).error().code == "too_large");
  CHECK(read_policy(parsed(nested(100))).error().code == "too_large");
  for (const char* list : {"permission", "prohibition", "obligation"}) {
    CHECK(read_policy(parsed(many(list, R"({"action":"use"})", limits::policy_rules_max))).has_value());
    CHECK(read_policy(parsed(many(list, R"({"action":"use"})", limits::policy_rules_max + 1))).error().code ==
          "too_large");
  }
  const char* atom = R"({"leftOperand":"a","operator":"eq","rightOperand":"b"})";
  CHECK(read_policy(parsed(permitted(many("or", atom, limits::policy_constraints_max)))).has_value());
  CHECK(read_policy(parsed(permitted(many("or", atom, limits::policy_constraints_max + 1)))).error().code ==
        "too_large");
}

TEST_CASE("two policies are the same if they demand the same") {
  auto a = read(whole);
  auto b = read(R"({"@id":"other","@type":"Agreement","profile":["p2","p1"],"target":"elsewhere","assignee":"did:x",
  "obligation":[{"action":"https://x/delete"}],
  "prohibition":[{"constraint":[{"rightOperand":["f"],"leftOperand":"e","operator":"eq"}],"action":"use"}],
  "permission":[{"action":"use","constraint":[
     {"xone":[{"leftOperand":"a","operator":"eq","rightOperand":"0"}]},
     {"leftOperand":"attribute.region","operator":"isAnyOf","rightOperand":["us","eu"]}]}]})");
  CHECK_FALSE(same_rules(a, b));
  b.permissions = a.permissions;
  std::swap(b.permissions[0].constraints[0], b.permissions[0].constraints[1]);
  CHECK(same_rules(a, b));
  b.assigner = "did:other";
  CHECK_FALSE(same_rules(a, b));
  b.assigner = a.assigner;
  CHECK(same_rules(a, b));
  b.obligations.clear();
  CHECK_FALSE(same_rules(a, b));
}

TEST_CASE("a policy that went over the wire still demands the same") {
  auto p = read(permitted(R"({"leftOperand":"n","operator":"eq","rightOperand":5},
    {"leftOperand":"d","operator":"eq","rightOperand":1.5},{"leftOperand":"b","operator":"eq","rightOperand":false})"));
  auto back = read_policy(write_policy(p));
  REQUIRE(back.has_value());
  CHECK(same_rules(p, *back));
}

TEST_CASE("any change of a constraint is a difference") {
  auto a = read(permitted(R"({"or":[{"leftOperand":"a","operator":"eq","rightOperand":"b"},
                                    {"leftOperand":"c","operator":"eq","rightOperand":["d","e"]}]})"));
  for (const char* other : {R"({"and":[{"leftOperand":"a","operator":"eq","rightOperand":"b"},
                                       {"leftOperand":"c","operator":"eq","rightOperand":["d","e"]}]})",
                            R"({"or":[{"leftOperand":"a","operator":"neq","rightOperand":"b"},
                                      {"leftOperand":"c","operator":"eq","rightOperand":["d","e"]}]})",
                            R"({"or":[{"leftOperand":"a","operator":"eq","rightOperand":"b"},
                                      {"leftOperand":"c","operator":"eq","rightOperand":["d"]}]})",
                            R"({"or":[{"leftOperand":"a","operator":"eq","rightOperand":"b"},
                                      {"leftOperand":"c","operator":"eq","rightOperand":"[\"d\",\"e\"]"}]})",
                            R"({"or":[{"leftOperand":"a","operator":"eq","rightOperand":"b"}]})"}) {
    CAPTURE(other);
    CHECK_FALSE(same_rules(a, read(permitted(other))));
  }
}

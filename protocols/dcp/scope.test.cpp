#include "protocols/dcp/scope.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace fondaco;

namespace {

const std::string by_type = "org.eclipse.dspace.dcp.vc.type:";
const std::string by_id = "org.eclipse.dspace.dcp.vc.id:";

vc::credential membership() {
  vc::credential c;
  c.contexts = {"https://www.w3.org/2018/credentials/v1", "https://w3id.org/catena"};
  c.id = "urn:uuid:1";
  c.types = {"VerifiableCredential", "MembershipCredential", "https://ns.example/#Whole"};
  return c;
}

} // namespace

TEST_CASE("a scope is an alias and a discriminator, with or without an operation that reads") {
  struct row {
    std::string text;
    bool id;
    const char* discriminator;
  };
  const row rows[] = {
      {by_type + "MembershipCredential", false, "MembershipCredential"},
      {by_type + "MembershipCredential:read", false, "MembershipCredential"},
      {by_type + "MembershipCredential:all", false, "MembershipCredential"},
      {by_type + "MembershipCredential:*", false, "MembershipCredential"},
      {by_type + "https://w3id.org/catena#MembershipCredential:read", false,
       "https://w3id.org/catena#MembershipCredential"},
      {by_type + "https://w3id.org/catena#MembershipCredential", false, "https://w3id.org/catena#MembershipCredential"},
      {by_type + "a:read:read", false, "a:read"},
      {by_type + "read", false, "read"},
      {by_type + "write", false, "write"},
      {by_type + "a:reader", false, "a:reader"},
      {by_id + "8247b87d-8d72-47e1-8128-9ce47e3d829d", true, "8247b87d-8d72-47e1-8128-9ce47e3d829d"},
      {by_id + "urn:uuid:1:read", true, "urn:uuid:1"},
      {by_type + std::string(1024 - by_type.size(), 'a'), false, nullptr},
  };
  for (const auto& r : rows) {
    CAPTURE(r.text);
    const auto s = dcp::parse_scope(r.text);
    REQUIRE(s.has_value());
    CHECK(s->by_id == r.id);
    if (r.discriminator)
      CHECK(s->discriminator == r.discriminator);
    CHECK(dcp::write_scope(*s) == (r.id ? by_id : by_type) + s->discriminator + ":read");
  }
}

TEST_CASE("what is no scope of DCP, or only writes, is refused") {
  const std::string rows[] = {
      "",
      "MembershipCredential",
      ":MembershipCredential:read",
      by_type,
      by_id,
      by_type + ":read",
      by_type + "A:write",
      by_id + "urn:uuid:1:write",
      by_type + "A B",
      by_type + "A\t:read",
      by_type + "A\n",
      by_type + "A\x7f",
      " " + by_type + "A",
      "org.eclipse.dspace.dcp.vc.type",
      "org.eclipse.dspace.dcp.vc.types:A:read",
      "org.eclipse.dspace.dcp.vc.idx:A:read",
      "org.eclipse.edc.vc.type:A:read",
      "xorg.eclipse.dspace.dcp.vc.type:A",
      by_type + std::string(1025 - by_type.size(), 'a'),
  };
  for (const auto& text : rows) {
    CAPTURE(text);
    const auto s = dcp::parse_scope(text);
    REQUIRE_FALSE(s.has_value());
    CHECK(s.error().code == "bad_scope");
    CHECK(s.error().remedy == cure::fix_input);
  }
}

TEST_CASE("a refusal repeats whole characters of a scope") {
  const auto refused = dcp::parse_scope(std::string(127, 'x') + "\xc3\xa9");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().detail.starts_with("'" + std::string(127, 'x') + "' is no scope"));
}

TEST_CASE("a scope covers the credentials of its type, of its type in a context, or of its id") {
  struct row {
    dcp::scope s;
    bool covered;
  };
  const row rows[] = {
      {{false, "MembershipCredential"}, true},
      {{false, "VerifiableCredential"}, true},
      {{false, "https://ns.example/#Whole"}, true},
      {{false, "https://w3id.org/catena#MembershipCredential"}, true},
      {{false, "https://www.w3.org/2018/credentials/v1#MembershipCredential"}, true},
      {{false, "https://else.example#MembershipCredential"}, false},
      {{false, "https://w3id.org/catena#Other"}, false},
      {{false, "#MembershipCredential"}, false},
      {{false, "https://w3id.org/catena#"}, false},
      {{false, "membershipcredential"}, false},
      {{false, "Membership"}, false},
      {{false, "*"}, false},
      {{false, ":"}, false},
      {{false, ""}, false},
      {{false, "urn:uuid:1"}, false},
      {{true, "urn:uuid:1"}, true},
      {{true, "urn:uuid:2"}, false},
      {{true, "urn:uuid:1x"}, false},
      {{true, "MembershipCredential"}, false},
      {{true, ""}, false},
  };
  for (const auto& r : rows) {
    CAPTURE(r.s.by_id);
    CAPTURE(r.s.discriminator);
    CHECK(dcp::covers(r.s, membership()) == r.covered);
  }
  CHECK_FALSE(dcp::covers({false, "MembershipCredential"}, vc::credential{}));
  CHECK_FALSE(dcp::covers({true, ""}, vc::credential{}));
}

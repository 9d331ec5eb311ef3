#include "cells/identity/trust.hpp"

#include <doctest/doctest.h>

namespace fondaco::identity {

TEST_CASE("an issuer counts for its types, in its profiles, and for nothing else") {
  const trust_list list(
      {{"did:web:a", {"Membership"}, {"p1"}}, {"did:web:b", {"*"}, {}}, {"did:web:a", {"Other"}, {}}});
  struct row {
    const char* did;
    const char* type;
    const char* profile;
    bool counts;
  };
  for (const auto& r : {row{"did:web:a", "Membership", "p1", true}, row{"did:web:a", "Membership", "p2", false},
                        row{"did:web:a", "Else", "p1", false}, row{"did:web:a", "Other", "p2", true},
                        row{"did:web:b", "Anything", "p9", true}, row{"did:web:c", "Membership", "p1", false},
                        row{"", "", "", false}}) {
    CAPTURE(r.did);
    CAPTURE(r.type);
    CAPTURE(r.profile);
    CHECK(list.trusts(r.did, r.type, r.profile) == r.counts);
  }
}

TEST_CASE("a replaced list counts from then on, and an empty one trusts nobody") {
  trust_list list;
  CHECK_FALSE(list.trusts("did:web:a", "T", "p"));
  list.replace({{"did:web:a", {"T"}, {}}});
  CHECK(list.trusts("did:web:a", "T", "p"));
  list.replace({});
  CHECK_FALSE(list.trusts("did:web:a", "T", "p"));
}

} // namespace fondaco::identity

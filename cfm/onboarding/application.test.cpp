#include <doctest/doctest.h>

#include "cfm/onboarding/application.hpp"

using namespace fondaco;
using namespace fondaco::cfm;

namespace {

struct bench {
  application::state s;
  timepoint now = from_epoch_ms(1'000'000);

  std::string tell(application::command c) {
    auto d = application::decide(s, c, now);
    if (!d)
      return d.error().why.code;
    for (const auto& e : d->events) {
      auto back = application::decode(application::encode(e));
      REQUIRE(back.has_value());
      CHECK(*back == e);
      s = application::evolve(std::move(s), *back);
    }
    CHECK(application::thaw(application::freeze(s)) == s);
    return d->events.empty() ? "nothing" : "";
  }
  std::string owed() const {
    const auto all = application::owed(s);
    return all.empty() ? "" : all.front().body.step;
  }
};

application::submit submission() { return {"app-1", {"Acme", "did:web:acme.example", {}, {}, {}}, "r1"}; }

bench submitted() {
  bench b;
  CHECK(b.tell(submission()) == "");
  return b;
}

} // namespace

TEST_CASE("an application is submitted once, and another with its id is refused") {
  auto b = submitted();
  CHECK(application::status(b.s) == "SUBMITTED");
  CHECK(b.tell(submission()) == "nothing");
  auto other = submission();
  other.terms.organisation = "Other";
  CHECK(b.tell(other) == "already_exists");
}

TEST_CASE("nothing can be done to an application that is not there") {
  bench b;
  CHECK(b.tell(application::decide_on{true, "authority", "fine", ""}) == "not_found");
  CHECK(b.tell(application::retry{""}) == "not_found");
}

TEST_CASE("documents are taken until the decision") {
  auto b = submitted();
  CHECK(b.tell(application::attach{{"extract", "text/plain", "ab", 2}, ""}) == "");
  CHECK(b.tell(application::attach{{"extract", "text/plain", "ab", 2}, ""}) == "nothing");
  CHECK(b.tell(application::attach{{"extract", "text/plain", "cd", 2}, ""}) == "");
  CHECK(b.s.documents.size() == 1);
  CHECK(b.tell(application::decide_on{false, "authority", "expired", ""}) == "");
  CHECK(b.tell(application::attach{{"late", "text/plain", "ef", 2}, ""}) == "wrong_state");
}

TEST_CASE("a decision needs a reason and stays") {
  auto b = submitted();
  CHECK(b.tell(application::decide_on{true, "authority", "", ""}) == "bad_application");
  CHECK(b.tell(application::decide_on{false, "authority", "the extract has expired", ""}) == "");
  CHECK(application::status(b.s) == "REJECTED");
  CHECK(application::view(b.s).find("the extract has expired") != std::string::npos);
  CHECK(b.tell(application::decide_on{false, "authority", "again", ""}) == "nothing");
  CHECK(b.tell(application::decide_on{true, "authority", "changed my mind", ""}) == "wrong_state");
  CHECK(b.owed() == "");
}

TEST_CASE("an approved application owes one step after the other until its tenant is active") {
  auto b = submitted();
  CHECK(b.tell(application::decide_on{true, "authority", "fine", ""}) == "");
  CHECK(b.owed() == "tenant");
  CHECK(b.tell(application::step_done{"profile", "early"}) == "nothing");
  CHECK(b.tell(application::step_done{"tenant", "t1"}) == "");
  CHECK(b.owed() == "profile");
  CHECK(b.tell(application::step_done{"profile", "p1"}) == "");
  CHECK(b.owed() == "active");
  CHECK(b.tell(application::step_open{"active", "", false}) == "nothing");
  CHECK(b.tell(application::step_done{"active", "pc1"}) == "");
  CHECK(application::status(b.s) == "ACTIVE");
  CHECK(b.s.participant_context_id == "pc1");
  CHECK(b.owed() == "");
  CHECK(!application::wake_at(b.s));
}

TEST_CASE("a failure for now is noted once a cause, one for good can be taken up again") {
  auto b = submitted();
  CHECK(b.tell(application::decide_on{true, "authority", "fine", ""}) == "");
  CHECK(b.tell(application::step_open{"tenant", "no answer", false}) == "");
  CHECK(b.tell(application::step_open{"tenant", "no answer", false}) == "nothing");
  CHECK(b.owed() == "tenant");
  CHECK(b.tell(application::step_done{"tenant", "t1"}) == "");
  CHECK(b.tell(application::step_done{"profile", "p1"}) == "");
  CHECK(b.tell(application::step_open{"active", "the deployment failed", true}) == "");
  CHECK(application::status(b.s) == "FAILED");
  CHECK(b.owed() == "");
  CHECK(b.tell(application::retry{""}) == "");
  CHECK(b.owed() == "profile");
}

#include <doctest/doctest.h>

#include <random>

#include "cfm/provision_manager/orchestration.hpp"

using namespace fondaco;
using namespace fondaco::cfm;

namespace {

const timepoint t0 = from_epoch_ms(1'000'000);

activity act(const char* id, std::vector<std::string> depends_on = {}) {
  return {id, std::string(id) + "-activity", std::string(deploy_type), std::move(depends_on)};
}

std::vector<activity> diamond() { return {act("a"), act("b", {"a"}), act("c", {"a"}), act("d", {"b", "c"})}; }

orchestration::start begin(std::vector<activity> activities, bool compensates = false) {
  orchestration::start c;
  c.manifest = {"0190a000-0000-7000-8000-000000000001", "profile-1", std::string(deploy_type), {{"k", "v"}}};
  c.definition_id = deploy_type;
  c.activities = std::move(activities);
  c.compensates = compensates;
  c.attempts_max = 3;
  c.window_ms = milliseconds(60'000);
  c.silence_ms = milliseconds(1'000);
  return c;
}

/// An orchestration and what is done to it.
struct bench {
  orchestration::state s;
  timepoint now = t0;

  bool tell(orchestration::command c) {
    auto d = orchestration::decide(s, c, now);
    if (!d)
      return false;
    for (const auto& e : d->events) {
      auto back = orchestration::decode(orchestration::encode(e));
      REQUIRE(back.has_value());
      CHECK(*back == e);
      s = orchestration::evolve(std::move(s), *back);
    }
    return true;
  }
  bool answer(const char* id, activity_outcome o, int64_t run = 1, json::object values = {}) {
    activity_result r;
    r.orchestration_id = s.terms.id;
    r.activity_id = id;
    r.run = run;
    r.outcome = o;
    r.values = values;
    r.output = std::move(values);
    r.wait_ms = milliseconds(250);
    r.detail = o == activity_outcome::complete ? "" : "it did not go";
    return tell(orchestration::answer{std::move(r)});
  }
  std::vector<std::string> owed() const {
    std::vector<std::string> out;
    for (const auto& e : orchestration::owed(s))
      out.push_back(e.key);
    return out;
  }
};

} // namespace

TEST_CASE("activities run as late as their dependants allow, by id inside a step") {
  const auto steps = steps_of({act("lone"), act("a"), act("c", {"a"}), act("b", {"a"}), act("d", {"b"})});
  REQUIRE(steps.has_value());
  CHECK(*steps == std::vector<std::vector<std::string>>{{"a"}, {"b"}, {"c", "d", "lone"}});
}

TEST_CASE("a run counts as long as its agent is waited for, what is told counts for ever") {
  bench b;
  REQUIRE(b.tell(begin({act("a")})));
  REQUIRE(orchestration::owed(b.s).size() == 1);
  CHECK(orchestration::owed(b.s).front().body.valid_for == milliseconds(1'000));
  REQUIRE(b.answer("a", activity_outcome::complete));
  REQUIRE(b.owed() == std::vector<std::string>{"response"});
  CHECK(orchestration::owed(b.s).front().body.valid_for == milliseconds(0));
}

TEST_CASE("a definition that cannot be run says why") {
  CHECK(steps_of({act("a", {"x"})}).error().detail.find("'x'") != std::string::npos);
  CHECK(steps_of({act("a"), act("a")}).error().detail.find("'a'") != std::string::npos);
  CHECK(steps_of({act("a", {"b"}), act("b", {"a"})}).error().detail.find("cycle") != std::string::npos);
}

TEST_CASE("each step waits for the one before, and the last one owes the response") {
  bench b;
  REQUIRE(b.tell(begin(diamond())));
  CHECK(b.owed() == std::vector<std::string>{"run:a:1"});
  REQUIRE(b.answer("a", activity_outcome::complete, 1, {{"x", 1}}));
  CHECK(b.owed() == std::vector<std::string>{"run:b:1", "run:c:1"});
  REQUIRE(b.answer("c", activity_outcome::complete));
  CHECK(b.owed() == std::vector<std::string>{"run:b:1"});
  REQUIRE(b.answer("b", activity_outcome::complete));
  REQUIRE(b.answer("d", activity_outcome::complete));
  CHECK(orchestration::status(b.s) == "COMPLETED");
  CHECK(b.s.output_data == json::object{{"x", 1}});
  CHECK(b.owed() == std::vector<std::string>{"response"});
  REQUIRE(b.tell(orchestration::published{"response"}));
  CHECK(b.owed().empty());
  CHECK(!orchestration::wake_at(b.s));
}

TEST_CASE("the same manifest again begins nothing, another with its id is refused") {
  bench b;
  REQUIRE(b.tell(begin(diamond())));
  const auto before = b.s;
  CHECK(b.tell(begin(diamond())));
  CHECK(b.s == before);
  auto other = begin(diamond());
  other.manifest.correlation_id = "profile-2";
  CHECK(!b.tell(other));
}

TEST_CASE("an answer that nobody waits for is refused") {
  bench b;
  CHECK(!b.answer("a", activity_outcome::complete));
  REQUIRE(b.tell(begin(diamond())));
  CHECK(!b.answer("d", activity_outcome::complete));
  CHECK(!b.answer("unknown", activity_outcome::complete));
  REQUIRE(b.answer("a", activity_outcome::complete));
  CHECK(!b.answer("a", activity_outcome::complete));
}

TEST_CASE("a run that goes on elsewhere is looked at again and never counts as failed") {
  bench b;
  REQUIRE(b.tell(begin({act("a")})));
  for (int64_t run = 1; run <= 20; ++run) {
    REQUIRE(b.answer("a", activity_outcome::schedule, run));
    CHECK(orchestration::wake_at(b.s) == b.now + milliseconds(250));
    b.now += milliseconds(250);
  }
  CHECK(orchestration::status(b.s) == "RUNNING");
  REQUIRE(b.answer("a", activity_outcome::complete, 21));
  CHECK(orchestration::status(b.s) == "COMPLETED");
}

TEST_CASE("too many failed tries end the orchestration, which says why and what is compensated") {
  bench b;
  REQUIRE(b.tell(begin({act("a")}, true)));
  REQUIRE(b.answer("a", activity_outcome::retry, 1));
  REQUIRE(b.answer("a", activity_outcome::retry, 2));
  CHECK(orchestration::status(b.s) == "RUNNING");
  REQUIRE(b.answer("a", activity_outcome::retry, 3));
  CHECK(orchestration::status(b.s) == "ERRORED");
  CHECK(b.owed() == std::vector<std::string>{"response", "compensation"});
  CHECK(orchestration::view(b.s).find("it did not go") != std::string::npos);
  for (const auto& e : orchestration::owed(b.s))
    if (e.key == "compensation")
      CHECK(e.body.id == compensation_id(b.s.terms.id));
}

TEST_CASE("a failure waits for the step's other activities, which are not tried again") {
  bench b;
  REQUIRE(b.tell(begin({act("a"), act("b")})));
  REQUIRE(b.answer("a", activity_outcome::fatal));
  CHECK(orchestration::status(b.s) == "RUNNING");
  REQUIRE(b.answer("b", activity_outcome::retry));
  CHECK(orchestration::status(b.s) == "ERRORED");
  CHECK(b.owed() == std::vector<std::string>{"response"});
}

TEST_CASE("a long reason of a failure is cut between two characters, so that it can be kept") {
  for (size_t lead = 0; lead < 3; ++lead) {
    bench b;
    REQUIRE(b.tell(begin({act("a")})));
    activity_result r;
    r.orchestration_id = b.s.terms.id;
    r.activity_id = "a";
    r.run = 1;
    r.outcome = activity_outcome::fatal;
    r.detail = std::string(lead, 'x');
    for (int i = 0; i < 1000; ++i)
      r.detail += "\xe2\x82\xac";
    CHECK(b.tell(orchestration::answer{std::move(r)}));
  }
}

TEST_CASE("a silent agent is asked again, and its late word still counts if it is the end") {
  bench b;
  REQUIRE(b.tell(begin({act("a")})));
  REQUIRE(b.tell(orchestration::published{"run:a:1"}));
  CHECK(b.owed().empty());
  CHECK(!orchestration::tick(b.s, b.now + milliseconds(999)));
  b.now += milliseconds(1'000);
  auto command = orchestration::tick(b.s, b.now);
  REQUIRE(command.has_value());
  REQUIRE(b.tell(*command));
  CHECK(b.owed() == std::vector<std::string>{"run:a:2"});
  CHECK(!b.answer("a", activity_outcome::retry, 1));
  CHECK(b.answer("a", activity_outcome::complete, 1));
  CHECK(orchestration::status(b.s) == "COMPLETED");
}

TEST_CASE("an orchestration type without a definition fails with a response") {
  bench b;
  REQUIRE(b.tell(begin({})));
  CHECK(orchestration::status(b.s) == "ERRORED");
  CHECK(b.owed() == std::vector<std::string>{"response"});
}

TEST_CASE("whatever happens, an orchestration that is not over has a wake-up, and freezes and thaws to itself") {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    bench b;
    REQUIRE(b.tell(begin(diamond(), seed % 2 == 0)));
    for (int i = 0; i < 60; ++i) {
      const char* ids[] = {"a", "b", "c", "d"};
      const activity_outcome outcomes[] = {activity_outcome::complete, activity_outcome::schedule,
                                           activity_outcome::retry, activity_outcome::fatal};
      switch (random() % 4) {
      case 0: b.answer(ids[random() % 4], outcomes[random() % 16 == 0 ? 3 : random() % 3], 1 + random() % 4); break;
      case 1:
        if (const auto owed = b.owed(); !owed.empty())
          b.tell(orchestration::published{owed[random() % owed.size()]});
        break;
      case 2: b.now += milliseconds(random() % 2'000); break;
      default:
        if (auto c = orchestration::tick(b.s, b.now))
          b.tell(*c);
      }
      const bool over = orchestration::status(b.s) == "COMPLETED" || orchestration::status(b.s) == "ERRORED";
      const bool awake = orchestration::wake_at(b.s).has_value();
      CHECK_MESSAGE((awake || (over && b.owed().empty())), "seed " << seed);
      CHECK(orchestration::thaw(orchestration::freeze(b.s)) == b.s);
    }
  }
}

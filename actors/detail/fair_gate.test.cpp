#include "actors/detail/fair_gate.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

namespace {

using namespace fondaco;
using namespace fondaco::actors;
using namespace fondaco::actors::detail;

constexpr size_t window = 8;
constexpr size_t waiting_max = 100;

/// A gate with callers whose commands are answered when the test says so.
struct bed {
  std::shared_ptr<fair_gate> turns = std::make_shared<fair_gate>(window, waiting_max);
  gate node = std::make_shared<std::atomic<size_t>>(0);
  fair_gate::moment now{};
  std::map<std::string, std::vector<completion_ptr>> serving;

  bool ask(const std::string& owner) {
    node->fetch_add(1);
    auto done = std::make_shared<completion>([](ask_result) {}, timepoint{}, node);
    return turns->enter(owner, done, [this, owner, done] { serving[owner].push_back(done); }, now);
  }
  void answer_one(const std::string& owner) {
    auto done = serving[owner].front();
    serving[owner].erase(serving[owner].begin());
    done->fail(ask_errc::unavailable, "answered", "The test answers.");
  }
};

TEST_CASE("a tenant that is alone waits for nobody") {
  bed b;
  for (size_t i = 0; i < waiting_max; ++i)
    CHECK(b.ask("alone"));
  CHECK_EQ(b.serving["alone"].size(), waiting_max);
  CHECK_EQ(b.turns->waiting(), 0U);
}

TEST_CASE("a tenant beyond its share waits, and another's first command is served at once") {
  bed b;
  REQUIRE(b.ask("calm"));
  for (size_t i = 0; i < waiting_max; ++i)
    CHECK(b.ask("flood"));
  CHECK_EQ(b.serving["flood"].size(), window / 2);
  CHECK_EQ(b.turns->waiting(), waiting_max - window / 2);
  REQUIRE(b.ask("calm"));
  CHECK_EQ(b.serving["calm"].size(), 2U);
}

TEST_CASE("each answer starts the next of its own tenant, in the order in which they asked") {
  bed b;
  REQUIRE(b.ask("calm"));
  for (size_t i = 0; i < window; ++i)
    REQUIRE(b.ask("flood"));
  for (size_t left = window; left > 0; --left) {
    CHECK_EQ(b.serving["flood"].size(), std::min(left, window / 2));
    b.answer_one("flood");
  }
  CHECK_EQ(b.turns->waiting(), 0U);
  CHECK_EQ(b.serving["calm"].size(), 1U);
}

TEST_CASE("a tenant whose places and queue are full is refused, and no other") {
  bed b;
  REQUIRE(b.ask("calm"));
  for (size_t i = 0; i < waiting_max; ++i)
    REQUIRE(b.ask("flood"));
  CHECK_FALSE(b.ask("flood"));
  CHECK(b.ask("calm"));
}

TEST_CASE("a tenant that was active a moment ago keeps its part; one that went has none") {
  bed b;
  REQUIRE(b.ask("calm"));
  b.answer_one("calm");
  REQUIRE(b.ask("flood"));
  for (size_t i = 0; i < window; ++i)
    REQUIRE(b.ask("flood"));
  CHECK_EQ(b.serving["flood"].size(), window / 2);
  b.now += std::chrono::minutes(1);
  REQUIRE(b.ask("flood"));
  b.answer_one("flood");
  CHECK_EQ(b.turns->waiting(), 0U);
}

TEST_CASE("a command whose deadline passed while it waited does not take its tenant's turn") {
  bed b;
  REQUIRE(b.ask("calm"));
  for (size_t i = 0; i < window / 2; ++i)
    REQUIRE(b.ask("flood"));
  b.node->fetch_add(1);
  bool started = false;
  auto late = std::make_shared<completion>([](ask_result) {}, timepoint{}, b.node);
  REQUIRE(b.turns->enter("flood", late, [&] { started = true; }, b.now));
  REQUIRE(b.ask("flood"));
  late->fail(ask_errc::unavailable, "deadline", "The command was not answered in time.");
  b.answer_one("flood");
  CHECK_FALSE(started);
  CHECK_EQ(b.serving["flood"].size(), window / 2);
}

TEST_CASE("a closed gate starts nobody any more") {
  bed b;
  REQUIRE(b.ask("calm"));
  for (size_t i = 0; i < window; ++i)
    REQUIRE(b.ask("flood"));
  b.turns->close();
  const auto before = b.serving["flood"].size();
  b.answer_one("flood");
  CHECK_EQ(b.serving["flood"].size(), before - 1);
  CHECK_EQ(b.turns->waiting(), 0U);
}

} // namespace

#include <doctest/doctest.h>

#include <future>

#include "actors/memory_broker.hpp"

using namespace fondaco;
using namespace fondaco::actors;

namespace {

broker_message message(const char* subject, const char* payload = "{}") {
  broker_message m;
  m.subject = subject;
  m.id = "m1";
  m.payload = payload;
  return m;
}

std::expected<void, fault> publish(broker& b, broker_message m) {
  auto told = std::make_shared<std::promise<std::expected<void, fault>>>();
  auto outcome = told->get_future();
  b.publish(std::move(m), [told](std::expected<void, fault> r) { told->set_value(std::move(r)); });
  REQUIRE_MESSAGE(outcome.wait_for(std::chrono::seconds(10)) == std::future_status::ready,
                  "the broker has not said what became of the message");
  return outcome.get();
}

} // namespace

TEST_CASE("a message is published once its consumer is done with it") {
  auto b = make_memory_broker();
  std::string got;
  b->consume("x", "event.x", [&](broker_message m, std::function<void(delivery)> done) {
    got = m.payload;
    done(delivery::done);
  });
  REQUIRE(b->start().has_value());
  CHECK(publish(*b, message("event.x", "hello")).has_value());
  CHECK(got == "hello");
}

TEST_CASE("a consumer that says again gets the message again") {
  auto b = make_memory_broker(milliseconds(1));
  unsigned last = 0;
  b->consume("x", "event.x", [&](broker_message m, std::function<void(delivery)> done) {
    last = m.attempt;
    done(m.attempt < 3 ? delivery::again : delivery::done);
  });
  REQUIRE(b->start().has_value());
  CHECK(publish(*b, message("event.x")).has_value());
  CHECK(last == 3);
}

TEST_CASE("what nobody consumes, what comes too early and what is too long is refused with a cure") {
  auto b = make_memory_broker();
  b->consume("x", "event.x", [](broker_message, std::function<void(delivery)> done) { done(delivery::done); });
  CHECK(publish(*b, message("event.x")).error().remedy == cure::retry);
  REQUIRE(b->start().has_value());
  CHECK(publish(*b, message("event.y")).error().remedy == cure::retry);
  auto long_one = message("event.x");
  long_one.payload.assign(limits::broker_payload_bytes_max + 1, 'x');
  CHECK(publish(*b, long_one).error().remedy == cure::fix_input);
  b->stop(milliseconds(100));
  CHECK(!b->connected());
  CHECK(publish(*b, message("event.x")).error().remedy == cure::retry);
}

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <set>

#include "actors/nats_broker.hpp"

using namespace fondaco;
using namespace fondaco::actors;

namespace {

nats_options options(const char* stream) {
  const char* url = std::getenv("FONDACO_TEST_NATS");
  REQUIRE_MESSAGE(url, "FONDACO_TEST_NATS must name a JetStream server");
  nats_options o;
  o.url = url;
  // The stream's subjects are event.*: one stream for all cases, apart by their subjects.
  o.stream = stream;
  o.ack_wait_ms = milliseconds(1'000);
  o.again_after_ms = milliseconds(50);
  return o;
}

constexpr const char* stream = "broker-test";

std::expected<void, fault> publish_once(broker& b, const std::string& subject, const std::string& id) {
  broker_message m;
  m.subject = subject;
  m.id = id;
  m.payload = id;
  auto told = std::make_shared<std::promise<std::expected<void, fault>>>();
  auto outcome = told->get_future();
  b.publish(std::move(m), [told](std::expected<void, fault> r) { told->set_value(std::move(r)); });
  REQUIRE_MESSAGE(outcome.wait_for(std::chrono::seconds(20)) == std::future_status::ready,
                  "the broker has not said what became of the message " << id);
  return outcome.get();
}

// Publishes until the broker takes it: it connects, and makes its stream, in the background.
void publish(broker& b, const std::string& subject, const std::string& id) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::expected<void, fault> last;
  do {
    last = publish_once(b, subject, id);
  } while (!last && std::chrono::steady_clock::now() < end);
  REQUIRE_MESSAGE(last.has_value(), "the message " << id << " was never taken: " << (last ? "" : last.error().detail));
}

/// Remembers what came, and lets a test wait for it.
class inbox {
public:
  explicit inbox(size_t wanted) : wanted_(wanted) {}
  void take(const std::string& payload) {
    std::lock_guard lock(mutex_);
    got_.push_back(payload);
    if (got_.size() == wanted_)
      full_.set_value();
  }
  std::vector<std::string> wait() {
    auto full = full_.get_future();
    const bool there = full.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
    std::lock_guard lock(mutex_);
    REQUIRE_MESSAGE(there, "only " << got_.size() << " of " << wanted_ << " messages came");
    return got_;
  }

private:
  size_t wanted_;
  std::mutex mutex_;
  std::vector<std::string> got_;
  std::promise<void> full_;
};

} // namespace

TEST_CASE("JetStream delivers each message to its subject's consumer, a repeated id once") {
  inbox got(2);
  auto b = make_nats_broker(options(stream));
  b->consume("once", "event.once", [&](broker_message m, std::function<void(delivery)> done) {
    done(delivery::done);
    got.take(m.payload);
  });
  REQUIRE(b->start().has_value());
  publish(*b, "event.once", "first");
  publish(*b, "event.once", "first");
  publish(*b, "event.once", "second");
  CHECK(got.wait() == std::vector<std::string>{"first", "second"});
  b->stop(milliseconds(2'000));
}

TEST_CASE("JetStream delivers again what a consumer could not do yet") {
  std::promise<unsigned> attempts;
  auto b = make_nats_broker(options(stream));
  b->consume("again", "event.again", [&](broker_message m, std::function<void(delivery)> done) {
    if (m.attempt < 3)
      return done(delivery::again);
    done(delivery::done);
    attempts.set_value(m.attempt);
  });
  REQUIRE(b->start().has_value());
  publish(*b, "event.again", "stubborn");
  auto last = attempts.get_future();
  REQUIRE_MESSAGE(last.wait_for(std::chrono::seconds(20)) == std::future_status::ready, "no third delivery");
  CHECK(last.get() == 3);
  b->stop(milliseconds(2'000));
}

TEST_CASE("what a consumer left undone at its end goes to the next one") {
  inbox got(1);
  {
    std::promise<void> seen;
    auto first = make_nats_broker(options(stream));
    first->consume("left", "event.left", [&](broker_message, std::function<void(delivery)>) { seen.set_value(); });
    REQUIRE(first->start().has_value());
    publish(*first, "event.left", "unfinished");
    auto there = seen.get_future();
    REQUIRE_MESSAGE(there.wait_for(std::chrono::seconds(20)) == std::future_status::ready, "no delivery");
    first->stop(milliseconds(0));
  }
  auto second = make_nats_broker(options(stream));
  second->consume("left", "event.left", [&](broker_message m, std::function<void(delivery)> done) {
    done(delivery::done);
    got.take(m.payload);
  });
  REQUIRE(second->start().has_value());
  CHECK(got.wait() == std::vector<std::string>{"unfinished"});
  second->stop(milliseconds(2'000));
}

TEST_CASE("a message tells its consumer until when it counts") {
  inbox got(2);
  auto b = make_nats_broker(options(stream));
  b->consume("expiring", "event.expiring", [&](broker_message m, std::function<void(delivery)> done) {
    done(delivery::done);
    got.take(m.payload + " " + (m.expires_at ? std::to_string(to_epoch_ms(*m.expires_at)) : "never"));
  });
  REQUIRE(b->start().has_value());
  publish(*b, "event.expiring", "lasting");
  broker_message m{"event.expiring", "expiring", "expiring", "", 1, from_epoch_ms(1'234'567)};
  std::promise<bool> taken;
  b->publish(std::move(m), [&](std::expected<void, fault> r) { taken.set_value(r.has_value()); });
  CHECK(taken.get_future().get());
  const auto all = got.wait();
  CHECK(std::set(all.begin(), all.end()) == std::set<std::string>{"lasting never", "expiring 1234567"});
  b->stop(milliseconds(2'000));
}

TEST_CASE("a broker whose server is not there says that a message may be published later") {
  auto o = options(stream);
  o.url = "nats://127.0.0.1:1";
  o.publish_timeout_ms = milliseconds(200);
  auto b = make_nats_broker(o);
  REQUIRE(b->start().has_value());
  CHECK(!b->connected());
  const auto r = publish_once(*b, "event.nowhere", "lost");
  REQUIRE(!r.has_value());
  CHECK(r.error().remedy == cure::retry);
  b->stop(milliseconds(100));
}

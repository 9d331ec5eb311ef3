#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <string>

#include "actors/runtime.hpp"

namespace {

using namespace fondaco;
using namespace fondaco::actors;

/// A pool of one thread that is held until the test lets it go, so that what is queued meanwhile shows its order.
struct held_pool {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  std::string order;
  reader_pool pool;

  explicit held_pool(size_t jobs_max) : pool(1, jobs_max) {
    bool taken = false;
    pool.post([this, &taken] {
      std::unique_lock lock(mutex);
      taken = true;
      changed.notify_all();
      changed.wait(lock, [this] { return open; });
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return taken; });
  }
  bool post(const char* owner) {
    return pool.post(tenant(owner), [this, owner] { note(owner); });
  }
  void note(const char* who) {
    const std::scoped_lock lock(mutex);
    order += who;
  }
  std::string finish() {
    {
      const std::scoped_lock lock(mutex);
      open = true;
    }
    changed.notify_all();
    pool.close();
    return order;
  }
};

TEST_CASE("tenants take turns in the pool, however many jobs one of them has") {
  held_pool p(100);
  for (int i = 0; i < 5; ++i)
    REQUIRE(p.post("a"));
  REQUIRE(p.post("b"));
  REQUIRE(p.post("c"));
  REQUIRE(p.post("b"));
  CHECK_EQ(p.finish(), "abcabaaa");
}

TEST_CASE("a job of the node itself goes before all that waits") {
  held_pool p(100);
  REQUIRE(p.post("a"));
  REQUIRE(p.pool.post_first([&] { p.note("!"); }));
  CHECK_EQ(p.finish(), "!a");
}

TEST_CASE("one tenant's jobs leave as many places free as they hold, and the others find them") {
  held_pool p(10);
  size_t taken = 0;
  while (p.post("a"))
    ++taken;
  CHECK_EQ(taken, 5U);
  CHECK_EQ(p.pool.refused(), 1U);
  CHECK(p.post("b"));
  CHECK(p.post("c"));
  p.finish();
}

TEST_CASE("a full pool refuses everybody and counts it") {
  held_pool p(2);
  REQUIRE(p.pool.post([] {}));
  REQUIRE(p.pool.post([] {}));
  CHECK_FALSE(p.post("a"));
  CHECK_FALSE(p.pool.post([] {}));
  CHECK_FALSE(p.pool.post_first([] {}));
  CHECK_EQ(p.pool.refused(), 3U);
  CHECK_EQ(p.pool.waiting(), 2U);
  p.finish();
}

} // namespace

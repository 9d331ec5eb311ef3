// A store that fails, and what its callers get meanwhile: nothing that is not durable is acknowledged, whoever needs
// the store is told to come again, and the work goes on by itself when it is back.

#include <filesystem>

#include "e2e/store_fault_bed.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr size_t enough = 20;

using shared_server = std::shared_ptr<std::unique_ptr<own_postgres>>;

// The one server of these cases, running; a new one if a case left it in a bad way.
own_postgres& running_server(const shared_server& shared) {
  if (!*shared) {
    *shared = std::make_unique<own_postgres>();
    (*shared)->start();
  }
  return **shared;
}

// The store falls while callers write and a message is owed; then it is back.
template <class Strike, class Heal> void falls_and_rises(shop& s, bool reads_too, Strike strike, Heal heal) {
  writers callers(s);
  callers.await_more(enough);
  strike();
  callers.await_refused(enough);
  s.await_readiness(503);
  s.check_refused_everywhere(reads_too);
  check(s.at().running(), "the node ended");
  heal();
  s.await_readiness(200);
  callers.await_more(enough);
  callers.finish();
  callers.check_kept();
  s.finish_owed();
}

// A case that fails leaves the server as it is: the next one gets another.
template <class Run> void with_server(const shared_server& shared, bed& b, Run run) {
  auto& server = running_server(shared);
  try {
    shop s(b, server.url(server.fresh_database()));
    run(server, s);
  } catch (...) {
    shared->reset();
    throw;
  }
}

void stops(const shared_server& shared, bed& b) {
  with_server(shared, b, [](own_postgres& server, shop& s) {
    falls_and_rises(s, true, [&] { server.stop(); }, [&] { server.start(); });
  });
}

void is_killed(const shared_server& shared, bed& b) {
  with_server(shared, b, [](own_postgres& server, shop& s) {
    falls_and_rises(s, true, [&] { server.kill(); }, [&] { server.start(); });
  });
}

void freezes(const shared_server& shared, bed& b) {
  with_server(shared, b, [](own_postgres& server, shop& s) {
    falls_and_rises(s, true, [&] { server.freeze(); }, [&] { server.thaw(); });
  });
}

void refuses_connections(const shared_server& shared, bed& b) {
  with_server(shared, b, [](own_postgres& server, shop& s) {
    std::unique_ptr<hogged_connections> hog;
    falls_and_rises(
        s, true,
        [&] {
          hog = std::make_unique<hogged_connections>(server);
          hog->evict_others();
        },
        [&] { hog.reset(); });
  });
}

// Its tables may not grow; what is there already can still be read, and changed where there is room.
void fills_its_disk(const shared_server& shared, bed& b) {
  auto& server = running_server(shared);
  try {
    const auto database = server.fresh_database();
    shop s(b, server.url(database));
    std::unique_ptr<full_disk> full;
    falls_and_rises(
        s, false,
        [&] {
          full = std::make_unique<full_disk>(server.processes(), server.files(database), s.at().folder() + "/strace");
        },
        [&] { full.reset(); });
  } catch (...) {
    shared->reset();
    throw;
  }
}

void sqlite_fills_its_disk(bed& b) {
  shop s(b, "");
  const auto file = s.at().folder() + "/fondaco.db";
  std::unique_ptr<full_disk> full;
  falls_and_rises(
      s, false,
      [&] {
        full =
            std::make_unique<full_disk>(std::vector{s.at().pid()}, std::vector{file, file + "-wal", file + "-journal"},
                                        s.at().folder() + "/strace");
      },
      [&] { full.reset(); });
}

cases of_sqlite() {
  return {{"SQLite's disk is full: what changes something is told to come again, reads go on, nothing acknowledged is "
           "lost, and work goes on by itself when there is room",
           sqlite_fills_its_disk}};
}

} // namespace

cases store_fault_cases(store_kind kind) {
  if (kind == store_kind::sqlite)
    return of_sqlite();
  auto shared = std::make_shared<std::unique_ptr<own_postgres>>();
  return {{"PostgreSQL is stopped: whoever needs it is told to come again, nothing acknowledged is lost, and work goes "
           "on by itself when it is started",
           [shared](bed& b) { stops(shared, b); }},
          {"PostgreSQL freezes: callers are told to come again in time, nothing acknowledged is lost, and work goes on "
           "by itself when it is thawed",
           [shared](bed& b) { freezes(shared, b); }},
          {"PostgreSQL's disk is full: what changes something is told to come again, reads go on, nothing acknowledged "
           "is lost, and work goes on by itself when there is room",
           [shared](bed& b) { fills_its_disk(shared, b); }},
          {"PostgreSQL is killed under load: nothing acknowledged is lost, and work goes on by itself when it is back",
           [shared](bed& b) { is_killed(shared, b); }},
          {"PostgreSQL has no connection left: whoever needs it is told to come again, and work goes on by itself when "
           "there are some",
           [shared](bed& b) { refuses_connections(shared, b); }}};
}

} // namespace fondaco::e2e

// A mixed load on two real nodes for as long as is asked, with or without kills, and what became of it.

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <random>

#include <poll.h>

#include "e2e/text.hpp"
#include "load/memory.hpp"
#include "load/workload.hpp"

namespace {

using namespace fondaco;
using e2e::milliseconds;
using e2e::steady;

constexpr const char* usage =
    "load --store sqlite|postgres --minutes N [--kill-every SECONDS] [--rate N] [--workers N] [--seed S] [--folder F]\n"
    "  A mixed load on two nodes of the binary that FONDACO_BINARY names. Without kills their memory may not grow by\n"
    "  1 % an hour after the first third of the time; with kills one node, the one and the other in turn, is ended\n"
    "  with SIGKILL and started again. At the end every acknowledged command is looked for.\n";

constexpr auto sample_every = milliseconds(2'000);
constexpr double slope_percent_max = 1;

struct options {
  e2e::store_kind kind = e2e::store_kind::sqlite;
  double minutes = 0;
  double kill_every_seconds = 0;
  double rate = 20;
  size_t workers = 8;
  uint64_t seed = std::random_device{}();
  std::string folder;
};

std::optional<options> read_options(int argc, char** argv) {
  options o;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string word = argv[i], value = argv[i + 1];
    if (word == "--store" && (value == "sqlite" || value == "postgres"))
      o.kind = value == "postgres" ? e2e::store_kind::postgres : e2e::store_kind::sqlite;
    else if (word == "--minutes")
      o.minutes = std::strtod(value.c_str(), nullptr);
    else if (word == "--kill-every")
      o.kill_every_seconds = std::strtod(value.c_str(), nullptr);
    else if (word == "--rate")
      o.rate = std::strtod(value.c_str(), nullptr);
    else if (word == "--workers")
      o.workers = std::strtoul(value.c_str(), nullptr, 10);
    else if (word == "--seed")
      o.seed = std::strtoull(value.c_str(), nullptr, 10);
    else if (word == "--folder")
      o.folder = value;
    else
      return std::nullopt;
  }
  const bool whole = argc % 2 == 1 && o.minutes > 0 && o.rate > 0 && o.workers > 0;
  return whole ? std::optional(o) : std::nullopt;
}

/// Kills the one node and the other in turn, and starts it again after up to a second.
class killer {
public:
  killer(load::tenants& t, double every_seconds, uint64_t seed)
      : nodes_{&t.provider_node(), &t.consumer_node()}, every_(static_cast<int64_t>(1000 * every_seconds)),
        next_(steady::now() + every_), random_(seed) {}
  void work() {
    if (every_.count() == 0 || steady::now() < next_)
      return;
    auto& victim = *nodes_[kills_++ % 2];
    victim.kill();
    ::poll(nullptr, 0, static_cast<int>(random_() % 1'000));
    victim.start();
    next_ = steady::now() + every_;
  }
  size_t kills() const { return kills_; }

private:
  e2e::node* nodes_[2];
  milliseconds every_;
  steady::time_point next_;
  std::mt19937_64 random_;
  size_t kills_ = 0;
};

void print(const load::tally& d) {
  std::cout << "  " << d.negotiations << " negotiations, " << d.transfers << " transfers, " << d.pulls << " pulls ("
            << d.pulls_broken << " broken off), " << d.catalogs << " catalogs, " << d.documents << " documents, "
            << d.lists << " lists, " << d.refusals << " refusals" << std::endl;
}

/// What a run leaves to be judged.
struct outcome {
  std::vector<load::memory_record> memory;
  uint64_t pulls = 0;
  uint64_t pulls_broken = 0;
};

outcome drive(const options& o, load::tenants& t, load::ledger& l) {
  std::vector<load::memory_record> memory{load::memory_record("provider"), load::memory_record("consumer")};
  const auto begin = steady::now(), end = begin + milliseconds(static_cast<int64_t>(o.minutes * 60'000));
  load::workload work(t, l, o.seed, o.workers, o.rate);
  killer kills(t, o.kill_every_seconds, o.seed);
  for (auto told = begin; steady::now() < end;) {
    kills.work();
    const auto at = std::chrono::duration_cast<milliseconds>(steady::now() - begin);
    memory[0].add(at, load::resident_kib(t.provider_node().pid()));
    memory[1].add(at, load::resident_kib(t.consumer_node().pid()));
    ::poll(nullptr, 0, static_cast<int>(sample_every.count()));
    if (steady::now() - told > std::chrono::minutes(1)) {
      told = steady::now();
      std::cout << "  after " << at.count() / 1000 << " s, " << kills.kills() << " kills, KiB resident: provider "
                << load::resident_kib(t.provider_node().pid()) << ", consumer "
                << load::resident_kib(t.consumer_node().pid()) << std::endl;
      print(work.done());
    }
  }
  work.finish();
  print(work.done());
  std::cout << "  " << kills.kills() << " kills" << std::endl;
  return {std::move(memory), work.done().pulls, work.done().pulls_broken};
}

int run(const options& o) {
  std::cout << "load on " << (o.kind == e2e::store_kind::postgres ? "PostgreSQL" : "SQLite") << ", " << o.minutes
            << " minutes, seed " << o.seed << std::endl;
  load::tenants t(o.folder, o.kind);
  load::ledger l;
  const auto done = drive(o, t, l);
  size_t passed = 0, failed = 0;
  const auto count = [&](bool held, const std::string& what) {
    std::cout << (held ? "ok  " : "FAILED ") << what << std::endl;
    ++(held ? passed : failed);
  };
  const auto findings = l.check(t);
  count(findings.empty(), std::to_string(l.processes()) + " acknowledged processes ended, both sides agree, and " +
                              std::to_string(l.documents()) + " documents are there or gone as acknowledged");
  for (size_t i = 0; i < std::min<size_t>(findings.size(), 20); ++i)
    std::cout << "    " << findings[i] << "\n";
  // Whoever pulls from a node that is killed begins again; nothing else may break a pull off.
  const bool pulled =
      done.pulls > 0 && (o.kill_every_seconds > 0 ? done.pulls_broken * 2 < done.pulls : done.pulls_broken == 0);
  count(pulled,
        std::to_string(done.pulls - done.pulls_broken) + " of " + std::to_string(done.pulls) + " pulls came whole");
  const auto warm_up = milliseconds(static_cast<int64_t>(o.minutes * 20'000));
  for (const auto& m : done.memory) {
    if (o.kill_every_seconds > 0)
      break;
    const auto slope = m.slope_percent_per_hour(warm_up);
    count(slope < slope_percent_max, "the memory of the " + m.name() + " grows by " + std::to_string(slope) +
                                         " % an hour, at " + std::to_string(m.median_kib(warm_up)) + " KiB");
  }
  std::cout << passed << " passed, " << failed << " failed" << std::endl;
  return failed == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  auto o = read_options(argc, argv);
  if (!o) {
    std::cerr << usage;
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  const bool own = o->folder.empty();
  if (own)
    o->folder = std::filesystem::temp_directory_path() / ("fondaco-load-" + e2e::random_hex(4));
  try {
    const int code = run(*o);
    if (own && code == 0)
      std::filesystem::remove_all(o->folder);
    return code;
  } catch (const std::exception& e) {
    std::cerr << "load: " << e.what() << "\nthe nodes' folders are in " << o->folder << "\n0 passed, 1 failed\n";
    return 1;
  }
}

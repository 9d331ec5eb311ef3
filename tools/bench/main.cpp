#include <csignal>
#include <filesystem>
#include <iostream>
#include <set>

#include <CLI/CLI.hpp>

#include "tools/bench/agents.hpp"
#include "tools/bench/append.hpp"
#include "tools/bench/negotiation.hpp"
#include "tools/bench/onboarding.hpp"
#include "tools/bench/start.hpp"
#include "tools/bench/tenants.hpp"

namespace {

using namespace fondaco;
using bench::figure;
using bench::measured;

struct options {
  std::string postgres;
  std::string folder;
  std::string program;
  double seconds = 3;
  std::vector<std::string> only;
};

class sections {
public:
  explicit sections(const options& o)
      : options_(o), length_(static_cast<int64_t>(o.seconds * 1000)), only_(o.only.begin(), o.only.end()) {}

  // Measures what was asked for; gives true if all of it could be.
  bool run() {
    if (wanted("append")) {
      show("append", "append on SQLite", [&] { return bench::measure_append_sqlite(folder("append"), length_); });
      show("append", "append on PostgreSQL",
           [&] { return bench::measure_append_postgres(options_.postgres, length_); });
    }
    if (wanted("negotiation")) {
      show("negotiation", "negotiations between two nodes on SQLite",
           [&] { return bench::measure_negotiations_sqlite(options_.program, folder("negotiation"), length_); });
      show("negotiation", "negotiations between two nodes on PostgreSQL", [&] {
        return bench::measure_negotiations_postgres(options_.program, folder("negotiation-postgres"), options_.postgres,
                                                    length_);
      });
    }
    if (wanted("onboarding"))
      for (const auto& server : {std::string(), options_.postgres})
        show("onboarding", "tenant request to participant agent answering",
             [&] { return bench::measure_onboarding(options_.program, folder("onboarding"), server); });
    if (wanted("verified"))
      for (const auto& server : {std::string(), options_.postgres})
        show("verified", "negotiations with presentation and verification", [&] {
          return bench::measure_verified_negotiations(options_.program, folder("verified"), server, length_);
        });
    if (wanted("start"))
      show("start", "start to ready on SQLite",
           [&] { return bench::measure_start(options_.program, folder("start")); });
    measure_crowds();
    return all_;
  }

private:
  // What thousands of tenants cost, which takes minutes: only by name.
  void measure_crowds() {
    if (only_.contains("agents"))
      for (const auto& f : bench::measure_agents(folder("agents")))
        show("agents", "participant agents in memory", [&] { return f; });
    if (only_.contains("registered"))
      show("registered", "start on a store of many participant agents",
           [&] { return bench::measure_start_registered(options_.program, folder("registered")); });
    if (only_.contains("tenants"))
      show("tenants", "negotiations of many tenants",
           [&] { return bench::measure_tenants(options_.program, folder("tenants"), length_); });
  }

  bool wanted(const std::string& section) const { return only_.empty() || only_.contains(section); }

  std::string folder(const std::string& section) const { return options_.folder + "/" + section; }

  template <class F> void show(const std::string& section, const std::string& name, F measure) {
    measured<figure> f;
    try {
      f = measure();
    } catch (const std::exception& e) {
      f = std::unexpected(e.what());
    }
    if (f) {
      f->command = "./dev bench --only " + section;
      if (!untimed_.contains(section))
        f->command += " --seconds " + bench::rounded(options_.seconds);
    }
    all_ = bench::print(name, f) && all_;
  }

  const options& options_;
  milliseconds length_;
  std::set<std::string> only_;
  /// These work until they are done.
  const std::set<std::string> untimed_{"start", "onboarding", "agents", "registered"};
  bool all_ = true;
};

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures Fondaco, each figure beside a named reference run. Machines are noisy: read the ratios. "
               "Ends with 1 if a figure could not be measured."};
  options o;
  app.add_option("--postgres", o.postgres,
                 "A scratch server's URL, postgresql://...; databases of our own are made on it");
  app.add_option("--folder", o.folder, "A folder for SQLite files and nodes; what an older run left in it is removed")
      ->required();
  app.add_option("--program", o.program, "The program fondaco")->required()->check(CLI::ExistingFile);
  app.add_option("--seconds", o.seconds, "How long each side works in a pass; there are three passes")
      ->check(CLI::Range(0.1, 600.0));
  app.add_option(
         "--only", o.only,
         "append, negotiation, onboarding, verified, start, which are measured if it is left out; agents, registered, "
         "tenants: what thousands of tenants cost, in minutes")
      ->delimiter(',')
      ->check(CLI::IsMember(
          {"append", "negotiation", "onboarding", "verified", "start", "agents", "registered", "tenants"}));
  CLI11_PARSE(app, argc, argv);
  o.program = std::filesystem::absolute(o.program).string();
  o.folder = std::filesystem::absolute(o.folder).string();
  std::signal(SIGPIPE, SIG_IGN);
  return sections(o).run() ? 0 : 1;
}

#include <csignal>
#include <iostream>

#include <sys/stat.h>

#include <CLI/CLI.hpp>

#include "tools/fondaco/config.hpp"
#include "tools/fondaco/ctl.hpp"
#include "tools/fondaco/demo.hpp"
#include "tools/fondaco/node.hpp"

namespace {

using namespace fondaco;

constexpr auto stop_within = milliseconds(10'000);

int fail(const fault& f) {
  std::cerr << "fondaco: " << f.detail << "\n";
  return 1;
}

// Signals are taken by waiting for them, so that nothing runs inside a handler.
int wait_for_end(const sigset_t& signals, const tools::node& n) {
  for (;;) {
    timespec second{1, 0};
    int signal = ::sigtimedwait(&signals, nullptr, &second);
    if (signal == SIGTERM || signal == SIGINT)
      return 0;
    if (!n.owns_shards()) {
      std::cerr << "fondaco: another node took over the shards of this one; it ends\n";
      return 1;
    }
  }
}

int serve(const std::string& file, bool only_plan) {
  auto c = tools::load_config(file);
  if (!c)
    return fail(c.error());
  if (only_plan) {
    std::cout << tools::plan(*c);
    return 0;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  ::umask(077); // what a node writes is its owner's alone
  tools::node n(std::move(*c));
  auto started = n.start();
  if (!started)
    return fail(started.error());
  std::cout << n.bound() << "ready" << std::endl;
  int code = wait_for_end(signals, n);
  n.stop(stop_within);
  return code;
}

int migrate(const std::string& file, bool dry_run) {
  auto c = tools::load_config(file);
  if (!c)
    return fail(c.error());
  if (dry_run) {
    auto steps = persistence::plan_migration(c->store);
    if (!steps)
      return fail(steps.error());
    std::cout << *steps;
    return 0;
  }
  auto opened = persistence::open_store(c->store);
  if (!opened)
    return fail(opened.error());
  std::cerr << "the schema is up to date\n";
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Fondaco: one operator, many organisations, data shared under contracts."};
  app.require_subcommand(1);
  int code = 0;
  std::string file;

  auto* serve_verb = app.add_subcommand("serve", "Run a node as its configuration says");
  bool only_plan = false;
  serve_verb->add_option("--config", file, "The configuration, a TOML file")->required();
  serve_verb->add_flag("--plan", only_plan, "Print the services' start order and listeners, and start nothing");
  serve_verb->callback([&] { code = serve(file, only_plan); });

  auto* config_verb = app.add_subcommand("config", "About the configuration");
  bool example = false;
  config_verb->add_flag("--example", example, "Print every key with its default and meaning")->required();
  config_verb->callback([&] { std::cout << tools::config_example(); });

  auto* migrate_verb = app.add_subcommand("migrate", "Bring the database's schema up to date (serve does it too)");
  bool dry_run = false;
  migrate_verb->add_option("--config", file, "The configuration, a TOML file")->required();
  migrate_verb->add_flag("--dry-run", dry_run, "Print what would be done and change nothing");
  migrate_verb->callback([&] { code = migrate(file, dry_run); });

  auto* ctl_verb = app.add_subcommand("ctl", "Look inside a running node. Exit codes: 0 answered, 1 no such thing, "
                                             "2 wrong command line, 3 unreachable, 4 refused");
  tools::ctl_options ctl;
  std::string verb;
  std::vector<std::string> arguments;
  ctl_verb->add_option("--at", ctl.at, "unix:/path of the operator socket, or the management listener's URL");
  ctl_verb->add_option("--client-id", ctl.client_id, "For a URL: an API client with the scope operator:read");
  ctl_verb->add_option("--secret-file", ctl.secret_file, "For a URL: the file with the client's secret");
  ctl_verb->add_option("--ca-file", ctl.ca_file, "For a URL: authorities to trust, a PEM file");
  ctl_verb->add_flag("--json", ctl.json, "Print JSON");
  ctl_verb->add_option("verb", verb, "ps, tree, show ID, history ID, why ID, watch")->required();
  ctl_verb->add_option("arguments", arguments, "The verb's arguments");
  ctl_verb->callback([&] { code = tools::run_ctl(ctl, verb, arguments); });

  auto* demo_verb = app.add_subcommand("demo", "Two organisations agree on a contract and share a file");
  tools::demo_options demo;
  demo.program = argv[0];
  demo_verb->add_option("data", demo.data, "A file or an http(s) URL to share")->required();
  demo_verb->add_option("--folder", demo.folder, "An empty folder for the nodes' data")->required();
  demo_verb->add_option("--provider-store", demo.provider_store, "The provider's database instead of SQLite");
  demo_verb->add_option("--consumer-store", demo.consumer_store, "The consumer's database instead of SQLite");
  demo_verb->add_flag("--keep", demo.keep, "Leave the nodes up and print how to look inside");
  demo_verb->add_flag("--json", demo.json, "One JSON object a step on standard output");
  demo_verb->callback([&] { code = tools::run_demo(demo); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : tools::ctl_usage; // 0 for --help
  }
  return code;
}

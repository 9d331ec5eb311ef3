#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "actors/ports/log.hpp"
#include "tools/fondaco/config.hpp"
#include "tools/fondaco/ctl.hpp"
#include "tools/fondaco/demo.hpp"
#include "tools/fondaco/doctor.hpp"
#include "tools/fondaco/init.hpp"
#include "tools/fondaco/journey.hpp"
#include "tools/fondaco/node.hpp"
#include "tools/fondaco/notify.hpp"
#include "tools/fondaco/store_verbs.hpp"
#include "tools/fondaco/version.hpp"

namespace {

using namespace fondaco;

constexpr auto stop_within = milliseconds(10'000);

int fail(const fault& f) {
  std::cerr << "fondaco: " << f.detail << "\n";
  return 1;
}

// The file is read again; what cannot be read or taken over changes nothing.
void reload(const std::string& file, tools::node& n) {
  log_line line{severity::info, "node", log_category::audit, "The configuration was read again.", {{"file", file}}};
  auto fresh = tools::load_config(file);
  auto done = fresh ? n.reload(*fresh) : std::unexpected(fresh.error());
  if (!done) {
    line.level = severity::error;
    line.message = "The configuration was read again and refused; the node goes on as it was.";
    line.fields.emplace_back("error", done.error().detail);
  } else if (!done->empty()) {
    std::string keys;
    for (const auto& key : *done)
      keys += (keys.empty() ? "" : ", ") + key;
    line.level = severity::warning;
    line.message = "The configuration was read again; some of the changed keys need a restart.";
    line.fields.emplace_back("keys", keys);
  }
  write_log(std::move(line));
}

// Signals are taken by waiting for them, so that nothing runs inside a handler.
int wait_for_end(const sigset_t& signals, const std::string& file, tools::node& n) {
  for (;;) {
    timespec second{1, 0};
    int signal = ::sigtimedwait(&signals, nullptr, &second);
    if (signal == SIGTERM || signal == SIGINT)
      return 0;
    if (signal == SIGHUP) {
      tools::notify_supervisor(tools::supervisor_socket(), tools::reloading_state());
      reload(file, n);
      tools::notify_supervisor(tools::supervisor_socket(), tools::ready_state(::getpid()));
    }
    if (!n.owns_shards()) {
      std::cerr << "fondaco: another node took over the shards of this one; it ends\n";
      return 1;
    }
  }
}

// Connections are bounded by the listeners' own limits: as many as the system allows this process must not be the
// bound.
void raise_descriptor_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max)
    return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
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
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN); // a file that may not grow is an error of its writer, not the end of the node
  raise_descriptor_limit();
  tools::node n(std::move(*c));
  auto started = n.start();
  if (!started)
    return fail(started.error());
  std::cout << n.bound() << "ready" << std::endl;
  tools::notify_supervisor(tools::supervisor_socket(), tools::ready_state(::getpid()));
  int code = wait_for_end(signals, file, n);
  tools::notify_supervisor(tools::supervisor_socket(), tools::stopping_state());
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

// The verbs around a node's first start; what they read into lives as long as they do.
void add_first_steps(CLI::App& app, int& code) {
  auto* init_verb = app.add_subcommand("init", "Write a node's configuration, keys, certificates and first API client");
  auto options = std::make_shared<tools::init_options>();
  init_verb->add_option("--folder", options->folder, "Where they go; it must not hold a node yet")->required();
  init_verb->add_option("--data", options->data, "Where the SQLite file and the operator's socket go; the same folder");
  init_verb->add_option("--name", options->name, "The node's name in its group")->capture_default_str();
  init_verb->add_option("--host", options->host, "The name under which peers reach the node")->capture_default_str();
  init_verb->add_option("--store", options->store, "postgresql://user@host/database instead of a SQLite file");
  init_verb->callback([options, &code] { code = tools::run_init(*options); });

  auto* doctor_verb = app.add_subcommand("doctor", "Check what a node needs of its machine; each line says the cure");
  auto file = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  doctor_verb->add_option("--config", *file, "The configuration, a TOML file")->required();
  doctor_verb->add_flag("--json", *json, "Print JSON");
  doctor_verb->callback([file, json, &code] { code = tools::run_doctor(*file, *json); });

  auto* version_verb = app.add_subcommand("version", "Print version, revision, schema, event formats and APIs");
  auto version_json = std::make_shared<bool>(false);
  version_verb->add_flag("--json", *version_json, "Print JSON");
  version_verb->callback([version_json] { std::cout << tools::version_text(*version_json); });
}

// `ctl` with the options of its verbs; what it reads into lives as long as it does.
void add_ctl(CLI::App& app, int& code) {
  auto* ctl_verb = app.add_subcommand("ctl", "Look inside a running node. Exit codes: 0 answered, 1 no such thing, "
                                             "2 wrong command line, 3 unreachable, 4 refused");
  struct words {
    tools::ctl_options ctl;
    std::string verb;
    std::vector<std::string> arguments;
  };
  auto read = std::make_shared<words>();
  auto& ctl = read->ctl;
  ctl_verb->add_option("--at", ctl.at, "unix:/path of the operator socket, or the management listener's URL");
  ctl_verb->add_option("--client-id", ctl.client_id,
                       "For a URL: an API client with the scope operator:read (redrive: write, --export: admin)");
  ctl_verb->add_option("--secret-file", ctl.secret_file, "For a URL: the file with the client's secret");
  ctl_verb->add_option("--ca-file", ctl.ca_file, "For a URL: authorities to trust, a PEM file");
  ctl_verb->add_flag("--json", ctl.json, "Print JSON");
  ctl_verb->add_flag("--all", ctl.all, "With redrive: every dead letter");
  ctl_verb->add_option("--export", ctl.export_file, "With history: the events with their payloads go to this file");
  ctl_verb->add_option("--every", ctl.every_seconds, "With top: seconds between two looks")
      ->check(CLI::Range(0.1, 3600.0));
  ctl_verb->add_flag("--once", ctl.once, "With top: one picture, for scripts");
  ctl_verb
      ->add_option("verb", read->verb,
                   "ps, tree, routes, dead-letters, redrive ID, show ID, history ID, why ID, watch, top")
      ->required();
  ctl_verb->add_option("arguments", read->arguments, "The verb's arguments");
  ctl_verb->callback([read, &code] { code = tools::run_ctl(read->ctl, read->verb, read->arguments); });
}

// A program that was found by PATH has only its name in argv[0].
std::string own_path(const char* called) {
  std::error_code no_proc;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", no_proc).string();
  return self.empty() ? called : self;
}

} // namespace

int main(int argc, char** argv) {
  ::umask(077); // what any verb writes is its owner's alone
  CLI::App app{"Fondaco: one operator, many organisations, data shared under contracts."};
  app.require_subcommand(1);
  int code = 0;
  std::string file;
  add_first_steps(app, code);
  tools::add_store_verbs(app, code);
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

  add_ctl(app, code);

  auto* demo_verb = app.add_subcommand("demo", "Organisations apply, get their credentials, agree and share a file");
  tools::demo_options closed;
  tools::journey_options journey;
  bool is_closed = false;
  journey.program = closed.program = own_path(argv[0]);
  demo_verb->add_option("data", journey.data, "A file or an http(s) URL to share")->required();
  demo_verb->add_option("--folder", journey.folder, "An empty folder for the nodes' data")->required();
  demo_verb->add_option("--stores", journey.stores,
                        "Databases instead of SQLite, one a process, separated by commas: one, or four with --split");
  demo_verb->add_option("--nats", journey.nats_url,
                        "A JetStream server for the CFM instead of messages in the process");
  demo_verb->add_flag("--split", journey.split, "CFM, control group, credential group, data plane as four processes");
  demo_verb->add_flag("--crash", journey.crash, "Kill the process with SIGKILL twice on the way");
  demo_verb->add_flag("--closed", is_closed, "The closed dataspace instead: two nodes, pre-shared tokens");
  demo_verb->add_option("--provider-store", closed.provider_store, "With --closed: the provider's database");
  demo_verb->add_option("--consumer-store", closed.consumer_store, "With --closed: the consumer's database");
  demo_verb->add_flag("--keep", journey.keep, "Leave the nodes up and print how to look inside");
  demo_verb->add_flag("--json", journey.json, "One JSON object a step on standard output");
  demo_verb->callback([&] {
    closed.data = journey.data;
    closed.folder = journey.folder;
    closed.keep = journey.keep;
    closed.json = journey.json;
    code = is_closed ? tools::run_demo(closed) : tools::run_journey(journey);
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : tools::ctl_usage; // 0 for --help
  }
  return code;
}

#include "tools/fondaco/store_verbs.hpp"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "tools/fondaco/backup.hpp"
#include "tools/fondaco/history.hpp"
#include "tools/fondaco/journal_verify.hpp"

namespace fondaco::tools {

namespace {

/// What a verb reads its options into; lives as long as the verb.
struct store_options_read {
  std::string config;
  std::string file;
  bool json = false;
};

} // namespace

void add_store_verbs(CLI::App& app, int& code) {
  auto o = std::make_shared<store_options_read>();
  auto* journal = app.add_subcommand("journal", "About the journal");
  auto* check =
      journal->add_subcommand("verify", "Check audit chain, gaps, tombstones, and that the events give rows and "
                                        "snapshots. Exit codes: 0 sound, 1 findings, 3 unreadable");
  journal->require_subcommand(1);
  check->add_option("--config", o->config, "The configuration, a TOML file; its node may run")->required();
  check->add_flag("--json", o->json, "Print JSON");
  check->callback([o, &code] { code = run_journal_verify(o->config, o->json); });

  auto* replay = app.add_subcommand("replay", "Fold an exported history with this program's code. Exit codes: 0 the "
                                              "recorded states, 1 others, 3 unreadable");
  replay->add_option("file", o->file, "What `fondaco ctl history ID --export FILE` wrote")->required();
  replay->add_flag("--json", o->json, "Print one JSON object an event");
  replay->callback([o, &code] { code = run_replay(o->file, o->json); });

  auto* backup = app.add_subcommand("backup", "Write all that a store holds, as of one moment, to a new file");
  backup->add_option("--config", o->config, "The configuration, a TOML file; its node may run")->required();
  backup->add_option("file", o->file, "The file; it must not exist")->required();
  backup->callback([o, &code] { code = run_backup(o->config, o->file); });

  auto* verify = app.add_subcommand("verify", "Check a backup file: whole, with its counts and its digest");
  verify->add_option("file", o->file, "What `fondaco backup` wrote")->required();
  verify->add_flag("--json", o->json, "Print JSON");
  verify->callback([o, &code] { code = run_verify(o->file, o->json); });

  auto* restore = app.add_subcommand("restore", "Fill an empty store with a backup; who owned its shards is fenced");
  restore->add_option("--config", o->config, "The configuration with the empty store")->required();
  restore->add_option("file", o->file, "What `fondaco backup` wrote")->required();
  restore->callback([o, &code] { code = run_restore(o->config, o->file); });
}

} // namespace fondaco::tools

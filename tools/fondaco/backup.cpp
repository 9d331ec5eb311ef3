#include "tools/fondaco/backup.hpp"

#include <iostream>
#include <optional>

#include "actors/ports/clock.hpp"
#include "tools/fondaco/backup_file.hpp"
#include "tools/fondaco/config.hpp"
#include "tools/fondaco/journal_verify.hpp"
#include "tools/fondaco/restored_messages.hpp"

namespace fondaco::tools {

namespace {

int failed(const char* verb, const fault& f, int code = store_unreadable) {
  std::cerr << "fondaco " << verb << ": " << f.detail << "\n";
  return code;
}

std::string counts_text(const backup_contents& c) {
  std::string text;
  for (const auto& [name, rows] : c.rows)
    text += (text.empty() ? "" : ", ") + name + " " + std::to_string(rows);
  return text;
}

persistence::store_options store_of(const config& c) {
  auto options = c.store;
  options.group = c.group;
  return options;
}

} // namespace

int run_backup(const std::string& config_file, const std::string& file) {
  const auto c = load_config(config_file);
  if (!c)
    return failed("backup", c.error());
  auto store = persistence::open_reader(store_of(*c));
  if (!store)
    return failed("backup", store.error());
  const auto written = write_backup(**store, actors::system_clock().now(), file);
  if (!written)
    return failed("backup", written.error());
  std::cerr << "fondaco backup: " << counts_text(*written) << "\n"
            << "fondaco backup: keep the key that wraps the secrets apart from it: without it they are lost\n";
  return store_sound;
}

int run_verify(const std::string& file, bool as_json) {
  const auto read = read_backup(file, {});
  if (!read)
    return failed("verify", read.error(), store_unsound);
  json::object rows;
  for (const auto& [name, count] : read->rows)
    rows[name] = count;
  if (as_json)
    std::cout << json::write(json::object{{"at", read->at}, {"schema", read->schema}, {"rows", std::move(rows)}})
              << "\n";
  else
    std::cout << "whole, of " << read->at << ", schema " << read->schema << ": " << counts_text(*read) << "\n";
  return store_sound;
}

int run_restore(const std::string& config_file, const std::string& file) {
  const auto c = load_config(config_file);
  if (!c)
    return failed("restore", c.error());
  // All of it is checked before anything is written.
  if (const auto whole = read_backup(file, {}); !whole)
    return failed("restore", whole.error(), store_unsound);
  const auto options = store_of(*c);
  auto filler = persistence::open_filler(options);
  if (!filler)
    return failed("restore", filler.error());
  auto read = read_backup(file, [&](const auto& t, auto row) { return (*filler)->add(t, row); });
  if (!read)
    return failed("restore", read.error());
  if (auto finished = (*filler)->finish(); !finished)
    return failed("restore", finished.error());
  filler->reset();
  const auto questioned = question_messages(options, c->shards, actors::system_clock().now());
  if (!questioned) {
    std::cerr << "fondaco restore: start no node on this store, which would send again what may have been taken; empty "
                 "it and restore anew\n";
    return failed("restore", questioned.error());
  }
  std::cerr << "fondaco restore: " << counts_text(*read) << "\n"
            << "fondaco restore: the nodes that had these shards before are fenced; " << *questioned
            << " messages are sent again only after their receivers told their state\n";
  return store_sound;
}

} // namespace fondaco::tools

#include "persistence/sqlite/migrate.hpp"

#include <sqlite3.h>

#include "persistence/schema.hpp"

namespace fondaco::persistence::sqlite {

namespace {

outcome<int64_t> version_of(connection& c) {
  auto table = c.prepare("select 1 from sqlite_master where type = 'table' and name = 'schema_version'");
  auto found = table.step();
  if (!found)
    return std::unexpected(std::move(found.error()));
  if (!*found)
    return 0;
  auto newest = c.prepare("select coalesce(max(version), 0) from schema_version");
  if (auto row = newest.step(); !row)
    return std::unexpected(std::move(row.error()));
  return newest.integer(0);
}

outcome<void> apply(connection& c, std::span<const schema::migration> steps) {
  if (auto made =
          c.run("create table if not exists schema_version(version integer primary key, applied_at integer not null)");
      !made)
    return made;
  for (const auto& step : steps) {
    if (auto done = c.run(std::string(step.script)); !done)
      return done;
    auto noted = c.prepare("insert into schema_version(version, applied_at) "
                           "values (?, cast((julianday('now') - 2440587.5) * 86400000 as integer))")
                     .bind(step.version)
                     .run();
    if (!noted)
      return std::unexpected(std::move(noted.error()));
  }
  return {};
}

} // namespace

fault fault_of(const failure& f) { return {"store_unavailable", f.detail, cure::retry}; }

std::expected<void, fault> migrate(connection& c) {
  auto lock = transaction::begin(c);
  if (!lock)
    return std::unexpected(fault_of(lock.error()));
  const auto version = version_of(c);
  if (!version)
    return std::unexpected(fault_of(version.error()));
  const auto steps = schema::pending(schema::dialect::sqlite, *version);
  if (!steps)
    return std::unexpected(steps.error());
  if (steps->empty())
    return {};
  auto done = apply(c, *steps);
  if (done)
    done = lock->commit();
  if (!done)
    return std::unexpected(fault_of(done.error()));
  return {};
}

std::expected<std::string, fault> plan(const std::string& url) {
  int64_t version = 0;
  auto c = connection::open(url, open_mode::read_only);
  if (c) {
    const auto found = version_of(*c);
    if (!found)
      return std::unexpected(fault_of(found.error()));
    version = *found;
  } else if ((c.error().code & 0xff) != SQLITE_CANTOPEN) {
    return std::unexpected(fault_of(c.error()));
  }
  const auto steps = schema::pending(schema::dialect::sqlite, version);
  if (!steps)
    return std::unexpected(steps.error());
  return schema::plan_text(*steps, version);
}

} // namespace fondaco::persistence::sqlite

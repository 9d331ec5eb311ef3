#include "persistence/postgres/migrate.hpp"

#include "persistence/schema.hpp"

namespace fondaco::persistence::postgres {

fault fault_of(const failure& f) {
  return {"store_unavailable", f.sqlstate.empty() ? f.detail : f.detail + " (SQLSTATE " + f.sqlstate + ")",
          cure::retry};
}

namespace {

outcome<int64_t> version_of(connection& c) {
  auto table = c.execute("select to_regclass('schema_version') is not null", {});
  if (!table)
    return std::unexpected(std::move(table.error()));
  if (table->integer(0, 0) == 0)
    return 0;
  auto newest = c.execute("select coalesce(max(version), 0) from schema_version", {});
  if (!newest)
    return std::unexpected(std::move(newest.error()));
  return newest->integer(0, 0);
}

outcome<void> apply(connection& c, std::span<const schema::migration> steps) {
  if (auto made =
          c.run("create table if not exists schema_version(version bigint primary key, applied_at bigint not null)");
      !made)
    return made;
  for (const auto& step : steps) {
    if (auto done = c.run(std::string(step.script)); !done)
      return done;
    auto noted = c.execute("insert into schema_version(version, applied_at) "
                           "values ($1, (extract(epoch from clock_timestamp()) * 1000)::bigint)",
                           parameters{}.add(step.version));
    if (!noted)
      return std::unexpected(std::move(noted.error()));
  }
  return {};
}

outcome<void> lock(connection& c) {
  const auto ms = std::to_string(limits::postgres_migration_timeout.count());
  // The number is this program's own ("fondaco" in ASCII): other programs of the same database do not use it.
  return c.run("set local lock_timeout = " + ms + "; select pg_advisory_xact_lock(28832967545676655)");
}

std::expected<void, fault> migrate_locked(connection& c) {
  auto work = transaction::begin(c);
  if (!work)
    return std::unexpected(fault_of(work.error()));
  if (auto locked = lock(c); !locked)
    return std::unexpected(fault_of(locked.error()));
  const auto version = version_of(c);
  if (!version)
    return std::unexpected(fault_of(version.error()));
  const auto steps = schema::pending(schema::dialect::postgres, *version);
  if (!steps)
    return std::unexpected(steps.error());
  if (steps->empty())
    return {};
  auto done = apply(c, *steps);
  if (done)
    done = work->commit();
  if (!done)
    return std::unexpected(fault_of(done.error()));
  return {};
}

} // namespace

std::expected<void, fault> migrate(connection& c) {
  const auto usual = c.statement_timeout();
  if (auto slow = c.set_statement_timeout(limits::postgres_migration_timeout); !slow)
    return std::unexpected(fault_of(slow.error()));
  auto done = migrate_locked(c);
  if (auto quick = c.set_statement_timeout(usual); !quick && done)
    return std::unexpected(fault_of(quick.error()));
  return done;
}

std::expected<std::string, fault> plan(connection& c) {
  const auto version = version_of(c);
  if (!version)
    return std::unexpected(fault_of(version.error()));
  const auto steps = schema::pending(schema::dialect::postgres, *version);
  if (!steps)
    return std::unexpected(steps.error());
  return schema::plan_text(*steps, *version);
}

} // namespace fondaco::persistence::postgres

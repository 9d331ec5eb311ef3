#include "persistence/store.hpp"

#include <string_view>

#include "persistence/postgres/documents.hpp"
#include "persistence/postgres/journal.hpp"
#include "persistence/postgres/migrate.hpp"
#include "persistence/schema.hpp"
#include "persistence/sqlite/documents.hpp"
#include "persistence/sqlite/journal.hpp"
#include "persistence/sqlite/migrate.hpp"

namespace fondaco::persistence {

namespace {

bool is_postgres(std::string_view url) noexcept {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

fault no_url() {
  return {"bad_url", "the store's url is empty: give a file's path for SQLite or a postgresql:// connection string",
          cure::fix_input};
}

} // namespace

std::expected<store, fault> open_store(const store_options& options) {
  if (options.url.empty())
    return std::unexpected(no_url());
  if (is_postgres(options.url)) {
    auto opened = postgres_journal::open(options);
    if (!opened)
      return std::unexpected(std::move(opened.error()));
    return store{std::move(*opened), make_postgres_documents(options)};
  }
  auto shared = options;
  shared.url = sqlite::shared_url(options.url);
  auto opened = sqlite_journal::open(shared);
  if (!opened)
    return std::unexpected(std::move(opened.error()));
  return store{std::move(*opened), make_sqlite_documents(shared)};
}

std::expected<std::string, fault> plan_migration(const store_options& options) {
  if (options.url.empty())
    return std::unexpected(no_url());
  if (!is_postgres(options.url))
    return sqlite::plan(options.url);
  auto c = postgres::connection::open({options.url, options.statement_timeout_ms, false});
  if (!c)
    return std::unexpected(postgres::fault_of(c.error()));
  return postgres::plan(*c);
}

std::expected<std::optional<timepoint>, fault> store_time(const store_options& options) {
  if (options.url.empty())
    return std::unexpected(no_url());
  if (!is_postgres(options.url))
    return std::nullopt;
  auto c = postgres::connection::open({options.url, options.statement_timeout_ms, false});
  if (!c)
    return std::unexpected(postgres::fault_of(c.error()));
  auto now = c->read("select (extract(epoch from clock_timestamp()) * 1000)::bigint", {});
  if (!now)
    return std::unexpected(postgres::fault_of(now.error()));
  return from_epoch_ms(now->integer(0, 0));
}

int64_t schema_version() noexcept { return schema::migrations(schema::dialect::postgres).back().version; }

} // namespace fondaco::persistence

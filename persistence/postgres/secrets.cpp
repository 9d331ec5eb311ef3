#include "persistence/detail/secret_table.hpp"
#include "persistence/postgres/connection.hpp"
#include "persistence/postgres/migrate.hpp"

#include <utility>

namespace fondaco::persistence::detail {
namespace {

/// Every statement here may be done twice, so each is tried once more when its connection breaks.
class postgres_secrets final : public secret_table {
public:
  postgres_secrets(postgres::connection_settings settings, size_t connections_max)
      : pool_([settings = std::move(settings)] { return postgres::connection::open(settings); }, connections_max) {}

  std::expected<std::optional<std::string>, vault_errc> find(std::string_view owner, std::string_view name) override {
    auto lent = pool_.acquire();
    if (!lent)
      return std::unexpected(vault_errc::unavailable);
    auto answer = (*lent)->read("select sealed from secret where tenant = $1 and name = $2",
                                postgres::parameters{}.add(owner).add(name));
    if (!answer)
      return std::unexpected(vault_errc::unavailable);
    if (answer->rows() == 0)
      return std::nullopt;
    return std::string{answer->text(0, 0)};
  }

  std::expected<void, vault_errc> insert_if_absent(std::string_view owner, std::string_view name,
                                                   std::string_view sealed) override {
    return change("insert into secret(tenant, name, sealed) values($1, $2, $3) on conflict do nothing",
                  postgres::parameters{}.add(owner).add(name).add_bytes(sealed));
  }

  std::expected<void, vault_errc> put(std::string_view owner, std::string_view name, std::string_view sealed) override {
    return change("insert into secret(tenant, name, sealed) values($1, $2, $3) "
                  "on conflict(tenant, name) do update set sealed = excluded.sealed",
                  postgres::parameters{}.add(owner).add(name).add_bytes(sealed));
  }

  std::expected<void, vault_errc> remove(std::string_view owner, std::string_view name) override {
    return change("delete from secret where tenant = $1 and name = $2", postgres::parameters{}.add(owner).add(name));
  }

  std::expected<void, vault_errc> remove_all(std::string_view owner) override {
    return change("delete from secret where tenant = $1", postgres::parameters{}.add(owner));
  }

private:
  std::expected<void, vault_errc> change(const std::string& sql, const postgres::parameters& parameters) {
    auto lent = pool_.acquire();
    if (!lent || !(*lent)->read(sql, parameters))
      return std::unexpected(vault_errc::unavailable);
    return {};
  }

  postgres::connection_pool pool_;
};

} // namespace

std::expected<std::unique_ptr<secret_table>, fault> make_postgres_secrets(const store_options& options) {
  postgres::connection_settings settings{options.url, options.statement_timeout_ms};
  auto opened = postgres::connection::open(settings);
  if (!opened)
    return std::unexpected(postgres::fault_of(opened.error()));
  if (auto ready = postgres::migrate(*opened); !ready)
    return std::unexpected(std::move(ready.error()));
  return std::make_unique<postgres_secrets>(std::move(settings), options.readers);
}

} // namespace fondaco::persistence::detail

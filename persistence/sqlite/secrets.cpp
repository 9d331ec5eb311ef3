#include "persistence/detail/secret_table.hpp"
#include "persistence/sqlite/connection.hpp"
#include "persistence/sqlite/migrate.hpp"

#include <mutex>
#include <utility>

namespace fondaco::persistence::detail {
namespace {

/// One connection behind a lock: the vault reads a row at a tenant's first use and writes rarely.
class sqlite_secrets final : public secret_table {
public:
  explicit sqlite_secrets(sqlite::connection c) : connection_(std::move(c)) {}

  std::expected<std::optional<std::string>, vault_errc> find(std::string_view owner, std::string_view name) override {
    std::lock_guard lock(mutex_);
    auto s = connection_.prepare("select sealed from secret where tenant = ?1 and name = ?2");
    auto row = s.bind(owner).bind(name).step();
    if (!row)
      return std::unexpected(vault_errc::unavailable);
    if (!*row)
      return std::nullopt;
    return std::string{s.blob(0)};
  }

  std::expected<void, vault_errc> insert_if_absent(std::string_view owner, std::string_view name,
                                                   std::string_view sealed) override {
    std::lock_guard lock(mutex_);
    auto s = connection_.prepare("insert into secret(tenant, name, sealed) values(?1, ?2, ?3) on conflict do nothing");
    return done(s.bind(owner).bind(name).bind_blob(sealed).run());
  }

  std::expected<void, vault_errc> put(std::string_view owner, std::string_view name, std::string_view sealed) override {
    std::lock_guard lock(mutex_);
    auto s = connection_.prepare("insert into secret(tenant, name, sealed) values(?1, ?2, ?3) "
                                 "on conflict(tenant, name) do update set sealed = excluded.sealed");
    return done(s.bind(owner).bind(name).bind_blob(sealed).run());
  }

  std::expected<void, vault_errc> remove(std::string_view owner, std::string_view name) override {
    std::lock_guard lock(mutex_);
    auto s = connection_.prepare("delete from secret where tenant = ?1 and name = ?2");
    return done(s.bind(owner).bind(name).run());
  }

  std::expected<void, vault_errc> remove_all(std::string_view owner) override {
    std::lock_guard lock(mutex_);
    auto s = connection_.prepare("delete from secret where tenant = ?1");
    return done(s.bind(owner).run());
  }

private:
  static std::expected<void, vault_errc> done(const sqlite::outcome<int64_t>& changed) {
    if (!changed)
      return std::unexpected(vault_errc::unavailable);
    return {};
  }

  std::mutex mutex_;
  sqlite::connection connection_;
};

} // namespace

std::expected<std::unique_ptr<secret_table>, fault> make_sqlite_secrets(const store_options& options) {
  auto opened = sqlite::connection::open(options.url);
  if (!opened)
    return std::unexpected(sqlite::fault_of(opened.error()));
  // What a removed secret leaves in the file would outlive its tenant.
  if (auto set = opened->run("pragma secure_delete = on"); !set)
    return std::unexpected(sqlite::fault_of(set.error()));
  if (auto ready = sqlite::migrate(*opened); !ready)
    return std::unexpected(std::move(ready.error()));
  return std::make_unique<sqlite_secrets>(std::move(*opened));
}

} // namespace fondaco::persistence::detail

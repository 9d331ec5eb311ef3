#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "persistence/detail/sealed_box.hpp"
#include "persistence/detail/secret_table.hpp"
#include "persistence/vault.hpp"
#include "protocols/base/time.hpp"

namespace fondaco::persistence {

namespace limits {
/// How many tenants' data keys the vault keeps in memory; the one that was used longest ago goes first.
inline constexpr size_t vault_keys_max = 1024;
/// How long a data key is used from memory before it is read again, so that a tenant shredded through another node is
/// unreadable here after this time at the latest.
inline constexpr milliseconds vault_key_age_max{60'000};
/// The longest name of a secret in bytes.
inline constexpr size_t secret_name_bytes_max = 512;
} // namespace limits

/// What the vault may keep in memory.
struct vault_cache_limits {
  size_t keys_max = limits::vault_keys_max;
  milliseconds key_age_max = limits::vault_key_age_max;
};

/// The vault over the database's `secret` table: a tenant's data key lies there under the empty name, wrapped by the
/// key-encryption key; the secrets and whatever is sealed for the journal are under the data key. The associated data
/// holds the purpose and the tenant, and for a named secret its name, so that no row passes for another.
class embedded_vault final : public vault {
public:
  /// Opens the vault; a key-encryption key that is not the one that this database was made with is refused.
  static std::expected<std::unique_ptr<vault>, fault> open_over(std::unique_ptr<detail::secret_table> table,
                                                                detail::secret_bytes key_encryption_key,
                                                                vault_cache_limits limits = {});

  std::expected<std::string, vault_errc> seal(const tenant& owner, std::string_view text) override;
  std::expected<std::string, vault_errc> open(const tenant& owner, std::string_view sealed) override;
  std::expected<void, vault_errc> put(const tenant& owner, std::string_view name, std::string_view text) override;
  std::expected<std::optional<std::string>, vault_errc> get(const tenant& owner, std::string_view name) override;
  std::expected<void, vault_errc> remove(const tenant& owner, std::string_view name) override;
  std::expected<void, vault_errc> shred(const tenant& owner) override;

  /// A vault whose key nobody has checked against the database yet: `open_over` does that.
  embedded_vault(std::unique_ptr<detail::secret_table> table, detail::secret_bytes key, vault_cache_limits limits)
      : table_(std::move(table)), key_encryption_key_(std::move(key)), limits_(limits) {}

private:
  using shared_key = std::shared_ptr<const detail::secret_bytes>;
  using steady_time = std::chrono::steady_clock::time_point;
  struct entry {
    std::string owner;
    shared_key key;
    steady_time read_at;
  };
  enum class when_absent : uint8_t { make, give_nothing };

  std::expected<void, fault> check_key();
  std::expected<shared_key, vault_errc> data_key(const tenant& owner, when_absent policy);
  std::expected<shared_key, vault_errc> read_data_key(const tenant& owner, when_absent policy);
  std::expected<std::string, vault_errc> make_wrapped_key(const tenant& owner);
  shared_key cached(const std::string& owner);
  void keep(const std::string& owner, shared_key key, uint64_t generation);
  void forget(const std::string& owner);
  uint64_t generation();

  std::unique_ptr<detail::secret_table> table_;
  detail::secret_bytes key_encryption_key_;
  vault_cache_limits limits_;
  std::mutex mutex_;
  std::list<entry> recent_; // the latest use in front
  std::unordered_map<std::string, std::list<entry>::iterator> by_owner_;
  uint64_t generation_ = 0; // moves at each shred: a key that was read before one is not kept after it
};

} // namespace fondaco::persistence

#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/base/fault.hpp"
#include "protocols/base/ids.hpp"

namespace fondaco::persistence {

/// Why the vault gave nothing.
enum class vault_errc : uint8_t {
  /// The key-encryption key is missing, malformed or readable by others. The operator must correct it.
  bad_key = 1,
  /// The sealed text was not made by this vault for this tenant, or was altered. The caller must not use it.
  not_authentic,
  /// The store cannot be reached. The caller may try again.
  unavailable,
  /// The tenant's id or the secret's name is empty, longer than 512 bytes, or not UTF-8 without U+0000. The caller must
  /// correct it.
  bad_name,
};

/// Secrets of tenants: AES-256-GCM under one data key a tenant, which is wrapped by the key-encryption key.
/// Calls block (the first use of a tenant's key reads the store) and may come from any thread.
class vault {
public:
  virtual ~vault() = default;

  /// The text, encrypted for the tenant and bound to its id: safe to journal, of the form `v1.<base64url>`.
  virtual std::expected<std::string, vault_errc> seal(const tenant& owner, std::string_view text) = 0;

  /// The text that was sealed for the tenant.
  virtual std::expected<std::string, vault_errc> open(const tenant& owner, std::string_view sealed) = 0;

  /// Keeps a secret under a name, replacing an older one.
  virtual std::expected<void, vault_errc> put(const tenant& owner, std::string_view name, std::string_view text) = 0;

  /// The secret with this name, or nothing.
  virtual std::expected<std::optional<std::string>, vault_errc> get(const tenant& owner, std::string_view name) = 0;

  /// Removes a secret; removing what is not there is no error.
  virtual std::expected<void, vault_errc> remove(const tenant& owner, std::string_view name) = 0;

  /// Destroys the tenant's data key and secrets: whatever was sealed for it can never be read again.
  virtual std::expected<void, vault_errc> shred(const tenant& owner) = 0;
};

} // namespace fondaco::persistence

#include "persistence/embedded_vault.hpp"

#include <utility>

#include "persistence/detail/append_check.hpp"

namespace fondaco::persistence {
namespace {

using detail::box_context;
using detail::is_storable_text;
using detail::open_box;
using detail::seal_box;
using detail::secret_bytes;

constexpr std::string_view data_key_name = "";
constexpr std::string_view no_tenant = "";
constexpr std::string_view check_name = "kek-check";
constexpr std::string_view check_text = "fondaco";

bool is_name(std::string_view text, size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && is_storable_text(text);
}

bool valid_owner(const tenant& owner) { return is_name(owner.id(), fondaco::limits::id_bytes_max); }

bool valid_name(std::string_view name) { return is_name(name, limits::secret_name_bytes_max); }

fault unreachable() { return {"unavailable", "the vault's table cannot be reached", cure::retry}; }

} // namespace

std::expected<std::unique_ptr<vault>, fault> embedded_vault::open_over(std::unique_ptr<detail::secret_table> table,
                                                                       secret_bytes key_encryption_key,
                                                                       vault_cache_limits limits) {
  if (key_encryption_key.view().size() != detail::key_bytes)
    return std::unexpected(fault{"bad_key", "the key-encryption key has to have 32 bytes", cure::fix_input});
  auto made = std::make_unique<embedded_vault>(std::move(table), std::move(key_encryption_key), limits);
  if (auto right = made->check_key(); !right)
    return std::unexpected(right.error());
  return made;
}

std::expected<void, fault> embedded_vault::check_key() {
  const std::string context = box_context("kek-check", {});
  auto found = table_->find(no_tenant, check_name);
  if (found && !*found) {
    auto sealed = seal_box(key_encryption_key_.view(), context, check_text);
    if (!sealed)
      return std::unexpected(fault{"bad_key", "the cryptographic library refused to seal", cure::stop});
    if (!table_->insert_if_absent(no_tenant, check_name, *sealed))
      return std::unexpected(unreachable());
    found = table_->find(no_tenant, check_name); // another node may have been first
  }
  if (!found || !*found)
    return std::unexpected(unreachable());
  if (open_box(key_encryption_key_.view(), context, **found) != check_text)
    return std::unexpected(fault{"bad_key",
                                 "the key-encryption key is not the one that this database's secrets are sealed with; "
                                 "start with the key file that it was made with",
                                 cure::fix_input});
  return {};
}

embedded_vault::shared_key embedded_vault::cached(const std::string& owner) {
  std::lock_guard lock(mutex_);
  auto found = by_owner_.find(owner);
  if (found == by_owner_.end())
    return nullptr;
  if (std::chrono::steady_clock::now() - found->second->read_at >= limits_.key_age_max) {
    recent_.erase(found->second);
    by_owner_.erase(found);
    return nullptr;
  }
  recent_.splice(recent_.begin(), recent_, found->second);
  return recent_.front().key;
}

void embedded_vault::keep(const std::string& owner, shared_key key, uint64_t generation) {
  std::lock_guard lock(mutex_);
  if (generation != generation_ || by_owner_.contains(owner) || limits_.keys_max == 0)
    return;
  if (recent_.size() >= limits_.keys_max) {
    by_owner_.erase(recent_.back().owner);
    recent_.pop_back();
  }
  recent_.push_front({owner, std::move(key), std::chrono::steady_clock::now()});
  by_owner_[owner] = recent_.begin();
  invariant(by_owner_.size() == recent_.size(), "the vault's cache and its index differ");
}

void embedded_vault::forget(const std::string& owner) {
  std::lock_guard lock(mutex_);
  ++generation_;
  if (auto found = by_owner_.find(owner); found != by_owner_.end()) {
    recent_.erase(found->second);
    by_owner_.erase(found);
  }
}

uint64_t embedded_vault::generation() {
  std::lock_guard lock(mutex_);
  return generation_;
}

std::expected<std::string, vault_errc> embedded_vault::make_wrapped_key(const tenant& owner) {
  auto fresh = detail::random_key();
  if (!fresh)
    return std::unexpected(vault_errc::unavailable);
  auto wrapped = seal_box(key_encryption_key_.view(), box_context("data-key", {owner.id()}), fresh->view());
  if (!wrapped)
    return std::unexpected(vault_errc::unavailable);
  if (auto kept = table_->insert_if_absent(owner.id(), data_key_name, *wrapped); !kept)
    return std::unexpected(kept.error());
  auto winner = table_->find(owner.id(), data_key_name); // two first users: both take what is there
  if (!winner || !*winner)
    return std::unexpected(vault_errc::unavailable);
  return std::move(**winner);
}

std::expected<embedded_vault::shared_key, vault_errc> embedded_vault::read_data_key(const tenant& owner,
                                                                                    when_absent policy) {
  auto found = table_->find(owner.id(), data_key_name);
  if (!found)
    return std::unexpected(found.error());
  std::string wrapped;
  if (*found) {
    wrapped = std::move(**found);
  } else {
    if (policy == when_absent::give_nothing)
      return nullptr;
    auto made = make_wrapped_key(owner);
    if (!made)
      return std::unexpected(made.error());
    wrapped = std::move(*made);
  }
  auto bytes = open_box(key_encryption_key_.view(), box_context("data-key", {owner.id()}), wrapped);
  if (!bytes)
    return std::unexpected(vault_errc::bad_key);
  secret_bytes key{std::move(*bytes)};
  if (key.view().size() != detail::key_bytes)
    return std::unexpected(vault_errc::bad_key);
  return std::make_shared<const secret_bytes>(std::move(key));
}

std::expected<embedded_vault::shared_key, vault_errc> embedded_vault::data_key(const tenant& owner,
                                                                               when_absent policy) {
  if (auto key = cached(owner.id()))
    return key;
  const uint64_t before = generation();
  auto key = read_data_key(owner, policy);
  if (key && *key)
    keep(owner.id(), *key, before);
  return key;
}

std::expected<std::string, vault_errc> embedded_vault::seal(const tenant& owner, std::string_view text) {
  if (!valid_owner(owner))
    return std::unexpected(vault_errc::bad_name);
  auto key = data_key(owner, when_absent::make);
  if (!key)
    return std::unexpected(key.error());
  auto sealed = seal_box((*key)->view(), box_context("seal", {owner.id()}), text);
  if (!sealed)
    return std::unexpected(vault_errc::unavailable);
  return std::move(*sealed);
}

std::expected<std::string, vault_errc> embedded_vault::open(const tenant& owner, std::string_view sealed) {
  if (!valid_owner(owner))
    return std::unexpected(vault_errc::bad_name);
  auto key = data_key(owner, when_absent::give_nothing);
  if (!key)
    return std::unexpected(key.error());
  if (!*key)
    return std::unexpected(vault_errc::not_authentic);
  auto text = open_box((*key)->view(), box_context("seal", {owner.id()}), sealed);
  if (!text)
    return std::unexpected(vault_errc::not_authentic);
  return std::move(*text);
}

std::expected<void, vault_errc> embedded_vault::put(const tenant& owner, std::string_view name, std::string_view text) {
  if (!valid_owner(owner) || !valid_name(name))
    return std::unexpected(vault_errc::bad_name);
  auto key = data_key(owner, when_absent::make);
  if (!key)
    return std::unexpected(key.error());
  auto sealed = seal_box((*key)->view(), box_context("secret", {owner.id(), name}), text);
  if (!sealed)
    return std::unexpected(vault_errc::unavailable);
  return table_->put(owner.id(), name, *sealed);
}

std::expected<std::optional<std::string>, vault_errc> embedded_vault::get(const tenant& owner, std::string_view name) {
  if (!valid_owner(owner) || !valid_name(name))
    return std::unexpected(vault_errc::bad_name);
  auto sealed = table_->find(owner.id(), name);
  if (!sealed)
    return std::unexpected(sealed.error());
  if (!*sealed)
    return std::nullopt;
  auto key = data_key(owner, when_absent::give_nothing);
  if (!key)
    return std::unexpected(key.error());
  if (!*key)
    return std::unexpected(vault_errc::not_authentic);
  auto text = open_box((*key)->view(), box_context("secret", {owner.id(), name}), **sealed);
  if (!text)
    return std::unexpected(vault_errc::not_authentic);
  return text;
}

std::expected<void, vault_errc> embedded_vault::remove(const tenant& owner, std::string_view name) {
  if (!valid_owner(owner) || !valid_name(name))
    return std::unexpected(vault_errc::bad_name);
  return table_->remove(owner.id(), name);
}

std::expected<void, vault_errc> embedded_vault::shred(const tenant& owner) {
  if (!valid_owner(owner))
    return std::unexpected(vault_errc::bad_name);
  auto removed = table_->remove_all(owner.id());
  // After the rows are gone, so that a reader who was faster than the removal cannot bring the key back.
  forget(owner.id());
  return removed;
}

} // namespace fondaco::persistence

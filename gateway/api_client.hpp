#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/ports/clock.hpp"
#include "actors/ports/task.hpp"
#include "protocols/base/fault.hpp"
#include "protocols/base/ids.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::gateway {

namespace limits {
/// The most secrets of a client at the same time: the new one and those that run out.
inline constexpr size_t client_secrets_max = 4;
/// The most scopes of a client.
inline constexpr size_t client_scopes_max = 64;
/// The shortest secret that is taken, in bytes.
inline constexpr size_t client_secret_bytes_min = 32;
/// The longest secret that is looked at, in bytes.
inline constexpr size_t client_secret_bytes_max = 512;
} // namespace limits

/// A secret of a client as it is kept. SHA-256 without salt or stretching would be far too weak for what people choose;
/// it is right here because `fresh_secret` makes secrets of 256 random bits, which nobody can guess or tabulate.
struct secret_hash {
  /// SHA-256 of the secret, 64 lower-case hex digits.
  std::string sha256;
  /// From this moment the secret is no longer taken; nothing for the current one.
  std::optional<timepoint> until;
  auto operator<=>(const secret_hash&) const = default;
};

/// A program that may get tokens from the node's token endpoint. Its id is not a tenant's id.
struct api_client {
  std::string client_id;
  std::vector<secret_hash> secrets;
  /// `admin`, `provisioner`, `participant` or `operator`.
  std::string role;
  /// The participant context that it acts for: there for the role `participant`, and for no other.
  std::optional<std::string> participant_context_id;
  std::vector<std::string> scopes;
  bool disabled = false;
  auto operator<=>(const api_client&) const = default;
};

/// So many words of 64 random bits, as 16 hex digits each.
std::string random_hex(actors::random_source& random, size_t words);

/// 256 random bits as 64 hex digits: a secret to show once and keep as a hash.
std::string fresh_secret(actors::random_source& random);

/// A secret as it is kept.
std::string hash_of_secret(std::string_view secret);

/// True if the client is not disabled and the secret is one of its valid ones.
bool accepts(const api_client& client, std::string_view secret, timepoint now);

/// Makes a new secret the current one; older ones go on for `overlap` at most, those that have run out are dropped.
void rotate_secret(api_client& client, std::string_view new_secret, timepoint now, milliseconds overlap);

/// The client as a document's body; it holds hashes of secrets, so it is not for other eyes.
json::object to_json(const api_client& client);

/// A client from a document's body or the configuration; a fault names the field, what is wrong and what is allowed.
std::expected<api_client, fault> api_client_from_json(const json::object& body);

/// Where API clients are found.
class api_client_registry {
public:
  virtual ~api_client_registry() = default;
  /// The client with this id, or nothing; a fault if the registry does not answer (the caller may try again).
  virtual actors::task<std::expected<std::optional<api_client>, fault>> find(std::string client_id) = 0;
};

/// The clients that the configuration names; never changes.
class static_registry final : public api_client_registry {
public:
  /// A registry of these clients; two with the same id are a fault.
  static std::expected<static_registry, fault> make(std::vector<api_client> clients);
  actors::task<std::expected<std::optional<api_client>, fault>> find(std::string client_id) override;

private:
  std::map<std::string, api_client> clients_;
};

} // namespace fondaco::gateway

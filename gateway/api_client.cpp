#include "gateway/api_client.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/auth.hpp"
#include "protocols/base/hash.hpp"

namespace fondaco::gateway {
namespace {

constexpr std::array<std::string_view, 4> roles{"admin", "provisioner", "participant", "operator"};

std::unexpected<fault> refuse(std::string detail) {
  return std::unexpected(fault{"bad_api_client", "an API client's " + std::move(detail), cure::fix_input});
}

bool is_hash(std::string_view text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// RFC 6749, section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
bool is_scope_token(std::string_view text) {
  return !text.empty() && text.size() <= fondaco::limits::id_bytes_max &&
         std::ranges::all_of(text, [](char c) { return c >= 0x21 && c <= 0x7e && c != '"' && c != '\\'; });
}

std::expected<std::vector<secret_hash>, fault> read_secrets(const json::object& body) {
  const auto* list = json::array_at(body, "secrets");
  if (!list || list->size() > limits::client_secrets_max)
    return refuse("`secrets` must be an array of at most 4 objects");
  std::vector<secret_hash> out;
  for (const auto& entry : *list) {
    const auto* o = entry.if_object();
    const auto hash = o ? json::string_at(*o, "sha256") : std::nullopt;
    if (!hash || !is_hash(*hash))
      return refuse("`secrets[].sha256` must be 64 lower-case hex digits");
    secret_hash read{std::string(*hash), std::nullopt};
    if (o->contains("until")) {
      const auto until = json::string_at(*o, "until");
      read.until = until ? parse_rfc3339(*until) : std::nullopt;
      if (!read.until)
        return refuse("`secrets[].until` must be an RFC 3339 date-time");
    }
    out.push_back(std::move(read));
  }
  return out;
}

std::expected<std::vector<std::string>, fault> read_scopes(const json::object& body) {
  const auto* list = json::array_at(body, "scopes");
  if (!list || list->size() > limits::client_scopes_max)
    return refuse("`scopes` must be an array of at most 64 strings");
  std::vector<std::string> out;
  for (const auto& entry : *list) {
    const auto* text = entry.if_string();
    if (!text || !is_scope_token(*text))
      return refuse("`scopes[]` must be a scope as `management-api:assets:write`, without spaces");
    out.emplace_back(*text);
  }
  return out;
}

std::expected<void, fault> check_role(const api_client& c) {
  if (std::ranges::find(roles, c.role) == roles.end())
    return refuse("`role` must be one of admin, provisioner, participant, operator");
  const bool acts_for_one = c.role == "participant";
  if (acts_for_one != c.participant_context_id.has_value())
    return refuse("`participant_context_id` must be there for the role participant, and for no other");
  if (!acts_for_one)
    return {};
  for (const auto& scope : c.scopes) {
    const auto prefix = scope.substr(0, scope.find(':'));
    if (prefix == "operator" || administers({scope}, prefix))
      return refuse("`scopes` of the role participant must neither administer nor operate");
  }
  return {};
}

} // namespace

std::string random_hex(actors::random_source& random, size_t words) {
  std::string bytes;
  for (size_t word = 0; word < words; ++word)
    for (uint64_t bits = random.next(), byte = 0; byte < 8; ++byte, bits >>= 8)
      bytes.push_back(static_cast<char>(bits & 0xff));
  return hex(bytes);
}

std::string fresh_secret(actors::random_source& random) { return random_hex(random, 4); }

std::string hash_of_secret(std::string_view secret) { return hex(sha256(secret)); }

bool accepts(const api_client& client, std::string_view secret, timepoint now) {
  const bool fits =
      secret.size() >= limits::client_secret_bytes_min && secret.size() <= limits::client_secret_bytes_max;
  const auto hash = hash_of_secret(fits ? secret : std::string_view());
  bool found = false;
  for (const auto& held : client.secrets)
    if (constant_time_equal(held.sha256, hash) && (!held.until || now < *held.until))
      found = true;
  return found && fits && !client.disabled;
}

void rotate_secret(api_client& client, std::string_view new_secret, timepoint now, milliseconds overlap) {
  for (auto& held : client.secrets)
    held.until = held.until ? std::min(*held.until, now + overlap) : now + overlap;
  std::erase_if(client.secrets, [&](const secret_hash& held) { return *held.until <= now; });
  client.secrets.insert(client.secrets.begin(), secret_hash{hash_of_secret(new_secret), std::nullopt});
  if (client.secrets.size() > limits::client_secrets_max)
    client.secrets.resize(limits::client_secrets_max);
}

json::object to_json(const api_client& client) {
  json::array secrets;
  for (const auto& held : client.secrets) {
    json::object entry{{"sha256", held.sha256}};
    if (held.until)
      entry["until"] = to_rfc3339(*held.until);
    secrets.emplace_back(std::move(entry));
  }
  json::array scopes;
  for (const auto& scope : client.scopes)
    scopes.emplace_back(scope);
  json::object out;
  out["client_id"] = client.client_id;
  out["secrets"] = std::move(secrets);
  out["role"] = client.role;
  if (client.participant_context_id)
    out["participant_context_id"] = *client.participant_context_id;
  out["scopes"] = std::move(scopes);
  out["disabled"] = client.disabled;
  return out;
}

std::expected<api_client, fault> api_client_from_json(const json::object& body) {
  static constexpr std::array<std::string_view, 6> known{"client_id", "secrets", "role", "participant_context_id",
                                                         "scopes",    "disabled"};
  for (const auto& member : body)
    if (std::ranges::find(known, std::string_view(member.key())) == known.end())
      return refuse("members are client_id, secrets, role, participant_context_id, scopes, disabled; there is another");
  api_client out;
  const auto id = json::string_at(body, "client_id");
  if (!id || id->empty() || id->size() > fondaco::limits::id_bytes_max)
    return refuse("`client_id` must be a string of 1 to 512 bytes");
  out.client_id = *id;
  out.role = json::string_at(body, "role").value_or("");
  if (body.contains("participant_context_id")) {
    const auto context = json::string_at(body, "participant_context_id");
    if (!context || context->empty() || context->size() > fondaco::limits::id_bytes_max)
      return refuse("`participant_context_id` must be a string of 1 to 512 bytes");
    out.participant_context_id = *context;
  }
  if (body.contains("disabled") && !json::boolean_at(body, "disabled"))
    return refuse("`disabled` must be true or false");
  out.disabled = json::boolean_at(body, "disabled").value_or(false);
  auto secrets = read_secrets(body);
  if (!secrets)
    return std::unexpected(std::move(secrets.error()));
  out.secrets = std::move(*secrets);
  auto scopes = read_scopes(body);
  if (!scopes)
    return std::unexpected(std::move(scopes.error()));
  out.scopes = std::move(*scopes);
  if (auto checked = check_role(out); !checked)
    return std::unexpected(std::move(checked.error()));
  return out;
}

std::expected<static_registry, fault> static_registry::make(std::vector<api_client> clients) {
  static_registry out;
  for (auto& c : clients) {
    auto id = c.client_id;
    if (!out.clients_.emplace(std::move(id), std::move(c)).second)
      return refuse("`client_id` must be unique among the configured clients");
  }
  return out;
}

actors::task<std::expected<std::optional<api_client>, fault>> static_registry::find(std::string client_id) {
  const auto found = clients_.find(client_id);
  std::optional<api_client> out;
  if (found != clients_.end())
    out = found->second;
  co_return out;
}

} // namespace fondaco::gateway

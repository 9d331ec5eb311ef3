#include "cells/identity/keys.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "cells/identity/kinds.hpp"

namespace fondaco::identity {

namespace {

namespace kinds = cells::kinds;

// Ends a job of the reader pool, whose caller then answers that it may be asked again.
using store_silent = std::runtime_error;

std::string text(const json::object& o, std::string_view name) {
  return std::string(json::string_at(o, name).value_or(""));
}

std::optional<json::object> read_body(cells::cell_services& s, const persistence::entity_key& key) {
  auto found = s.documents.get(key);
  if (!found)
    throw store_silent("an identity cannot be read");
  if (!*found)
    return std::nullopt;
  auto body = json::parse((*found)->body);
  if (!body || !body->is_object())
    return std::nullopt;
  return std::move(body->get_object());
}

bool may(const json::object& key, std::string_view usage) {
  const auto* usages = json::array_at(key, "usage");
  return usages && std::ranges::any_of(*usages, [&](const json::value& u) {
           return u.is_string() && std::string_view(u.get_string()) == usage;
         });
}

fault no_key(std::string detail) { return {"no_key", std::move(detail), cure::fix_input}; }

/// The only key, or the default one; of two defaults (a change of the default is under way) the younger one.
const json::object* choose(const std::vector<json::object>& fitting) {
  if (fitting.size() == 1)
    return &fitting.front();
  const json::object* chosen = nullptr;
  for (const auto& key : fitting)
    if (json::boolean_at(key, "defaultPair").value_or(false))
      chosen = &key;
  return chosen;
}

} // namespace

std::string_view name_of(key_usage u) noexcept {
  switch (u) {
  case key_usage::sign_token: return "sign_token";
  case key_usage::sign_presentation: return "sign_presentation";
  case key_usage::sign_credentials: return "sign_credentials";
  }
  return "sign_token";
}

std::optional<key_usage> parse_key_usage(std::string_view name) noexcept {
  for (auto u : {key_usage::sign_token, key_usage::sign_presentation, key_usage::sign_credentials})
    if (name_of(u) == name)
      return u;
  return std::nullopt;
}

std::string absolute_id(std::string_view did, std::string_view id) {
  if (id.starts_with('#'))
    return std::string(did) + std::string(id);
  if (id.find(':') != std::string_view::npos)
    return std::string(id);
  return std::string(did) + "#" + std::string(id);
}

std::vector<json::object> read_key_bodies(cells::cell_services& s, const tenant& owner, std::vector<int64_t> states) {
  persistence::query_spec spec;
  json::array wanted;
  for (const auto state : states)
    wanted.emplace_back(state);
  spec.filter.push_back({"state", "in", std::move(wanted)});
  spec.limit = persistence::limits::read_rows_max;
  auto found = s.documents.query(owner, kinds::key_pair, spec);
  if (!found)
    throw store_silent("the key pairs cannot be read");
  std::vector<json::object> out;
  for (const auto& d : *found)
    if (auto body = json::parse(d.body); body && body->is_object())
      out.push_back(std::move(body->get_object()));
  return out;
}

std::expected<signer, fault> find_signer(cells::cell_services& s, const tenant& owner, key_usage usage) {
  auto keys = read_key_bodies(s, owner, {key_states::activated});
  const auto use = name_of(usage);
  std::erase_if(keys, [&](const auto& key) { return !may(key, use); });
  if (keys.empty())
    return std::unexpected(no_key("The participant " + owner.id() + " has no active key pair for " + std::string(use) +
                                  "; add or activate one."));
  const auto* chosen = choose(keys);
  if (!chosen)
    return std::unexpected(no_key("The participant " + owner.id() + " has several active key pairs for " +
                                  std::string(use) + " and none of them is the default; add one with makeDefault."));
  const auto did = text(*chosen, "did");
  const auto kid = absolute_id(did, text(*chosen, "keyId"));
  auto secret = s.vault.get(owner, text(*chosen, "secretName"));
  if (!secret && secret.error() == persistence::vault_errc::unavailable)
    throw store_silent("the vault cannot be read");
  if (!secret || !*secret)
    return std::unexpected(no_key("The private key of " + kid + " is not in the vault; rotate the key pair."));
  const auto jwk = json::parse(**secret);
  auto pair = jwk && jwk->is_object() ? jose::import_private_jwk(jwk->get_object())
                                      : std::unexpected(jose::jwk_error{jose::jwk_errc::malformed, "it is not a JWK"});
  if (!pair)
    return std::unexpected(no_key("The private key of " + kid + " cannot be used: " + pair.error().detail));
  return signer{std::move(*pair), kid, did};
}

did::document document_of(cells::cell_services& s, const tenant& owner, const json::object& stored) {
  did::document out;
  out.id = text(stored, "did");
  if (const auto* services = json::array_at(stored, "services"))
    for (const auto& v : *services)
      if (const auto* one = v.if_object())
        out.services.push_back(
            {absolute_id(out.id, text(*one, "id")), text(*one, "type"), text(*one, "serviceEndpoint")});
  for (const auto& key : read_key_bodies(s, owner, {key_states::activated, key_states::rotated})) {
    const auto jwk = json::parse(text(key, "serializedPublicKey"));
    if (!jwk || !jwk->is_object())
      continue;
    const auto id = absolute_id(out.id, text(key, "keyId"));
    out.methods.push_back({id, text(key, "keyContext"), out.id, jwk->get_object()});
    if (may(key, name_of(key_usage::sign_presentation)))
      out.authentication.push_back(id);
    if (may(key, name_of(key_usage::sign_credentials)))
      out.assertion_method.push_back(id);
    if (may(key, name_of(key_usage::sign_token)))
      out.capability_invocation.push_back(id);
  }
  return out;
}

std::optional<did::document> read_own_document(cells::cell_services& s, const tenant& owner) {
  const auto did = read_own_did(s, owner);
  if (!did)
    return std::nullopt;
  const auto stored = read_body(s, {owner, kinds::did_document, *did});
  return stored ? std::optional(document_of(s, owner, *stored)) : std::nullopt;
}

std::optional<std::string> read_own_did(cells::cell_services& s, const tenant& owner) {
  const auto context = read_body(s, {owner, kinds::identity_context, owner.id()});
  if (!context || context->contains("creation"))
    return std::nullopt;
  auto did = text(*context, "did");
  return did.empty() ? std::nullopt : std::optional(std::move(did));
}

std::optional<tenant> owner_of_did(cells::cell_services& s, std::string_view did) {
  auto found = s.journal.resolve_name("did", did);
  if (!found)
    throw store_silent("the table of public names cannot be read");
  return *found ? std::optional((*found)->owner) : std::nullopt;
}

} // namespace fondaco::identity

#include "cells/identity/key_records.hpp"

#include <algorithm>
#include <utility>

#include "planes/api/bodies.hpp"
#include "protocols/did/document.hpp"

namespace fondaco::identity {

namespace {

namespace kinds = cells::kinds;
using api::body_check;
using api::need;

constexpr const char* key_id_space = "key_id";
constexpr std::string_view allowed_algorithms = "EC with curve secp256r1 (P-256), or EdDSA with curve Ed25519";

std::string place(std::string_view inside, std::string_view name) {
  return inside.empty() ? std::string(name) : std::string(inside) + "." + std::string(name);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return out;
}

/// A blank algorithm means Ed25519, as EDC has it.
void read_generator(const json::object& o, key_descriptor& d, body_check& check, const std::string& inside) {
  const auto* given = o.if_contains("algorithm");
  if (!given || !given->is_string()) {
    check.refuse(inside + ".algorithm is required: " + std::string(allowed_algorithms), inside + ".algorithm");
    return;
  }
  const auto algorithm = lower(given->get_string());
  const auto curve = lower(check.text(o, "curve", need::optional, inside));
  if (algorithm == "ec" && (curve.empty() || curve == "secp256r1" || curve == "p-256" || curve == "prime256v1"))
    d.generate = jose::key_type::ec_p256;
  else if ((algorithm.empty() || algorithm == "eddsa") && (curve.empty() || curve == "ed25519"))
    d.generate = jose::key_type::ed25519;
  else
    check.refuse("Such keys are not made here; allowed: " + std::string(allowed_algorithms), inside + ".algorithm",
                 *given);
}

void read_material(const json::object& o, key_descriptor& d, body_check& check, std::string_view inside) {
  const auto is_there = [&o](const char* name) {
    const auto* v = o.if_contains(name);
    return v && !v->is_null();
  };
  if (is_there("publicKeyPem"))
    return check.refuse("publicKeyPem is not taken; give publicKeyJwk or keyGeneratorParams",
                        place(inside, "publicKeyPem"));
  if (is_there("publicKeyJwk") == is_there("keyGeneratorParams"))
    return check.refuse("exactly one of publicKeyJwk and keyGeneratorParams is required",
                        place(inside, "keyGeneratorParams"));
  if (const auto* jwk = check.object(o, "publicKeyJwk", need::optional, inside)) {
    if (auto key = jose::import_public_jwk(*jwk); !key)
      check.refuse("publicKeyJwk cannot be used: " + key.error().detail, place(inside, "publicKeyJwk"));
    else if (key->type() == jose::key_type::rsa)
      check.refuse("RSA keys do not sign here; allowed: " + std::string(allowed_algorithms),
                   place(inside, "publicKeyJwk"));
    d.public_jwk = *jwk;
  } else if (const auto* generator = check.object(o, "keyGeneratorParams", need::optional, inside)) {
    read_generator(*generator, d, check, place(inside, "keyGeneratorParams"));
  }
}

void read_usages(const json::object& o, key_descriptor& d, body_check& check, std::string_view inside) {
  if (const auto* v = o.if_contains("usage"); !v || v->is_null())
    return;
  d.usages.clear();
  for (const auto& name : check.texts(o, "usage", need::required, inside)) {
    const auto usage = parse_key_usage(name);
    if (!usage)
      check.refuse("usage must hold sign_credentials, sign_presentation or sign_token", place(inside, "usage"),
                   json::value(name));
    else if (std::ranges::find(d.usages, *usage) == d.usages.end())
      d.usages.push_back(*usage);
  }
  if (d.usages.empty())
    check.refuse("usage must not be empty", place(inside, "usage"));
}

/// A private key that was made, or found in the vault.
struct material {
  json::object public_jwk;
  std::string secret_name;
};

result<material> make_material(cell_services& s, const tenant& owner, const key_descriptor& d) {
  const auto pair = jose::key_pair::generate(d.generate, d.key_id);
  // A name of its own for every key that is made: of two requests that add the same resource one wins, and its secret
  // is not the other's.
  material out{pair.public_half().jwk(), d.private_key_alias + "." + pair.public_half().thumbprint()};
  if (!s.vault.put(owner, out.secret_name, json::write(jose::export_private_jwk(pair))))
    return std::unexpected(api::vault_unavailable());
  return out;
}

result<material> find_material(cell_services& s, const tenant& owner, const key_descriptor& d) {
  const auto secret = s.vault.get(owner, d.private_key_alias);
  if (!secret && secret.error() == persistence::vault_errc::unavailable)
    return std::unexpected(api::vault_unavailable());
  const auto jwk = secret && *secret ? json::parse(**secret) : json::parse("");
  auto pair = jwk && jwk->is_object()
                  ? jose::import_private_jwk(jwk->get_object())
                  : std::unexpected(jose::jwk_error{jose::jwk_errc::malformed, "there is no such private key"});
  const auto given = jose::import_public_jwk(*d.public_jwk);
  if (!pair || !given || pair->public_half().thumbprint() != given->thumbprint())
    return std::unexpected(api::invalid_field("The vault holds no private key of this publicKeyJwk under the alias",
                                              "privateKeyAlias", json::value(d.private_key_alias)));
  auto shown = given->jwk();
  shown["kid"] = d.key_id;
  return material{std::move(shown), d.private_key_alias};
}

/// What is there before a key is added.
struct prospect {
  std::optional<json::object> same_resource;
  material key;
};

/// Blocks: for the reader pool.
result<prospect> prepare(cell_services& s, const tenant& owner, const key_descriptor& d) {
  auto known = s.documents.get({owner, kinds::key_pair, d.resource_id});
  if (!known)
    return std::unexpected(api::from_query(known.error()));
  prospect out;
  if (*known) {
    out.same_resource = api::stored_object((*known)->body);
    return out;
  }
  const auto others = read_key_bodies(s, owner, {key_states::created, key_states::activated, key_states::rotated});
  if (others.size() >= limits::key_pairs_max)
    return std::unexpected(api::conflict("The participant has " + std::to_string(others.size()) +
                                         " key pairs, and no more are allowed; revoke those that are not used."));
  auto made = d.public_jwk ? find_material(s, owner, d) : make_material(s, owner, d);
  if (!made)
    return std::unexpected(std::move(made.error()));
  out.key = std::move(*made);
  return out;
}

json::object body_of(const tenant& owner, const std::string& did, const key_descriptor& d, const material& key,
                     bool make_default, timepoint now) {
  json::array usages;
  for (const auto usage : d.usages)
    usages.emplace_back(name_of(usage));
  return {{"id", d.resource_id},
          {"participantContextId", owner.id()},
          {"createdAt", to_epoch_ms(now)},
          {"timestamp", to_epoch_ms(now)},
          {"keyId", d.key_id},
          {"groupName", nullptr},
          {"keyContext", d.type},
          {"defaultPair", make_default},
          {"useDuration", static_cast<int64_t>(limits::key_use_default.count())},
          {"rotationDuration", 0},
          {"serializedPublicKey", json::write(key.public_jwk)},
          {"privateKeyAlias", d.private_key_alias},
          {"state", d.active ? key_states::activated : key_states::created},
          {"usage", std::move(usages)},
          {"did", did},
          {"secretName", key.secret_name}};
}

task<result<bool>> answer_known(json::object known, key_descriptor d) {
  if (text_at(known, "keyId") != d.key_id)
    co_return std::unexpected(api::conflict("Object of type " + std::string(key_type_name) +
                                            " with ID=" + d.resource_id + " already exists"));
  co_return false;
}

/// Drops the private key of a record that was not written.
task<bool> drop_secret(cell_services& s, tenant owner, std::string name) {
  auto dropping =
      actors::in_pool(s.pool, s.edge, owner, [&s, owner, name] { return s.vault.remove(owner, name).has_value(); });
  co_return (co_await std::move(dropping)).value_or(false);
}

task<result<bool>> write_key(cell_services& s, tenant owner, std::string did, key_descriptor d, material key,
                             bool make_default) {
  planes::record::put put;
  put.record_kind = kinds::key_pair;
  put.id = d.resource_id;
  put.body = json::write(body_of(owner, did, d, key, make_default, s.clock.now()));
  put.names.push_back({key_id_space, d.key_id});
  persistence::entity_key at{owner, kinds::key_pair, d.resource_id};
  planes::record::command command = std::move(put);
  auto asking = actors::ask<planes::record>(s.runtime, s.edge, at, s.runtime.shard_for(owner), std::move(command),
                                            s.command_timeout_ms);
  const auto reply = co_await std::move(asking);
  if (reply)
    co_return true;
  if (reply.error().code != actors::ask_errc::refused)
    // The record may be there all the same, so its secret stays; disposal destroys it with the others.
    co_return std::unexpected(api::from_ask(reply.error(), key_type_name, d.resource_id));
  if (!d.public_jwk) {
    auto dropping = drop_secret(s, owner, key.secret_name);
    co_await std::move(dropping);
  }
  if (reply.error().why.code == "name_taken")
    co_return std::unexpected(
        api::conflict("The key id " + d.key_id + " was used by another key pair; choose another one."));
  if (reply.error().why.code != planes::name_of(planes::record_errc::already_exists))
    co_return std::unexpected(api::from_ask(reply.error(), key_type_name, d.resource_id));
  auto reading = api::need_document(s, at, key_type_name);
  auto winner = co_await std::move(reading);
  if (!winner)
    co_return std::unexpected(std::move(winner.error()));
  auto answering = answer_known(api::stored_object(winner->body), std::move(d));
  co_return co_await std::move(answering);
}

bool shares_usage(const json::object& a, const json::object& b) {
  const auto* one = json::array_at(a, "usage");
  const auto* other = json::array_at(b, "usage");
  return one && other &&
         std::ranges::any_of(*one, [&](const auto& u) { return std::ranges::find(*other, u) != other->end(); });
}

} // namespace

key_descriptor read_key_descriptor(const json::object& o, std::string_view did, body_check& check,
                                   std::string_view inside) {
  key_descriptor d;
  d.resource_id = check.text(o, "resourceId", need::optional, inside);
  if (!d.resource_id.empty() && !api::is_id(d.resource_id))
    check.refuse("resourceId must have 1 to 512 bytes without control characters", place(inside, "resourceId"));
  const auto key_id = check.text(o, "keyId", need::required, inside);
  d.key_id = absolute_id(did, key_id);
  const auto fragment = d.key_id.find('#');
  const bool own = did::did_of(d.key_id) == did && fragment != std::string::npos && fragment + 1 < d.key_id.size() &&
                   d.key_id.find_first_of("# ", fragment + 1) == std::string::npos;
  if (!key_id.empty() && !did.empty() && (!own || !api::is_id(d.key_id)))
    check.refuse("keyId must be a fragment, or the participant's DID with '#' and a fragment, of at most 512 bytes",
                 place(inside, "keyId"), json::value(key_id));
  if (auto type = check.text(o, "type", need::optional, inside); !type.empty())
    d.type = std::move(type);
  d.private_key_alias = check.text(o, "privateKeyAlias", need::required, inside);
  if (d.private_key_alias.size() > limits::key_alias_bytes_max ||
      (!d.private_key_alias.empty() && !api::is_id(d.private_key_alias)))
    check.refuse("privateKeyAlias must have 1 to 256 bytes without control characters",
                 place(inside, "privateKeyAlias"));
  d.active = flag(check, o, "active", true);
  read_usages(o, d, check, inside);
  read_material(o, d, check, inside);
  return d;
}

std::string resource_id_of(const cell_services& s, const tenant& owner, const key_descriptor& d) {
  // Derived, so that a repeated request finds what the first one made.
  return d.resource_id.empty() ? derive_uuid(s.runtime.shard_for(owner), {owner.id(), kinds::key_pair, d.key_id}).text()
                               : d.resource_id;
}

task<result<bool>> add_key(cell_services& s, tenant owner, std::string did, key_descriptor d, bool make_default) {
  d.resource_id = resource_id_of(s, owner, d);
  auto preparing = actors::in_pool(s.pool, s.edge, owner, [&s, owner, d] { return prepare(s, owner, d); });
  auto ready = co_await std::move(preparing);
  if (!ready)
    co_return std::unexpected(api::busy());
  if (!*ready)
    co_return std::unexpected(std::move(ready->error()));
  if ((*ready)->same_resource) {
    auto answering = answer_known(std::move(*(*ready)->same_resource), std::move(d));
    co_return co_await std::move(answering);
  }
  auto writing = write_key(s, std::move(owner), std::move(did), std::move(d), std::move((*ready)->key), make_default);
  co_return co_await std::move(writing);
}

task<result<bool>> clear_other_defaults(cell_services& s, tenant owner, std::string resource_id) {
  auto reading = actors::in_pool(s.pool, s.edge, owner, [&s, owner] {
    return read_key_bodies(s, owner, {key_states::created, key_states::activated});
  });
  const auto keys = co_await std::move(reading);
  if (!keys)
    co_return std::unexpected(api::busy());
  const auto mine = std::ranges::find_if(*keys, [&](const auto& k) { return text_at(k, "id") == resource_id; });
  for (auto it = keys->begin(); mine != keys->end() && it != keys->end(); ++it) {
    if (it == mine || !json::boolean_at(*it, "defaultPair").value_or(false) || !shares_usage(*it, *mine))
      continue;
    persistence::entity_key key{owner, kinds::key_pair, text_at(*it, "id")};
    api::record_change change = [id = key.id](json::object before) -> result<json::object> {
      if (before.empty())
        return std::unexpected(api::not_found(key_type_name, id));
      before["defaultPair"] = false;
      return before;
    };
    auto changing = api::change_record(s, std::move(key), std::move(change), key_type_name);
    auto changed = co_await std::move(changing);
    if (!changed)
      co_return std::unexpected(std::move(changed.error()));
  }
  co_return true;
}

json::object show_key(json::object stored) {
  stored.erase("did");
  stored.erase("secretName");
  return stored;
}

} // namespace fondaco::identity

#include "protocols/jose/jwk.hpp"

#include <algorithm>
#include <array>

#include "protocols/jose/key_maker.hpp"

namespace fondaco::jose {
namespace {

struct algorithm_row {
  algorithm id;
  key_type type;
  std::string_view name;
};

constexpr std::array<algorithm_row, 5> algorithms{{{algorithm::es256, key_type::ec_p256, "ES256"},
                                                   {algorithm::eddsa, key_type::ed25519, "EdDSA"},
                                                   {algorithm::rs256, key_type::rsa, "RS256"},
                                                   {algorithm::ps256, key_type::rsa, "PS256"},
                                                   {algorithm::eddsa, key_type::ed25519, "Ed25519"}}};

std::unexpected<jwk_error> refuse(jwk_errc code, std::string detail) {
  return std::unexpected(jwk_error{code, std::move(detail)});
}

/// `use`, `key_ops` and `alg`, as far as they speak about signatures.
std::expected<void, jwk_error> check_purpose(const json::object& jwk, key_type type, std::string_view operation) {
  if (const auto* use = jwk.if_contains("use"))
    if (!use->is_string() || use->get_string() != "sig")
      return refuse(jwk_errc::wrong_use, "the key's 'use' is not \"sig\"");
  if (const auto* operations = jwk.if_contains("key_ops")) {
    const auto* list = operations->if_array();
    if (!list || std::none_of(list->begin(), list->end(),
                              [&](const auto& o) { return o.is_string() && o.get_string() == operation; }))
      return refuse(jwk_errc::wrong_use, "the key's 'key_ops' do not list \"" + std::string(operation) + '"');
  }
  if (const auto* alg = jwk.if_contains("alg")) {
    const auto named = alg->is_string() ? algorithm_of(alg->get_string()) : std::nullopt;
    if (!named || !belongs_to(*named, type))
      return refuse(jwk_errc::unsupported,
                    "the key's 'alg' does not fit its type; allowed: ES256, EdDSA, RS256, PS256");
  }
  if (const auto* kid = jwk.if_contains("kid"); kid && !kid->is_string())
    return refuse(jwk_errc::malformed, "the key's 'kid' is not a string");
  return {};
}

std::expected<key_type, jwk_error> type_of(const json::object& jwk) {
  const auto kty = json::string_at(jwk, "kty");
  if (!kty)
    return refuse(jwk_errc::malformed, "the key has no 'kty' string");
  if (*kty == "RSA")
    return key_type::rsa;
  const auto crv = json::string_at(jwk, "crv");
  if (*kty == "EC" && crv == "P-256")
    return key_type::ec_p256;
  if (*kty == "OKP" && crv == "Ed25519")
    return key_type::ed25519;
  return refuse(jwk_errc::unsupported, "the key's 'kty' and 'crv' are not EC with P-256, OKP with Ed25519, or RSA");
}

bool holds_secret(const json::object& jwk) {
  constexpr std::string_view secrets[] = {"d", "k", "p", "q", "dp", "dq", "qi", "oth"};
  return std::any_of(std::begin(secrets), std::end(secrets), [&](auto name) { return jwk.contains(name); });
}

key_labels labels_of(const json::object& jwk) {
  key_labels labels;
  if (const auto kid = json::string_at(jwk, "kid"))
    labels.kid = std::string(*kid);
  if (const auto alg = json::string_at(jwk, "alg"))
    labels.only = algorithm_of(*alg);
  return labels;
}

} // namespace

bool belongs_to(algorithm a, key_type type) noexcept {
  return std::any_of(algorithms.begin(), algorithms.end(),
                     [&](const auto& row) { return row.id == a && row.type == type; });
}

std::string_view name_of(algorithm a) noexcept {
  return std::find_if(algorithms.begin(), algorithms.end(), [&](const auto& row) { return row.id == a; })->name;
}

std::optional<algorithm> algorithm_of(std::string_view name) noexcept {
  const auto* row = std::find_if(algorithms.begin(), algorithms.end(), [&](const auto& r) { return r.name == name; });
  return row == algorithms.end() ? std::nullopt : std::optional(row->id);
}

key_type public_key::type() const noexcept { return data_->type; }
const std::optional<std::string>& public_key::kid() const noexcept { return data_->labels.kid; }
const std::string& public_key::thumbprint() const noexcept { return data_->thumbprint; }
evp_pkey_st* public_key::handle() const noexcept { return data_->handle.get(); }

bool public_key::allows(algorithm a) const noexcept {
  return belongs_to(a, data_->type) && data_->labels.only.value_or(a) == a;
}

json::object public_key::jwk() const {
  json::object jwk = data_->required;
  const auto& labels = data_->labels;
  if (labels.kid)
    jwk["kid"] = *labels.kid;
  if (labels.only)
    jwk["alg"] = name_of(*labels.only);
  jwk["use"] = "sig";
  return jwk;
}

std::expected<public_key, jwk_error> import_public_jwk(const json::object& jwk) {
  if (holds_secret(jwk))
    return refuse(jwk_errc::exposes_secret, "a private or symmetric key stands where a public key belongs");
  const auto type = type_of(jwk);
  if (!type)
    return std::unexpected(type.error());
  if (auto purpose = check_purpose(jwk, *type, "verify"); !purpose)
    return std::unexpected(purpose.error());
  return key_maker::make_public(*type, jwk, labels_of(jwk));
}

std::expected<key_pair, jwk_error> import_private_jwk(const json::object& jwk) {
  const auto type = type_of(jwk);
  if (!type)
    return std::unexpected(type.error());
  if (*type == key_type::rsa)
    return refuse(jwk_errc::unsupported, "RSA keys are not signed with; allowed: EC with P-256, OKP with Ed25519");
  if (auto purpose = check_purpose(jwk, *type, "sign"); !purpose)
    return std::unexpected(purpose.error());
  return key_maker::make_pair(*type, jwk, labels_of(jwk));
}

key_pair key_pair::generate(key_type type, std::optional<std::string> kid) {
  return key_maker::generate(type, std::move(kid));
}

algorithm key_pair::signs_with() const noexcept {
  return public_.type() == key_type::ec_p256 ? algorithm::es256 : algorithm::eddsa;
}

json::object export_private_jwk(const key_pair& pair) { return key_maker::private_jwk(pair); }

std::expected<key_set, jwk_error> import_jwks(const json::value& set) {
  const auto* object = set.if_object();
  const auto* list = object ? json::array_at(*object, "keys") : nullptr;
  if (!list)
    return refuse(jwk_errc::malformed, "a JWK set is an object with an array 'keys'");
  key_set taken;
  for (size_t i = 0; i < list->size(); ++i) {
    const auto* jwk = (*list)[i].if_object();
    const auto where = "keys[" + std::to_string(i) + "]: ";
    if (taken.keys.size() >= limits::set_keys_max) {
      taken.ignored.push_back(where + "the set has more than " + std::to_string(limits::set_keys_max) + " keys");
      break;
    }
    auto key = jwk ? import_public_jwk(*jwk) : refuse(jwk_errc::malformed, "the key is not an object");
    if (!key && key.error().code == jwk_errc::exposes_secret)
      return refuse(jwk_errc::exposes_secret, where + key.error().detail);
    if (!key) {
      taken.ignored.push_back(where + key.error().detail);
      continue;
    }
    const bool again = key->kid() && std::any_of(taken.keys.begin(), taken.keys.end(), [&](const auto& k) {
                         return k.kid() == key->kid() && k.type() == key->type();
                       });
    if (again)
      return refuse(jwk_errc::duplicate_kid, where + "an earlier key of this type has the same 'kid'");
    taken.keys.push_back(std::move(*key));
  }
  return taken;
}

json::object export_jwks(const std::vector<public_key>& keys) {
  json::array list;
  for (const auto& key : keys)
    list.push_back(key.jwk());
  json::object set;
  set["keys"] = std::move(list);
  return set;
}

} // namespace fondaco::jose

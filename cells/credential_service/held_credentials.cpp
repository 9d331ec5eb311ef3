#include "cells/credential_service/held_credentials.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "planes/api/errors.hpp"
#include "protocols/base/hash.hpp"

namespace fondaco::credential_service {

namespace api = planes::api;

namespace {

constexpr const char* sealed_member = "sealedRawVc";
constexpr const char* digest_member = "rawVcSha256";

std::string subject_of(const vc::credential& what) {
  for (const auto& subject : what.subjects)
    if (const auto id = json::string_at(subject, "id"))
      return std::string(*id);
  return {};
}

held_state state_of(const vc::credential& what, timepoint now) {
  const auto good = vc::check_times(what, now);
  if (good)
    return held_state::issued;
  return good.error().code == vc::name_of(vc::vc_errc::not_yet_valid) ? held_state::not_yet_valid : held_state::expired;
}

std::optional<vc::credential> model_of(const json::object& body) {
  const auto* container = json::object_at(body, "verifiableCredential");
  const auto* model = container ? json::object_at(*container, "credential") : nullptr;
  const auto form = container ? vc::parse_profile(json::string_at(*container, "format").value_or("")) : std::nullopt;
  if (!model || !form)
    return std::nullopt;
  auto what = vc::from_model(*model, *form);
  if (!what)
    return std::nullopt;
  return std::move(*what);
}

} // namespace

api::result<json::object> make_body(cells::cell_services& s, const tenant& owner, const holding& h,
                                    const json::object& before) {
  const auto& what = h.given.what;
  if (const auto issuer = json::string_at(before, "issuerId"); issuer && *issuer != what.issuer)
    return std::unexpected(api::conflict("A credential with id '" + h.id + "' is held of another issuer."));
  const auto sealed = s.vault.seal(owner, h.given.compact);
  if (!sealed)
    return std::unexpected(api::vault_unavailable());
  const auto now = to_epoch_ms(s.clock.now());
  json::object metadata;
  const auto note = [&metadata](std::string_view name, const std::string& text) {
    if (!text.empty())
      metadata.emplace(name, std::string_view(text));
  };
  note("credentialObjectId", h.credential_object_id);
  note("holderPid", h.holder_pid);
  note("issuerPid", h.issuer_pid);
  json::object o;
  o.emplace("id", h.id);
  o.emplace("participantContextId", owner.id());
  o.emplace("createdAt", json::integer_at(before, "createdAt").value_or(now));
  o.emplace("timestamp", now);
  o.emplace("issuerId", what.issuer);
  o.emplace("holderId", subject_of(what));
  o.emplace("state", static_cast<int>(held_state::issued));
  o.emplace("timeOfLastStatusUpdate", now);
  o.emplace("metadata", std::move(metadata));
  o.emplace("issuancePolicy", h.issuance_policy);
  o.emplace("reissuancePolicy", h.reissuance_policy);
  o.emplace("verifiableCredential",
            json::object{{"format", vc::edc_name_of(what.form)}, {"credential", vc::to_model(what)}});
  o.emplace("usage", "Holder");
  o.emplace(sealed_member, *sealed);
  o.emplace(digest_member, hex(sha256(h.given.compact)));
  return o;
}

api::result<json::object> show_credential(cells::cell_services& s, const persistence::document& d) {
  auto o = api::stored_object(d.body);
  const auto raw = s.vault.open(d.key.owner, json::string_at(o, sealed_member).value_or(""));
  if (!raw)
    return std::unexpected(api::vault_unavailable());
  if (const auto what = model_of(o))
    o["state"] = static_cast<int>(state_of(*what, s.clock.now()));
  if (auto* container = o.if_contains("verifiableCredential"); container && container->is_object())
    container->get_object()["rawVc"] = *raw;
  o.erase(sealed_member);
  o.erase(digest_member);
  return o;
}

std::optional<held_credential> read_held(const persistence::document& d) {
  const auto o = api::stored_object(d.body);
  auto what = model_of(o);
  const auto sealed = json::string_at(o, sealed_member);
  if (!what || !sealed)
    return std::nullopt;
  return held_credential{d.key.id, std::move(*what), std::string(*sealed), d.created_at};
}

namespace {

bool any_covers(const std::vector<dcp::scope>& scopes, const vc::credential& c) {
  return std::ranges::any_of(scopes, [&](const auto& one) { return dcp::covers(one, c); });
}

bool is_named(const std::vector<dcp::scope>& scopes, const vc::credential& c) {
  return std::ranges::any_of(scopes, [&](const auto& one) { return one.by_id && dcp::covers(one, c); });
}

bool same_sort(const vc::credential& a, const vc::credential& b) {
  return a.issuer == b.issuer && a.types.size() == b.types.size() && std::ranges::is_permutation(a.types, b.types);
}

bool is_newer(const held_credential& a, const held_credential& b) {
  const auto age = [](const held_credential& c) {
    return std::tuple(c.what.valid_from.value_or(c.created_at), c.created_at, std::string_view(c.id));
  };
  return age(a) > age(b);
}

} // namespace

std::vector<held_credential> select_credentials(std::vector<held_credential> held,
                                                const std::vector<dcp::scope>& requested,
                                                const std::vector<dcp::scope>& granted, timepoint now) {
  std::erase_if(held, [&](const auto& c) {
    return !any_covers(requested, c.what) || !any_covers(granted, c.what) || !vc::check_times(c.what, now);
  });
  std::ranges::sort(held, is_newer);
  std::vector<held_credential> out;
  for (auto& c : held) {
    const bool older = std::ranges::any_of(out, [&](const auto& kept) { return same_sort(kept.what, c.what); });
    if (!older || is_named(requested, c.what))
      out.push_back(std::move(c));
  }
  return out;
}

} // namespace fondaco::credential_service

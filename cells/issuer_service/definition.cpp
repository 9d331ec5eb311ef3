#include "cells/issuer_service/definition.hpp"

#include <algorithm>
#include <utility>

#include "protocols/jsonld/lenient.hpp"

namespace fondaco::issuer_service {

namespace {

namespace api = planes::api;
using api::body_check;
using api::need;

constexpr const char* purposes_member = "statusPurposes";

const json::array* entries_of(const json::object& o, const char* name, body_check& check) {
  const auto* v = o.if_contains(name);
  if (!v || v->is_null())
    return nullptr;
  const auto* list = v->if_array();
  if (!list || list->size() > limits::definition_entries_max) {
    check.refuse(std::string(name) + " must be an array of at most " + std::to_string(limits::definition_entries_max) +
                     " entries",
                 name);
    return nullptr;
  }
  return list;
}

template <class T, class F>
void read_entries(const json::object& o, const char* name, body_check& check, std::vector<T>& into, F read) {
  const auto* list = entries_of(o, name, check);
  for (size_t i = 0; list && i < list->size(); ++i) {
    auto one = read((*list)[i]);
    const auto path = std::string(name) + "[" + std::to_string(i) + "]";
    if (one)
      into.push_back(std::move(*one));
    else
      check.refuse(path + ": " + one.error(), path);
  }
}

vc::profile read_format(const json::object& o, body_check& check) {
  const auto name = check.text(o, "format", need::required);
  const auto form = vc::parse_profile(name);
  if (!name.empty() && !form)
    check.refuse("format must be one of vc11-sl2021/jwt, vc20-bssl/jwt, VC1_0_JWT, VC2_0_JOSE", "format",
                 json::value(name));
  return form.value_or(vc::profile::vc11_jwt);
}

int64_t read_validity(const json::object& o, body_check& check) {
  const auto* v = o.if_contains("validity");
  if (!v || v->is_null())
    return limits::validity_default_s;
  const auto seconds = json::integer_at(o, "validity");
  if (!seconds || *seconds < 0 || *seconds > limits::validity_s_max)
    check.refuse("validity must be seconds from 0 to " + std::to_string(limits::validity_s_max), "validity", *v);
  return seconds.value_or(0);
}

std::string read_schema(const json::object& o, body_check& check) {
  const auto* inside = o.if_contains("jsonSchema");
  const bool has_inside = inside && !inside->is_null();
  if (has_inside && !inside->is_object()) {
    const auto parsed = inside->is_string() ? json::parse(inside->get_string()) : json::parse("");
    if (!parsed || !parsed->is_object())
      check.refuse("jsonSchema must be a JSON object, or its text", "jsonSchema");
  }
  const auto* url = o.if_contains("jsonSchemaUrl");
  if (url && !url->is_null())
    return check.base_url(o, "jsonSchemaUrl");
  if (!has_inside)
    check.refuse("jsonSchema or jsonSchemaUrl is required", "jsonSchema");
  return {};
}

std::vector<std::string> read_purposes(const json::object& o, body_check& check) {
  if (!o.contains(purposes_member))
    return {"revocation"};
  std::vector<std::string> out;
  for (auto& purpose : check.texts(o, purposes_member, need::required)) {
    if (purpose != "revocation" && purpose != "suspension")
      check.refuse("statusPurposes may hold revocation and suspension", purposes_member, json::value(purpose));
    else if (std::ranges::find(out, purpose) == out.end())
      out.push_back(std::move(purpose));
  }
  return out;
}

std::vector<std::string> read_texts(const json::object& o, const char* name, body_check& check) {
  auto out = check.texts(o, name, need::optional);
  if (out.size() > limits::definition_entries_max)
    check.refuse(std::string(name) + " may have at most " + std::to_string(limits::definition_entries_max) + " entries",
                 name);
  return out;
}

json::array texts_json(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

} // namespace

definition read_definition(const json::object& body, body_check& check) {
  definition d;
  d.id = check.text(body, "id", need::optional);
  d.credential_type = check.text(body, "credentialType", need::required);
  if (d.credential_type.size() > limits::type_bytes_max || d.credential_type == "VerifiableCredential" ||
      d.credential_type.find_first_of(" \t\r\n") != std::string::npos)
    check.refuse("credentialType must be a single type of at most 256 bytes besides VerifiableCredential",
                 "credentialType", json::value(d.credential_type));
  d.form = read_format(body, check);
  d.schema_url = read_schema(body, check);
  d.validity_s = read_validity(body, check);
  d.attestations = read_texts(body, "attestations", check);
  d.contexts = read_texts(body, "additionalContext", check);
  read_entries(body, "rules", check, d.rules, read_rule);
  read_entries(body, "mappings", check, d.mappings, read_mapping);
  d.status_purposes = read_purposes(body, check);
  return d;
}

json::object definition_body(const json::object& dto, const definition& d) {
  json::object out{{"id", d.id}, {"credentialType", d.credential_type}, {"format", vc::edc_name_of(d.form)}};
  for (const char* name : {"jsonSchema", "jsonSchemaUrl"})
    if (const auto* v = dto.if_contains(name); v && !v->is_null())
      out[name] = *v;
  out["validity"] = d.validity_s;
  out["attestations"] = texts_json(d.attestations);
  out["additionalContext"] = texts_json(d.contexts);
  for (const char* name : {"rules", "mappings"}) {
    const auto* list = json::array_at(dto, name);
    out[name] = list ? *list : json::array();
  }
  out[purposes_member] = texts_json(d.status_purposes);
  return out;
}

dcp::credential_object to_credential_object(const definition& d) {
  dcp::credential_object o;
  o.id = d.id;
  o.credential_type = d.credential_type;
  o.credential_schema = d.schema_url;
  o.offer_reason = "reissue";
  o.binding_methods = {"did:web"};
  o.profile = vc::name_of(d.form);
  return o;
}

std::vector<std::string> failed_rules(const std::vector<definition>& wanted, const json::object& claims) {
  std::vector<std::string> out;
  for (const auto& d : wanted)
    for (const auto& rule : d.rules)
      if (auto checked = check_rule(rule, claims); !checked && std::ranges::find(out, checked.error()) == out.end())
        out.push_back(std::move(checked.error()));
  return out;
}

std::expected<std::vector<planned_credential>, std::string>
plan_credentials(const std::vector<definition>& wanted, const json::object& claims, const uuid& issuance_id) {
  std::vector<planned_credential> out;
  for (const auto& d : wanted) {
    auto mapped = map_claims(d.mappings, claims);
    if (!mapped)
      return std::unexpected(std::move(mapped.error()));
    planned_credential p;
    p.credential_id = "urn:uuid:" + derive_uuid(issuance_id.shard(), {issuance_id.text(), "credential", d.id}).text();
    p.definition_id = d.id;
    p.credential_type = d.credential_type;
    p.format = vc::name_of(d.form);
    p.contexts = d.contexts;
    p.schema_url = d.schema_url;
    p.validity_s = d.validity_s;
    p.status_purposes = d.status_purposes;
    p.subject = std::move(mapped->subject);
    p.name = std::move(mapped->name);
    p.description = std::move(mapped->description);
    out.push_back(std::move(p));
  }
  return out;
}

} // namespace fondaco::issuer_service

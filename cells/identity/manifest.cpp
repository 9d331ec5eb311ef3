#include "cells/identity/manifest.hpp"

#include <algorithm>
#include <utility>

#include "planes/api/bodies.hpp"

namespace fondaco::identity {

namespace {

using api::body_check;
using api::need;

std::string item_of(const char* name, size_t i) { return std::string(name) + "[" + std::to_string(i) + "]"; }

/// The objects of a member that is an array of them, or one of them.
std::vector<const json::object*> objects(const json::object& o, const char* name, body_check& check) {
  std::vector<const json::object*> out;
  const auto* v = o.if_contains(name);
  if (!v || v->is_null())
    return out;
  if (const auto* one = v->if_object()) {
    out.push_back(one);
  } else if (const auto* list = v->if_array()) {
    for (size_t i = 0; i < list->size(); ++i) {
      if (const auto* item = (*list)[i].if_object())
        out.push_back(item);
      else
        check.refuse(item_of(name, i) + " must be an object", item_of(name, i));
    }
  } else {
    check.refuse(std::string(name) + " must be an array of objects", name);
  }
  return out;
}

void read_keys(const json::object& o, manifest& m, body_check& check) {
  const auto list = objects(o, "keys", check);
  for (size_t i = 0; i < list.size(); ++i)
    m.keys.push_back(read_key_descriptor(*list[i], m.did, check, item_of("keys", i)));
  if (const auto* one = check.object(o, "key", need::optional))
    m.keys.push_back(read_key_descriptor(*one, m.did, check, "key"));
  if (m.keys.empty())
    check.refuse("at least one key is required, in keys or key", "keys");
  if (m.keys.size() > limits::key_pairs_max)
    check.refuse("at most " + std::to_string(limits::key_pairs_max) + " keys are allowed", "keys");
  for (size_t i = 0; i < m.keys.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (m.keys[i].key_id == m.keys[j].key_id)
        check.refuse("two keys have the same keyId", item_of("keys", i), json::value(m.keys[i].key_id));
}

void read_services(const json::object& o, manifest& m, body_check& check) {
  const auto list = objects(o, "serviceEndpoints", check);
  if (list.size() > did::limits::document_entries_max)
    check.refuse("at most " + std::to_string(did::limits::document_entries_max) + " services are allowed",
                 "serviceEndpoints");
  for (size_t i = 0; i < list.size(); ++i) {
    auto service = read_service(*list[i], m.did, check, item_of("serviceEndpoints", i));
    if (std::ranges::find(m.services, service.id, &did::service::id) != m.services.end())
      check.refuse("two services have the same id", item_of("serviceEndpoints", i), json::value(service.id));
    m.services.push_back(std::move(service));
  }
}

void read_names(const json::object& o, manifest& m, body_check& check) {
  m.participant_id = check.text(o, "participantContextId", need::required);
  // A dot begins the node's own tenants; a slash or a blank would have to be escaped in every URL of the participant.
  if (!m.participant_id.empty() && (!api::is_id(m.participant_id) || m.participant_id.starts_with('.') ||
                                    m.participant_id.find_first_of("/?# ") != std::string::npos))
    check.refuse("participantContextId must have 1 to 512 bytes, not begin with '.' and not hold '/', '?', '#', blanks "
                 "or control characters",
                 "participantContextId", json::value(m.participant_id));
  m.did = check.text(o, "did", need::required);
  if (m.did.empty())
    return;
  const auto url = did::web_url(m.did, false);
  if (!url)
    return check.refuse("did must be a did:web: " + url.error().detail, "did", json::value(m.did));
  // The DID is found again by what its document's URL says, so it has to be written as that gives it.
  const auto address = std::string_view(*url).substr(std::string_view("https://").size());
  const auto slash = address.find('/');
  if (const auto canonical = did::web_did(address.substr(0, slash), address.substr(slash)); canonical != m.did)
    check.refuse("did must be written as " + canonical.value_or("did:web:<host>[%3A<port>][:<path>...]"), "did",
                 json::value(m.did));
}

std::vector<std::string> default_scopes() {
  return {"identity-api:read", "identity-api:write", "issuer-admin-api:read", "issuer-admin-api:write"};
}

} // namespace

did::service read_service(const json::object& o, std::string_view did, body_check& check, std::string_view inside) {
  did::service out;
  const auto short_text = [&](const char* name) {
    auto text = check.text(o, name, need::required, inside);
    const bool fits = text.size() <= limits::service_text_bytes_max &&
                      std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c != 0x7f; });
    if (!fits)
      check.refuse(std::string(name) + " must have at most " + std::to_string(limits::service_text_bytes_max) +
                       " bytes and no blanks or control characters",
                   inside.empty() ? std::string(name) : std::string(inside) + "." + name);
    return text;
  };
  out.id = short_text("id");
  out.type = short_text("type");
  out.endpoint = short_text("serviceEndpoint");
  out.id = absolute_id(did, out.id);
  return out;
}

json::array to_json(const std::vector<did::service>& services) {
  json::array out;
  for (const auto& one : services)
    out.push_back(json::object{{"id", one.id}, {"type", one.type}, {"serviceEndpoint", one.endpoint}});
  return out;
}

result<manifest> read_manifest(const json::object& body) {
  body_check check;
  manifest m;
  read_names(body, m, check);
  read_keys(body, m, check);
  read_services(body, m, check);
  m.active = flag(check, body, "active", false);
  m.provision_sts_account = flag(check, body, "provisionStsAccount", true);
  m.provision_api_key = flag(check, body, "provisionApiKey", true);
  m.scopes = check.texts(body, "scopes", need::optional);
  if (m.scopes.size() > limits::context_scopes_max)
    check.refuse("at most " + std::to_string(limits::context_scopes_max) + " scopes are allowed", "scopes");
  if (m.scopes.empty())
    m.scopes = default_scopes();
  if (const auto* properties = check.object(body, "additionalProperties", need::optional))
    m.properties = *properties;
  m.api_key_alias = check.text(body, "apiKeyAlias", need::optional);
  if (m.api_key_alias.empty())
    m.api_key_alias = m.participant_id + "-apikey";
  if (check.failed())
    return std::unexpected(check.response());
  return m;
}

} // namespace fondaco::identity

#include "cfm/tenant_manager/profile_terms.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "cfm/rest.hpp"
#include "cfm/tenant_manager/participant_profile.hpp"
#include "cfm/tenant_manager/records.hpp"

namespace fondaco::cfm {

namespace api = planes::api;
using gateway::response;

namespace {

constexpr size_t catalogue_max = 1000;

bool wanted(const std::vector<std::string>& ids, const std::string& id) {
  return ids.empty() || std::ranges::find(ids, id) != ids.end();
}

bool is_active(const json::object& o) { return json::string_at(o, "state") == "active"; }

/// The cells on which one of the profiles has an active deployment.
std::set<std::string> cells_of(const std::vector<json::object>& profiles) {
  std::set<std::string> out;
  for (const auto& p : profiles)
    if (const auto* deployments = json::array_at(p, "deployments"))
      for (const auto& d : *deployments)
        if (d.is_object() && is_active(d.get_object()))
          out.emplace(json::string_at(d.get_object(), "cellId").value_or(""));
  return out;
}

bool has_role(const json::object& roles, const std::string& profile_id, std::string_view role) {
  const auto* list = json::array_at(roles, profile_id);
  return list && std::ranges::any_of(*list, [&](const json::value& v) {
           return v.is_string() && std::string_view(v.get_string()) == role;
         });
}

json::array specs_of(const std::vector<json::object>& profiles, const json::object& roles) {
  json::array out;
  for (const auto& p : profiles) {
    const auto* spec = json::object_at(p, "dataspaceSpec");
    const auto* specs = spec ? json::array_at(*spec, "credentialSpecs") : nullptr;
    if (!specs)
      continue;
    for (const auto& c : *specs) {
      const auto role = c.is_object() ? json::string_at(c.get_object(), "role").value_or("") : "";
      if ((role.empty() || has_role(roles, std::string(json::string_at(p, "id").value_or("")), role)) &&
          std::ranges::find(out, c) == out.end())
        out.push_back(c);
    }
  }
  return out;
}

// The syntax of DIDs (W3C DID Core 1.0, section 3.1).
bool is_did(std::string_view text) {
  const auto alphanumeric = [](unsigned char c) { return c < 0x80 && std::isalnum(c) != 0; };
  const auto colon = text.starts_with("did:") ? text.find(':', 4) : std::string_view::npos;
  if (colon == std::string_view::npos || colon == 4 || text.size() > fondaco::limits::id_bytes_max ||
      text.ends_with(':'))
    return false;
  const auto method = text.substr(4, colon - 4);
  const auto rest = text.substr(colon + 1);
  return std::ranges::all_of(method,
                             [](unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }) &&
         !rest.empty() && std::ranges::all_of(rest, [&](unsigned char c) {
           return alphanumeric(c) || std::string_view(".-_:%").find(static_cast<char>(c)) != std::string_view::npos;
         });
}

std::optional<response> read_texts(const json::object& body, const char* name, std::vector<std::string>& into) {
  const auto* v = body.if_contains(name);
  if (!v || v->is_null())
    return std::nullopt;
  if (!v->is_array())
    return invalid(name, "must be an array of strings");
  for (const auto& item : v->get_array()) {
    if (!item.is_string())
      return invalid(name, "must be an array of strings");
    into.emplace_back(std::string_view(item.get_string()));
  }
  return std::nullopt;
}

std::optional<response> read_object(const json::object& body, const char* name, json::object& into) {
  const auto* v = body.if_contains(name);
  if (!v || v->is_null())
    return std::nullopt;
  if (!v->is_object())
    return invalid(name, "must be an object");
  into = v->get_object();
  return std::nullopt;
}

std::optional<response> wrong_members(const profile_wish& w) {
  for (const auto& [id, roles] : w.roles) {
    const bool texts =
        roles.is_array() && std::ranges::all_of(roles.get_array(), [](const json::value& v) { return v.is_string(); });
    if (!texts)
      return invalid("participantRoles." + std::string(id), "must be an array of strings");
  }
  for (const auto& [type, properties] : w.vpa_properties) {
    if (std::ranges::find(vpa_types, std::string_view(type)) == std::end(vpa_types))
      return invalid("vpaProperties." + std::string(type),
                     "must be one of cfm.connector, cfm.credentialservice, cfm.dataplane, cfm.issuer");
    if (!properties.is_object())
      return invalid("vpaProperties." + std::string(type), "must be an object");
  }
  return std::nullopt;
}

} // namespace

std::optional<deployment_catalogue> read_catalogue(cfm_services& s, const std::string& tenant_id) {
  persistence::query_spec all;
  all.limit = catalogue_max;
  auto cells = s.documents.query(cfm_tenant, kinds::cell, all);
  auto profiles = s.documents.query(cfm_tenant, kinds::dataspace_profile, all);
  auto tenant = s.documents.get({cfm_tenant, kinds::tenant, tenant_id});
  if (!cells || !profiles || !tenant)
    return std::nullopt;
  return deployment_catalogue{std::move(*cells), std::move(*profiles), tenant->has_value()};
}

api::result<profile_wish> read_wish(const gateway::request& r) {
  auto body = read_cfm_body(r);
  if (!body)
    return std::unexpected(std::move(body.error()));
  profile_wish w;
  w.identifier = json::string_at(*body, "identifier").value_or("");
  if (!is_did(w.identifier))
    return std::unexpected(invalid("identifier", "is required, a DID of at most 512 bytes"));
  if (const auto* v = body->if_contains("cellId"); v && !v->is_null() && !v->is_string())
    return std::unexpected(invalid("cellId", "must be a string"));
  w.cell_id = json::string_at(*body, "cellId").value_or("");
  auto wrong = read_texts(*body, "dataspaceProfileIds", w.profile_ids);
  for (const auto& [name, into] :
       {std::pair{"participantRoles", &w.roles}, std::pair{"vpaProperties", &w.vpa_properties},
        std::pair{"properties", &w.properties}})
    if (!wrong)
      wrong = read_object(*body, name, *into);
  if (!wrong)
    wrong = wrong_members(w);
  if (wrong)
    return std::unexpected(std::move(*wrong));
  return w;
}

api::result<profile_terms> make_terms(cfm_services& s, const deployment_catalogue& c, const profile_wish& w,
                                      const std::string& tenant_id) {
  if (!c.tenant_known)
    return std::unexpected(cfm_error(404, "Not found"));
  for (const auto& id : w.profile_ids)
    if (std::ranges::none_of(c.profiles, [&](const auto& d) { return d.key.id == id; }))
      return std::unexpected(invalid("dataspaceProfileIds", "there is no dataspace profile '" + id + "'"));
  profile_terms t;
  std::vector<json::object> profiles;
  for (const auto& d : c.profiles)
    if (wanted(w.profile_ids, d.key.id)) {
      profiles.push_back(api::stored_object(d.body));
      t.dataspace_profile_ids.push_back(d.key.id);
    }
  if (profiles.empty())
    return std::unexpected(cfm_error(400, "Bad request: no dataspace profiles found"));
  const auto usable = cells_of(profiles);
  const auto cell = std::ranges::find_if(c.cells, [&](const auto& d) {
    return is_active(api::stored_object(d.body)) && usable.contains(d.key.id) &&
           (w.cell_id.empty() || d.key.id == w.cell_id);
  });
  if (cell == c.cells.end())
    return std::unexpected(
        w.cell_id.empty()
            ? cfm_error(400, "Bad request: no active cell found with a deployment of the dataspace profile")
            : invalid("cellId", "must be an active cell with a deployment of one of the dataspace profiles"));
  t.identifier = w.identifier;
  t.tenant_id = tenant_id;
  t.participant_roles = w.roles;
  t.properties = w.properties;
  t.credential_specs = specs_of(profiles, w.roles);
  for (const auto type : vpa_types) {
    profile_vpa v;
    v.id = s.runtime.fresh_id(cfm_tenant).text();
    v.type = type;
    v.cell_id = cell->key.id;
    v.external_cell_id = json::string_at(api::stored_object(cell->body), "externalId").value_or("");
    if (const auto* properties = json::object_at(w.vpa_properties, type))
      v.properties = *properties;
    t.vpas.push_back(std::move(v));
  }
  if (json::write(planes::to_json(t)).size() > limits::profile_terms_bytes_max)
    return std::unexpected(cfm_error(400, "Bad request: the participant profile may have at most 98304 bytes of JSON"));
  return t;
}

} // namespace fondaco::cfm

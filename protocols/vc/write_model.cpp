#include <algorithm>

#include "protocols/vc/model.hpp"

namespace fondaco::vc {

namespace {

json::array write_texts(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

/// A list whose first item is the one that the data model demands there.
json::array led_by(std::string_view first, const std::vector<std::string>& rest, std::string_view unwanted = {}) {
  json::array out{first};
  for (const auto& text : rest)
    if (text != first && text != unwanted)
      out.emplace_back(text);
  return out;
}

/// One item stands alone: DCP's kit and EDC read no arrays here.
json::value alone(json::array items) {
  return items.size() == 1 ? std::move(items.front()) : json::value(std::move(items));
}

json::array write_subjects(const credential& what) { return json::array(what.subjects.begin(), what.subjects.end()); }

json::array write_statuses(const credential& what) {
  json::array out;
  for (const auto& s : what.statuses) {
    json::object o;
    if (!s.id.empty())
      o["id"] = s.id;
    o["type"] = s.type;
    o["statusPurpose"] = s.purpose;
    o["statusListIndex"] = std::to_string(s.index);
    o["statusListCredential"] = s.list_url;
    out.push_back(std::move(o));
  }
  return out;
}

json::array write_schemas(const credential& what) {
  json::array out;
  for (const auto& s : what.schemas)
    out.push_back(json::object{{"id", s.id}, {"type", s.type}});
  return out;
}

void put_text(json::object& o, std::string_view name, const std::string& text) {
  if (!text.empty())
    o[name] = text;
}

void put_moment(json::object& o, std::string_view name, const std::optional<timepoint>& at) {
  if (at)
    o[name] = to_rfc3339(*at);
}

} // namespace

json::object write_signed_model(const credential& what) {
  const bool is_11 = what.form == profile::vc11_jwt;
  json::object o;
  o["@context"] = is_11 ? led_by(base_context_11, what.contexts, base_context_20)
                        : led_by(base_context_20, what.contexts, base_context_11);
  put_text(o, "id", what.id);
  o["type"] = led_by(credential_type, what.types);
  o["issuer"] = what.issuer;
  put_text(o, "name", what.name);
  put_text(o, "description", what.description);
  put_moment(o, is_11 ? "issuanceDate" : "validFrom", what.valid_from);
  put_moment(o, is_11 ? "expirationDate" : "validUntil", what.valid_until);
  o["credentialSubject"] = alone(write_subjects(what));
  if (!what.statuses.empty())
    o["credentialStatus"] = alone(write_statuses(what));
  if (!what.schemas.empty())
    o["credentialSchema"] = alone(write_schemas(what));
  return o;
}

json::object to_model(const credential& what) {
  json::object o;
  o["@context"] = write_texts(what.contexts);
  put_text(o, "id", what.id);
  o["type"] = write_texts(what.types);
  o["issuer"] = json::object{{"id", what.issuer}};
  put_moment(o, "issuanceDate", what.valid_from);
  put_moment(o, "expirationDate", what.valid_until);
  o["credentialSubject"] = write_subjects(what);
  o["credentialStatus"] = write_statuses(what);
  if (!what.schemas.empty())
    o["credentialSchema"] = write_schemas(what);
  put_text(o, "name", what.name);
  put_text(o, "description", what.description);
  o["dataModelVersion"] = what.form == profile::vc11_jwt ? "V_1_1" : "V_2_0";
  return o;
}

} // namespace fondaco::vc

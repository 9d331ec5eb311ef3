#include "protocols/dcp/messages.hpp"

namespace fondaco::dcp {

namespace {

json::object message(const char* type) {
  json::object o;
  o["@context"] = json::array{json::value(context)};
  o["type"] = type;
  return o;
}

void add(json::object& o, const char* name, const std::string& text) {
  if (!text.empty())
    o[name] = text;
}

json::object object_of(const credential_object& c) {
  json::object o{{"id", c.id}};
  const bool sparse = c.credential_type.empty() && c.credential_schema.empty() && c.offer_reason.empty() &&
                      c.binding_methods.empty() && c.profile.empty() && c.issuance_policy.empty();
  if (sparse)
    return o;
  o["type"] = "CredentialObject";
  add(o, "credentialType", c.credential_type);
  add(o, "credentialSchema", c.credential_schema);
  add(o, "offerReason", c.offer_reason);
  if (!c.binding_methods.empty())
    o["bindingMethods"] = json::array(c.binding_methods.begin(), c.binding_methods.end());
  add(o, "profile", c.profile);
  o["issuancePolicy"] = c.issuance_policy;
  return o;
}

json::array objects_of(const std::vector<credential_object>& all) {
  json::array out;
  for (const auto& c : all)
    out.push_back(object_of(c));
  return out;
}

} // namespace

json::object write(const presentation_query& m) {
  auto o = message("PresentationQueryMessage");
  o["scope"] = json::array(m.scopes.begin(), m.scopes.end());
  return o;
}

json::object write(const presentation_response& m) {
  auto o = message("PresentationResponseMessage");
  o["presentation"] = m.presentations;
  return o;
}

json::object write(const credential_message& m) {
  auto o = message("CredentialMessage");
  o["issuerPid"] = m.issuer_pid;
  o["holderPid"] = m.holder_pid;
  o["status"] = m.issued ? "ISSUED" : "REJECTED";
  add(o, "rejectionReason", m.rejection_reason);
  if (m.issued) {
    json::array list;
    for (const auto& c : m.credentials)
      list.push_back(json::object{{"credentialType", c.credential_type}, {"format", c.format}, {"payload", c.payload}});
    o["credentials"] = std::move(list);
  }
  return o;
}

json::object write(const credential_offer& m) {
  auto o = message("CredentialOfferMessage");
  o["issuer"] = m.issuer;
  o["credentials"] = objects_of(m.credentials);
  return o;
}

json::object write(const credential_request& m) {
  auto o = message("CredentialRequestMessage");
  o["holderPid"] = m.holder_pid;
  json::array list;
  for (const auto& id : m.credential_ids)
    list.push_back(json::object{{"id", id}});
  o["credentials"] = std::move(list);
  return o;
}

json::object write(const credential_status& m) {
  auto o = message("CredentialStatus");
  o["issuerPid"] = m.issuer_pid;
  add(o, "holderPid", m.holder_pid);
  o["status"] = m.status;
  return o;
}

json::object write(const issuer_metadata& m) {
  auto o = message("IssuerMetadata");
  o["issuer"] = m.issuer;
  o["credentialsSupported"] = objects_of(m.credentials_supported);
  return o;
}

} // namespace fondaco::dcp

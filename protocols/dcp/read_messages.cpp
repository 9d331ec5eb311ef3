#include <algorithm>
#include <utility>

#include "protocols/dcp/messages.hpp"
#include "protocols/dcp/normal_form.hpp"
#include "protocols/jsonld/fields.hpp"

namespace fondaco::dcp {

namespace {

using jsonld::need;

fault make(dcp_errc e, std::string detail) { return {std::string(name_of(e)), std::move(detail), cure::fix_input}; }

std::unexpected<fault> malformed(std::string detail) {
  return std::unexpected(make(dcp_errc::malformed, std::move(detail)));
}

// The context's URL, or an object that maps a prefix to its IRI.
bool is_context(const json::value& v) {
  if (v.is_string())
    return std::string_view(v.get_string()) == context;
  return v.is_object() && std::ranges::any_of(v.get_object(), [](const auto& member) {
           return member.value().is_string() && std::string_view(member.value().get_string()) == term_iri;
         });
}

bool names_context(const json::object& o) {
  const auto* v = o.if_contains("@context");
  if (!v)
    return false;
  return v->is_array() ? std::ranges::any_of(v->get_array(), is_context) : is_context(*v);
}

bool has_whole_type(const json::object& o) {
  for (const char* name : {"@type", "type"}) {
    const auto* v = o.if_contains(name);
    if (v && v->is_array() && v->get_array().size() == 1)
      v = &v->get_array().front();
    if (v && v->is_string() && std::string_view(v->get_string()).starts_with(term_iri))
      return true;
  }
  return false;
}

// A message as it came and in normal form, its fields with the first fault of one.
struct message {
  message(const json::object& o, std::string_view type)
      : raw(o), plain(normal_form(o)), fields(plain, std::string(type)) {}
  message(message&&) = delete;
  const json::object& raw;
  const json::object plain;
  jsonld::fields fields;
};

// What a reader makes of a message's object, if the message is of this type and speaks DCP.
template <class Reader> auto read(const json::value& body, std::string_view type, Reader reader) {
  using result = decltype(reader(std::declval<message&>()));
  const auto* o = message_object(body);
  if (!o)
    return result(malformed("The body must be a JSON object."));
  message m(*o, type);
  if (json::string_at(m.plain, "type") != type)
    return result(malformed("The field 'type' must be " + std::string(type) + "."));
  if (!has_whole_type(*o) && !names_context(*o))
    return result(malformed("The field '@context' must be an array with " + std::string(context) + "."));
  auto out = reader(m);
  if (out && m.fields.failure())
    return result(malformed(m.fields.failure()->detail));
  return out;
}

std::expected<json::array, fault> items_of(const json::object& o, std::string_view name, size_t least) {
  auto list = literal_items(o, name);
  if (list.size() < least || list.size() > limits::message_credentials_max)
    return malformed("The field '" + std::string(name) + "' must be an array of " + std::to_string(least) + " to " +
                     std::to_string(limits::message_credentials_max) + " entries.");
  return list;
}

std::expected<credential_object, fault> read_object(const json::object& raw) {
  const auto o = normal_form(raw);
  jsonld::fields f(o, "CredentialObject");
  credential_object out;
  out.id = f.text("id", need::required);
  // A sparse object has nothing but its id; with anything more it says what it is about.
  const bool sparse = std::ranges::all_of(
      o, [](const auto& m) { return m.key() == "id" || m.key() == "type" || m.key() == "@context"; });
  out.credential_type = f.text("credentialType", sparse ? need::optional : need::required);
  out.credential_schema = f.text("credentialSchema", need::optional, fondaco::limits::url_bytes_max);
  out.offer_reason = f.text("offerReason", need::optional, fondaco::limits::text_bytes_max);
  out.binding_methods = f.texts("bindingMethods", need::optional);
  out.profile = f.text("profile", need::optional);
  if (const auto* policy = find_literal(raw, "issuancePolicy")) {
    if (!policy->is_object())
      return malformed("CredentialObject: issuancePolicy must be an object.");
    out.issuance_policy = policy->get_object();
  }
  if (f.failure())
    return malformed(f.failure()->detail);
  return out;
}

std::expected<std::vector<credential_object>, fault> read_objects(const json::object& o, std::string_view name,
                                                                  size_t least) {
  auto list = items_of(o, name, least);
  if (!list)
    return std::unexpected(std::move(list.error()));
  std::vector<credential_object> out;
  for (const auto& v : *list) {
    if (!v.is_object())
      return malformed("Each entry of '" + std::string(name) + "' must be an object.");
    auto one = read_object(v.get_object());
    if (!one)
      return std::unexpected(std::move(one.error()));
    out.push_back(std::move(*one));
  }
  return out;
}

std::expected<credential_container, fault> read_container(const json::value& v) {
  if (!v.is_object())
    return malformed("Each entry of 'credentials' must be an object.");
  const auto o = normal_form(v.get_object());
  jsonld::fields f(o, "credentials");
  credential_container out;
  out.credential_type = f.text("credentialType", need::required);
  out.format = f.text("format", need::required);
  out.payload = f.text("payload", need::required, limits::payload_bytes_max);
  if (f.failure())
    return malformed(f.failure()->detail);
  return out;
}

std::expected<presentation_query, fault> read_query(message& m) {
  const auto* definition = find_literal(m.raw, "presentationDefinition");
  const auto* scope = m.plain.if_contains("scope");
  if (definition && scope && !scope->is_null())
    return std::unexpected(
        make(dcp_errc::scope_and_definition, "A query has 'scope' or 'presentationDefinition', not both."));
  if (definition && (!definition->is_object() || definition->get_object().empty()))
    return malformed("The field 'presentationDefinition' must be an object that is not empty.");
  if (definition)
    return std::unexpected(
        make(dcp_errc::definition_unsupported, "Presentation definitions are not supported; send scopes."));
  presentation_query out;
  for (const auto& v : literal_items(m.raw, "scope")) {
    if (!v.is_string() || v.get_string().empty())
      return malformed("The field 'scope' must be an array of strings that are not empty.");
    out.scopes.emplace_back(std::string_view(v.get_string()));
  }
  if (out.scopes.empty() || out.scopes.size() > limits::query_scopes_max)
    return malformed("The field 'scope' must have 1 to " + std::to_string(limits::query_scopes_max) + " entries.");
  return out;
}

std::expected<credential_message, fault> read_delivery(message& m) {
  credential_message out;
  out.issuer_pid = m.fields.text("issuerPid", need::required);
  out.holder_pid = m.fields.text("holderPid", need::required);
  const auto status = m.fields.text("status", need::required);
  out.rejection_reason = m.fields.text("rejectionReason", need::optional, fondaco::limits::text_bytes_max);
  if (m.fields.failure())
    return out;
  const auto word = bare_word(status);
  if (word != "ISSUED" && word != "REJECTED")
    return malformed("The field 'status' must be ISSUED or REJECTED.");
  out.issued = word == "ISSUED";
  auto list = items_of(m.raw, "credentials", out.issued ? 1 : 0);
  if (!list)
    return std::unexpected(std::move(list.error()));
  for (const auto& v : *list) {
    auto one = read_container(v);
    if (!one)
      return std::unexpected(std::move(one.error()));
    out.credentials.push_back(std::move(*one));
  }
  return out;
}

std::expected<credential_request, fault> read_request(message& m) {
  credential_request out;
  out.holder_pid = m.fields.text("holderPid", need::required);
  auto list = items_of(m.raw, "credentials", 1);
  if (!list)
    return std::unexpected(std::move(list.error()));
  for (const auto& v : *list) {
    if (!v.is_object())
      return malformed("Each entry of 'credentials' must be an object.");
    const auto o = normal_form(v.get_object());
    jsonld::fields f(o, "credentials");
    out.credential_ids.push_back(f.text("id", need::required));
    if (f.failure())
      return malformed(f.failure()->detail);
  }
  return out;
}

} // namespace

std::string_view name_of(dcp_errc e) noexcept {
  switch (e) {
  case dcp_errc::malformed: return "malformed";
  case dcp_errc::scope_and_definition: return "scope_and_definition";
  case dcp_errc::definition_unsupported: return "definition_unsupported";
  case dcp_errc::bad_scope: return "bad_scope";
  case dcp_errc::bad_token: return "bad_token";
  }
  return "malformed";
}

std::expected<presentation_query, fault> read_presentation_query(const json::value& body) {
  return read(body, "PresentationQueryMessage", read_query);
}

std::expected<presentation_response, fault> read_presentation_response(const json::value& body) {
  return read(body, "PresentationResponseMessage", [](message& m) -> std::expected<presentation_response, fault> {
    if (!find_literal(m.raw, "presentation"))
      return malformed("The field 'presentation' is missing.");
    auto list = items_of(m.raw, "presentation", 0);
    if (!list)
      return std::unexpected(std::move(list.error()));
    for (const auto& v : *list)
      if (!v.is_string() && !v.is_object())
        return malformed("Each entry of 'presentation' must be a string or an object.");
    return presentation_response{std::move(*list)};
  });
}

std::expected<credential_message, fault> read_credential_message(const json::value& body) {
  return read(body, "CredentialMessage", read_delivery);
}

std::expected<credential_offer, fault> read_credential_offer(const json::value& body) {
  return read(body, "CredentialOfferMessage", [](message& m) -> std::expected<credential_offer, fault> {
    auto issuer = m.fields.text("issuer", need::required);
    auto objects = read_objects(m.raw, "credentials", 1);
    if (!objects)
      return std::unexpected(std::move(objects.error()));
    return credential_offer{std::move(issuer), std::move(*objects)};
  });
}

std::expected<credential_request, fault> read_credential_request(const json::value& body) {
  return read(body, "CredentialRequestMessage", read_request);
}

std::expected<credential_status, fault> read_credential_status(const json::value& body) {
  return read(body, "CredentialStatus", [](message& m) -> std::expected<credential_status, fault> {
    credential_status out;
    out.issuer_pid = m.fields.text("issuerPid", need::required);
    out.holder_pid = m.fields.text("holderPid", need::optional);
    out.status = bare_word(m.fields.text("status", need::required));
    if (!m.fields.failure() && out.status != "RECEIVED" && out.status != "REJECTED" && out.status != "ISSUED")
      return malformed("The field 'status' must be RECEIVED, REJECTED or ISSUED.");
    return out;
  });
}

std::expected<issuer_metadata, fault> read_issuer_metadata(const json::value& body) {
  return read(body, "IssuerMetadata", [](message& m) -> std::expected<issuer_metadata, fault> {
    auto issuer = m.fields.text("issuer", need::required);
    auto objects = read_objects(m.raw, "credentialsSupported", 0);
    if (!objects)
      return std::unexpected(std::move(objects.error()));
    return issuer_metadata{std::move(issuer), std::move(*objects)};
  });
}

} // namespace fondaco::dcp

#include "protocols/did/document.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace fondaco::did {

namespace {

fault bad(did_errc e, std::string detail) { return {std::string(name_of(e)), std::move(detail), cure::fix_input}; }

std::unexpected<fault> malformed(std::string detail) {
  return std::unexpected(bad(did_errc::malformed_document, std::move(detail)));
}

// A reference to a method: absolute, `#k`, or a bare `k`.
std::string absolute(std::string_view did, std::string_view id) {
  if (id.starts_with("did:"))
    return std::string(id);
  return std::string(did) + (id.starts_with('#') ? "" : "#") + std::string(id);
}

// The id of a service, which may be a URI of any scheme, or missing.
std::string absolute_service(std::string_view did, std::string_view id) {
  return id.empty() || id.find(':') != std::string_view::npos ? std::string(id) : absolute(did, id);
}

// What is read, and the ids of all methods, of those that are left out too.
struct reading {
  document out;
  std::set<std::string> ids;
};

fault too_many(std::string_view what) {
  return bad(did_errc::malformed_document, "The document has more than " +
                                               std::to_string(limits::document_entries_max) + " " + std::string(what) +
                                               ".");
}

json::array array_or_one(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  if (!v || v->is_null())
    return {};
  if (const auto* list = v->if_array())
    return *list;
  return json::array{*v};
}

std::optional<fault> read_services(const json::object& o, document& d) {
  const auto list = array_or_one(o, "service");
  if (list.size() > limits::document_entries_max)
    return too_many("services");
  for (const auto& v : list) {
    const auto* s = v.if_object();
    if (!s)
      return bad(did_errc::malformed_document, "Each entry of `service` must be an object.");
    const auto type = json::string_at(*s, "type");
    const auto endpoint = json::string_at(*s, "serviceEndpoint");
    // An endpoint that is an object or a list is one of another kind of service.
    if (type && endpoint)
      d.services.push_back(
          {absolute_service(d.id, json::string_at(*s, "id").value_or("")), std::string(*type), std::string(*endpoint)});
  }
  return std::nullopt;
}

// Takes the method, and says its absolute id.
std::expected<std::string, fault> add_method(const json::value& v, reading& r) {
  const auto* m = v.if_object();
  const auto relative = m ? json::string_at(*m, "id") : std::nullopt;
  if (!relative || relative->empty())
    return malformed("Each verification method must be an object with an `id`.");
  auto id = absolute(r.out.id, *relative);
  if (r.ids.size() == limits::document_entries_max)
    return std::unexpected(too_many("verification methods"));
  if (!r.ids.insert(id).second)
    return std::unexpected(bad(did_errc::duplicate_method, "Two verification methods have the id " + id + "."));
  if (const auto* jwk = json::object_at(*m, "publicKeyJwk"))
    r.out.methods.push_back({id, std::string(json::string_at(*m, "type").value_or("")),
                             std::string(json::string_at(*m, "controller").value_or("")), *jwk});
  return id;
}

// References, and methods that are embedded in the relationship.
std::optional<fault> read_relationship(const json::object& o, const char* name, reading& r,
                                       std::vector<std::string>& into) {
  const auto list = array_or_one(o, name);
  if (list.size() > limits::document_entries_max)
    return too_many(name);
  for (const auto& v : list) {
    if (v.is_string()) {
      into.push_back(absolute(r.out.id, std::string_view(v.get_string())));
    } else if (v.is_object()) {
      auto id = add_method(v, r);
      if (!id)
        return std::move(id.error());
      into.push_back(std::move(*id));
    } else {
      return bad(did_errc::malformed_document,
                 std::string("Each entry of `") + name + "` must be a string or an object.");
    }
  }
  return std::nullopt;
}

json::array absolutes(const document& d, const std::vector<std::string>& ids) {
  json::array out;
  for (const auto& id : ids)
    out.emplace_back(absolute(d.id, id));
  return out;
}

const std::vector<std::string>& list_of(const document& d, relationship r) noexcept {
  switch (r) {
  case relationship::authentication: return d.authentication;
  case relationship::assertion_method: return d.assertion_method;
  case relationship::capability_invocation: break;
  }
  return d.capability_invocation;
}

} // namespace

std::string_view name_of(did_errc e) noexcept {
  switch (e) {
  case did_errc::malformed_did: return "malformed_did";
  case did_errc::malformed_document: return "malformed_document";
  case did_errc::wrong_document: return "wrong_document";
  case did_errc::duplicate_method: return "duplicate_method";
  }
  return "malformed_document";
}

std::expected<document, fault> read_document(const json::value& body, std::string_view expected_did) {
  const auto* o = body.if_object();
  if (!o)
    return malformed("The DID document is no JSON object.");
  const auto id = json::string_at(*o, "id");
  if (!id)
    return malformed("The document's `id` is missing or no string.");
  if (*id != expected_did)
    return std::unexpected(
        bad(did_errc::wrong_document, "The document's `id` is not " + std::string(expected_did) + "."));
  reading r;
  r.out.id = *id;
  if (auto wrong = read_services(*o, r.out))
    return std::unexpected(std::move(*wrong));
  for (const auto& v : array_or_one(*o, "verificationMethod"))
    if (auto added = add_method(v, r); !added)
      return std::unexpected(std::move(added.error()));
  for (const auto& [name, into] :
       {std::pair{"authentication", &r.out.authentication}, std::pair{"assertionMethod", &r.out.assertion_method},
        std::pair{"capabilityInvocation", &r.out.capability_invocation}})
    if (auto wrong = read_relationship(*o, name, r, *into))
      return std::unexpected(std::move(*wrong));
  return std::move(r.out);
}

json::object write_document(const document& d) {
  json::object o;
  o["@context"] = json::array{"https://www.w3.org/ns/did/v1", "https://w3id.org/dspace-dcp/v1.0/dcp.jsonld"};
  o["id"] = d.id;
  json::array services;
  for (const auto& s : d.services)
    services.push_back(
        json::object{{"id", absolute_service(d.id, s.id)}, {"type", s.type}, {"serviceEndpoint", s.endpoint}});
  o["service"] = std::move(services);
  json::array methods;
  for (const auto& m : d.methods)
    methods.push_back(json::object{{"id", absolute(d.id, m.id)},
                                   {"type", m.type},
                                   {"controller", m.controller.empty() ? d.id : m.controller},
                                   {"publicKeyJwk", m.public_key_jwk}});
  o["verificationMethod"] = std::move(methods);
  o["authentication"] = absolutes(d, d.authentication);
  o["assertionMethod"] = absolutes(d, d.assertion_method);
  o["capabilityInvocation"] = absolutes(d, d.capability_invocation);
  return o;
}

const service* find_service(const document& d, std::string_view type) noexcept {
  const auto found = std::ranges::find(d.services, type, &service::type);
  return found == d.services.end() ? nullptr : &*found;
}

const verification_method* find_method(const document& d, const std::optional<std::string>& kid, relationship r,
                                       bool strict) noexcept {
  const auto& list = list_of(d, r);
  const verification_method* found = nullptr;
  const auto wanted = kid ? absolute(d.id, *kid) : std::string();
  for (const auto& m : d.methods) {
    const bool may = list.empty() ? !strict : std::ranges::find(list, m.id) != list.end();
    if (!may || (kid && m.id != wanted))
      continue;
    if (found)
      return nullptr;
    found = &m;
  }
  return found;
}

std::string_view did_of(std::string_view did_url) noexcept { return did_url.substr(0, did_url.find('#')); }

} // namespace fondaco::did

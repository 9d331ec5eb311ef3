#include "conformance/dcp/world.hpp"

#include <array>
#include <ctime>
#include <iostream>

namespace fondaco::conformance::dcp {

namespace {

constexpr size_t shown_bytes_max = 600;
constexpr size_t status_list_bits = 16384;

constexpr const char* membership_schema = R"({"$schema":"http://json-schema.org/draft-04/schema#",
 "$id":"membership-schema","type":"object","properties":{"id":{"type":"string"},"foo":{"type":"string"}},
 "required":["id","foo"]})";

party make_party(const settings& config, const std::string& name) {
  auto authority = config.callback_address;
  authority.erase(0, std::min(authority.size(), std::string("http://").size()));
  if (auto colon = authority.find(':'); colon != std::string::npos) {
    authority.replace(colon, 1, "%3A");
  }
  auto did = "did:web:" + authority + ":" + name;
  return {name, did, did + "#" + random_uuid(), ec_key::fresh()};
}

/// Where a did:web document is, over http.
std::string url_of_did(const std::string& did) {
  constexpr std::string_view scheme = "did:web:";
  expect(did.starts_with(scheme), "'" + did + "' is no did:web");
  auto rest = did.substr(scheme.size());
  bool with_path = rest.find(':') != std::string::npos;
  std::ranges::replace(rest, ':', '/');
  for (auto at = rest.find("%3A"); at != std::string::npos; at = rest.find("%3A")) {
    rest.replace(at, 3, ":");
  }
  return "http://" + rest + (with_path ? "/did.json" : "/.well-known/did.json");
}

bool names_audience(const json::object& claims, const std::string& wanted) {
  const auto* aud = claims.if_contains("aud");
  if (aud != nullptr && aud->is_array()) {
    return std::ranges::any_of(aud->as_array(),
                               [&](const auto& v) { return v.is_string() && v == json::value(wanted); });
  }
  return text_at(claims, "aud") == wanted;
}

std::optional<int64_t> seconds_at(const json::object& claims, std::string_view name) {
  const auto* v = claims.if_contains(name);
  boost::system::error_code ec;
  auto n = v == nullptr ? 0 : v->to_number<int64_t>(ec);
  return v == nullptr || ec ? std::nullopt : std::optional(n);
}

/// What a list credential of the kit looks like: plain, unsigned.
json::object status_list(const std::string& url, const std::string& issuer, bool bitstring) {
  const json::object subject{{"id", url + "#list"},
                             {"type", bitstring ? "BitstringStatusList" : "StatusList2021"},
                             {"statusPurpose", "revocation"},
                             {"encodedList", encoded_list(status_list_bits, 1)}};
  return {{"@context", json::array{"https://www.w3.org/ns/credentials/v2"}},
          {"id", url},
          {"type", json::array{"VerifiableCredential",
                               bitstring ? "BitstringStatusListCredential" : "StatusList2021Credential"}},
          {"issuer", issuer},
          {"issuanceDate", instant(now_s() - 60)},
          {"expirationDate", nullptr},
          {"credentialSubject", subject}};
}

} // namespace

// Not time(), whose coarse clock may lag behind the one that a token was made by.
int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string instant(int64_t seconds) {
  auto t = static_cast<time_t>(seconds);
  tm utc{};
  ::gmtime_r(&t, &utc);
  std::array<char, 32> out{};
  return {out.data(), std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

std::string si_token::compact() const {
  json::object claims{{"iss", iss}, {"sub", sub}, {"aud", aud}, {"jti", jti}, {"iat", iat}, {"exp", exp}};
  if (nbf) {
    claims["nbf"] = *nbf;
  }
  if (token) {
    claims["token"] = *token;
  }
  return sign_jwt(*key, kid, claims);
}

http::reply json_reply(int status, const json::value& body) {
  return {status, json::serialize(body), {{"Content-Type", "application/json"}}, false};
}

json::object object_of(const std::string& body) {
  boost::system::error_code ec;
  auto v = json::parse(body, ec);
  return !ec && v.is_object() ? v.as_object() : json::object();
}

void expect(bool holds, const std::string& otherwise) {
  if (!holds) {
    throw failure(otherwise);
  }
}

void expect_2xx(const http::response& r, const std::string& what) {
  expect(r.status >= 200 && r.status < 300,
         what + ": 2xx was expected, " + std::to_string(r.status) + " came: " + r.raw.body.substr(0, shown_bytes_max));
}

void expect_4xx(const http::response& r, const std::string& what) {
  expect(r.status >= 400 && r.status <= 500, what + ": 4xx was expected, " + std::to_string(r.status) + " came");
}

world::world(const settings& config)
    : holder(make_party(config, "holder")), issuer(make_party(config, "issuer")),
      verifier(make_party(config, "verifier")), third(make_party(config, "thirdparty")), config_(config) {}

std::expected<void, std::string> world::listen() {
  auto started =
      http::server::start(config_.host, config_.port, [this](const auto& request) { return answer(request); });
  if (!started) {
    return std::unexpected(started.error());
  }
  server_ = std::move(*started);
  return {};
}

si_token world::token(const party& from, const std::string& audience) const {
  auto now = now_s();
  return {&from.key, from.kid, from.did, from.did, audience, random_uuid(), now, now + token_life_s, {}, {}};
}

std::string world::credential(const std::string& subject, json::array types, const json::object& changes) const {
  auto now = now_s();
  json::object vc{{"@context", json::array{"https://www.w3.org/2018/credentials/v1"}},
                  {"id", random_uuid()},
                  {"type", std::move(types)},
                  {"issuer", issuer.did},
                  {"issuanceDate", instant(now)},
                  {"expirationDate", instant(now + 600)},
                  {"credentialSubject", json::object{{"id", subject}, {"foo", "bar"}}},
                  {"credentialSchema", nullptr},
                  {"credentialStatus", nullptr}};
  for (const auto& [name, value] : changes) {
    vc[name] = value;
  }
  const auto id = text_at(vc["credentialSubject"].as_object(), "id");
  return sign_jwt(issuer.key, issuer.kid,
                  {{"iss", issuer.did},
                   {"sub", id},
                   {"jti", random_uuid()},
                   {"nbf", now},
                   {"iat", now},
                   {"exp", now + 300},
                   {"vc", std::move(vc)}});
}

void world::serve(const std::string& route, handler h) {
  std::lock_guard lock(mutex_);
  handlers_[route] = std::move(h);
}

void world::serve_always(const std::string& route, handler h) {
  std::lock_guard lock(mutex_);
  lasting_[route] = std::move(h);
}

void world::forget() {
  std::lock_guard lock(mutex_);
  handlers_.clear();
}

http::response world::send(const std::string& method, const std::string& url, const http::header_list& headers,
                           const std::string& body) {
  auto got = client_.exchange(method, url, headers, body);
  note(method + " " + url + " -> " +
       (got ? std::to_string(got->status) + " " + got->raw.body.substr(0, shown_bytes_max) : got.error()));
  if (!got) {
    throw failure(method + " " + url + ": " + got.error());
  }
  return std::move(*got);
}

http::response world::call(const std::string& method, const std::string& url, const si_token& token, bearer how,
                           const json::object& body) {
  http::header_list headers;
  if (how != bearer::no_header) {
    headers.emplace_back("Authorization", (how == bearer::usual ? "Bearer " : "") + token.compact());
  }
  if (method == "GET") {
    return send(method, url, headers);
  }
  headers.emplace_back("Content-Type", "application/json");
  return send(method, url, headers, json::serialize(body));
}

json::object world::did_document(const std::string& did) {
  auto got = send("GET", url_of_did(did), {{"Accept", "application/json"}});
  expect_2xx(got, "the DID document of " + did);
  auto document = object_of(got.raw.body);
  expect(text_at(document, "id") == did, "the document of " + did + " has the id '" + text_at(document, "id") + "'");
  return document;
}

std::string world::service_of(const std::string& did, const std::string& type) {
  auto document = did_document(did);
  const auto* services = document.if_contains("service");
  if (services != nullptr && services->is_array()) {
    for (const auto& s : services->as_array()) {
      if (s.is_object() && text_at(s.as_object(), "type") == type) {
        auto url = text_at(s.as_object(), "serviceEndpoint");
        expect(!url.empty(), "the " + type + " of " + did + " has no endpoint");
        return url.ends_with('/') ? url.substr(0, url.size() - 1) : url;
      }
    }
  }
  throw failure("the DID document of " + did + " has no " + type);
}

jwt world::verified(const std::string& token, const std::string& what) {
  auto t = read_jwt(token);
  expect(t.has_value(), what + " is no JWT");
  auto kid = text_at(t->header, "kid");
  auto hash = kid.find('#');
  expect(hash != std::string::npos, what + ": its kid '" + kid + "' has no '#'");
  auto document = did_document(kid.substr(0, hash));
  const auto* methods = document.if_contains("verificationMethod");
  expect(methods != nullptr && methods->is_array(), "the document of " + kid + " has no verificationMethod");
  for (const auto& m : methods->as_array()) {
    if (!m.is_object()) {
      continue;
    }
    const auto& method = m.as_object();
    auto id = text_at(method, "id");
    if (id != kid && id != kid.substr(hash)) {
      continue;
    }
    const auto* jwk = method.if_contains("publicKeyJwk");
    auto key = jwk != nullptr && jwk->is_object() ? ec_key::from_jwk(jwk->as_object()) : std::nullopt;
    expect(key.has_value(), what + ": the key " + kid + " is not on P-256");
    expect(key->verifies(t->signed_text, t->signature), what + ": its signature is wrong");
    return std::move(*t);
  }
  throw failure(what + ": no verification method is " + kid);
}

std::optional<std::string> world::refusal(const http::message& request, const std::string& sender,
                                          const std::string& audience, json::object* claims) {
  const auto* header = request.header("Authorization");
  if (header == nullptr || !header->starts_with("Bearer ")) {
    return "no bearer token";
  }
  try {
    auto t = verified(header->substr(7), "the token that was sent");
    const auto now = now_s();
    auto iss = text_at(t.claims, "iss");
    auto jti = text_at(t.claims, "jti");
    auto exp = seconds_at(t.claims, "exp");
    auto iat = seconds_at(t.claims, "iat");
    auto nbf = seconds_at(t.claims, "nbf");
    expect(iss == text_at(t.claims, "sub"), "iss and sub of the token differ");
    expect(iss == sender, "the token's iss is '" + iss + "', not " + sender);
    expect(text_at(t.header, "kid").starts_with(iss + "#"), "the token's kid is not of its iss");
    expect(names_audience(t.claims, audience), "the token's aud is not " + audience);
    expect(exp && *exp > now, "the token's exp is missing or past");
    expect(iat && *iat <= now, "the token's iat is missing or in the future");
    expect(!nbf || *nbf <= now, "the token's nbf is in the future");
    std::lock_guard lock(mutex_);
    expect(!jti.empty() && seen_jti_.insert(jti).second, "the token's jti is missing or was used before");
    if (claims != nullptr) {
      *claims = std::move(t.claims);
    }
  } catch (const failure& f) {
    return f.what();
  }
  return std::nullopt;
}

json::object world::document_of(const party& p) const {
  auto jwk = p.key.public_jwk();
  jwk["kid"] = p.kid;
  const json::array ids{json::value(p.kid)};
  json::array services;
  services.push_back(json::object{
      {"id", "TCK-Credential-Service"}, {"type", "CredentialService"}, {"serviceEndpoint", config_.callback_address}});
  if (p.name == "issuer") {
    services.push_back(json::object{
        {"id", "TCK-Issuer-Service"}, {"type", "IssuerService"}, {"serviceEndpoint", config_.callback_address}});
  }
  json::array methods;
  methods.push_back(
      json::object{{"id", p.kid}, {"type", "JsonWebKey2020"}, {"controller", p.did}, {"publicKeyJwk", std::move(jwk)}});
  return {{"@context", json::array{"https://www.w3.org/ns/did/v1", "https://w3id.org/dspace-dcp/v1.0"}},
          {"id", p.did},
          {"verificationMethod", std::move(methods)},
          {"authentication", ids},
          {"assertionMethod", ids},
          {"capabilityInvocation", ids},
          {"service", std::move(services)}};
}

std::optional<http::reply> world::fixed_page(const std::string& path) const {
  for (const auto* p : {&holder, &issuer, &verifier, &third}) {
    if (path == "/" + p->name + "/did.json") {
      return json_reply(200, document_of(*p));
    }
  }
  if (path == "/schema/membership-schema.json") {
    return http::reply{200, membership_schema, {{"Content-Type", "application/schema+json"}}, false};
  }
  if (path.starts_with("/statuslist/")) {
    bool bitstring = config_.revocation_type == "bitstringstatuslist";
    return json_reply(200, status_list(config_.callback_address + path, issuer.did, bitstring));
  }
  return std::nullopt;
}

http::reply world::answer(const http::message& request) {
  auto path = request.second.substr(0, request.second.find('?'));
  if (request.first == "GET") {
    if (auto page = fixed_page(path)) {
      return std::move(*page);
    }
  }
  auto body = object_of(request.body);
  auto route = request.first + " " + (path.starts_with("/requests/") ? "/requests/" : path);
  auto typed = route + " " + text_at(body, "type");
  handler chosen;
  {
    std::lock_guard lock(mutex_);
    for (const auto* known : {&handlers_, &lasting_}) {
      for (const auto& name : {typed, route}) {
        if (auto found = known->find(name); !chosen && found != known->end()) {
          chosen = found->second;
        }
      }
    }
  }
  auto r = chosen ? chosen(request, body) : http::reply{404, "", {}, false};
  note("received " + request.first + " " + request.second + " " + request.body.substr(0, shown_bytes_max) + " -> " +
       std::to_string(r.status) + (r.status >= 300 && r.body ? " " + *r.body : ""));
  return r;
}

void world::note(const std::string& line) {
  std::lock_guard lock(mutex_);
  notes_.push_back(line);
  if (config_.debug) {
    std::cout << "    " << line << std::endl;
  }
}

std::vector<std::string> world::take_notes() {
  std::lock_guard lock(mutex_);
  return std::exchange(notes_, {});
}

} // namespace fondaco::conformance::dcp

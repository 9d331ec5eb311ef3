#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "protocols/did/document.hpp"

using namespace fondaco;
using did::relationship;

namespace {

constexpr const char* did_text = "did:web:example.com:p1";

json::value parsed(const std::string& text) {
  auto v = json::parse(text);
  REQUIRE_MESSAGE(v.has_value(), text);
  return *v;
}

// A document with these members beside its id.
std::string document_with(const std::string& members) {
  return R"({"id":"did:web:example.com:p1")" + (members.empty() ? "" : "," + members) + "}";
}

did::document read(const std::string& members) {
  auto d = did::read_document(parsed(document_with(members)), did_text);
  REQUIRE_MESSAGE(d.has_value(), (d ? "" : d.error().detail));
  return *d;
}

std::string refusal(const std::string& text) {
  auto d = did::read_document(parsed(text), did_text);
  return d ? "" : d.error().code;
}

// So many entries of a list, each the text with its number for `*`.
std::string repeated(size_t count, const std::string& text) {
  std::string out = "[";
  for (size_t i = 0; i < count; ++i) {
    auto one = text;
    one.replace(one.find('*'), 1, std::to_string(i));
    out += (i ? "," : "") + one;
  }
  return out + "]";
}

} // namespace

TEST_CASE("a document's relative ids become absolute, and its embedded methods count") {
  const auto d = read(R"("service":[{"id":"#cs","type":"CredentialService","serviceEndpoint":"https://cs"},
               {"id":"urn:x","type":"CredentialService","serviceEndpoint":"https://second"},
               {"id":"#x","type":"Other","serviceEndpoint":{"uri":"https://o"}},
               {"type":"IssuerService","serviceEndpoint":"https://is"},
               {"id":"TCK-Service","type":"Plain","serviceEndpoint":"https://p"}],
    "verificationMethod":[{"id":"#k1","type":"JsonWebKey2020","controller":"x","publicKeyJwk":{"kty":"EC"}},
                          {"id":"k2","type":"Multikey","publicKeyMultibase":"z6"},
                          {"id":"did:web:example.com:p1#k4","publicKeyJwk":{"kty":"EC"}},
                          {"id":"k5","publicKeyJwk":{"kty":"EC"}}],
    "authentication":["k1",{"id":"k3","type":"JsonWebKey2020","publicKeyJwk":{"kty":"OKP"}},
                      "did:web:example.com:p1#k4"])");
  REQUIRE(d.methods.size() == 4);
  CHECK(d.methods[0].id == "did:web:example.com:p1#k1");
  CHECK(d.methods[0].controller == "x");
  CHECK(d.methods[0].public_key_jwk == parsed(R"({"kty":"EC"})").get_object());
  CHECK(d.methods[1].id == "did:web:example.com:p1#k4");
  CHECK(d.methods[2].id == "did:web:example.com:p1#k5");
  CHECK(d.methods[3].id == "did:web:example.com:p1#k3");
  CHECK(d.authentication == std::vector<std::string>{"did:web:example.com:p1#k1", "did:web:example.com:p1#k3",
                                                     "did:web:example.com:p1#k4"});
  REQUIRE(d.services.size() == 4);
  CHECK(d.services[0].id == "did:web:example.com:p1#cs");
  CHECK(d.services[1].id == "urn:x");
  CHECK(d.services[2].id.empty());
  CHECK(d.services[3].id == "did:web:example.com:p1#TCK-Service");
  REQUIRE(did::find_service(d, "CredentialService"));
  CHECK(did::find_service(d, "CredentialService")->endpoint == "https://cs");
  CHECK_FALSE(did::find_service(d, "Other"));
  CHECK_FALSE(did::find_service(d, ""));
}

TEST_CASE("single values stand for lists, nulls for nothing, and unknown members are ignored") {
  const auto d = read(R"("@context":"https://www.w3.org/ns/did/v1","alsoKnownAs":["x"],"proof":{"a":1},
    "service":{"id":"#cs","type":"CredentialService","serviceEndpoint":"https://cs","more":1},
    "verificationMethod":{"id":"#k","publicKeyJwk":{"kty":"EC"},"revoked":null},
    "authentication":"#k","assertionMethod":null)");
  CHECK(d.services.size() == 1);
  CHECK(d.methods.size() == 1);
  CHECK(d.authentication == std::vector<std::string>{"did:web:example.com:p1#k"});
  CHECK(d.assertion_method.empty());
  CHECK(d.capability_invocation.empty());
  CHECK(read("").methods.empty());
}

TEST_CASE("a document that was written is read as it was") {
  did::document d;
  d.id = did_text;
  const auto key = std::string(did_text) + "#k";
  d.services = {{std::string(did_text) + "#cs", "CredentialService", "https://cs/p1"}};
  d.methods = {{key, "JsonWebKey2020", did_text, {{"kty", "EC"}, {"x", "1"}}}};
  d.authentication = d.assertion_method = d.capability_invocation = {key};
  const auto written = did::write_document(d);
  CHECK(did::read_document(written, did_text) == d);
  CHECK(written == parsed(R"({"@context":["https://www.w3.org/ns/did/v1","https://w3id.org/dspace-dcp/v1.0/dcp.jsonld"],
    "id":"did:web:example.com:p1",
    "service":[{"id":"did:web:example.com:p1#cs","type":"CredentialService","serviceEndpoint":"https://cs/p1"}],
    "verificationMethod":[{"id":"did:web:example.com:p1#k","type":"JsonWebKey2020",
      "controller":"did:web:example.com:p1","publicKeyJwk":{"kty":"EC","x":"1"}}],
    "authentication":["did:web:example.com:p1#k"],"assertionMethod":["did:web:example.com:p1#k"],
    "capabilityInvocation":["did:web:example.com:p1#k"]})")
                       .get_object());
}

TEST_CASE("what is published has absolute ids, whatever the document was made of") {
  did::document d;
  d.id = did_text;
  d.services = {{"#cs", "CredentialService", "https://cs"}};
  d.methods = {{"#k", "JsonWebKey2020", "", {{"kty", "EC"}}}};
  d.authentication = {"#k"};
  d.assertion_method = {"k"};
  const auto again = did::read_document(did::write_document(d), did_text);
  REQUIRE(again.has_value());
  const std::vector<std::string> ids{"did:web:example.com:p1#k"};
  CHECK(again->services[0].id == "did:web:example.com:p1#cs");
  CHECK(again->methods[0].id == ids[0]);
  CHECK(again->methods[0].controller == did_text);
  CHECK(again->authentication == ids);
  CHECK(again->assertion_method == ids);
  CHECK(again->capability_invocation.empty());
}

TEST_CASE("a document that is not the DID's, or not sound, is refused") {
  const std::pair<std::string, const char*> rows[] = {
      {"[]", "malformed_document"},
      {"null", "malformed_document"},
      {R"("did:web:example.com:p1")", "malformed_document"},
      {"{}", "malformed_document"},
      {R"({"id":7})", "malformed_document"},
      {R"({"id":""})", "wrong_document"},
      {R"({"id":"did:web:other"})", "wrong_document"},
      {R"({"id":"did:web:example.com:p1#k"})", "wrong_document"},
      {R"({"id":"did:web:Example.com:p1"})", "wrong_document"},
      {document_with(R"("verificationMethod":[{"publicKeyJwk":{}}])"), "malformed_document"},
      {document_with(R"("verificationMethod":[{"id":"","publicKeyJwk":{}}])"), "malformed_document"},
      {document_with(R"("verificationMethod":[{"id":7,"publicKeyJwk":{}}])"), "malformed_document"},
      {document_with(R"("verificationMethod":["#k"])"), "malformed_document"},
      {document_with(R"("verificationMethod":7)"), "malformed_document"},
      {document_with(R"("service":["https://cs"])"), "malformed_document"},
      {document_with(R"("service":7)"), "malformed_document"},
      {document_with(R"("authentication":[7])"), "malformed_document"},
      {document_with(R"("assertionMethod":[[]])"), "malformed_document"},
      {document_with(R"("capabilityInvocation":[{"publicKeyJwk":{}}])"), "malformed_document"},
  };
  for (const auto& [text, code] : rows) {
    CAPTURE(text);
    CHECK(refusal(text) == code);
  }
}

TEST_CASE("two methods with one id make a document unsound, however the ids are written") {
  const char* const pairs[][2] = {
      {R"({"id":"#k","publicKeyJwk":{}})", R"({"id":"#k","publicKeyJwk":{}})"},
      {R"({"id":"#k","publicKeyJwk":{}})", R"({"id":"k","publicKeyJwk":{}})"},
      {R"({"id":"k","publicKeyJwk":{}})", R"({"id":"did:web:example.com:p1#k","publicKeyJwk":{}})"},
      // One of a kind that is not read counts too.
      {R"({"id":"#k","publicKeyMultibase":"z6"})", R"({"id":"#k","publicKeyJwk":{}})"},
  };
  for (const auto& [first, second] : pairs) {
    CAPTURE(first);
    CAPTURE(second);
    CHECK(refusal(document_with(std::string(R"("verificationMethod":[)") + first + "," + second + "]")) ==
          "duplicate_method");
    CHECK(refusal(document_with(std::string(R"("verificationMethod":[)") + first + R"(],"authentication":[)" + second +
                                "]")) == "duplicate_method");
  }
}

TEST_CASE("a document with too many entries is refused") {
  const std::string service = R"({"id":"#*","type":"T","serviceEndpoint":"https://e"})";
  const std::string method = R"({"id":"#*","publicKeyJwk":{}})";
  const auto most = did::limits::document_entries_max;
  const std::pair<const char*, std::string> lists[] = {
      {"service", service}, {"verificationMethod", method}, {"authentication", R"("#*")"}, {"authentication", method}};
  for (const auto& [name, entry] : lists) {
    CAPTURE(name);
    CAPTURE(entry);
    CHECK(refusal(document_with('"' + std::string(name) + "\":" + repeated(most, entry))).empty());
    CHECK(refusal(document_with('"' + std::string(name) + "\":" + repeated(most + 1, entry))) == "malformed_document");
  }
}

TEST_CASE("a method is found by its id, alone without one, and only in the relationship that lists it") {
  // k1 and k2 for authentication, k3 for credentials; the document does not say which sign tokens.
  const auto d = read(R"("verificationMethod":[{"id":"#k1","publicKeyJwk":{}},{"id":"#k2","publicKeyJwk":{}},
    {"id":"#k3","publicKeyJwk":{}}],"authentication":["#k1","k2"],"assertionMethod":["#k3","#gone"])");
  const std::string whole = std::string(did_text) + "#";
  struct row {
    std::optional<std::string> kid;
    relationship use;
    bool strict;
    const char* found;
  };
  const row rows[] = {
      {whole + "k1", relationship::authentication, true, "k1"},
      {"#k1", relationship::authentication, true, "k1"},
      {"k1", relationship::authentication, true, "k1"},
      {"#k2", relationship::authentication, false, "k2"},
      {"#k3", relationship::authentication, false, nullptr},
      {"#k3", relationship::authentication, true, nullptr},
      {"#k3", relationship::assertion_method, true, "k3"},
      {"#k1", relationship::assertion_method, false, nullptr},
      {"#gone", relationship::assertion_method, false, nullptr},
      // A list that is missing: lenient takes each key, strict none.
      {"#k3", relationship::capability_invocation, false, "k3"},
      {"#k3", relationship::capability_invocation, true, nullptr},
      {"#k9", relationship::capability_invocation, false, nullptr},
      {"did:web:other#k1", relationship::authentication, false, nullptr},
      {"did:web:example.com#k1", relationship::authentication, false, nullptr},
      {did_text, relationship::authentication, false, nullptr},
      {whole, relationship::authentication, false, nullptr},
      {whole + "K1", relationship::authentication, false, nullptr},
      {"##k1", relationship::authentication, false, nullptr},
      {"", relationship::authentication, false, nullptr},
      // Without a `kid`, the one that fits.
      {std::nullopt, relationship::assertion_method, true, "k3"},
      {std::nullopt, relationship::authentication, true, nullptr},
      {std::nullopt, relationship::capability_invocation, false, nullptr},
      {std::nullopt, relationship::capability_invocation, true, nullptr},
  };
  for (const auto& r : rows) {
    CAPTURE(r.kid.value_or("(none)"));
    CAPTURE(static_cast<int>(r.use));
    CAPTURE(r.strict);
    const auto* found = did::find_method(d, r.kid, r.use, r.strict);
    CHECK((found ? found->id : "") == (r.found ? whole + r.found : ""));
  }
  const auto one = read(R"("verificationMethod":[{"id":"#k","publicKeyJwk":{}}])");
  CHECK(did::find_method(one, std::nullopt, relationship::capability_invocation, false));
  CHECK_FALSE(did::find_method(one, std::nullopt, relationship::capability_invocation, true));
  CHECK_FALSE(did::find_method(read(""), std::nullopt, relationship::capability_invocation, false));
}

TEST_CASE("every error of this folder has its name") {
  using did::did_errc;
  CHECK(did::name_of(did_errc::malformed_did) == "malformed_did");
  CHECK(did::name_of(did_errc::malformed_document) == "malformed_document");
  CHECK(did::name_of(did_errc::wrong_document) == "wrong_document");
  CHECK(did::name_of(did_errc::duplicate_method) == "duplicate_method");
}

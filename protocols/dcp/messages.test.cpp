#include "protocols/dcp/messages.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>

using namespace fondaco;

namespace {

// A text with ' for ", so that tables stay legible; a `~` stands for DCP's IRI.
json::value parsed(std::string text) {
  for (size_t at = 0; (at = text.find_first_of("'~", at)) != std::string::npos;) {
    const std::string with = text[at] == '~' ? "https://w3id.org/dspace-dcp/v1.0/" : "\"";
    text.replace(at, 1, with);
    at += with.size();
  }
  auto v = json::parse(text);
  REQUIRE_MESSAGE(v.has_value(), text);
  return *v;
}

const std::string open = "{'@context':['~dcp.jsonld'],";

// A whole message: the context, the type, the rest.
json::value message(const std::string& type, const std::string& members) {
  return parsed(open + "'type':'" + type + "'" + (members.empty() ? "" : "," + members) + "}");
}

template <class T> T must(std::expected<T, fault> r) {
  REQUIRE_MESSAGE(r.has_value(), (r ? "" : r.error().detail));
  return std::move(*r);
}

// The code and detail of a refusal; empty if there is none.
template <class T> std::string refusal(const std::expected<T, fault>& r) {
  return r ? "" : r.error().code + ": " + r.error().detail;
}

bool says(const std::string& detail, std::string_view word) { return detail.find(word) != std::string::npos; }

// Each body is refused as malformed, and the refusal names the field.
template <class Read>
void check_refused(const char* type, Read read, const std::vector<std::pair<std::string, const char*>>& rows) {
  for (const auto& [members, field] : rows) {
    CAPTURE(members);
    const auto detail = refusal(read(message(type, members)));
    CAPTURE(detail);
    CHECK(says(detail, "malformed: "));
    CHECK(says(detail, field));
  }
}

const std::string scope_text = "org.eclipse.dspace.dcp.vc.type:MembershipCredential:read";

} // namespace

TEST_CASE("every reader asks for an object of its own type that speaks DCP") {
  using reader = std::function<std::string(const json::value&)>;
  const auto of = [](auto* read) { return reader([read](const json::value& v) { return refusal(read(v)); }); };
  struct row {
    const char* type;
    reader read;
    std::string members;
  };
  const row rows[] = {
      {"PresentationQueryMessage", of(dcp::read_presentation_query), "'scope':['" + scope_text + "']"},
      {"PresentationResponseMessage", of(dcp::read_presentation_response), "'presentation':[]"},
      {"CredentialMessage", of(dcp::read_credential_message), "'issuerPid':'i','holderPid':'h','status':'REJECTED'"},
      {"CredentialOfferMessage", of(dcp::read_credential_offer), "'issuer':'did:web:i','credentials':[{'id':'c'}]"},
      {"CredentialRequestMessage", of(dcp::read_credential_request), "'holderPid':'h','credentials':[{'id':'c'}]"},
      {"CredentialStatus", of(dcp::read_credential_status), "'issuerPid':'i','holderPid':'h','status':'ISSUED'"},
      {"IssuerMetadata", of(dcp::read_issuer_metadata), "'issuer':'did:web:i','credentialsSupported':[]"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.type);
    const auto with = [&](const std::string& context, const std::string& type) {
      auto text = "{" + context + (context.empty() || type.empty() ? "" : ",") + type;
      text += (text.size() > 1 ? "," : "") + r.members + "}";
      return r.read(parsed(text));
    };
    const std::string type = r.type;
    const std::string right = "'@context':['~dcp.jsonld']";
    const std::pair<std::string, std::string> taken[] = {
        {right, "'type':'" + type + "'"},
        {right, "'@type':'" + type + "'"},
        {right, "'@type':['" + type + "']"},
        {right, "'@type':'dcp:" + type + "'"},
        {right, "'@type':'~" + type + "'"},
        {"'@context':['https://identity.foundation/presentation-exchange/submission/v1','~dcp.jsonld']",
         "'type':'" + type + "'"},
        {"'@context':'~dcp.jsonld'", "'type':'" + type + "'"},
        {"'@context':{'dcp':'~'}", "'@type':'dcp:" + type + "'"},
        {"'@context':[{'dcp':'~'}]", "'@type':'dcp:" + type + "'"},
        {"", "'@type':'~" + type + "'"},
        {"", "'@type':['~" + type + "']"},
    };
    for (const auto& [context, kind] : taken) {
      CAPTURE(context);
      CAPTURE(kind);
      CHECK(with(context, kind) == "");
    }
    const std::pair<std::string, std::string> refused[] = {
        {right, ""},
        {right, "'type':null"},
        {right, "'type':7"},
        {right, "'type':''"},
        {right, "'type':'" + type + "x'"},
        {right, "'type':['" + type + "','Other']"},
        {right, "'type':'https://else.example/" + type + "'"},
        {"", "'type':'" + type + "'"},
        {"", "'@type':'dcp:" + type + "'"},
        {"'@context':null", "'type':'" + type + "'"},
        {"'@context':[]", "'type':'" + type + "'"},
        {"'@context':['https://w3id.org/dspace/2025/1/context.jsonld']", "'type':'" + type + "'"},
        {"'@context':['~']", "'type':'" + type + "'"},
        {"'@context':[7]", "'type':'" + type + "'"},
        {"'@context':{'dcp':'https://else.example/'}", "'@type':'dcp:" + type + "'"},
    };
    for (const auto& [context, kind] : refused) {
      CAPTURE(context);
      CAPTURE(kind);
      const auto detail = with(context, kind);
      CHECK(says(detail, "malformed: "));
      CHECK((says(detail, "'type'") || says(detail, "'@context'")));
    }
    for (const char* body : {"null", "7", "'text'", "[]", "[{},{}]", "[[{}]]", "{}"})
      CHECK(says(r.read(parsed(body)), "malformed: "));
    CHECK(r.read(json::array{message(type, r.members)}) == "");
  }
}

TEST_CASE("a presentation query has its scopes, however they are written") {
  const std::string one = "'" + scope_text + "'";
  const std::string rows[] = {
      "'scope':[" + one + "]",
      "'scope':" + one,
      "'dcp:scope':[" + one + "]",
      "'~scope':[" + one + "]",
      "'~scope':[{'@value':" + one + "}]",
      "'scope':{'@set':[" + one + "]}",
      "'scope':{'@list':[{'@value':" + one + "}]}",
      "'scope':[" + one + "],'presentationDefinition':null",
  };
  for (const auto& members : rows) {
    CAPTURE(members);
    const auto q = must(dcp::read_presentation_query(message("PresentationQueryMessage", members)));
    CHECK(q.scopes == std::vector<std::string>{scope_text});
  }
  CHECK(must(dcp::read_presentation_query(message("PresentationQueryMessage", "'scope':['b','a','b']"))).scopes ==
        std::vector<std::string>{"b", "a", "b"});
}

TEST_CASE("a presentation query has scopes or a definition, and a definition is not supported") {
  const std::string scope = "'scope':['" + scope_text + "']";
  const std::string definition = "'presentationDefinition':{'id':'1','input_descriptors':[]}";
  std::string many = "'scope':['a'";
  for (size_t i = 1; i < dcp::limits::query_scopes_max; ++i)
    many += ",'a'";
  const std::pair<std::string, const char*> rows[] = {
      {scope + "," + definition, "scope_and_definition"},
      {"'scope':[]," + definition, "scope_and_definition"},
      {"'~scope':['x'],'~presentationDefinition':{'@type':'@json','@value':{'id':'1'}}", "scope_and_definition"},
      {scope + ",'presentationDefinition':{}", "scope_and_definition"},
      {definition, "definition_unsupported"},
      {"'scope':null," + definition, "definition_unsupported"},
      {"'~presentationDefinition':[{'@type':'@json','@value':{'id':'1'}}]", "definition_unsupported"},
      {"'presentationDefinition':{}", "malformed"},
      {"'presentationDefinition':null", "malformed"},
      {"'presentationDefinition':[]", "malformed"},
      {"'presentationDefinition':'x'", "malformed"},
      {"'presentationDefinition':{'@type':'@json','@value':{}}", "malformed"},
      {"", "malformed"},
      {"'scope':[]", "malformed"},
      {"'scope':null", "malformed"},
      {"'scope':''", "malformed"},
      {"'scope':['']", "malformed"},
      {"'scope':[7]", "malformed"},
      {"'scope':[{'id':'x'}]", "malformed"},
      {"'scope':['a',null,{}]", "malformed"},
      {many + ",'a']", "malformed"},
      {many + "]", ""},
  };
  for (const auto& [members, code] : rows) {
    CAPTURE(members);
    const auto q = dcp::read_presentation_query(message("PresentationQueryMessage", members));
    CHECK((q ? "" : q.error().code) == code);
  }
}

TEST_CASE("a presentation response gives its entries as they came") {
  const auto object = "{'@context':['x'],'@type':'VerifiablePresentation','@id':'urn:1','cred:holder':'did:web:h'}";
  const std::pair<std::string, std::string> rows[] = {
      {"'presentation':['a.b.c','d.e.f']", "['a.b.c','d.e.f']"},
      {"'presentation':'a.b.c'", "['a.b.c']"},
      {"'presentation':[]", "[]"},
      {std::string("'presentation':[") + object + "]", std::string("[") + object + "]"},
      {"'~presentation':[{'@type':'@json','@value':['a.b.c']}]", "['a.b.c']"},
      {"'dcp:presentation':{'@type':'@json','@value':'a.b.c'}", "['a.b.c']"},
      {std::string("'~presentation':[{'@type':'@json','@value':[") + object + "]}]", std::string("[") + object + "]"},
      {"'presentation':['a'],'presentationSubmission':{'id':'x'}", "['a']"},
  };
  for (const auto& [members, entries] : rows) {
    CAPTURE(members);
    const auto r = must(dcp::read_presentation_response(message("PresentationResponseMessage", members)));
    CHECK(r.presentations == parsed(entries).get_array());
  }
  std::string many = "'presentation':['a'";
  for (size_t i = 0; i < dcp::limits::message_credentials_max; ++i)
    many += ",'a'";
  check_refused("PresentationResponseMessage", dcp::read_presentation_response,
                {{"", "presentation"},
                 {"'presentation':null", "presentation"},
                 {"'presentation':7", "presentation"},
                 {"'presentation':['a',true]", "presentation"},
                 {many + "]", "presentation"}});
}

TEST_CASE("a credential message delivers or rejects") {
  const std::string ids = "'issuerPid':'i','holderPid':'h',";
  const std::string list = "[{'credentialType':'MembershipCredential','format':'vc11-sl2021/jwt','payload':'a.b.c'},"
                           "{'credentialType':'SensitiveDataCredential','format':'VC1_0_JWT','payload':'d.e.f'}]";
  const std::string issued[] = {
      ids + "'credentials':" + list + ",'status':'ISSUED'",
      ids + "'credentials':" + list + ",'status':'dcp:ISSUED'",
      ids + "'credentials':" + list + ",'status':{'@id':'~ISSUED'},'rejectionReason':null",
      ids + "'credentials':" + list + ",'status':'https://base.example/x/ISSUED'",
      "'~issuerPid':[{'@id':'i'}],'~holderPid':{'@id':'h'},'~status':[{'@id':'~ISSUED'}],"
      "'~credentials':[{'@type':'@json','@value':" +
          list + "}]",
      "'dcp:issuerPid':'i','dcp:holderPid':'h','dcp:status':'ISSUED','dcp:credentials':{'@set':" + list + "}",
      ids +
          "'status':'ISSUED','credentials':[{'~credentialType':'MembershipCredential','dcp:format':"
          "{'@value':'vc11-sl2021/jwt'},'~payload':[{'@value':'a.b.c'}]}," +
          list.substr(list.find("},") + 2),
  };
  for (const auto& members : issued) {
    CAPTURE(members);
    const auto m = must(dcp::read_credential_message(message("CredentialMessage", members)));
    CHECK(m.issuer_pid == "i");
    CHECK(m.holder_pid == "h");
    CHECK(m.issued);
    REQUIRE(m.credentials.size() == 2);
    CHECK(m.credentials[0].credential_type == "MembershipCredential");
    CHECK(m.credentials[0].format == "vc11-sl2021/jwt");
    CHECK(m.credentials[0].payload == "a.b.c");
    CHECK(m.credentials[1].credential_type == "SensitiveDataCredential");
    CHECK(m.credentials[1].format == "VC1_0_JWT");
  }
  for (const char* rest : {"", ",'credentials':null", ",'credentials':[]"}) {
    CAPTURE(rest);
    const auto m = must(dcp::read_credential_message(
        message("CredentialMessage", ids + "'status':'REJECTED','rejectionReason':'No member.'" + rest)));
    CHECK_FALSE(m.issued);
    CHECK(m.rejection_reason == "No member.");
    CHECK(m.credentials.empty());
  }
  const std::string good = "'issuerPid':'i','holderPid':'h','status':'ISSUED',";
  std::string many = "'credentials':[{'credentialType':'a','format':'b','payload':'c'}";
  for (size_t i = 0; i < dcp::limits::message_credentials_max; ++i)
    many += ",{'credentialType':'a','format':'b','payload':'c'}";
  check_refused("CredentialMessage", dcp::read_credential_message,
                {{"'holderPid':'h','status':'ISSUED','credentials':" + list, "issuerPid"},
                 {"'issuerPid':'i','status':'ISSUED','credentials':" + list, "holderPid"},
                 {"'issuerPid':'i','holderPid':null,'status':'ISSUED','credentials':" + list, "holderPid"},
                 {"'issuerPid':'i','holderPid':'','status':'ISSUED','credentials':" + list, "holderPid"},
                 {"'issuerPid':{},'holderPid':'h','status':'ISSUED','credentials':" + list, "issuerPid"},
                 {"'issuerPid':'i','holderPid':'" + std::string(513, 'h') + "','status':'ISSUED','credentials':" + list,
                  "holderPid"},
                 {ids + "'credentials':" + list, "status"},
                 {ids + "'status':'INVALID_STATUS','credentials':" + list, "status"},
                 {ids + "'status':'issued','credentials':" + list, "status"},
                 {ids + "'status':'RECEIVED','credentials':" + list, "status"},
                 {ids + "'status':'dcp:','credentials':" + list, "status"},
                 {ids + "'status':7,'credentials':" + list, "status"},
                 {good + "'rejectionReason':7,'credentials':" + list, "rejectionReason"},
                 {good + "'more':1", "credentials"},
                 {good + "'credentials':null", "credentials"},
                 {good + "'credentials':[]", "credentials"},
                 {good + "'credentials':'a.b.c'", "credentials"},
                 {good + "'credentials':['a.b.c']", "credentials"},
                 {good + "'credentials':[{'format':'f','payload':'p'}]", "credentialType"},
                 {good + "'credentials':[{'credentialType':'t','payload':'p'}]", "format"},
                 {good + "'credentials':[{'credentialType':'t','format':'f'}]", "payload"},
                 {good + "'credentials':[{'credentialType':'t','format':'f','payload':{'a':1}}]", "payload"},
                 {good + "'credentials':[{'credentialType':'t','format':'f','payload':'" +
                      std::string(dcp::limits::payload_bytes_max + 1, 'p') + "'}]",
                  "payload"},
                 {good + many + "]", "credentials"}});
}

TEST_CASE("a credential offer has whole credential objects or sparse ones") {
  const std::string whole =
      "{'id':'c','type':'CredentialObject','credentialType':'MembershipCredential','credentialSchema':'https://s',"
      "'offerReason':'reissue','bindingMethods':['did:web:'],'profile':'vc11-sl2021/jwt','issuancePolicy':"
      "{'@type':'Set','@id':'urn:p','dcp:x':1}}";
  const std::string expanded =
      "{'@id':'c','@type':['~CredentialObject'],'~credentialType':[{'@value':'MembershipCredential'}],"
      "'~credentialSchema':[{'@value':'https://s'}],'~offerReason':{'@value':'reissue'},"
      "'~bindingMethods':[{'@value':'did:web:'}],'~profile':[{'@value':'vc11-sl2021/jwt'}],"
      "'~issuancePolicy':[{'@type':'@json','@value':{'@type':'Set','@id':'urn:p','dcp:x':1}}]}";
  const std::string rows[] = {
      "'issuer':'did:web:i','credentials':[" + whole + "]",
      "'issuer':'did:web:i','credentials':" + whole,
      "'issuer':{'@id':'did:web:i'},'credentials':[" + expanded + "]",
      "'cred:issuer':'did:web:i','dcp:credentials':[" + expanded + "]",
      "'https://www.w3.org/2018/credentials#issuer':[{'@id':'did:web:i'}],'~credentials':{'@set':[" + expanded + "]}",
  };
  for (const auto& members : rows) {
    CAPTURE(members);
    const auto m = must(dcp::read_credential_offer(message("CredentialOfferMessage", members)));
    CHECK(m.issuer == "did:web:i");
    REQUIRE(m.credentials.size() == 1);
    const auto& c = m.credentials[0];
    CHECK(c.id == "c");
    CHECK(c.credential_type == "MembershipCredential");
    CHECK(c.credential_schema == "https://s");
    CHECK(c.offer_reason == "reissue");
    CHECK(c.binding_methods == std::vector<std::string>{"did:web:"});
    CHECK(c.profile == "vc11-sl2021/jwt");
    CHECK(c.issuance_policy == parsed("{'@type':'Set','@id':'urn:p','dcp:x':1}").get_object());
  }
  for (const char* list : {"[{'id':'c'},{'id':'d'}]", "[{'@id':'c'},{'@id':'d','@type':'~CredentialObject'}]"}) {
    const auto m = must(dcp::read_credential_offer(
        message("CredentialOfferMessage", std::string("'issuer':'did:web:i','credentials':") + list)));
    REQUIRE(m.credentials.size() == 2);
    CHECK(m.credentials[0].id == "c");
    CHECK(m.credentials[1].id == "d");
    CHECK(m.credentials[1].credential_type.empty());
  }
  const std::string issuer = "'issuer':'did:web:i',";
  check_refused("CredentialOfferMessage", dcp::read_credential_offer,
                {{"'credentials':[{'id':'c'}]", "issuer"},
                 {"'issuer':null,'credentials':[{'id':'c'}]", "issuer"},
                 {"'issuer':'','credentials':[{'id':'c'}]", "issuer"},
                 {"'issuer':7,'credentials':[{'id':'c'}]", "issuer"},
                 {"'issuer':'did:web:i'", "credentials"},
                 {issuer + "'credentials':[]", "credentials"},
                 {issuer + "'credentials':['c']", "credentials"},
                 {issuer + "'credentials':[{}]", "id"},
                 {issuer + "'credentials':[{'id':''}]", "id"},
                 {issuer + "'credentials':[{'id':7}]", "id"},
                 {issuer + "'credentials':[{'id':'c','profile':'vc11-sl2021/jwt'}]", "credentialType"},
                 {issuer + "'credentials':[{'id':'c','credentialType':null,'offerReason':'x'}]", "credentialType"},
                 {issuer + "'credentials':[{'id':'c','credentialType':'T','profile':[1,2]}]", "profile"},
                 {issuer + "'credentials':[{'id':'c','credentialType':'T','issuancePolicy':'x'}]", "issuancePolicy"},
                 {issuer + "'credentials':[{'id':'c'},{'id':'d','offerReason':{}}]", "CredentialObject"}});
}

TEST_CASE("a credential request names credential objects, as EDC writes it too") {
  const std::string rows[] = {
      "'holderPid':'h','credentials':[{'id':'def-1'},{'id':'def-2'}]",
      "'holderPid':{'@id':'h'},'credentials':[{'@id':'def-1'},{'@id':'def-2'}]",
      "'dcp:holderPid':'h','dcp:credentials':[{'id':'def-1'},{'id':'def-2','more':1}]",
      "'~holderPid':{'@id':'h'},'~credentials':[{'@type':'@json','@value':[{'id':'def-1'},{'id':'def-2'}]}]",
      "'~holderPid':[{'@id':'h'}],'~credentials':{'@type':'@json','@value':[{'id':'def-1'},{'id':'def-2'}]}",
      "'holderPid':'h','credentials':[[{'id':'def-1'},{'id':'def-2'}]]",
  };
  for (const auto& members : rows) {
    CAPTURE(members);
    const auto m = must(dcp::read_credential_request(message("CredentialRequestMessage", members)));
    CHECK(m.holder_pid == "h");
    CHECK(m.credential_ids == std::vector<std::string>{"def-1", "def-2"});
  }
  // Word for word what EDC's holder sends: no context, IRIs for names.
  const auto edc = must(dcp::read_credential_request(
      parsed("{'@type':'~CredentialRequestMessage','~credentials':[{'@type':'@json','@value':[{'id':'def-1'}]}],"
             "'~holderPid':{'@id':'h'}}")));
  CHECK(edc.holder_pid == "h");
  CHECK(edc.credential_ids == std::vector<std::string>{"def-1"});
  const std::string pid = "'holderPid':'h',";
  check_refused("CredentialRequestMessage", dcp::read_credential_request,
                {{"'credentials':[{'id':'c'}]", "holderPid"},
                 {"'holderPid':null,'credentials':[{'id':'c'}]", "holderPid"},
                 {"'holderPid':'','credentials':[{'id':'c'}]", "holderPid"},
                 {"'holderPid':'h'", "credentials"},
                 {pid + "'credentials':null", "credentials"},
                 {pid + "'credentials':[]", "credentials"},
                 {pid + "'credentials':'c'", "credentials"},
                 {pid + "'credentials':['c']", "credentials"},
                 {pid + "'credentials':[{}]", "id"},
                 {pid + "'credentials':[{'id':''}]", "id"},
                 {pid + "'credentials':[{'id':7}]", "id"},
                 {pid + "'credentials':[{'id':'c'},{'ids':'d'}]", "id"}});
}

TEST_CASE("a credential status has one of three words") {
  for (const char* word : {"RECEIVED", "REJECTED", "ISSUED"}) {
    const std::string forms[] = {"'status':'" + std::string(word) + "'", "'status':'dcp:" + std::string(word) + "'",
                                 "'~status':[{'@id':'~" + std::string(word) + "'}]"};
    for (const auto& form : forms) {
      CAPTURE(form);
      const auto m =
          must(dcp::read_credential_status(message("CredentialStatus", "'issuerPid':'i','dcp:holderPid':'h'," + form)));
      CHECK(m.issuer_pid == "i");
      CHECK(m.holder_pid == "h");
      CHECK(m.status == word);
    }
  }
  check_refused("CredentialStatus", dcp::read_credential_status,
                {{"'holderPid':'h','status':'ISSUED'", "issuerPid"},
                 {"'issuerPid':'i','holderPid':7,'status':'ISSUED'", "holderPid"},
                 {"'issuerPid':'i','holderPid':'h'", "status"},
                 {"'issuerPid':'i','holderPid':'h','status':null", "status"},
                 {"'issuerPid':'i','holderPid':'h','status':'DELIVERED'", "status"},
                 {"'issuerPid':'i','holderPid':'h','status':['ISSUED','REJECTED']", "status"}});
}

TEST_CASE("issuer metadata says what can be issued") {
  const auto m = must(dcp::read_issuer_metadata(
      message("IssuerMetadata", "'issuer':'did:web:i','credentialsSupported':[{'id':'a','type':'CredentialObject',"
                                "'credentialType':'T','profile':'vc20-bssl/jwt'},{'id':'b'}]")));
  CHECK(m.issuer == "did:web:i");
  REQUIRE(m.credentials_supported.size() == 2);
  CHECK(m.credentials_supported[0].profile == "vc20-bssl/jwt");
  CHECK(m.credentials_supported[1].id == "b");
  CHECK(
      must(dcp::read_issuer_metadata(message("IssuerMetadata", "'issuer':'did:web:i'"))).credentials_supported.empty());
  check_refused("IssuerMetadata", dcp::read_issuer_metadata,
                {{"'credentialsSupported':[]", "issuer"},
                 {"'issuer':'did:web:i','credentialsSupported':7", "credentialsSupported"},
                 {"'issuer':'did:web:i','credentialsSupported':[{'profile':'x'}]", "id"}});
}

TEST_CASE("the writers give the compact form, and the readers read it back") {
  const auto same = [](const json::object& written, const std::string& type, const std::string& members) {
    CHECK(written == message(type, members).get_object());
  };
  same(dcp::write(dcp::presentation_query{{"a", "b"}}), "PresentationQueryMessage", "'scope':['a','b']");
  same(dcp::write(dcp::presentation_response{}), "PresentationResponseMessage", "'presentation':[]");
  same(dcp::write(dcp::presentation_response{{"a.b.c"}}), "PresentationResponseMessage", "'presentation':['a.b.c']");

  dcp::credential_message delivery{"i", "h", true, "", {{"T", "vc11-sl2021/jwt", "a.b.c"}}};
  same(dcp::write(delivery), "CredentialMessage",
       "'issuerPid':'i','holderPid':'h','status':'ISSUED','credentials':[{'credentialType':'T',"
       "'format':'vc11-sl2021/jwt','payload':'a.b.c'}]");
  dcp::credential_message rejection{"i", "h", false, "No member.", {}};
  same(dcp::write(rejection), "CredentialMessage",
       "'issuerPid':'i','holderPid':'h','status':'REJECTED','rejectionReason':'No member.'");

  dcp::credential_object whole{"c", "T", "https://s", "reissue", {"did:web:"}, "vc11-sl2021/jwt", {{"@type", "Set"}}};
  dcp::credential_object sparse;
  sparse.id = "d";
  const std::string objects =
      "[{'id':'c','type':'CredentialObject','credentialType':'T','credentialSchema':'https://s','offerReason':"
      "'reissue','bindingMethods':['did:web:'],'profile':'vc11-sl2021/jwt','issuancePolicy':{'@type':'Set'}},"
      "{'id':'d'}]";
  same(dcp::write(dcp::credential_offer{"did:web:i", {whole, sparse}}), "CredentialOfferMessage",
       "'issuer':'did:web:i','credentials':" + objects);
  same(dcp::write(dcp::issuer_metadata{"did:web:i", {whole, sparse}}), "IssuerMetadata",
       "'issuer':'did:web:i','credentialsSupported':" + objects);
  same(dcp::write(dcp::credential_request{"h", {"a", "b"}}), "CredentialRequestMessage",
       "'holderPid':'h','credentials':[{'id':'a'},{'id':'b'}]");
  same(dcp::write(dcp::credential_status{"i", "h", "RECEIVED"}), "CredentialStatus",
       "'issuerPid':'i','holderPid':'h','status':'RECEIVED'");

  const auto again = must(dcp::read_credential_offer(dcp::write(dcp::credential_offer{"did:web:i", {whole, sparse}})));
  CHECK(dcp::write(again) == dcp::write(dcp::credential_offer{"did:web:i", {whole, sparse}}));
  CHECK(dcp::write(must(dcp::read_credential_message(dcp::write(delivery)))) == dcp::write(delivery));
  CHECK(dcp::write(must(dcp::read_credential_message(dcp::write(rejection)))) == dcp::write(rejection));
}

TEST_CASE("every error of DCP has its name") {
  using dcp::dcp_errc;
  CHECK(dcp::name_of(dcp_errc::malformed) == "malformed");
  CHECK(dcp::name_of(dcp_errc::scope_and_definition) == "scope_and_definition");
  CHECK(dcp::name_of(dcp_errc::definition_unsupported) == "definition_unsupported");
  CHECK(dcp::name_of(dcp_errc::bad_scope) == "bad_scope");
  CHECK(dcp::name_of(dcp_errc::bad_token) == "bad_token");
}

#include "protocols/base/base64.hpp"
#include "protocols/dcp/messages.hpp"
#include "protocols/dcp/scope.hpp"
#include "protocols/dcp/self_issued.hpp"
#include "protocols/vc/presentation.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/keys.hpp"

// DCP: a message, DID document or credential that is read is written to one that reads as the same, and a token is
// taken only from who signed it. JSON is taken as each of the messages and as what a token says; anything else as a
// scope and as a DID.

namespace {

using namespace fondaco;
using fuzz::demand;

constexpr auto own_did = "did:web:holder";
constexpr auto key_id = "did:web:holder#k1";

/// What is read is written to what reads as the same; the compact form is the only one that is written.
template <class Message>
void check(const json::value& body, std::expected<Message, fault> (*read)(const json::value&), const char* promise) {
  const auto message = read(body);
  if (!message)
    return fuzz::demand_sentence(message.error().detail);
  const auto written = dcp::write(*message);
  const auto again = read(json::value(written));
  demand(again && dcp::write(*again) == written, promise);
}

void check_messages(const json::value& body) {
  check(body, dcp::read_presentation_query, "a presentation query is written to one that reads as the same");
  check(body, dcp::read_presentation_response, "a presentation response is written to one that reads as the same");
  check(body, dcp::read_credential_message, "a credential message is written to one that reads as the same");
  check(body, dcp::read_credential_offer, "a credential offer is written to one that reads as the same");
  check(body, dcp::read_credential_request, "a credential request is written to one that reads as the same");
  check(body, dcp::read_credential_status, "a credential status is written to one that reads as the same");
  check(body, dcp::read_issuer_metadata, "issuer metadata is written to what reads as the same");
  if (const auto query = dcp::read_presentation_query(body))
    demand(query->scopes.size() <= dcp::limits::query_scopes_max, "a query keeps its limit of scopes");
  if (const auto response = dcp::read_presentation_response(body))
    for (const auto& entry : response->presentations)
      (void)vc::read_presentation(entry);
}

void check_document(const json::value& body) {
  const auto document = did::read_document(body, own_did);
  if (!document)
    return fuzz::demand_sentence(document.error().detail);
  const auto written = did::write_document(*document);
  const auto again = did::read_document(json::value(written), own_did);
  demand(again && did::write_document(*again) == written, "a DID document is written to one that reads as the same");
}

did::document own_document() {
  did::document d;
  d.id = own_did;
  d.methods = {{key_id, "JsonWebKey2020", own_did, fuzz::ed25519().public_half().jwk()}};
  d.capability_invocation = {key_id};
  return d;
}

/// What is signed for a credential is read as the credential again, and its scopes cover it.
void check_issued(const vc::credential& issued) {
  const auto again = vc::read_credential(vc::sign_credential(issued, fuzz::ed25519(), key_id, "j", fuzz::now));
  // In its envelope it is nested deeper by a level.
  demand(again || again.error().detail.find("nest deeper") != std::string::npos, "a credential of ours is read");
  if (!again)
    return;
  auto expected = issued;
  if (issued.form == vc::profile::vc11_jwt && !issued.valid_from)
    expected.valid_from = fuzz::now;
  // The data model demands a first context and a first type.
  expected.contexts = again->what.contexts;
  expected.types = again->what.types;
  demand(again->what == expected, "a credential of ours says what was signed");
  demand(vc::check_times(issued, fuzz::now) || vc::check_times(issued, fuzz::now).error().detail.size() > 0,
         "a credential that is not valid now says why");
  for (const auto& type : issued.types)
    demand(dcp::covers({.by_id = false, .discriminator = type}, again->what), "a credential is covered by its type");
  for (const auto& context : again->what.contexts)
    demand(dcp::covers({.by_id = false, .discriminator = context + '#' + issued.types.front()}, again->what),
           "a credential is covered by its type in its context");
  demand(issued.id.empty() || dcp::covers({.by_id = true, .discriminator = issued.id}, again->what),
         "a credential is covered by its id");
}

void check_credential(const json::object& body, const std::string& compact) {
  if (const auto credential = vc::read_credential(compact))
    demand(vc::from_model(vc::to_model(credential->what), credential->what.form).has_value(),
           "a credential that was read is one that can be stored");
  for (const auto form : {vc::profile::vc11_jwt, vc::profile::vc20_jose})
    if (const auto credential = vc::from_model(body, form))
      check_issued(*credential);
  (void)vc::read_presentation(json::value(compact));
}

/// What we sign with the caller's words is taken by who it is meant for.
void check_drafts(const json::object& claims, const did::document& ours) {
  const auto word = [&](std::string_view name) { return std::string(json::string_at(claims, name).value_or("")); };
  const dcp::self_issued_draft draft{.issuer = own_did,
                                     .audience = "did:web:verifier",
                                     .jti = "j" + word("jti").substr(0, 32),
                                     .access_token = word("token"),
                                     .now = fuzz::now};
  const auto self_issued = dcp::sign_self_issued(draft, fuzz::ed25519(), key_id);
  const auto taken = dcp::read_self_issued(self_issued, draft.audience, fuzz::now);
  demand(taken && dcp::verify_self_issued(*taken, ours, true), "a self-issued token of ours is taken");
  const dcp::access_draft access{
      .holder = own_did, .verifier = draft.audience, .scopes = {word("scope")}, .jti = draft.jti, .now = fuzz::now};
  const auto granted = dcp::sign_access_token(access, fuzz::ed25519(), key_id);
  demand(dcp::verify_access_token(granted, ours, draft.audience, fuzz::now).has_value(), "our access token is taken");
  demand(!dcp::verify_access_token(granted, ours, "did:web:other", fuzz::now), "and from its bearer alone");
}

/// What the text says as a token: signed by us, and the same with another signature.
void check_tokens(const json::object& claims) {
  static const auto document = own_document();
  const auto genuine = jose::sign_jwt(fuzz::ed25519(), claims);
  auto forged = genuine;
  forged.back() = forged.back() == 'A' ? 'Q' : 'A';
  const auto token = dcp::read_self_issued(genuine, "did:web:verifier", fuzz::now);
  if (token) {
    demand(token->issuer == json::string_at(claims, "iss") && token->expires_at + dcp::limits::leeway_ms > fuzz::now,
           "a token that is taken is alive and says who issued it");
    demand(dcp::verify_self_issued(*token, document, true).has_value() == (token->issuer == own_did),
           "a token of ours is taken for ours alone");
    if (const auto other = dcp::read_self_issued(forged, "did:web:verifier", fuzz::now))
      demand(!dcp::verify_self_issued(*other, document, false), "a token with another signature is never taken");
  } else {
    fuzz::demand_sentence(token.error().detail);
  }
  const auto grant = dcp::verify_access_token(genuine, document, "did:web:verifier", fuzz::now);
  demand(!grant || json::string_at(claims, "iss") == own_did, "an access token is the holder's own");
  demand(!dcp::verify_access_token(forged, document, "did:web:verifier", fuzz::now), "no forged token grants access");
  check_credential(claims, genuine);
  check_drafts(claims, document);
}

void check_names(std::string_view text) {
  const auto scope = dcp::parse_scope(text);
  if (!scope)
    fuzz::demand_sentence(scope.error().detail);
  else
    demand(dcp::parse_scope(dcp::write_scope(*scope)) == *scope, "a scope is written to one that reads as the same");
  const auto url = did::web_url(text, false);
  if (!url)
    return fuzz::demand_sentence(url.error().detail);
  demand(url->starts_with("https://") && url->ends_with("/did.json") && url->find("/../") == url->npos &&
             url->find_first_of("?#@\\ ") == url->npos,
         "a DID leads to one document of its host");
  const auto place = std::string_view(*url).substr(std::string_view("https://").size());
  const auto back = did::web_did(place.substr(0, place.find('/')), place.substr(place.find('/')));
  demand(back && did::web_url(*back, false) == *url, "the document's place leads back to a DID that leads to it");
}

} // namespace

void fuzz::dcp_target(std::string_view input) {
  const auto body = json::parse(input);
  if (body)
    check_messages(*body);
  if (body && body->is_object()) {
    check_document(*body);
    check_tokens(body->get_object());
  }
  // What is refused is repeated: only a text can be sent back.
  if (json::parse(json::write(json::value(input))))
    check_names(input);
}

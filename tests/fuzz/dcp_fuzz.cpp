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

void check_credential(const json::object& body, const std::string& compact) {
  if (const auto credential = vc::read_credential(compact))
    demand(vc::from_model(vc::to_model(credential->what), credential->what.form).has_value(),
           "a credential that was read is one that can be stored");
  if (const auto credential = vc::from_model(body, vc::profile::vc20_jose)) {
    const auto token = vc::sign_credential(*credential, fuzz::ed25519(), key_id, "j", fuzz::now);
    demand(jose::verify_jwt(token, fuzz::ed25519().public_half(), {.now = fuzz::now, .required = {}}).has_value() ||
               !vc::check_times(*credential, fuzz::now),
           "a credential of ours is signed");
  }
  (void)vc::read_presentation(json::value(compact));
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
}

void check_names(std::string_view text) {
  const auto scope = dcp::parse_scope(text);
  if (!scope)
    fuzz::demand_sentence(scope.error().detail);
  else
    demand(dcp::parse_scope(dcp::write_scope(*scope)) == *scope, "a scope is written to one that reads as the same");
  const auto url = did::web_url(text, false);
  if (!url)
    fuzz::demand_sentence(url.error().detail);
  else
    demand(url->starts_with("https://") && url->ends_with("/did.json") && url->find("/../") == url->npos &&
               url->find_first_of("?#@\\ ") == url->npos,
           "a DID leads to one document of its host");
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

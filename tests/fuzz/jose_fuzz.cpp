#include "protocols/base/base64.hpp"
#include "protocols/base/hash.hpp"
#include "protocols/jose/jwt.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/keys.hpp"

// JOSE: a token that was tampered with never verifies, one of ours always does, and a key that is taken is given out as
// the same. JSON is taken as a key, as a set of keys and as the claims of a token; anything else as a token.

namespace {

using namespace fondaco;
using fuzz::demand;

void check_token(std::string_view compact) {
  const auto token = jose::parse_jwt(compact);
  const auto envelope = jose::parse_jws(compact);
  demand(envelope || !token, "a JWT is a JWS");
  if (!envelope)
    return fuzz::demand_sentence(envelope.error().detail);
  const auto first_dot = compact.find('.');
  const auto spelled = std::string(compact.substr(0, first_dot)) + '.' + base64url_encode(envelope->payload) + '.' +
                       base64url_encode(envelope->signature);
  demand(spelled == compact, "a token has one spelling");
  demand(envelope->signing_input == compact.substr(0, compact.rfind('.')), "the signature covers header and payload");
  demand(!envelope->header.contains("crit") && json::string_at(envelope->header, "kid") == envelope->kid,
         "a token has no critical extension, and the key id of its header");
  const auto& ours = fuzz::ed25519();
  // Ed25519 gives one signature for each text, so a token that verifies is one that our key made.
  if (jose::verify_jws(*envelope, ours.public_half()))
    demand(envelope->alg == jose::algorithm::eddsa &&
               jose::sign_bytes(ours, envelope->signing_input) == envelope->signature,
           "only what our key signed verifies");
  const bool in_set = jose::verify_jws(*envelope, fuzz::published_keys()).has_value();
  demand(!in_set || jose::verify_jws(*envelope, ours.public_half()) ||
             jose::verify_jws(*envelope, fuzz::p256().public_half()) ||
             jose::verify_jws(*envelope, fuzz::published_keys().keys.back()),
         "what a set verifies, one of its keys verifies");
  if (token)
    (void)jose::check_claims(token->claims, {.now = fuzz::now, .audiences = {"did:web:verifier"}});
}

/// Changes one byte of the token, another one for each token, to another of the alphabet.
std::string tampered(std::string compact, unsigned salt) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  auto& byte = compact[salt % compact.size()];
  const auto at = std::min(alphabet.find(byte), alphabet.size() - 1);
  byte = alphabet[(at + 1 + salt / 7 % (alphabet.size() - 1)) % alphabet.size()];
  return compact;
}

void check_signing(std::string_view text, const jose::key_pair& key, const json::object& claims) {
  const auto token = jose::sign_jwt(key, claims);
  const jose::expectations anything{.now = fuzz::now, .required = {}};
  const auto judged = jose::check_claims(claims, anything);
  const auto verified = jose::verify_jwt(token, key.public_half(), anything);
  demand(verified.has_value() == judged.has_value(), "a token of ours verifies if its claims hold");
  demand(!verified || verified->claims == claims, "a verified token says what was signed");
  if (!judged)
    fuzz::demand_sentence(judged.error().detail);
  const auto digest = sha256(text);
  const auto salt = static_cast<unsigned char>(digest[0]) * 256u + static_cast<unsigned char>(digest[1]);
  const auto changed = jose::parse_jws(tampered(token, salt));
  demand(!changed || !jose::verify_jws(*changed, key.public_half()), "a token that was tampered with never verifies");
}

void check_keys(const json::object& jwk) {
  const auto key = jose::import_public_jwk(jwk);
  if (key) {
    const auto again = jose::import_public_jwk(key->jwk());
    demand(again && again->thumbprint() == key->thumbprint() && again->kid() == key->kid(),
           "a key that is taken is given out as the same");
    demand(!jwk.contains("d") && !jwk.contains("k"), "no secret passes for a public key");
  } else {
    fuzz::demand_sentence(key.error().detail);
    const auto secret = json::string_at(jwk, "d");
    demand(!secret || secret->size() < 16 || key.error().detail.find(*secret) == std::string::npos,
           "a refusal repeats no secret");
  }
  if (const auto pair = jose::import_private_jwk(jwk)) {
    const auto again = jose::import_private_jwk(jose::export_private_jwk(*pair));
    demand(again && again->public_half().thumbprint() == pair->public_half().thumbprint(),
           "a key pair that is taken is given out as the same");
    const auto signature = jose::sign_bytes(*pair, "text");
    demand(jose::verify_bytes(pair->public_half(), pair->signs_with(), "text", signature), "a key pair is a pair");
  }
  if (const auto set = jose::import_jwks(jwk)) {
    const auto again = jose::import_jwks(jose::export_jwks(set->keys));
    demand(set->keys.size() <= jose::limits::set_keys_max, "a set keeps its limit");
    demand(again && again->keys.size() == set->keys.size(), "a set that is taken is given out as the same");
  }
}

} // namespace

void fuzz::jose_target(std::string_view input) {
  const auto body = input.starts_with('{') ? json::parse(input) : json::parse("null");
  if (body && body->is_object()) {
    check_keys(body->get_object());
    check_signing(input, fuzz::ed25519(), body->get_object());
    check_signing(input, fuzz::p256(), body->get_object());
  } else {
    check_token(input);
    const auto bytes = base64_decode(input);
    demand(!bytes || base64_encode(*bytes) == input, "bytes have one spelling in base64");
  }
}

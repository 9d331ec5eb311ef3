#include "tests/fuzz/keys.hpp"

#include "tests/fuzz/fuzz.hpp"

namespace fondaco::fuzz {

namespace {

constexpr std::string_view ed25519_jwk =
    R"({"kty":"OKP","crv":"Ed25519","kid":"did:web:holder#k1","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
constexpr std::string_view p256_jwk =
    R"({"kty":"EC","crv":"P-256","kid":"did:web:holder#k2","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})";
constexpr std::string_view rsa_jwk =
    R"({"kty":"RSA","kid":"rsa","e":"AQAB","n":")"
    "mlPcKJimdUpW9w_w3ZZco4XKjT-x3EQTe_Ysk9G3RHqoWK6Ts62gzBpVVBcHyouhpJwOA22mPieR2BxP2v5Gbd"
    "8zegF4_VfnyH5l1XBX8UwfztZB8_KjMNCOaR3mbs6AnBiHJGA2U3zHqY4puJormod0WatDNQsZxKG8lTKbfYOe"
    "Xo_KXze2G4mVBhzotslv1LMRixRLukS2TppJfrKfCjzGlIXJcE7LlJovxxaaZ9cAsP4C4o60bjS8AxS2N-lL69"
    "S3QfId34YBcXHHXpzzIpqvdch2ypn_glXjHCsSNw4TIMN0pktGmXRDFbsuC-A2vCUJk4jYl8shat0LF7tFHQ"
    R"("})";

json::object object_of(std::string_view text) {
  auto parsed = json::parse(text);
  invariant(parsed && parsed->is_object(), "a key of the targets is JSON");
  return std::move(parsed->get_object());
}

} // namespace

const jose::key_pair& ed25519() {
  static const auto pair = jose::import_private_jwk(object_of(ed25519_jwk)).value();
  return pair;
}

const jose::key_pair& p256() {
  static const auto pair = jose::import_private_jwk(object_of(p256_jwk)).value();
  return pair;
}

const jose::key_set& published_keys() {
  static const jose::key_set set{
      {ed25519().public_half(), p256().public_half(), jose::import_public_jwk(object_of(rsa_jwk)).value()}, {}};
  return set;
}

} // namespace fondaco::fuzz

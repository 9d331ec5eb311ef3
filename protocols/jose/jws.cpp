#include "protocols/jose/jws.hpp"

#include "protocols/base/base64.hpp"

namespace fondaco::jose {
namespace {

std::unexpected<jwt_error> refuse(jwt_errc code, std::string detail) {
  return std::unexpected(jwt_error{code, std::move(detail)});
}

std::expected<json::object, jwt_error> parse_header(std::string_view encoded) {
  const auto text = base64url_decode(encoded);
  if (!text)
    return refuse(jwt_errc::malformed, "the JOSE header is not base64url without padding");
  auto header = json::parse(*text, {.depth_max = 8, .text_bytes_max = limits::jose_header_bytes_max});
  if (!header)
    return refuse(jwt_errc::malformed, "the JOSE header: " + header.error().detail);
  if (!header->is_object())
    return refuse(jwt_errc::malformed, "the JOSE header is not an object");
  return std::move(header->get_object());
}

std::expected<algorithm, jwt_error> check_header(const json::object& header) {
  if (header.contains("crit"))
    return refuse(jwt_errc::critical_extension, "the JOSE header has 'crit', and no critical extension is understood");
  const auto name = json::string_at(header, "alg");
  if (!name)
    return refuse(jwt_errc::malformed, "the JOSE header has no 'alg' string");
  const auto alg = algorithm_of(*name);
  if (!alg)
    return refuse(jwt_errc::alg_not_allowed, "the JOSE header's 'alg' is not ES256, EdDSA, RS256 or PS256");
  if (const auto* kid = header.if_contains("kid"); kid && !kid->is_string())
    return refuse(jwt_errc::malformed, "the JOSE header's 'kid' is not a string");
  return *alg;
}

std::expected<const public_key*, jwt_error> choose(const jws& token, const key_set& set) {
  const public_key* chosen = nullptr;
  bool other_alg = false;
  for (const auto& key : set.keys) {
    if (token.kid && key.kid() != token.kid)
      continue;
    if (!key.allows(token.alg)) {
      other_alg = true;
      continue;
    }
    if (chosen)
      return refuse(jwt_errc::unknown_key, "the JOSE header names no 'kid' and more than one key fits its 'alg'");
    chosen = &key;
  }
  if (chosen)
    return chosen;
  if (token.kid && other_alg)
    return refuse(jwt_errc::alg_not_allowed, "the JOSE header's 'alg' does not belong to the key that its 'kid' names");
  return refuse(jwt_errc::unknown_key,
                token.kid ? "no known key has the JOSE header's 'kid'" : "no known key fits the JOSE header's 'alg'");
}

} // namespace

std::string_view name_of(jwt_errc code) noexcept {
  switch (code) {
  case jwt_errc::malformed: return "malformed";
  case jwt_errc::alg_not_allowed: return "alg_not_allowed";
  case jwt_errc::critical_extension: return "critical_extension";
  case jwt_errc::unknown_key: return "unknown_key";
  case jwt_errc::bad_signature: return "bad_signature";
  case jwt_errc::expired: return "expired";
  case jwt_errc::not_yet_valid: return "not_yet_valid";
  case jwt_errc::wrong_issuer: return "wrong_issuer";
  case jwt_errc::wrong_audience: return "wrong_audience";
  case jwt_errc::wrong_subject: return "wrong_subject";
  case jwt_errc::missing_claim: return "missing_claim";
  }
  return "malformed";
}

std::expected<jws, jwt_error> parse_jws(std::string_view compact) {
  if (compact.size() > limits::jws_bytes_max)
    return refuse(jwt_errc::malformed, "the token has more than " + std::to_string(limits::jws_bytes_max) + " bytes");
  const size_t first = compact.find('.');
  const size_t second = first == compact.npos ? compact.npos : compact.find('.', first + 1);
  if (second == compact.npos || compact.find('.', second + 1) != compact.npos)
    return refuse(jwt_errc::malformed, "the token has not three parts separated by dots");
  auto header = parse_header(compact.substr(0, first));
  if (!header)
    return std::unexpected(header.error());
  const auto alg = check_header(*header);
  if (!alg)
    return std::unexpected(alg.error());
  auto payload = base64url_decode(compact.substr(first + 1, second - first - 1));
  auto signature = base64url_decode(compact.substr(second + 1));
  if (!payload || !signature)
    return refuse(jwt_errc::malformed, payload ? "the token's signature is not base64url without padding"
                                               : "the token's payload is not base64url without padding");
  jws token{.header = std::move(*header),
            .payload = std::move(*payload),
            .signature = std::move(*signature),
            .signing_input = std::string(compact.substr(0, second)),
            .alg = *alg,
            .kid = {}};
  if (const auto kid = json::string_at(token.header, "kid"))
    token.kid = std::string(*kid);
  return token;
}

std::expected<void, jwt_error> verify_jws(const jws& token, const public_key& key) {
  if (!key.allows(token.alg))
    return refuse(jwt_errc::alg_not_allowed, "the JOSE header's 'alg' does not belong to the key");
  if (!verify_bytes(key, token.alg, token.signing_input, token.signature))
    return refuse(jwt_errc::bad_signature, "the signature was not made by the key over this header and payload");
  return {};
}

std::expected<void, jwt_error> verify_jws(const jws& token, const key_set& keys) {
  const auto key = choose(token, keys);
  if (!key)
    return std::unexpected(key.error());
  return verify_jws(token, **key);
}

std::string sign_jws(const key_pair& key, std::string_view payload, const json::object& extra) {
  json::object header;
  header["alg"] = name_of(key.signs_with());
  if (const auto& kid = key.public_half().kid())
    header["kid"] = *kid;
  for (const auto& [name, member] : extra) {
    invariant(name != "alg" && name != "crit", "the signer alone decides 'alg', and knows no critical extension");
    header[name] = member;
  }
  std::string compact = base64url_encode(json::write(header)) + '.' + base64url_encode(payload);
  const std::string signature = sign_bytes(key, compact);
  return compact += '.' + base64url_encode(signature);
}

} // namespace fondaco::jose

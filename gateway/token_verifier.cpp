#include "gateway/token_verifier.hpp"

#include <algorithm>
#include <utility>

#include "gateway/token_cache.hpp"
#include "protocols/base/hash.hpp"
#include "protocols/jose/jwt.hpp"

namespace fondaco::gateway {
namespace {

bool is_bearer(std::string_view scheme) {
  static constexpr std::string_view name = "bearer ";
  return std::ranges::equal(scheme, name,
                            [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a + 32 == b); });
}

std::unexpected<fault> refuse(const trusted_issuer& i, std::string detail) {
  return std::unexpected(
      fault{"bad_trusted_issuer", "the trusted issuer '" + i.issuer + "' " + std::move(detail), cure::fix_input});
}

/// A text claim: absent or empty is nothing, another kind is an error.
std::expected<std::optional<std::string>, std::string> text_claim(const json::object& claims, std::string_view name) {
  const auto* claim = claims.if_contains(name);
  if (!claim)
    return std::nullopt;
  const auto text = json::string_at(claims, name);
  if (!text || text->size() > fondaco::limits::id_bytes_max)
    return std::unexpected("the '" + std::string(name) + "' claim is not a string of at most 512 bytes");
  if (text->empty())
    return std::nullopt;
  return std::string(*text);
}

} // namespace

std::expected<std::string, denied> bearer_token(const request& r) {
  const std::string* value = nullptr;
  for (const auto& [name, text] : r.headers) {
    if (name != "authorization")
      continue;
    if (value)
      return std::unexpected(unauthenticated("More than one Authorization header"));
    value = &text;
  }
  if (!value)
    return std::unexpected(unauthenticated("Missing Authorization header"));
  if (!is_bearer(std::string_view(*value).substr(0, 7)))
    return std::unexpected(unauthenticated("The Authorization header is not a bearer token"));
  const auto token = std::string_view(*value).substr(7);
  if (token.size() > limits::bearer_token_bytes_max)
    return std::unexpected(unauthenticated("The bearer token is longer than 8192 bytes"));
  return std::string(token);
}

std::expected<token_claims, std::string> read_claims(const json::object& claims) {
  token_claims out;
  const std::pair<std::string_view, std::optional<std::string>*> texts[] = {
      {"sub", &out.subject},
      {"client_id", &out.client_id},
      {"role", &out.role},
      {"participant_context_id", &out.participant_context_id},
  };
  for (const auto& [name, target] : texts) {
    auto text = text_claim(claims, name);
    if (!text)
      return std::unexpected(std::move(text.error()));
    *target = std::move(*text);
  }
  if (claims.contains("scope")) {
    const auto scope = json::string_at(claims, "scope");
    if (!scope)
      return std::unexpected("the 'scope' claim is not a string");
    out.scopes = split_scopes(*scope);
  }
  return out;
}

struct jwks_verifier::impl {
  struct trust {
    trusted_issuer issuer;
    /// Nothing if the issuer's keys are given.
    std::optional<jwks_source> source;
  };
  /// Why a token is refused: the answer, and a name for the metric.
  struct refusal {
    denied answer;
    std::string reason;
  };
  using verified = std::expected<token_cache::entry, refusal>;

  explicit impl(jwks_source::parts p) : on(p) {}

  static std::unexpected<refusal> refuse(jose::jwt_errc code, std::string_view detail) {
    return std::unexpected(refusal{unauthenticated(detail), std::string(jose::name_of(code))});
  }

  std::expected<size_t, refusal> trust_of(const json::object& claims) const {
    const auto iss = json::string_at(claims, "iss");
    if (!iss)
      return refuse(jose::jwt_errc::missing_claim, "the token has no 'iss' claim");
    for (size_t i = 0; i < trusts.size(); ++i)
      if (trusts[i].issuer.issuer == *iss)
        return i;
    return refuse(jose::jwt_errc::wrong_issuer, "the 'iss' claim is not a trusted issuer");
  }

  task<std::expected<jwks_source::keys, jwks_errc>> keys_of(size_t issuer, std::optional<std::string> kid) {
    auto& t = trusts[issuer];
    if (!t.source)
      co_return t.issuer.keys;
    auto fetched = co_await t.source->keys_for(std::move(kid));
    co_return fetched;
  }

  /// Everything that can be said once the keys are there.
  verified judge(const jose::jwt& token, const jose::key_set& keys, size_t issuer) const {
    const auto& trust = trusts[issuer].issuer;
    if (!token.envelope.kid && keys.keys.size() != 1)
      return refuse(jose::jwt_errc::unknown_key, "the token has no 'kid' and its issuer has more than one key");
    if (auto genuine = jose::verify_jws(token.envelope, keys); !genuine)
      return refuse(genuine.error().code, genuine.error().detail);
    const auto now = on.clock.now();
    const jose::expectations expected{.now = now,
                                      .issuer = trust.issuer,
                                      .audiences = {trust.audience},
                                      .required = {"exp"},
                                      .leeway = trust.leeway_ms};
    if (auto fits = jose::check_claims(token.claims, expected); !fits)
      return refuse(fits.error().code, fits.error().detail);
    auto claims = read_claims(token.claims);
    if (!claims)
      return refuse(jose::jwt_errc::malformed, claims.error());
    const auto expires = *jose::moment_at(token.claims, "exp") + trust.leeway_ms;
    return token_cache::entry{std::move(*claims), issuer, std::min(expires, now + trust.cache_validity_ms)};
  }

  task<verified> check(std::string text) {
    auto token = jose::parse_jwt(text);
    if (!token)
      co_return refuse(token.error().code, token.error().detail);
    const auto issuer = trust_of(token->claims);
    if (!issuer)
      co_return std::unexpected(issuer.error());
    auto keys = co_await keys_of(*issuer, token->envelope.kid);
    if (!keys)
      co_return std::unexpected(refusal{keys_unavailable(), "keys_unavailable"});
    co_return judge(*token, **keys, *issuer);
  }

  std::unexpected<denied> refused(denied answer, std::string_view reason) const {
    on.counts.add("fondaco_bearer_refused_total", {reason});
    return std::unexpected(std::move(answer));
  }

  const jwks_source::parts on;
  std::vector<trust> trusts;
  token_cache known{limits::verified_tokens_max};
};

std::expected<std::unique_ptr<jwks_verifier>, fault> jwks_verifier::make(std::vector<trusted_issuer> issuers,
                                                                         jwks_source::parts on) {
  auto made = std::make_shared<impl>(on);
  for (auto& i : issuers) {
    if (i.issuer.empty())
      return refuse(i, "needs a name: its tokens' `iss`");
    if (std::ranges::any_of(made->trusts, [&](const impl::trust& t) { return t.issuer.issuer == i.issuer; }))
      return refuse(i, "is there twice");
    if (i.audience.empty())
      return refuse(i, "needs an audience");
    if (i.jwks_url.empty() == !i.keys)
      return refuse(i, "needs either a JWKS URL or keys");
    impl::trust t{std::move(i), std::nullopt};
    if (!t.issuer.keys)
      t.source.emplace(jwks_options{t.issuer.jwks_url, t.issuer.cache_validity_ms}, on);
    made->trusts.push_back(std::move(t));
  }
  return std::make_unique<jwks_verifier>(std::move(made));
}

jwks_verifier::jwks_verifier(std::shared_ptr<impl> i) : impl_(std::move(i)) {}
jwks_verifier::~jwks_verifier() = default;

task<std::expected<principal, denied>> jwks_verifier::verify(std::shared_ptr<const request> r) {
  const auto self = impl_;
  auto token = bearer_token(*r);
  if (!token)
    co_return self->refused(std::move(token.error()), "no_token");
  const auto digest = sha256(*token);
  auto entry = self->known.find(digest, self->on.clock.now());
  if (!entry) {
    auto checked = co_await self->check(std::move(*token));
    if (!checked)
      co_return self->refused(std::move(checked.error().answer), checked.error().reason);
    entry = std::move(*checked);
    self->known.put(digest, *entry);
  }
  auto caller = to_principal(entry->claims, self->trusts[entry->issuer].issuer.dialect, *r);
  if (!caller)
    co_return self->refused(std::move(caller.error()), "claims");
  co_return std::move(*caller);
}

} // namespace fondaco::gateway

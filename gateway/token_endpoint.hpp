#pragma once

#include <memory>
#include <string>

#include "actors/ports/clock.hpp"
#include "gateway/api_client.hpp"
#include "gateway/failed_attempts.hpp"
#include "gateway/form.hpp"
#include "gateway/http.hpp"
#include "gateway/metrics.hpp"
#include "gateway/token_keys.hpp"

namespace fondaco::gateway {

/// How the node's own tokens look.
struct token_endpoint_options {
  /// The node's issuer: an absolute URL without a slash at its end, under which the endpoint is reached.
  std::string issuer;
  /// The `aud` of every token: what the node's admin APIs demand.
  std::string audience;
  /// How long a token is valid.
  milliseconds lifetime_ms{300'000};
};

/// The node's own OAuth2 token endpoint (RFC 6749, client credentials only), for API clients and for deployments
/// without an identity provider. Errors are those of RFC 6749, section 5.2; too many failed attempts are answered 429.
class token_endpoint {
public:
  /// What the endpoint stands on; everything outlives it, and it outlives the router.
  struct parts {
    api_client_registry& clients;
    actors::clock& clock;
    actors::random_source& random;
    metrics& counts;
  };

  /// An endpoint that signs with these keys.
  token_endpoint(token_endpoint_options options, std::shared_ptr<const token_keys> keys, parts on);

  /// Adds `POST /oauth2/token`, `GET /.well-known/jwks.json` and `GET /.well-known/oauth-authorization-server`.
  void add_routes(router& to);

  /// Answers a token request.
  task<response> token(std::shared_ptr<const request> r);
  /// The public keys (RFC 7517).
  response jwks() const;
  /// The metadata of RFC 8414.
  response metadata() const;

private:
  struct credentials {
    std::string client_id;
    std::string secret;
    /// True if they came by HTTP Basic: a refusal then has to name the scheme.
    bool basic = false;
  };
  struct refusal {
    int status = 400;
    std::string error;
    std::string description;
    /// What else the answer's header says.
    actors::http_headers headers;
  };

  static std::expected<credentials, refusal> read_credentials(const request& r, const form& parameters);
  task<std::expected<api_client, refusal>> authenticate(credentials who, std::string remote);
  std::expected<response, refusal> issue(const api_client& client, const form& parameters);
  task<std::expected<response, refusal>> answer(std::shared_ptr<const request> r);

  token_endpoint_options options_;
  std::shared_ptr<const token_keys> keys_;
  parts on_;
  failed_attempts attempts_;
};

} // namespace fondaco::gateway

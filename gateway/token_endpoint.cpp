#include "gateway/token_endpoint.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gateway/auth.hpp"
#include "protocols/base/base64.hpp"
#include "protocols/jose/jwt.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::gateway {
namespace {

constexpr std::string_view form_type = "application/x-www-form-urlencoded";

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return out;
}

bool is_form(const request& r) {
  const auto type = lower(header(r, "content-type").value_or(""));
  return type == form_type || type.starts_with(std::string(form_type) + ";");
}

std::string joined(const std::vector<std::string>& scopes) {
  std::string out;
  for (const auto& s : scopes)
    out.append(out.empty() ? "" : " ").append(s);
  return out;
}

void never_store(response& r) {
  r.headers.emplace_back("Cache-Control", "no-store");
  r.headers.emplace_back("Pragma", "no-cache");
}

/// A requested scope is granted if the client has it literally or one that includes it.
bool covers(const std::vector<std::string>& held, const std::string& wanted) {
  return std::ranges::find(held, wanted) != held.end() || satisfies(held, wanted);
}

} // namespace

token_endpoint::token_endpoint(token_endpoint_options options, std::shared_ptr<const token_keys> keys, parts on)
    : options_(std::move(options)), keys_(std::move(keys)), on_(on) {
  invariant(!options_.issuer.empty() && !options_.issuer.ends_with('/'),
            "an issuer is a URL without a slash at its end");
  invariant(!options_.audience.empty(), "the node's tokens need an audience");
}

void token_endpoint::add_routes(router& to) {
  to.add("POST", "/oauth2/token", [this](std::shared_ptr<const request> r) { return token(std::move(r)); });
  const auto ready = [](response r) -> task<response> { co_return r; };
  to.add("GET", "/.well-known/jwks.json", [this, ready](std::shared_ptr<const request>) { return ready(jwks()); });
  to.add("GET", "/.well-known/oauth-authorization-server",
         [this, ready](std::shared_ptr<const request>) { return ready(metadata()); });
}

task<response> token_endpoint::token(std::shared_ptr<const request> r) {
  auto answered = co_await answer(std::move(r));
  if (answered)
    co_return std::move(*answered);
  auto& why = answered.error();
  on_.counts.add("fondaco_tokens_refused_total", {why.error});
  json::object body{{"error", why.error}, {"error_description", why.description}};
  auto out = json_response(why.status, json::write(body));
  never_store(out);
  for (auto& h : why.headers)
    out.headers.push_back(std::move(h));
  co_return out;
}

task<std::expected<response, token_endpoint::refusal>> token_endpoint::answer(std::shared_ptr<const request> r) {
  if (!is_form(*r))
    co_return std::unexpected(refusal{400, "invalid_request", "the body must be " + std::string(form_type), {}});
  auto parameters = parse_form(r->body);
  if (!parameters)
    co_return std::unexpected(refusal{400, "invalid_request", parameters.error(), {}});
  const auto grant = parameters->find("grant_type");
  if (grant == parameters->end())
    co_return std::unexpected(refusal{400, "invalid_request", "grant_type is missing", {}});
  if (grant->second != "client_credentials")
    co_return std::unexpected(refusal{400, "unsupported_grant_type", "the only grant type is client_credentials", {}});
  auto who = read_credentials(*r, *parameters);
  if (!who)
    co_return std::unexpected(std::move(who.error()));
  auto client = co_await authenticate(std::move(*who), r->remote);
  if (!client)
    co_return std::unexpected(std::move(client.error()));
  co_return issue(*client, *parameters);
}

std::expected<token_endpoint::credentials, token_endpoint::refusal>
token_endpoint::read_credentials(const request& r, const form& parameters) {
  const auto id = parameters.find("client_id");
  const auto secret = parameters.find("client_secret");
  const auto authorization = header(r, "authorization");
  if (!authorization) {
    if (id == parameters.end() || secret == parameters.end())
      return std::unexpected(refusal{401, "invalid_client", "client_id and client_secret are missing", {}});
    return credentials{id->second, secret->second, false};
  }
  if (secret != parameters.end())
    return std::unexpected(refusal{400, "invalid_request", "the client may authenticate in one way only", {}});
  const refusal malformed{401,
                          "invalid_client",
                          "the Authorization header is not HTTP Basic",
                          {{"WWW-Authenticate", "Basic realm=\"fondaco\""}}};
  if (lower(authorization->substr(0, 6)) != "basic ")
    return std::unexpected(malformed);
  const auto decoded = base64_decode(authorization->substr(6));
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos)
    return std::unexpected(malformed);
  // RFC 6749, section 2.3.1: both halves are form-encoded before they are joined.
  auto name = decode_form_text(std::string_view(*decoded).substr(0, colon));
  auto word = decode_form_text(std::string_view(*decoded).substr(colon + 1));
  if (!name || !word)
    return std::unexpected(malformed);
  if (id != parameters.end() && id->second != *name)
    return std::unexpected(refusal{400, "invalid_request", "client_id differs from the Authorization header's", {}});
  return credentials{std::move(*name), std::move(*word), true};
}

task<std::expected<api_client, token_endpoint::refusal>> token_endpoint::authenticate(credentials who,
                                                                                      std::string remote) {
  const auto now = on_.clock.now();
  if (const auto wait = attempts_.wait_for(who.client_id, remote, now)) {
    const auto seconds = std::to_string((wait->count() + 999) / 1000);
    co_return std::unexpected(
        refusal{429, "temporarily_unavailable", "too many failed attempts", {{"Retry-After", seconds}}});
  }
  std::optional<api_client> client;
  if (who.client_id.size() <= fondaco::limits::id_bytes_max) {
    auto found = co_await on_.clients.find(who.client_id);
    if (!found)
      co_return std::unexpected(
          refusal{503, "temporarily_unavailable", "the registry of clients does not answer", {{"Retry-After", "5"}}});
    client = std::move(*found);
  }
  // An unknown client is compared too, so that the answer's time does not tell which ids exist.
  const bool good = accepts(client.value_or(api_client()), who.secret, now);
  if (good)
    co_return std::move(*client);
  attempts_.failed(who.client_id, remote, now);
  actors::http_headers headers;
  if (who.basic)
    headers.emplace_back("WWW-Authenticate", "Basic realm=\"fondaco\"");
  co_return std::unexpected(
      refusal{401, "invalid_client", "Invalid client or Invalid client credentials", std::move(headers)});
}

std::expected<response, token_endpoint::refusal> token_endpoint::issue(const api_client& client,
                                                                       const form& parameters) {
  auto scopes = client.scopes;
  if (const auto wanted = parameters.find("scope"); wanted != parameters.end()) {
    scopes = split_scopes(wanted->second);
    for (const auto& s : scopes)
      if (!covers(client.scopes, s))
        return std::unexpected(refusal{400, "invalid_scope", "a requested scope is not granted to this client", {}});
  }
  const auto now = on_.clock.now();
  json::object claims;
  claims["iss"] = options_.issuer;
  claims["aud"] = options_.audience;
  claims["sub"] = client.client_id;
  claims["client_id"] = client.client_id;
  claims["jti"] = random_hex(on_.random, 2);
  claims["iat"] = jose::numeric_date(now);
  claims["nbf"] = jose::numeric_date(now);
  claims["exp"] = jose::numeric_date(now + options_.lifetime_ms);
  claims["scope"] = joined(scopes);
  claims["role"] = client.role;
  if (client.participant_context_id)
    claims["participant_context_id"] = *client.participant_context_id;
  json::object body;
  body["access_token"] = keys_->sign(claims);
  body["token_type"] = "Bearer";
  body["expires_in"] = std::chrono::duration_cast<std::chrono::seconds>(options_.lifetime_ms).count();
  body["scope"] = joined(scopes);
  auto out = json_response(200, json::write(body));
  never_store(out);
  on_.counts.add("fondaco_tokens_issued_total", {client.role});
  return out;
}

response token_endpoint::jwks() const {
  auto out = json_response(200, keys_->jwks());
  out.headers.emplace_back("Cache-Control", "public, max-age=300");
  return out;
}

response token_endpoint::metadata() const {
  json::object body;
  body["issuer"] = options_.issuer;
  body["token_endpoint"] = options_.issuer + "/oauth2/token";
  body["jwks_uri"] = options_.issuer + "/.well-known/jwks.json";
  body["grant_types_supported"] = json::array{"client_credentials"};
  body["response_types_supported"] = json::array{};
  body["token_endpoint_auth_methods_supported"] = json::array{"client_secret_basic", "client_secret_post"};
  return json_response(200, json::write(body));
}

} // namespace fondaco::gateway

#include <algorithm>
#include <memory>
#include <utility>

#include "cells/identity/provisioning.hpp"
#include "cells/identity/route_groups.hpp"
#include "cells/identity/token_source.hpp"
#include "gateway/api_client.hpp"
#include "gateway/failed_attempts.hpp"
#include "gateway/form.hpp"
#include "protocols/base/hash.hpp"
#include "protocols/dcp/messages.hpp"
#include "protocols/dcp/self_issued.hpp"

namespace fondaco::identity {

namespace {

namespace kinds = cells::kinds;

constexpr const char* component = "identity";
constexpr std::string_view form_type = "application/x-www-form-urlencoded";
constexpr const char* bad_client = "Invalid client or Invalid client credentials";

/// What a token request asks for.
struct sts_request {
  std::string client_id;
  std::string client_secret;
  token_request token;
};

/// Why there is no token (RFC 6749, section 5.2).
struct sts_refusal {
  int status = 400;
  std::string error;
  std::string description;
  actors::http_headers headers;
};

sts_refusal invalid(std::string description) { return {400, "invalid_request", std::move(description), {}}; }
sts_refusal silent() {
  return {503, "temporarily_unavailable", "the accounts cannot be read now", {{"Retry-After", "1"}}};
}

bool is_form(const gateway::request& r) {
  auto type = std::string(gateway::header(r, "content-type").value_or(""));
  std::ranges::transform(type, type.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return type == form_type || type.starts_with(std::string(form_type) + ";");
}

std::expected<sts_request, sts_refusal> read_sts_request(const gateway::request& r) {
  if (!is_form(r))
    return std::unexpected(invalid("the body must be " + std::string(form_type)));
  const auto form = gateway::parse_form(r.body);
  if (!form)
    return std::unexpected(invalid(form.error()));
  for (const char* name : {"grant_type", "client_id", "client_secret", "audience"})
    if (!form->contains(name))
      return std::unexpected(invalid(std::string(name) + " cannot be null"));
  if (form->at("grant_type") != "client_credentials")
    return std::unexpected(sts_refusal{400, "unsupported_grant_type", "the only grant type is client_credentials", {}});
  sts_request out;
  out.client_id = form->at("client_id");
  out.client_secret = form->at("client_secret");
  out.token.audience = form->at("audience");
  if (out.token.audience.size() > fondaco::limits::id_bytes_max)
    return std::unexpected(invalid("audience has more than 512 bytes"));
  if (const auto given = form->find("token"); given != form->end())
    out.token.access_token = given->second;
  if (const auto given = form->find("bearer_access_scope"); given != form->end())
    out.token.bearer_access_scopes = gateway::split_scopes(given->second);
  if (out.token.bearer_access_scopes.size() > dcp::limits::query_scopes_max)
    return std::unexpected(
        invalid("bearer_access_scope has more than " + std::to_string(dcp::limits::query_scopes_max) + " scopes"));
  return out;
}

/// The account's signer; nothing for an unknown client or a wrong secret, a fault if it has no key. Blocks: for the
/// reader pool.
std::optional<std::expected<signer, fault>> authenticate(cell_services& s, const sts_request& wanted) {
  const bool fits = wanted.client_id.size() <= fondaco::limits::id_bytes_max &&
                    wanted.client_secret.size() <= gateway::limits::client_secret_bytes_max;
  const auto name = s.journal.resolve_name("sts_client", fits ? std::string_view(wanted.client_id) : "-");
  if (!name)
    throw std::runtime_error("the table of public names cannot be read");
  json::object account;
  json::object context;
  if (*name) {
    const auto stored = s.documents.get(**name);
    const auto owner = s.documents.get(context_key((*name)->owner));
    if (!stored || !owner)
      throw std::runtime_error("an account cannot be read");
    account = *stored ? api::stored_object((*stored)->body) : json::object();
    context = *owner ? api::stored_object((*owner)->body) : json::object();
  }
  // An unknown client is compared too, so that the answer's time does not tell which ids exist.
  const auto expected = json::string_at(account, "secretSha256").value_or("-");
  const bool good = constant_time_equal(expected, gateway::hash_of_secret(fits ? wanted.client_secret : ""));
  if (!good || !is_complete(context) || json::integer_at(context, "state") == context_states::deactivated)
    return std::nullopt;
  return find_signer(s, (*name)->owner, key_usage::sign_token);
}

task<std::expected<response, sts_refusal>> answer(cell_services& s, gateway::failed_attempts& attempts, request_ptr r) {
  auto wanted = read_sts_request(*r);
  if (!wanted)
    co_return std::unexpected(std::move(wanted.error()));
  const auto now = s.clock.now();
  if (const auto wait = attempts.wait_for(wanted->client_id, r->remote, now)) {
    auto seconds = std::to_string((wait->count() + 999) / 1000);
    sts_refusal later{
        429, "temporarily_unavailable", "too many failed attempts", {{"Retry-After", std::move(seconds)}}};
    co_return std::unexpected(std::move(later));
  }
  auto looking = actors::in_pool(s.pool, s.edge, [&s, one = *wanted] { return authenticate(s, one); });
  auto found = co_await std::move(looking);
  if (!found)
    co_return std::unexpected(silent());
  if (!*found) {
    attempts.failed(wanted->client_id, r->remote, now);
    sts_refusal no{401, "invalid_client", bad_client, {}};
    co_return std::unexpected(std::move(no));
  }
  if (!**found)
    co_return std::unexpected(invalid((**found).error().detail));
  json::object body{
      {"access_token", make_token(s, ***found, wanted->token)},
      {"expires_in", std::chrono::duration_cast<std::chrono::seconds>(dcp::limits::token_lifetime_ms).count()},
      {"token_type", "Bearer"}};
  co_return gateway::json_response(200, json::write(body));
}

task<response> sts_token(cell_services& s, std::shared_ptr<gateway::failed_attempts> attempts, request_ptr r) {
  auto answering = answer(s, *attempts, std::move(r));
  auto answered = co_await std::move(answering);
  if (answered) {
    never_store(*answered);
    co_return std::move(*answered);
  }
  auto& why = answered.error();
  json::object body{{"error", why.error}, {"error_description", why.description}};
  auto out = gateway::json_response(why.status, json::write(body));
  never_store(out);
  for (auto& h : why.headers)
    out.headers.push_back(std::move(h));
  co_return out;
}

task<response> renew_secret(cell_services& s, request_ptr r) {
  auto entering = enter_context(s, r, "participants:write");
  auto v = co_await std::move(entering);
  if (!v)
    co_return std::move(v.error());
  auto renewing = renew_sts_secret(s, v->owner, v->did, {});
  auto secret = co_await std::move(renewing);
  if (!secret)
    co_return std::move(secret.error());
  api::note_change(component, *r, v->who, "an STS secret was renewed", v->owner.id());
  json::object body{{"clientId", v->did}, {"clientSecret", *secret}};
  auto out = gateway::json_response(200, json::write(body));
  never_store(out);
  co_return out;
}

} // namespace

void add_sts_routes(gateway::router& to, cell_services& s) {
  auto attempts = std::make_shared<gateway::failed_attempts>();
  to.add("POST", "/api/sts/token", [&s, attempts](request_ptr r) { return sts_token(s, attempts, std::move(r)); });
  api::route(to, s, "POST", std::string(participants_path) + "/{p}/sts/secret", renew_secret);
}

} // namespace fondaco::identity

#include "cells/identity/token_source.hpp"

#include <stdexcept>
#include <utility>
#include <variant>

#include "cells/control_plane/peer_exchange.hpp"
#include "planes/codec/path.hpp"
#include "protocols/dcp/self_issued.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::identity {

namespace {

using actors::task;
using cells::cell_services;

constexpr std::string_view url_entry = "edc.iam.sts.oauth.token.url";
constexpr std::string_view client_entry = "edc.iam.sts.oauth.client.id";
constexpr std::string_view secret_entry = "edc.iam.sts.oauth.client.secret";
constexpr std::string_view service_name = "The token service";

/// An account at a token service elsewhere.
struct remote_account {
  std::string url;
  std::string client_id;
  std::string secret;
};
using source = std::variant<remote_account, signer>;

fault misconfigured(std::string detail) { return {"misconfigured", std::move(detail), cure::fix_input}; }
fault for_now(std::string detail) { return {"unavailable", std::move(detail), cure::retry}; }

std::expected<source, fault> read_remote(cell_services& s, const tenant& owner, const json::object& config,
                                         std::string url) {
  const auto* entries = json::object_at(config, "entries");
  const auto* hidden = json::object_at(config, "privateEntries");
  const auto client = entries ? json::string_at(*entries, client_entry) : std::nullopt;
  const auto sealed = hidden ? json::string_at(*hidden, secret_entry) : std::nullopt;
  if (!client || !sealed)
    return std::unexpected(misconfigured("The configuration of participant " + owner.id() +
                                         " names a token service, but no " +
                                         std::string(client ? secret_entry : client_entry) + " for it."));
  auto secret = s.vault.open(owner, *sealed);
  if (!secret && secret.error() == persistence::vault_errc::unavailable)
    throw std::runtime_error("the vault cannot be read");
  if (!secret)
    return std::unexpected(misconfigured("The " + std::string(secret_entry) + " of participant " + owner.id() +
                                         " cannot be opened; set it again."));
  return remote_account{std::move(url), std::string(*client), std::move(*secret)};
}

/// Blocks: for the reader pool.
std::expected<source, fault> read_source(cell_services& s, const tenant& owner) {
  auto found = s.documents.get({owner, cells::kinds::participant_config, owner.id()});
  if (!found)
    throw std::runtime_error("the participant's configuration cannot be read");
  if (*found) {
    const auto config = json::parse((*found)->body);
    const auto* entries = config && config->is_object() ? json::object_at(config->get_object(), "entries") : nullptr;
    const auto url = entries ? json::string_at(*entries, url_entry) : std::nullopt;
    if (url && !url->empty())
      return read_remote(s, owner, config->get_object(), std::string(*url));
  }
  auto own = find_signer(s, owner, key_usage::sign_token);
  if (!own)
    return std::unexpected(std::move(own.error()));
  return std::move(*own);
}

void add_field(std::string& form, std::string_view name, std::string_view value) {
  form.append(form.empty() ? "" : "&").append(name).append("=").append(planes::path_segment(value));
}

std::string joined(const std::vector<std::string>& scopes) {
  std::string out;
  for (const auto& scope : scopes)
    out.append(out.empty() ? "" : " ").append(scope);
  return out;
}

task<std::expected<std::string, fault>> ask_remote(cell_services& s, remote_account at, token_request r) {
  actors::http_call call;
  call.method = "POST";
  call.url = std::move(at.url);
  call.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  add_field(call.body, "grant_type", "client_credentials");
  add_field(call.body, "client_id", at.client_id);
  add_field(call.body, "client_secret", at.secret);
  add_field(call.body, "audience", r.audience);
  if (!r.bearer_access_scopes.empty())
    add_field(call.body, "bearer_access_scope", joined(r.bearer_access_scopes));
  else if (!r.access_token.empty())
    add_field(call.body, "token", r.access_token);
  auto exchanging = control_plane::exchange(s, std::move(call));
  const auto answer = co_await std::move(exchanging);
  if (!answer || answer->status < 200 || answer->status >= 300) {
    auto why = control_plane::failure_text(service_name, "the token request", answer);
    co_return std::unexpected(control_plane::may_pass(answer) ? for_now(std::move(why))
                                                              : misconfigured(std::move(why)));
  }
  const auto body = json::parse(answer->body);
  const auto token = body && body->is_object() ? json::string_at(body->get_object(), "access_token") : std::nullopt;
  if (!token || token->empty())
    co_return std::unexpected(misconfigured(std::string(service_name) + " answered without an access_token."));
  co_return std::string(*token);
}

} // namespace

std::string make_token(cell_services& s, const signer& by, const token_request& r) {
  const auto now = s.clock.now();
  const auto fresh = [&s, now] { return make_uuid(now, 0, s.random.next()).text(); };
  dcp::self_issued_draft draft;
  draft.issuer = by.did;
  draft.audience = r.audience;
  draft.jti = fresh();
  draft.access_token = r.access_token;
  draft.now = now;
  if (!r.bearer_access_scopes.empty()) {
    dcp::access_draft granted;
    granted.holder = by.did;
    granted.verifier = r.audience;
    granted.scopes = r.bearer_access_scopes;
    granted.jti = "accesstoken-" + fresh();
    granted.now = now;
    draft.access_token = dcp::sign_access_token(granted, by.key, by.kid);
  }
  return dcp::sign_self_issued(draft, by.key, by.kid);
}

task<std::expected<std::string, fault>> self_issued_token(cell_services& s, tenant owner, token_request r) {
  auto reading = actors::in_pool(s.pool, s.edge, owner, [&s, owner] { return read_source(s, owner); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(for_now("The participant's keys cannot be read now."));
  if (!*found)
    co_return std::unexpected(std::move(found->error()));
  if (const auto* own = std::get_if<signer>(&**found))
    co_return make_token(s, *own, r);
  auto at = std::get<remote_account>(std::move(**found));
  auto asking = ask_remote(s, std::move(at), std::move(r));
  co_return co_await std::move(asking);
}

} // namespace fondaco::identity
